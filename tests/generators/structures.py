"""Valid resources of any R4 type made from the definitions, and ways to break them.

``resource`` draws every element the definition has, sooner or later; ``broken`` changes
the text of one as a faulty or hostile sender would. The same generator gives the same.
"""

import copy
import json
import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from kintung.fhir.structure.definitions import Element, Member, definitions, members

RAW = "\ue000"
"""Strings between two of these private characters become raw text: numbers no decoder keeps."""

PRIMITIVES: dict[str, tuple[Any, ...]] = {
    "base64Binary": ("AAAA", "AA==", "AAA=\r\n", "AAAA BBBB\r\nCC=="),
    "boolean": (True, False),
    "canonical": ("http://a.example/x|1.0", "urn:oid:1.2"),
    "code": ("a", "a b", "<=", "陳"),
    "date": ("0001", "9999-12", "2000-02-29", "1900-02-28"),
    "dateTime": ("1997", "2000-02-29", "2016-12-31T23:59:60Z", "9999-12-31T23:59:59.999999999+14:00"),
    "decimal": (*(f"{RAW}{each}{RAW}" for each in ("1.0E+2", "1e-7", "-0", "0.000000001", "1E400")), 0, -7),
    "id": ("a", "A-1.b", "0" * 64),
    "instant": ("2016-12-31T23:59:60Z", "0001-01-01T00:00:00.1-00:00"),
    "integer": (0, -2147483648, 2147483647),
    "markdown": ("# a\n\n* b", " "),
    "oid": ("urn:oid:1.2.840", "urn:oid:0.0"),
    "positiveInt": (1, 2147483647),
    "string": ("x", " a\tb\r\n", "ﬁ e\u0301 é 陳\U0001f600", '{"a":"[\\"]"}', "a:b" * 20),
    "time": ("00:00:00", "23:59:60.5"),
    "unsignedInt": (0, 2147483647),
    "uri": ("http://a.example", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "x"),
    "url": ("https://a.example/?q=%20", "mailto:a@a.example"),
    "uuid": ("urn:uuid:c757873d-ec9a-4326-a141-556f43239520",),
    "xhtml": ('<div xmlns="http://www.w3.org/1999/xhtml">a</div>',),
}

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63) - 1, int("1" * 40)),
    *("", " ", "x", "\t", "\x7f", "\u00a0", "\u200b", "e\u0301", "é", "ﬁ", "\ufeff", "true", "7", "null"),
    *("0000", "0001", "9999", "9999-12-31T23:59:60+14:00", "2023-02-29", "2016-12-31T23:59:61Z", "24:00:00"),
    *(
        "Patient/1",
        "Elephant/1",
        "#",
        "#x",
        "urn:uuid:X",
        "Patient?x",
        "../etc/passwd",
        "'; DROP TABLE x; --",
    ),
    *([], {}, [None], [[]], [{}], {"id": "x"}, {"a": 1}, {"reference": 7}, {"extension": []}, ["x", None]),
    *({"resourceType": "Patient"}, {"resourceType": "Elephant"}, {"resourceType": []}),
    *(
        RAW + each + RAW
        for each in (
            *("7.0", "7E0", "-0", "-0.0", "1E-9999", "1E3000000", "1E99999999999999999999", "0E-401"),
            *(
                "1" * 41,
                "1" * 100_000,
                "1." + "0" * 50,
                "NaN",
                "Infinity",
                "-Infinity",
                "01",
                "1.",
                ".5",
                "+1",
            ),
            *(r'"\ud800"', r'"\udc00\ud800"', r'"\u0000"', r'"\x41"', '"\t"', "'x'", '{"a":1,"a":2}', "[1,]"),
            *("[" * 200 + "]" * 200, '{"a":' * 120 + "1" + "}" * 120, "undefined", "/**/1", '"a" "b"', ""),
        )
    ),
)


