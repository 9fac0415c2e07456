"""Whom a Patient that is not of the record may be of: found in the index, then compared.

Who has one of the numbers of documents (as keyed hashes) is compared first. Where that finds nobody, those
are who share keys of likeness, the same that a batch compares by: most keys first, a few at most, and when
somebody was found only who shares half as many. Who has no birth date is sought by name beside.
Only they are opened and compared, so that the time does not grow with the record; who else is alike is
found by the batch. Each search takes the Reader: who it does not see is no candidate.

Only a shared number makes a match certain, so for certain matches only numbers are looked for.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from kintung.fhir.search import Query, escape, parse_query
from kintung.identity.likeness import asked_keys
from kintung.identity.matching import Match, Record, Result, match, record, record_of
from kintung.identity.matching.numbers import MOST_SAME, URIS
from kintung.identity.name_search import name_forms
from kintung.store.port import View
from kintung.store.reader import Reader
from kintung.store.versions import Paging, Version

MOST_ALIKE = 20
"""Source Patients that share keys, or have the name, that are compared."""
MOST_IN_VAIN = 4
"""Of those who share keys, while nobody was found among them."""
_MOST_VALUES = 100
_MOST_NAMES = 12

Pairs = tuple[tuple[str, str], ...]


class Found(NamedTuple):
    """A Patient of the record that may be of the same person."""

    version: Version
    record: Record
    match: Match


class Sought(NamedTuple):
    """Whom a Patient was compared with, the likeliest first; ``asked`` is the Patient as it was compared.

    ``is_whole`` unless so many have one of the numbers that not all were compared: then nothing is certain.
    """

    asked: Record
    found: tuple[Found, ...]
    is_whole: bool


def seek(view: View, reader: Reader, patient: Mapping[str, Any], *, by_number_alone: bool = False) -> Sought:
    """Compare a Patient (a FHIR R4 resource) with those of the record that the reader sees and may be alike.

    Args:
        by_number_alone: compare only with who has one of the numbers: all that may be certain.
    """
    asked = record(dict(patient))
    of_number = _of_number(view, reader, _numbers(asked, patient))
    found = {id: _compared(asked, version) for id, version in of_number.items()}
    if not by_number_alone and not any(map(_is_found, found.values())):
        found |= _alike(view, reader, asked, patient)
    likely = (each for each in found.values() if each.match.result is not Result.NONE)
    return Sought(asked, tuple(sorted(likely, key=_place)), len(of_number) <= MOST_SAME)


def _is_found(found: Found) -> bool:
    return found.match.result is not Result.NONE


def _place(found: Found) -> tuple[bool, float, str]:
    return found.match.result is not Result.CERTAIN, -found.match.score, found.version.id


def _compared(asked: Record, version: Version) -> Found:
    stored = record_of(version.body)
    return Found(version, stored, match(asked, stored))


def _found(view: View, reader: Reader, pairs: Pairs, most: int) -> dict[str, Version]:
    if not pairs:
        return {}
    query = parse_query("Patient", pairs, now_micros=0, others=name_forms)
    page = view.search(reader, query, Paging(most))
    entries = list(page.entries)
    while page.next is not None and len(entries) < most:
        paging = Paging(most - len(entries), sequence=page.sequence, after=page.next)
        page = view.search(reader, query, paging)
        entries += page.entries
    return {version.id: version for version in entries}


def with_identifier(system: str, value: str) -> Query:
    """Who bears an identifier."""
    return parse_query("Patient", [("identifier", f"{escape(system)}|{escape(value)}")], now_micros=0)


# --- By number ------------------------------------------------------------------------


def _of_number(view: View, reader: Reader, numbers: Pairs) -> dict[str, Version]:
    """Who has one of the numbers; of more than ``MOST_SAME`` the newest, one more than that."""
    found = view.bearing(reader, numbers, MOST_SAME)
    if found is None:
        values = ",".join(f"{escape(system)}|{escape(value)}" for system, value in numbers)
        return _found(view, reader, (("identifier", values),), MOST_SAME + 1)
    return {version.id: version for version in found}


def _numbers(asked: Record, patient: Mapping[str, Any]) -> Pairs:
    numbers = dict.fromkeys((*_strong(asked), *_as_written(patient)))
    return tuple(numbers)[:_MOST_VALUES]


def _strong(asked: Record) -> Iterator[tuple[str, str]]:
    for number in sorted(asked.numbers):
        kind, _, normal = number.partition(":")
        yield from ((uri, normal) for uri in URIS[kind])


def _as_written(patient: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The identifiers as they were sent, but those of old use: of any system, known here or not."""
    for identifier in patient.get("identifier", ()):
        system, value = identifier.get("system"), identifier.get("value")
        if system and value and identifier.get("use") != "old":
            yield system, value


# --- By likeness ----------------------------------------------------------------------


def _alike(view: View, reader: Reader, asked: Record, patient: Mapping[str, Any]) -> dict[str, Found]:
    compared: dict[str, Found] = {}
    most = 0
    for shared, opened in view.sharing(reader, asked_keys(asked), MOST_ALIKE):
        if 2 * shared < most or (not most and len(compared) == MOST_IN_VAIN):
            break
        version = opened()
        found = compared[version.id] = _compared(asked, version)
        most = most or shared * _is_found(found)
    if not most and asked.birth is None:
        for id, version in _found(view, reader, _by_name(asked, patient), MOST_ALIKE).items():
            compared.setdefault(id, _compared(asked, version))
    return compared


def _by_name(asked: Record, patient: Mapping[str, Any]) -> Pairs:
    """Names find their other scripts and spellings; whoever has a birth date has no key of a name alone."""
    surnames = _alternatives(asked.surname_han, asked.surname_latin)
    givens = _alternatives(asked.given_han, _written_givens(patient))
    return (("family", surnames), ("given", givens)) if surnames and givens else ()


def _alternatives(*texts: Iterable[str]) -> str:
    written = (text for each in texts for text in sorted(each) if text and not text.startswith("#"))
    return ",".join(escape(text) for text in list(dict.fromkeys(written))[:_MOST_NAMES])


def _written_givens(patient: Mapping[str, Any]) -> Iterator[str]:
    for name in patient.get("name", ()):
        yield from (given for given in name.get("given", ()) if given)
