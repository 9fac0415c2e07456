"""$ihe-pix: GET and POST /Patient/$ihe-pix.

Source: https://profiles.ihe.net/ITI/PIXm/ITI-83.html. The identifiers that the person of an identifier has
elsewhere: those of all source Patients of one person that the caller sees. A person is made of certain
links only (ADR 0023), so what is probable gives nothing here.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from kintung.errors import BadInput, Deleted, NotFound, Throttled, ValueInvalid
from kintung.fhir.json import parse
from kintung.fhir.references import is_id
from kintung.identity.identifiers import normalise
from kintung.identity.matching.numbers import MOST_SAME
from kintung.identity.seeking import with_identifier
from kintung.store.port import View
from kintung.store.reader import Reader
from kintung.store.versions import Version
from kintung.web.fhir.answer import Answer, refusal
from kintung.web.fhir.headers import PLAIN
from kintung.web.fhir.operation import both_methods, pairs_of
from kintung.web.fhir.registry import Reads
from kintung.web.fhir.request import Request
from kintung.web.site import Site

OPERATION = "https://profiles.ihe.net/ITI/PIXm/OperationDefinition/IHE.PIXm.pix"
TYPE = "Patient"
_OF_AN_ID = f"{TYPE}/"


class Source(NamedTuple):
    """Who is asked of: an identifier, or where ``system`` is this node the id of a Patient."""

    system: str
    value: str


def ihe_pix(site: Site, request: Request, view: View) -> Answer:
    """The identifiers and ids of the person that an identifier is of."""
    try:
        site.matching.take(request.access.client)
        asked = pairs_of(site, request, OPERATION)
        source = _source([value for name, value in asked if name == "sourceIdentifier"])
        targets = frozenset(_system(value, "targetSystem") for name, value in asked if name == "targetSystem")
    except (BadInput, Throttled) as error:
        return refusal(error, TYPE)
    reader = request.access.reader
    own = _bearers(view, reader, source, request.base)
    person = view.person(reader, own[0])
    if not set(own) <= set(person):
        raise _not_found()
    versions = list(_versions(view, reader, person))
    parameters = list(_told(versions, source, targets, request.base))
    keys = tuple({key for version in versions for key in version.patient_keys})
    about = next((key for version in versions if version.id == own[0] for key in version.patient_keys), 0)
    body: dict[str, Any] = {"resourceType": "Parameters"}
    return Answer(
        200,
        PLAIN,
        msgspec.json.encode(body | ({"parameter": parameters} if parameters else {})),
        keys,
        about=about if len(versions) > 1 else 0,
    )


def _bearers(view: View, reader: Reader, source: Source, base: str) -> list[str]:
    """Ids of the source Patients that the caller sees and that bear the identifier.

    Raises:
        NotFound: none does.
    """
    if source.system == base and source.value.startswith(_OF_AN_ID):
        id = source.value.removeprefix(_OF_AN_ID)
        current = view.current(reader, TYPE, id) if is_id(id) else None
        found = [id] if current is not None and not current.deleted else []
    else:
        query = with_identifier(source.system, source.value)
        found = [match.id for match in view.match(reader, query, MOST_SAME)]
    if not found:
        raise _not_found()
    return sorted(found)


def _not_found() -> NotFound:
    """Absent, hidden, and of several persons are alike: none of it says whose the number is."""
    return NotFound("sourceIdentifier Patient Identifier not found; it is of no one person known here.")


def _versions(view: View, reader: Reader, person: Iterable[str]) -> Iterator[Version]:
    for id in person:
        try:
            yield view.read(reader, TYPE, id)
        except (Deleted, NotFound):
            continue


def _told(
    versions: Iterable[Version], source: Source, targets: frozenset[str], base: str
) -> Iterator[dict[str, Any]]:
    """Each identifier once, then the Patients that bear one of them, or all where this node is a target."""
    seen = {_compared(source.system, source.value)}
    bearers: list[str] = []
    for version in versions:
        wanted = [each for each in _identifiers(version) if not targets or each["system"] in targets]
        told = [each for each in wanted if _compared(each["system"], each["value"]) != _compared(*source)]
        if told or base in targets:
            bearers.append(version.id)
        for identifier in told:
            key = _compared(identifier["system"], identifier["value"])
            if key not in seen:
                seen.add(key)
                yield {"name": "targetIdentifier", "valueIdentifier": identifier}
    for id in bearers:
        yield {"name": "targetId", "valueReference": {"reference": f"{_OF_AN_ID}{id}"}}


def _identifiers(version: Version) -> Iterator[dict[str, Any]]:
    """Those with system and value, but of old use, without extensions: no more than says who."""
    for identifier in parse(version.body).get("identifier", ()):
        if identifier.get("system") and identifier.get("value") and identifier.get("use") != "old":
            yield {name: identifier[name] for name in ("use", "system", "value") if name in identifier}


def _compared(system: str, value: str) -> tuple[str, str]:
    return system, normalise(system, value)


def _source(sent: list[str]) -> Source:
    """The identifier that is asked of.

    Raises:
        ValueInvalid: none was sent, or not as ``system|value``.
    """
    system, bar, value = sent[0].partition("|") if sent else ("", "", "")
    if not bar or not value:
        raise ValueInvalid("sourceIdentifier is system|value; send one.", path="sourceIdentifier")
    return Source(_system(system, "sourceIdentifier"), value)


def _system(value: str, name: str) -> str:
    """A system of identifiers; which there are is not told, so any URI may be one."""
    try:
        is_absolute = bool(urlsplit(value).scheme) and value.isprintable() and " " not in value
    except ValueError:
        is_absolute = False
    if not is_absolute:
        raise ValueInvalid(f"{name}: the system of an identifier is an absolute URI.", path=name)
    return value


_DESCRIPTION = "The identifiers that a person has elsewhere, by one that is known."

INTERACTIONS = both_methods("ihe-pix", "/{type}/$ihe-pix", Reads(ihe_pix), _DESCRIPTION, OPERATION, (TYPE,))