def resource(type: str, random: Random, *, fullness: float = 0.3, inside: bool = False) -> dict[str, Any]:
    """A valid resource of ``type``; ``fullness`` is how likely an optional element is to be there."""
    made = {"resourceType": type, **_fields(type, random, fullness)}
    if inside:
        made.pop("contained", None)
    return made


def _fields(type: str, random: Random, fullness: float) -> dict[str, Any]:
    made: dict[str, Any] = {}
    known = members(type)
    nests = fullness > 0.1 and random.random() < 0.2
    for element in definitions().types[type]:
        wanted = bool(element.min) or random.random() < fullness
        if type == "Extension" and element.name in ("extension", "value"):
            wanted = (element.name == "extension") == nests
        if wanted:
            name = random.choice([each for each, member in known.items() if member.element is element])
            made |= _member(name, known[name], random, fullness)
    if not made.keys() - {"id"}:
        name, member = next((each, of) for each, of in known.items() if each not in ("id", "extension"))
        made |= _member(name, member, random, fullness)
    return made


def _member(name: str, member: Member, random: Random, fullness: float) -> dict[str, Any]:
    if member.element.max == 1:
        if member.is_extensible and random.random() < 0.05:
            return {f"_{name}": _note(random)} | (
                {name: _value(member, random, fullness)} if random.random() < 0.5 else {}
            )
        return {name: _value(member, random, fullness)}
    values = [_value(member, random, fullness) for _ in range(random.choice((1, 1, 2, 3)))]
    if member.element.name == "contained":
        for number, each in enumerate(values):
            each["id"] = f"c{number}"
    if member.is_extensible and random.random() < 0.1:
        notes = [random.choice((None, _note(random))) for _ in values]
        shown = [
            None if note and random.random() < 0.5 else value
            for note, value in zip(notes, values, strict=True)
        ]
        return {name: shown, f"_{name}": notes}
    return {name: values}


def _note(random: Random) -> dict[str, Any]:
    return {"id": random.choice(("a", "b")), "extension": [{"url": "http://a.example/n", "valueCode": "x"}]}


def _value(member: Member, random: Random, fullness: float) -> Any:
    element, type = member.element, member.type
    systems = definitions().value_sets.get(element.value_set or "")
    if systems and type == "code":
        return random.choice(sorted(code for codes in systems.values() for code in codes))
    if member.is_primitive:
        return random.choice(PRIMITIVES[type])
    if type == "Resource":
        return resource(random.choice(("Basic", "Device", "Patient")), random, fullness=0.05, inside=True)
    made = _fields(type, random, fullness * 0.4)
    if systems:
        system = random.choice(sorted(systems))
        made["coding"] = [{"system": system, "code": random.choice(systems[system])}]
    if type == "Reference":
        made.pop("_reference", None)
        made["reference"] = _reference(element, random)
    return made


def _reference(element: Element, random: Random) -> str:
    target = random.choice(element.targets or definitions().resources)
    return random.choice(
        (f"{target}/1", f"{target}/1/_history/2", f"{target}?identifier=a|b", "#c0", "urn:uuid:x", f"http://a.example/{target}/1")
    )  # fmt: skip


_RAW_STRING = re.compile(rf'"{RAW}((?:[^"\\\\]|\\\\.)*?){RAW}"')


def text(value: Any) -> str:
    """JSON text, with raw pieces in place."""
    return _RAW_STRING.sub(lambda found: json.loads(f'"{found[1]}"'), json.dumps(value, ensure_ascii=False))


def broken(value: dict[str, Any], random: Random) -> bytes:
    """The text of ``value`` after one to three changes; now and then it is still valid."""
    changed = copy.deepcopy(value)
    for _ in range(random.choice((1, 1, 2, 3))):
        if places := list(_places(changed)):
            random.choice(_CHANGES)(*random.choice(places), random)
    raw = text(changed).encode("utf-8", "surrogatepass")
    return random.choice(_TEXT_CHANGES)(raw, random) if random.random() < 0.15 else raw


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every member and item, as its container and key."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


