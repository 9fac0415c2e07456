"""What of a Patient is compared: a :class:`Record` of features, made once, cheap to compare.

Every feature is a set of texts, a text or a number, so that the same comparison runs here and
in a database; see :mod:`kintung.identity.matching.conditions`.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, TypedDict, cast

import msgspec

from kintung.identity.matching import births, numbers, phones
from kintung.identity.matching.elements import listed, objects
from kintung.identity.matching.name_features import name_features
from kintung.identity.matching.names import read_names
from kintung.identity.names import folded

NONE: frozenset[str] = frozenset()


class Record(msgspec.Struct, frozen=True):
    """The features of one source Patient. An empty set, or None, is what it does not say.

    Attributes:
        id: of the Patient.
        numbers: valid numbers of the strong kinds, ``hkid:A1234563``.
        verified: those of them whose document was seen at a counter.
        number_kinds: kinds of ``numbers``.
        near_numbers: valid numbers one slip away from one written here that fails its check.
        other_numbers: of other kinds and systems.
        surname_term, surname_frequency: what stands for the surname where its frequency is
            asked, and that frequency.
        surname_han, given_han: characters, and telegraph codes after ``#``.
        surname_folded, given_folded: in simplified space.
        surname_other, given_other: folded characters, or capitals, of further readings of the name.
        surname_latin, given_latin: capitals without marks or spaces.
        surname_spelled: spellings that the characters of the surname may have, and ``surname_latin``.
        surname_pivot: folded characters that a surname known only by its spelling may be.
        surname_text, given_text: the first spelling; given_whole: all words of a given name, by letters.
        given_western: Western given names; given_manner: ``western`` where there are no others, and
            ``chinese`` where there are none.
        given_term: what the given name is; None when it is not said.
        given_parts: folded characters of the given name, one by one.
        given_syllables: syllables that are written, ``1TAI``; given_spelled: those that characters may have.
        given_sounds: the characters by how they are read first; given_sorted: folded, out of their order.
        birth ...: see :mod:`kintung.identity.matching.births`.
        sex: ``male`` or ``female``.
        phones, phone_tails: with country code, ``85251234567``; last six digits.
        addresses, places: lines of addresses; districts, towns and postal codes.
        address_numbers, address_words: of the first address by letters, its numbers, and the rest.
    """

    id: str
    numbers: frozenset[str] = NONE
    verified: frozenset[str] = NONE
    number_kinds: frozenset[str] = NONE
    near_numbers: frozenset[str] = NONE
    other_numbers: frozenset[str] = NONE
    surname_term: str | None = None
    surname_frequency: float | None = None
    surname_han: frozenset[str] = NONE
    surname_folded: frozenset[str] = NONE
    surname_other: frozenset[str] = NONE
    surname_latin: frozenset[str] = NONE
    surname_spelled: frozenset[str] = NONE
    surname_pivot: frozenset[str] = NONE
    surname_text: str | None = None
    given_term: str | None = None
    given_han: frozenset[str] = NONE
    given_folded: frozenset[str] = NONE
    given_other: frozenset[str] = NONE
    given_parts: frozenset[str] = NONE
    given_latin: frozenset[str] = NONE
    given_syllables: frozenset[str] = NONE
    given_spelled: frozenset[str] = NONE
    given_sounds: frozenset[str] = NONE
    given_sorted: frozenset[str] = NONE
    given_text: str | None = None
    given_whole: str | None = None
    given_western: frozenset[str] = NONE
    given_manner: str | None = None
    birth: str | None = None
    birth_new_year: str | None = None
    birth_day: str | None = None
    birth_swapped: str | None = None
    birth_number: int | None = None
    birth_open: frozenset[str] = NONE
    birth_spans: frozenset[str] = NONE
    birth_parts: frozenset[str] = NONE
    birth_marks: frozenset[str] = NONE
    sex: str | None = None
    phones: frozenset[str] = NONE
    phone_tails: frozenset[str] = NONE
    addresses: frozenset[str] = NONE
    address_numbers: str | None = None
    address_words: str | None = None
    places: frozenset[str] = NONE


FEATURES = Record.__struct_fields__
"""Names of the features, ``id`` first."""

_MOST = 10
"""Telephones, and addresses, of one Patient that are looked at."""
_ONE_DISTRICT = 400
_NOT_PLAIN = re.compile(r"[^0-9A-Z]+")
"""Of ASCII in capitals: what is neither letter nor digit."""
_DIGITS = re.compile("[0-9]+")


def record(patient: dict[str, Any]) -> Record:
    """Take the features of a Patient (a FHIR R4 resource that was validated, or one that was not).

    Nothing is raised: what cannot be read is not known.
    """
    return _with_id(patient, _said(patient), numbers.number_features(patient.get("identifier")))


def record_of(text: bytes) -> Record:
    """The same of a Patient as it is stored, of whose text no more is read than is compared."""
    return record(_read(text))


class _Compared(TypedDict, total=False):
    """The elements of a Patient that features are taken of."""

    id: Any
    name: Any
    birthDate: Any
    telecom: Any
    address: Any
    gender: Any
    identifier: Any


_COMPARED = msgspec.json.Decoder(_Compared, float_hook=str)


def _read(text: bytes) -> dict[str, Any]:
    return cast("dict[str, Any]", _COMPARED.decode(text))


def record_again(patient: dict[str, Any], *, with_numbers: bool = True) -> Record:
    """The same of a Patient that was validated, quicker when it was taken not long before.

    Whatever stores Patients takes it for the index, and for each other that it is compared with, which
    often comes just before or after it.

    Args:
        with_numbers: else its identifiers are passed over.
    """
    said = _said_again(_encode([patient.get(element) for element in _SAID]))
    return _with_id(patient, said, numbers.number_features(patient.get("identifier")) if with_numbers else ())


_SAID = ("name", "birthDate", "telecom", "address", "gender")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@lru_cache(128)
def _said_again(written: bytes) -> Mapping[str, Any]:
    return _said(dict(zip(_SAID, _decode(written), strict=True)))


def _said(patient: dict[str, Any]) -> Mapping[str, Any]:
    """The features but for the numbers."""
    features: dict[str, Any] = {}
    features.update(name_features(*read_names(patient.get("name"))))
    features.update(births.birth_features(patient.get("birthDate")))
    features.update(_contact_features(patient))
    if patient.get("gender") in ("male", "female"):
        features["sex"] = patient["gender"]
    return features


def _with_id(patient: dict[str, Any], said: Mapping[str, Any], numbered: Iterable[tuple[str, Any]]) -> Record:
    identity = patient.get("id")
    return Record(id=identity if isinstance(identity, str) else "", **said, **dict(numbered))


def _contact_features(patient: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    found: set[str] = set()
    for contact in objects(patient.get("telecom"), _MOST):
        if contact.get("system") in ("phone", "sms") and isinstance(contact.get("value"), str):
            phone = phones.normal_phone(contact["value"])
            if phone:
                found.add(phone)
    yield "phones", frozenset(found)
    yield "phone_tails", frozenset(phone[-6:] for phone in found)
    lines: set[str] = set()
    parted: set[tuple[str, str]] = set()
    places: set[str] = set()
    for address in objects(patient.get("address"), _MOST):
        texts = listed(address.get("line"), _MOST) or [address.get("text")]
        lines.add("".join(map(_place, texts)))
        parted.add(_parted(texts))
        places.update([_district(address.get(part)) for part in ("district", "city", "postalCode")])
    yield "addresses", frozenset(lines - {""})
    for of_digits, of_letters in sorted(parted - {("", "")})[:1]:
        yield "address_numbers", of_digits
        yield "address_words", of_letters
    yield "places", frozenset(places - {""})


def _parted(texts: list[Any]) -> tuple[str, str]:
    """The numbers of an address, in the order of their digits, and its words, line by line by letters.

    Nothing where there are no numbers, or nothing else: a street alone is nobody's home.
    """
    lines = [_compatible(text) for text in texts if isinstance(text, str)]
    numbers = " ".join(sorted([number for line in lines for number in _DIGITS.findall(line)]))
    words = "".join(sorted([_place(_DIGITS.sub("", line)) for line in lines]))
    return (numbers, words) if numbers and words else ("", "")


def _compatible(text: str) -> str:
    text = text[:_ONE_DISTRICT]
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _district(text: Any) -> str:
    """As ``_place`` gives it; the same few come again and again."""
    return _remembered(text) if isinstance(text, str) and len(text) <= _SHORT else _place(text)


def _place(text: Any) -> str:
    """Letters and digits alone, in capitals and simplified characters."""
    if not isinstance(text, str):
        return ""
    if text.isascii():
        return _NOT_PLAIN.sub("", text[:_ONE_DISTRICT].upper())
    plain = unicodedata.normalize("NFKC", text[:_ONE_DISTRICT]).upper()
    return folded("".join(filter(str.isalnum, plain)))


_remembered = lru_cache(1 << 10)(_place)
_SHORT = 40
"""Signs of the name of a place that is remembered."""
