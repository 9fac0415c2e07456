"""Identity numbers as they are compared: valid or one slip away, of a strong kind or another."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from kintung.definitions import naming_systems
from kintung.errors import KintungError
from kintung.identity.identifiers import (
    Number,
    hkid_check_digit,
    is_known,
    mainland_check_digit,
    normalise,
    parse,
)
from kintung.identity.matching.elements import objects

VERIFIED = "https://kintung.org/fhir/StructureDefinition/identifier-verified"
"""Extension of an identifier whose document was seen at a counter; its valueDateTime says when."""

STRONG = {
    "hkid": "hkid",
    "hk-birth-certificate": "hkid",
    "mainland-id": "mainland-id",
    "mainland-residence-permit": "residence-permit",
    "home-return-permit": "home-return-permit",
    "exit-entry-permit": "exit-entry-permit",
    "macao-bir": "macao-bir",
}
"""Kinds of number by naming system: national numbers, one a person. A birth certificate bears the HKID."""

URIS: Mapping[str, tuple[str, ...]] = {
    kind: tuple(uri for system in naming_systems() if STRONG.get(system.id) == kind for uri in system.uris)
    for kind in sorted(set(STRONG.values()))
}
"""Where the numbers of one kind stand: under each URI of the systems that bear them."""

MOST_SAME = 32
"""Source Patients with one number that are looked at; of more, the number says who nobody is."""


class _Checked(NamedTuple):
    """The signs that a number with a check digit is of, and how that is made of those before it."""

    signs: str
    check_digit: Callable[[str], str]


_CHECKED = {
    "https://kintung.org/fhir/sid/hkid": _Checked("0123456789A", hkid_check_digit),
    "https://kintung.org/fhir/sid/mainland-id": _Checked("0123456789X", mainland_check_digit),
    "https://kintung.org/fhir/sid/mainland-residence-permit": _Checked("0123456789X", mainland_check_digit),
}
_LONGEST = 24
"""Of a number that slips are looked for in; the longest of those checked has 18 signs."""
_MOST = 20
"""Identifiers of one Patient that are looked at."""


class Numbers(NamedTuple):
    """Two features of a Record: numbers of strong kinds, ``hkid:A1234563``, and those that were seen."""

    numbers: frozenset[str]
    verified: frozenset[str]


def strong_numbers(identifiers: Any) -> Numbers:
    """The numbers of strong kinds among ``Patient.identifier``."""
    strong: set[str] = set()
    verified: set[str] = set()
    for uri, value, extensions in _written(identifiers) if identifiers else ():
        try:
            number = parse(uri, value)
        except KintungError:
            continue
        if number.document in STRONG:
            strong.add(f"{STRONG[number.document]}:{number.normal}")
            verified.update(_as_verified(number) if _is_verified(extensions) else ())
    return Numbers(frozenset(strong), frozenset(verified))


def number_features(identifiers: Any) -> Iterator[tuple[str, Any]]:
    """Give the features of ``Patient.identifier``. What is no identifier is passed over."""
    strong: set[str] = set()
    verified: set[str] = set()
    near: set[str] = set()
    other: set[str] = set()
    for uri, value, extensions in _written(identifiers):
        if not is_known(uri):  # every record has one of its system's own: not worth an exception
            other.add(f"{uri}:{value}")
            continue
        try:
            number = parse(uri, value)
        except KintungError:
            near.update(_slips(uri, value))
            if uri not in _CHECKED:
                other.add(f"{uri}:{value}")
            continue
        kind = STRONG.get(number.document)
        if kind is None:
            other.add(f"{number.document}:{number.normal}")
            continue
        strong.add(f"{kind}:{number.normal}")
        if _is_verified(extensions):
            verified.update(_as_verified(number))
    yield "numbers", frozenset(strong)
    yield "verified", frozenset(verified)
    yield "number_kinds", frozenset(number.partition(":")[0] for number in strong)
    yield "near_numbers", frozenset(near - strong)
    yield "other_numbers", frozenset(other)


def _as_verified(number: Number) -> Iterator[str]:
    """A number that was seen, where it is of a strong kind and its check digit was written."""
    kind = STRONG.get(number.document)
    if kind is not None and number.check != "missing":
        yield f"{kind}:{number.normal}"


def _written(identifiers: Any) -> Iterator[tuple[str, str, Any]]:
    """Each system, value and extensions; those of old use are left out."""
    for identifier in objects(identifiers, _MOST):
        uri, value = identifier.get("system"), identifier.get("value")
        if isinstance(uri, str) and isinstance(value, str) and identifier.get("use") != "old":
            yield uri, value, identifier.get("extension")


def _is_verified(extensions: Any) -> bool:
    """Whether the document was seen."""
    return bool(extensions) and any(
        each.get("url") == VERIFIED and isinstance(each.get("valueDateTime"), str)
        for each in objects(extensions, _MOST)
    )


def _slips(uri: str, value: str) -> Iterable[str]:
    """Valid numbers that differ from a wrong one in a sign, or have two neighbours swapped."""
    if uri not in _CHECKED or len(value) > _LONGEST:
        return ()
    return _slips_of(uri, normalise(uri, value))


def _fits(uri: str, normal: str) -> bool:
    """Whether the last sign is the check digit of those before; what is no number at all does not fit."""
    try:
        return _CHECKED[uri].check_digit(normal[:-1]) == normal[-1]
    except ValueError:
        return False


@cache
def _kind(uri: str) -> str:
    return STRONG[uri.rpartition("/")[2]]


def _slips_of(uri: str, normal: str) -> Iterator[str]:
    signs = _CHECKED[uri].signs
    candidates = {
        normal[:index] + sign + normal[index + 1 :]
        for index, written in enumerate(normal)
        for sign in ("ABCDEFGHIJKLMNOPQRSTUVWXYZ" if written.isalpha() and index < 2 else signs)
    }
    candidates |= {
        normal[:index] + normal[index + 1] + normal[index] + normal[index + 2 :]
        for index in range(len(normal) - 1)
    }
    for candidate in sorted(candidates):
        if not _fits(uri, candidate):  # ten in eleven: without the cost of what is refused in words
            continue
        try:
            number = parse(uri, candidate)
        except KintungError:
            continue
        if number.check == "right":
            yield f"{_kind(uri)}:{number.normal}"
