"""Planting a thousand persons, and looking for what they left in files, byte by byte."""

import base64
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote

from kintung.identity.identifiers import hkid_check_digit, mainland_check_digit
from tests.records import observation

Resource = dict[str, Any]
OWN = "https://kintung.org/fhir/sid/"
_LETTERS = "bcdfghjklmnpqrstvwxz"
_PREFIX = 6
"""Bytes of a needle that are looked up at every place; no needle is shorter."""
_RARE = "麤龘靐齉爩鱻灪吁籲龖厵滟爨癵驫麣纞虋讟钃鸜麷鞻韽韊顳顴鬱鬰鬱鸛鸞"


class Number(NamedTuple):
    """An identifier: its system, as a person writes it, and the part that every way to write it has."""

    system: str
    written: str
    core: str


class Person(NamedTuple):
    """What one planted person could be known by."""

    id: str
    numbers: tuple[Number, ...]
    names: tuple[str, ...]
    notes: tuple[str, ...]
    remark: str
    """Free text that a search parameter indexes (``Observation.valueString``)."""

    def needles(self) -> Iterator["Needle"]:
        yield from (Needle("number", number.core) for number in self.numbers)
        yield from (Needle("name", name) for name in self.names)
        yield from (Needle("note", note) for note in self.notes)
        yield Needle("remark", self.remark)


def people(count: int, draw: Random) -> list[Person]:
    return [_person(number, draw) for number in range(count)]


def _person(number: int, draw: Random) -> Person:
    numbers = tuple(_number(draw, form) for form in draw.sample(range(len(_FORMS)), 2))
    chinese = "".join(draw.choices(_RARE, k=6))
    names = (_word(draw, 10).title(), _word(draw, 9).title(), chinese)
    notes = tuple(f"{_word(draw, 14)} {_word(draw, 14)}" for _ in range(3))
    return Person(f"planted{number}", numbers, names, notes, f"{_word(draw, 12)} {_word(draw, 12)}")


def _word(draw: Random, length: int) -> str:
    return "".join(draw.choices(_LETTERS, k=length))


def _hkid(draw: Random) -> tuple[str, str, str]:
    core = f"{draw.choice('ABCDEFGHKMPRSVYZ')}{draw.randrange(10**6):06}"
    written = draw.choice(("{}({})", "{}{}", "{} ({})")).format(core, hkid_check_digit(core))
    return "hkid", draw.choice((written, written.lower())), core


def _mainland(draw: Random) -> tuple[str, str, str]:
    body = f"4401{draw.randrange(100):02}{draw.randrange(1930, 2010)}{draw.randrange(10**7):07}"
    return "mainland-id", body + mainland_check_digit(body), body


def _home_return(draw: Random) -> tuple[str, str, str]:
    core = f"{draw.choice('HM')}{draw.randrange(10**8):08}"
    return "home-return-permit", f"{core} {draw.randrange(1, 9):02}", core


def _residence(draw: Random) -> tuple[str, str, str]:
    body = f"810000{draw.randrange(1930, 2010)}{draw.randrange(10**7):07}"
    return "mainland-residence-permit", body + mainland_check_digit(body), body


def _taiwan(draw: Random) -> tuple[str, str, str]:
    core = f"{draw.randrange(10**8):08}"
    return "taiwan-compatriot-permit", f"{core}({draw.randrange(1, 9):02})", core


def _exit(draw: Random) -> tuple[str, str, str]:
    core = f"C{draw.choice('ABCDEFGH')}{draw.randrange(10**7):07}"
    return "exit-entry-permit", core, core


def _macao(draw: Random) -> tuple[str, str, str]:
    core = f"{draw.choice('157')}{draw.randrange(10**6):06}"
    return "macao-bir", f"{core}({draw.randrange(10)})", core


def _birth(draw: Random) -> tuple[str, str, str]:
    core = f"Q{draw.choice('ABCDEFGH')}{draw.randrange(10**6):06}"
    return "hk-birth-certificate", f"{core}({hkid_check_digit(core)})", core


