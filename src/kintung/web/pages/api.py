"""GET /api and /api/{type}: the CapabilityStatement made readable, with lines to run against this node.

They say nothing of the record. Where the node is a demo, lines ask for the first of its invented people.
"""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec

from kintung.errors import NotFound
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.capabilities import statement
from kintung.web.fhir.interactions import INTERACTIONS
from kintung.web.fhir.registry import TYPES, Interaction
from kintung.web.pages.catalogues import N_
from kintung.web.pages.page import page
from kintung.web.pages.registry import Asked
from kintung.web.site import Site

PATH = "/api"
DOCUMENTS = "docs/reference/api"
"""Where the pages of the reference are, in the source of the project."""
_JSON = "Content-Type: application/fhir+json"
_PERSON = {"resourceType": "Patient", "name": [{"text": "陳大文"}], "birthDate": "1954-07-01"}
_WRONG = {"resourceType": "Patient", "birthDate": "yesterday"}
_ASKED = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": _PERSON}]}
_BATCH = {
    "resourceType": "Bundle",
    "type": "batch",
    "entry": [
        {"request": {"method": "GET", "url": "Patient?_summary=count"}},
        {"request": {"method": "GET", "url": "Observation?_summary=count"}},
    ],
}


class Line(NamedTuple):
    """A line for a shell; ``about`` is a message."""

    about: str
    line: str


class Entry(NamedTuple):
    """What one or more calls do: ``about`` is a message, ``documents`` their pages of the reference."""

    calls: tuple[str, ...]
    about: str
    documents: tuple[str, ...]


class Group(NamedTuple):
    """Entries of one kind; ``title`` is a message."""

    title: str
    entries: tuple[Entry, ...]


class Type(NamedTuple):
    """A resource type: how many search parameters it has, and which operations of its own."""

    name: str
    parameters: int
    operations: tuple[str, ...]


def api(site: Site, asked: Asked) -> Answer:
    """What is offered, of everything together."""
    found = offered(deletes_several=site.settings.delete_at_most > 1)
    of_types: list[dict[str, Any]] = found["rest"][0]["resource"]
    shared = frozenset[str].intersection(*(frozenset(_operations(each)) for each in of_types))
    demo = site.settings.about.demo
    return page(
        site,
        asked,
        "api.html",
        (),
        base=asked.base,
        metadata=f"{asked.base}/metadata",
        openapi_at=f"{asked.base}/openapi.json",
        release=f"{found['software']['name']} {found['software']['version']}",
        version=found["fhirVersion"],
        lines=list(lines(asked.base, demo.people[0].id if demo is not None and demo.people else "")),
        groups=groups(),
        common=list(_codes(of_types[0])),
        operations=[name for name in _operations(of_types[0]) if name in shared],
        types=[_type(each, shared) for each in of_types],
        parameters=sum(len(each["searchParam"]) for each in of_types),
    )


def of_type(site: Site, asked: Asked) -> Answer:
    """What is offered of one resource type.

    Raises:
        NotFound: there is no such type.
    """
    type = asked.named["type"]
    if type not in TYPES:
        raise NotFound("There is no page at this address.")
    found = offered(deletes_several=site.settings.delete_at_most > 1)
    of = next(each for each in found["rest"][0]["resource"] if each["type"] == type)
    parameters: list[dict[str, str]] = of["searchParam"]
    return page(
        site,
        asked,
        "api_type.html",
        (),
        type=type,
        line=_get(f"{asked.base}/{type}?_count=1"),
        interactions=_codes(of),
        parameters=[(each["name"], each["type"], each.get("definition", "")) for each in parameters],
        operations=[(each["name"], each["definition"]) for each in of.get("operation", ())],
        includes=of.get("searchInclude", ()),
        revincludes=of.get("searchRevInclude", ()),
    )