def _odd(holder: Any, key: Any, random: Random) -> None:
    holder[key] = copy.deepcopy(random.choice(ODD))


def _drop(holder: Any, key: Any, random: Random) -> None:
    if len(holder) > 1 or random.random() < 0.5:
        del holder[key]


def _rename(holder: Any, key: Any, random: Random) -> None:
    if isinstance(holder, dict):
        new = random.choice(
            ("x", "__proto__", "constructor", "", "a b", "_" + key, key.upper(), key + "String")
        )
        holder[new] = holder.pop(key)


def _wrap(holder: Any, key: Any, random: Random) -> None:
    for _ in range(random.choice((1, 1, 120))):
        holder[key] = [holder[key]]


def _unwrap(holder: Any, key: Any, random: Random) -> None:
    if isinstance(holder[key], list) and holder[key]:
        holder[key] = holder[key][0]


def _beside(holder: Any, key: Any, random: Random) -> None:
    if isinstance(holder, dict):
        notes = (
            _note(random),
            {"id": "x"},
            {},
            None,
            [None],
            [_note(random)],
            [None, _note(random)],
            [{}, None],
            "x",
        )
        holder[f"_{key}"] = copy.deepcopy(random.choice(notes))


def _second_choice(holder: Any, key: Any, random: Random) -> None:
    if isinstance(holder, dict):
        name = random.choice(
            ("value", "effective", "onset", "medication", "occurrence", "deceased", "multipleBirth")
        )
        type = random.choice(("String", "Boolean", "DateTime", "Quantity", "Integer", "CodeableConcept"))
        holder[name + type] = copy.deepcopy(random.choice(ODD))


def _twice(holder: Any, key: Any, random: Random) -> None:
    if isinstance(holder, dict):
        again = json.dumps(holder[key], ensure_ascii=False)
        holder[key] = f"{RAW}{again},{json.dumps(key)}:{again}{RAW}"


def _long(holder: Any, key: Any, random: Random) -> None:
    """A text up to, at and over 1 MB, which is as long as FHIR lets a string be."""
    length = random.choice((1_000, 1_000, 1_048_576, 1_048_577))
    holder[key] = random.choice(("a", "陳", " ", "A=", "1", "[", "\\", "\n")) * length


def _deep(holder: Any, key: Any, random: Random) -> None:
    extension: dict[str, Any] = {"url": "a:b", "valueString": "x"}
    for _ in range(random.choice((10, 45, 49, 60))):
        extension = {"url": "a:b", "extension": [extension]}
    holder[key] = [extension] if random.random() < 0.5 else {"extension": [extension]}


_CHANGES: tuple[Callable[[Any, Any, Random], None], ...] = (
    *(_odd,) * 16,
    *(_drop, _rename, _wrap, _unwrap, _beside, _beside, _second_choice, _twice, _deep) * 2,
    _long,  # seldom: it takes as much time as a hundred others
)


def _cut(raw: bytes, random: Random) -> bytes:
    return raw[: random.randrange(len(raw) + 1)]


def _flip(raw: bytes, random: Random) -> bytes:
    at = random.randrange(len(raw)) if raw else 0
    return raw[:at] + bytes((random.randrange(256),)) + raw[at + 1 :]


def _insert(raw: bytes, random: Random) -> bytes:
    at = random.randrange(len(raw) + 1)
    piece = random.choice(
        (b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"//", b",", b":", b'"', b"\\u0000", b"}{")
    )
    return raw[:at] + piece + raw[at:]


def _encode(raw: bytes, random: Random) -> bytes:
    encoding = random.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7"))
    return raw.decode("utf-8", "replace").encode(encoding)


_TEXT_CHANGES: tuple[Callable[[bytes, Random], bytes], ...] = (_cut, _flip, _insert, _encode)
