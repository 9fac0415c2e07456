"""B5: characters that mean something to SQL mean nothing here, wherever they stand."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args
from urllib.parse import quote

import pytest

from kintung.fhir.search import parameters, resource_types
from kintung.fhir.search.atoms import Kind
from tests import scale
from tests.records import observation, patient
from tests.server.api import Api, ids
from tests.server.api import api as opened

PAYLOADS = (
    "'", '"', "`", "\\", "';--", "' OR '1'='1", '" OR ""="', "%", "_", "?", "$1", ":a", "{}", "{0}", "%s",
    "/*", "*/", "--", ";", "), (", "NULL", "x'00'", "\u202e", "𝄞", "é", "İ", "ß", "\\'", "a\nb", "\r\n",
    "0x41", "1;DROP TABLE log", "(SELECT body FROM version)", "' UNION SELECT 1,2,3 --", "a" * 4_000,
)  # fmt: skip


def parameter_names() -> Iterator[tuple[str, str]]:
    """Parameters of every kind; in a long run a sample of all of every type."""
    found = [
        (type, code, parameter)
        for type in sorted(resource_types())
        for code, parameter in parameters(type).items()
    ]
    scale.seeded("metacharacters").shuffle(found)
    yield from (
        ("Patient", "_id"),
        ("Patient", "_lastUpdated"),
        ("Patient", "family"),
        ("Patient", "identifier"),
    )
    for kind in get_args(Kind):
        of_kind = [(type, code) for type, code, parameter in found if parameter.kind == kind]
        yield from of_kind[: scale.counts(2, 30)]


NAMES = tuple(parameter_names())
ASK_HOW = (
    "_sort", "_type", "_count", "_total", "_cursor", "_elements", "_include", "_format", "_since"
)  # fmt: skip
"""Parameters that say how to answer, and select nothing."""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder: Callable[[], Path] = lambda: tmp_path_factory.mktemp("metacharacters")  # noqa: E731
    if request.param == "sqlite":
        url = f"sqlite:///{folder()}/record.db"
    else:
        url = request.getfixturevalue("postgres").fresh_database()
    with opened(url) as found:
        found.store(patient("p"), observation("o", "p"))
        yield found


def asked(payload: str) -> Iterator[str]:
    """Searches with the payload in every place of the grammar."""
    text = quote(payload, safe="")
    for type, name in NAMES:
        yield f"{type}?{name}={text}"
        yield f"{type}?{name}={text}%7C{text}"
        yield f"{type}?{name}:{text}=x"
    yield f"Observation?subject:Patient.family={text}"
    yield f"Patient?{text}=x"
    yield f"Patient?{text}.{text}:{text}={text}"
    yield f"Observation?subject:{text}.family=x"
    yield f"Observation?subject.{text}=x"
    for name in ASK_HOW:
        yield f"Patient?{name}={text}"
        yield f"?{name}={text}"
        yield f"Patient/_history?{name}={text}"
    yield f"Patient?_sort=-{text},family"
    yield f"Patient/{text}"
    yield f"{text}/p"
    yield f"Patient/p/_history/{text}"
    yield text


@pytest.mark.parametrize(
    "payload", PAYLOADS, ids=lambda payload: payload[:20].encode("unicode_escape").decode()
)
def test_nothing_fails_and_nothing_is_widened(database: Api, payload: str) -> None:
    taken = 0
    for path in asked(payload):
        answer = database.get(path)
        assert answer.status_code < 500, (path, answer.text)
        if answer.status_code == 200 and is_criterion(path):
            # A prefix search for "a" may match; nobody here is called anything like the payloads.
            assert ids(answer.json()) == [], path
            taken += 1
    assert taken, "no search was answered: nothing was looked at"


def is_criterion(path: str) -> bool:
    """Is the payload in a parameter that selects, so that nothing may match?"""
    return path.partition("?")[2].partition("=")[0] not in ("", *ASK_HOW)


@pytest.mark.parametrize(
    "payload", PAYLOADS, ids=lambda payload: payload[:20].encode("unicode_escape").decode()
)
def test_a_name_made_of_them_is_kept_and_found(database: Api, payload: str) -> None:
    name = f"{payload}e"
    created = database.post("Patient", {"resourceType": "Patient", "name": [{"family": name}]})
    assert created.status_code == 201, created.text
    id = created.json()["id"]
    assert database.get(f"Patient/{id}").json()["name"][0]["family"] == name
    escaped = name.replace("\\", "\\\\").replace(",", "\\,").replace("|", "\\|").replace("$", "\\$")
    found = database.get(f"Patient?family:exact={quote(escaped, safe='')}")
    if len(name) < 4_000:
        assert ids(found.json()) == [id], found.text
    assert database.delete(f"Patient/{id}").status_code == 204


def test_header_fields_made_of_them(database: Api) -> None:
    for payload in PAYLOADS:
        if "\n" in payload:
            continue
        value = payload.encode()
        for name in ("If-Match", "If-None-Match", "If-None-Exist", "Prefer", "Idempotency-Key", "Accept"):
            for method, path, body in (
                ("GET", "Patient/p", None),
                ("POST", "Patient", {"resourceType": "Patient"}),
                ("PUT", "Patient/q", patient("q")),
                ("DELETE", "Patient/none", None),
            ):
                sent = [(name.encode(), value)]
                answer = database.call(method, path, body, headers=sent)
                assert answer.status_code < 500, (name, payload, answer.text)
