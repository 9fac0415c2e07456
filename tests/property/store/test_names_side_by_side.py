"""The three stores agree on whom a name finds in any of its forms, while names come, change and go."""

from random import Random
from typing import Any

import pytest

from kintung.identity.name_search import name_forms
from kintung.store.sql.search import plan as search_plans
from tests import scale
from tests.oracle.spoken import NAMES, PLACES, Spoken
from tests.stores import Record
from tests.stores import names as names_of


def human_name(draw: Random, name: Spoken) -> dict[str, Any]:
    """A name as somebody records it."""
    if draw.random() < 0.5:
        text = draw.choice(name.characters())
        return {"text": text} if draw.random() < 0.5 else {"family": text[0], "given": [text[1:]]}
    place = draw.choice(PLACES)
    family, *given = (getattr(each, place).title() for each in name)
    if draw.random() < 0.3:
        return {"text": draw.choice(list(name.letters(place)))}
    return {"family": family, "given": [draw.choice((" ", "-", "")).join(given)]}


def asked(draw: Random, name: Spoken) -> str:
    """A search for a name, or a part of it, in some form."""
    characters, letters = draw.choice(name.characters()), list(name.letters(draw.choice(PLACES)))
    text = draw.choice((characters, characters, *letters)).replace(",", "\\,")
    code = draw.choice(("name", "name", "phonetic", "family", "given"))
    if code == "family":
        text = draw.choice((characters[0], getattr(name.surname, draw.choice(PLACES))))
    elif code == "given":
        place = draw.choice(PLACES)
        text = draw.choice((characters[1:], f"{getattr(name.first, place)} {getattr(name.second, place)}"))
    return draw.choice(
        (
            f"Patient?{code}={text}",
            f"Patient?birthdate={draw.choice(YEARS)}&{code}={text}",
            f"Observation?subject.name={text}",
        )
    )


YEARS = ("1950", "1951")


@pytest.mark.parametrize("thresholds", ["usual", "low"])
def test_stores_agree_on_names_in_any_form(
    records: list[Record], thresholds: str, monkeypatch: pytest.MonkeyPatch
):
    """In the same order, too, page by page."""
    if thresholds == "low":
        for name, value in {"FEW": 1, "COUNTED": 20, "STRETCH": 4, "STRETCH_OF_FORMS": 2}.items():
            monkeypatch.setattr(search_plans, name, value)
    draw = scale.seeded("names side by side")
    names = draw.sample(NAMES, 12)
    found_any = 0
    for record in records:
        record.others = name_forms
    for step in range(scale.counts(40, 2_000)):
        id = f"p{draw.randrange(20)}"
        resource = {
            "resourceType": "Patient",
            "id": id,
            "name": [human_name(draw, draw.choice(names)) for _ in range(draw.randrange(1, 3))],
            "birthDate": draw.choice(YEARS),
        }
        about = {
            "resourceType": "Observation",
            "id": f"o{step % 10}",
            "status": "final",
            "code": {"text": "x"},
            "subject": {"reference": f"Patient/p{step % 10}"},
        }
        for record in records:
            record.put(resource)
            if record.found(f"Observation?_id=o{step % 10}") == []:
                record.put(about)
        search = asked(draw, draw.choice(names))
        found = [
            [name for page in record.pages(search, count=2) for name in names_of(page)] for record in records
        ]
        assert found[0] == found[1] == found[2], (search, found)
        totals = {record.search(search, count=0, total=True).total for record in records}
        assert totals == {len(found[0])}, search
        found_any += bool(found[0])
    assert found_any * 4 >= scale.counts(40, 2_000), "too few searches find anybody"
