"""Search by name in any script, on every store: a table of people and queries, to be read by an officer."""

from functools import cache
from pathlib import Path

import msgspec
import pytest
import yaml

from kintung.errors import TooCostly
from kintung.identity.name_search import NameCode, matched_form, name_forms
from tests.stores import Record, Resource

CODES: dict[str, NameCode] = {"name": "name", "family": "family", "given": "given"}
TABLE = Path(__file__).parent / "names/queries.yaml"


class Name(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A HumanName."""

    surname: str = ""
    given: tuple[str, ...] = ()
    text: str = ""


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody on the record."""

    names: tuple[Name, ...]
    type: str = "Patient"


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A query, and the ids of all whom it finds."""

    ask: str
    find: str
    why: str = ""


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole table."""

    people: dict[str, Person]
    queries: tuple[Asked, ...]


@cache
def table() -> Table:
    """Read the table; msgspec.ValidationError when it is not of this form."""
    return msgspec.convert(yaml.safe_load(TABLE.read_text(encoding="utf-8")), Table)


def human_name(name: Name) -> Resource:
    """The name as FHIR has it."""
    parts = {"family": name.surname, "given": list(name.given), "text": name.text}
    return {part: value for part, value in parts.items() if value}


def resource(id: str, person: Person) -> Resource:
    """The person as a resource."""
    made: Resource = {"resourceType": person.type, "id": id, "name": [*map(human_name, person.names)]}
    return made | ({"patient": {"reference": "Patient/han"}} if person.type == "RelatedPerson" else {})


def search(asked: str) -> str:
    """The query with its type."""
    return asked if "?" in asked else f"Patient?{asked}"


def test_the_table_is_of_two_hundred_queries():
    queries = [each.ask for each in table().queries]
    assert len(queries) >= 200
    assert len(set(queries)) == len(queries)


def test_every_query_finds_whom_it_must_and_nobody_else(record: Record):
    for id, person in table().people.items():
        record.put(resource(id, person))
    record.others = name_forms
    wrong = {
        each.ask: found
        for each in table().queries
        if (found := sorted(name.partition("/")[2] for name in record.found(search(each.ask))))
        != sorted(each.find.split())
    }
    assert wrong == {}


def test_names_that_change_are_found_by_what_they_are_now(record: Record):
    record.others = name_forms
    record.put({"resourceType": "Patient", "id": "a", "name": [{"family": "陳", "given": ["大文"]}]})
    assert record.found("Patient?name=Chen Dawen") == ["Patient/a"]
    record.put({"resourceType": "Patient", "id": "a", "name": [{"family": "李", "given": ["大文"]}]})
    assert record.found("Patient?name=Chen Dawen") == []
    assert record.found("Patient?name=Li Dawen") == ["Patient/a"]
    record.delete("Patient/a")
    assert record.found("Patient?name=Li Dawen") == []


def test_a_link_leads_to_names_in_any_script(record: Record):
    record.others = name_forms
    record.put({"resourceType": "Patient", "id": "a", "name": [{"text": "陈大文"}]})
    record.put(
        {
            "resourceType": "Observation",
            "id": "o",
            "status": "final",
            "code": {"text": "x"},
            "subject": {"reference": "Patient/a"},
        }
    )
    assert record.found("Observation?subject:Patient.name=Chan Tai Man") == ["Observation/o"]
    assert record.found("Observation?subject.name=陳大文") == ["Observation/o"]
    assert record.found("Observation?subject:Patient.name=Chan Tai Ming") == []
    assert record.found("Patient?_has:Observation:subject:status=final&name=Chen Dawen") == ["Patient/a"]


@pytest.mark.parametrize("many", [20, 21])
def test_more_than_twenty_alternatives_are_taken_as_they_are_written(record: Record, many: int):
    record.others = name_forms
    record.put({"resourceType": "Patient", "id": "a", "name": [{"text": "陈大文"}]})
    asked = ",".join(["Chan Tai Man", *(f"Smith {place}" for place in range(1, many))])
    assert record.found(f"Patient?name={asked}") == (["Patient/a"] if many == 20 else [])


WIDE = "Ng Kun Sun Sun"
"""A name that is sought in as many forms as any."""


def test_many_names_are_sought_at_once_up_to_a_bound(record: Record):
    record.others = name_forms
    record.put({"resourceType": "Patient", "id": "a", "name": [{"family": "吳", "given": ["權新"]}]})
    asked = [f"{WIDE} {last}" for last in ("Ho", "Man", "Wai", "Yee", "Lai", "Kit")]
    together = "&".join(f"name={each}" for each in asked)
    assert record.found(f"Patient?{together}") == []
    with pytest.raises(TooCostly):
        record.found(f"Patient?{together}&{together}&{together}")
    alternatives = ",".join(f"{each} {place}" for place in range(3) for each in asked)
    assert record.found(f"Patient?name={alternatives}&name={alternatives}&name={alternatives}") == []
    assert record.found(f"Observation?subject:Patient.name={alternatives}") == []


def test_what_matched_is_said_of_each_whom_a_query_finds():
    """``matched_form`` and the stores agree on every query of a Patient's name, family or given name."""
    for each in table().queries:
        asked, _, text = each.ask.partition("=")
        code = CODES.get(asked)
        if code is None or "&" in text or text.count(",") > text.count("\\,"):
            continue
        found = [
            id
            for id, person in table().people.items()
            if person.type == "Patient"
            and any(matched_form(text.replace("\\,", ","), human_name(name), code) for name in person.names)
        ]
        assert sorted(found) == sorted(each.find.split()), each.ask