TYPE = {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NI"}
"""The type of the numbers."""
_FORMS = (_hkid, _mainland, _home_return, _residence, _taiwan, _exit, _macao, _birth)


def _number(draw: Random, form: int) -> Number:
    system, written, core = _FORMS[form](draw)
    return Number(OWN + system, written, core)


# --- What is stored of them -------------------------------------------------------------


def resources(person: Person) -> Iterator[Resource]:
    """The record of a person; the numbers also where a reference says whom it means."""
    family, given, chinese = person.names
    first, second, third = person.notes
    identifiers = [
        {"type": {"coding": [TYPE]}, "system": number.system, "value": number.written}
        for number in person.numbers
    ]
    subject = {"reference": f"Patient/{person.id}"}
    yield {
        "resourceType": "Patient",
        "id": person.id,
        "identifier": identifiers,
        "name": [{"family": family, "given": [given]}, {"text": chinese}],
    }
    # A number as a code, beside a value: what stands together has rows of its own.
    coded = {"coding": [{"system": person.numbers[0].system, "code": person.numbers[0].written}]}
    part = {"code": coded, "valueQuantity": {"value": 1}}
    measured = {"valueString": person.remark, "note": [{"text": first}], "component": [part]}
    elsewhere = f"https://elsewhere.example/fhir/Patient?identifier={quote(_searched(person.numbers[1]))}"
    logical = [{"identifier": identifiers[0]}, {"reference": elsewhere}]
    yield observation(f"{person.id}-o", person.id, performer=logical, **measured)
    yield {
        "resourceType": "Condition",
        "id": f"{person.id}-c",
        "identifier": identifiers[1:],
        "subject": subject,
        "note": [{"text": second}],
        "code": {"text": third},
    }


def _searched(number: Number) -> str:
    return f"{number.system}|{number.written}"


def searches_of_type(person: Person) -> Iterator[str]:
    """The values by which a person is searched for with ``:of-type``."""
    return (f"{TYPE['system']}|{TYPE['code']}|{number.written}" for number in person.numbers)


def searches(person: Person) -> Iterator[str]:
    """The values by which a person is searched for."""
    for number in person.numbers:
        yield _searched(number)
        yield number.written


# --- Looking for it ---------------------------------------------------------------------


class Needle(NamedTuple):
    """One text to look for, and what it is: a number, a name, a note, a remark."""

    kind: str
    text: str


class Needles:
    """Texts to look for in every encoding somebody might have stored them in."""

    def __init__(self, needles: Iterable[Needle]) -> None:
        self._by_prefix: defaultdict[bytes, list[tuple[bytes, Needle]]] = defaultdict(list)
        for needle in needles:
            for form in encodings(needle.text):
                assert len(form) >= _PREFIX, needle
                self._by_prefix[form[:_PREFIX]].append((form, needle))

    def found(self, data: bytes) -> set[Needle]:
        """Which of the texts stand in ``data``."""
        found: set[Needle] = set()
        forms = self._by_prefix
        for piece in _EMPTY.split(data):
            for place in range(len(piece) - _PREFIX + 1):
                window = piece[place : place + _PREFIX]
                if window in forms:
                    found.update(needle for form, needle in forms[window] if piece.startswith(form, place))
        return found


_EMPTY = re.compile(rb"\0{64,}")
"""Room in the files of a database that nothing was written to."""


def encodings(text: str) -> set[bytes]:
    """UTF-8 and UTF-16, as it is, small and capital; escaped for JSON, an address, base64 and hex."""
    forms: set[bytes] = set()
    for cased in {text, text.lower(), text.upper()}:
        plain = cased.encode()
        forms |= {plain, cased.encode("utf-16-le"), cased.encode("utf-16-be"), quote(cased).encode()}
        forms |= {
            cased.encode("ascii", "backslashreplace"),
            plain.hex().encode(),
            plain.hex().upper().encode(),
        }
        forms |= {_inside_base64(plain, shift) for shift in range(3)}
    return forms


def _inside_base64(plain: bytes, shift: int) -> bytes:
    """The letters of base64 that depend on ``plain`` alone when it begins at ``shift`` modulo three."""
    encoded = base64.b64encode(bytes(shift) + plain).rstrip(b"=")
    return encoded[(shift * 8 + 5) // 6 : (shift + len(plain)) * 8 // 6]