@cache
def offered(*, deletes_several: bool) -> Mapping[str, Any]:
    """The CapabilityStatement of a node, as data."""
    return msgspec.json.decode(statement(INTERACTIONS, "", deletes_several=deletes_several))


@cache
def groups() -> tuple[Group, ...]:
    """Every interaction and operation, in the groups of the reference."""
    operations = [each for each in INTERACTIONS if is_operation(each)]
    others = [each for each in INTERACTIONS if not is_operation(each)]
    return (
        Group(
            N_("Of a resource"),
            _entries([each for each in others if "{type}" in each.path and "{id}" in each.path]),
        ),
        Group(
            N_("Of a type"),
            _entries([each for each in others if "{type}" in each.path and "{id}" not in each.path]),
        ),
        Group(
            N_("Of the node"),
            _entries([each for each in others if "{type}" not in each.path]),
        ),
        Group(N_("Operations"), _entries(operations)),
    )


def is_operation(interaction: Interaction) -> bool:
    """Whether the standard calls it an operation; the reference has these in a folder of their own."""
    return bool(interaction.operation) or "$" in interaction.path


def _entries(interactions: Sequence[Interaction]) -> tuple[Entry, ...]:
    """One entry for what is said of in the same words: an operation by GET and by POST."""
    said: dict[str, list[Interaction]] = {}
    for each in interactions:
        said.setdefault(each.description, []).append(each)
    return tuple(Entry(tuple(map(_call, of)), about, tuple(map(_document, of))) for about, of in said.items())


def _call(interaction: Interaction) -> str:
    criteria = "?…" if interaction.name.startswith("conditional") else ""
    return f"{interaction.method} /fhir{interaction.path}{criteria}"


def _document(interaction: Interaction) -> str:
    folder = "operation" if is_operation(interaction) else "interaction"
    return f"{DOCUMENTS}/{folder}/{interaction.name}.md"


def _codes(of_type: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(each["code"] for each in of_type["interaction"])


def _operations(of_type: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"${each['name']}" for each in of_type.get("operation", ()))


def _type(of_type: Mapping[str, Any], shared: frozenset[str]) -> Type:
    """``shared``: operations that every type has."""
    own = tuple(name for name in _operations(of_type) if name not in shared)
    return Type(of_type["type"], len(of_type["searchParam"]), own)


def lines(base: str, id: str) -> Iterator[Line]:
    """Lines that work on any node; and of a source Patient of a demo, where there is one."""
    yield Line(N_("What this node offers"), _get(f"{base}/metadata"))
    yield Line(N_("The same as an OpenAPI document"), _get(f"{base}/openapi.json"))
    if id:
        yield Line(N_("One person of this demo"), _get(f"{base}/Patient/{id}"))
        yield Line(
            N_("Everything of that person, from all records"), _get(f"{base}/Patient/{id}/$everything")
        )
        series = f"{base}/Observation?patient={id}&code=http://loinc.org%7C85354-9&_sort=-date"
        yield Line(N_("The blood pressures of that person, newest first"), _get(series))
    named = f"curl -s -G {shlex.quote(f'{base}/Patient')} --data-urlencode 'name=陳大文'"
    yield Line(N_("People by a name, in any script"), named)
    yield Line(
        N_("The newest blood pressures"),
        _get(f"{base}/Observation?code=http://loinc.org%7C85354-9&_sort=-date&_count=5"),
    )
    yield Line(
        N_("What is wrong with a resource; nothing is stored"), _post(f"{base}/Patient/$validate", _WRONG)
    )
    yield Line(N_("Who in the record somebody may be"), _post(f"{base}/Patient/$match", _ASKED))
    yield Line(N_("Several requests in one"), _post(base, _BATCH))


def _get(address: str) -> str:
    return f"curl -s {shlex.quote(address)}"


def _post(address: str, body: Mapping[str, Any]) -> str:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return f"curl -s -H {shlex.quote(_JSON)} -d {shlex.quote(text)} {shlex.quote(address)}"
