"""How each primitive type of R4 may be written (http://hl7.org/fhir/R4/datatypes.html#primitive).

The patterns are those of the specification made exact: anchored, without classes that
differ between regular-expression engines, and with days that exist. They are run by the
linear-time engine of jsonschema-rs only, for validation and for its reference alike.
"""

from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import jsonschema_rs

from kintung.fhir.references import ID, LITERAL

MAX_STRING = 1024 * 1024
"""Characters in a string or markdown."""

_YEAR = "(?:[0-9](?:[0-9](?:[0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
# 1900 is none, 2000 is one
_LEAP_YEAR = "(?:[0-9][0-9](?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_MONTH = "(?:0[1-9]|1[0-2])"
_MONTH_DAY = (
    "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    "|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_DAY = f"(?:{_YEAR}-{_MONTH_DAY}|{_LEAP_YEAR}-02-29)"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = "(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_NO_CONTROLS = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]+$"
_NO_SPACES = r"^[^\x00-\x20]+$"
_BASE64 = (
    r"^[ \t\r\n]*(?:[A-Za-z0-9+/]{4}[ \t\r\n]*)*"
    r"(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)[ \t\r\n]*$"
)


class Primitive(NamedTuple):
    """``json`` is the JSON type, ``rule`` completes the sentence "… must be …"."""

    json: str
    schema: dict[str, Any]
    rule: str


def _string(pattern: str, rule: str, **more: Any) -> Primitive:
    return Primitive("string", {"type": "string", "pattern": pattern, **more}, rule)


def _integer(minimum: int, rule: str) -> Primitive:
    schema = {"type": "integer", "whole": True, "minimum": minimum, "maximum": 2147483647}
    return Primitive("integer", schema, rule)


_TEXT = f"1 to {MAX_STRING} characters, without control characters other than tab and line ends"
_ADDRESS = "an address without spaces, at least one character"

TABLE: dict[str, Primitive] = {
    "base64Binary": _string(_BASE64, "base64 in groups of four characters"),
    "boolean": Primitive("boolean", {"type": "boolean"}, "true or false, without quotes"),
    "canonical": _string(_NO_SPACES, _ADDRESS),
    "code": _string(
        r"^[^\x00-\x20]+(?: [^\x00-\x20]+)*$", "a code: no space at its ends, single spaces within"
    ),
    "date": _string(
        f"^(?:{_YEAR}(?:-{_MONTH})?|{_DAY})$", "a date: YYYY, YYYY-MM or YYYY-MM-DD, a day that exists"
    ),
    "dateTime": _string(
        f"^(?:{_YEAR}(?:-{_MONTH})?|{_DAY}(?:T{_TIME}{_ZONE})?)$",
        "a dateTime: YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a zone (Z or +08:00), "
        "a day that exists",
    ),
    "decimal": Primitive("number", {"type": "number"}, "a number, without quotes"),
    "id": _string(f"^{ID}$", "an id: 1 to 64 letters, digits, hyphens and dots"),
    "instant": _string(
        f"^{_DAY}T{_TIME}{_ZONE}$",
        "an instant: YYYY-MM-DDThh:mm:ss with a zone (Z or +08:00), a day that exists",
    ),
    "integer": _integer(-2147483648, "a whole number of 32 bits, without point, exponent or quotes"),
    "markdown": _string(_NO_CONTROLS, _TEXT, maxLength=MAX_STRING),
    "oid": _string(r"^urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+$", "an OID such as urn:oid:1.2.3"),
    "positiveInt": _integer(1, "a whole number from 1 to 2147483647, without point, exponent or quotes"),
    "string": _string(_NO_CONTROLS, _TEXT, maxLength=MAX_STRING),
    "time": _string(f"^{_TIME}$", "a time of day: hh:mm:ss"),
    "unsignedInt": _integer(0, "a whole number from 0 to 2147483647, without point, exponent or quotes"),
    "uri": _string(_NO_SPACES, _ADDRESS),
    "url": _string(_NO_SPACES, _ADDRESS),
    "uuid": _string(
        "^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        "a UUID such as urn:uuid:c757873d-ec9a-4326-a141-556f43239520, in small letters",
    ),
    "xhtml": _string(_NO_CONTROLS, "an XHTML div, not empty"),
}


_JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "number": (int, Decimal, float),
    "integer": (int, Decimal, float),
}


class Whole:
    """JSON Schema keyword ``whole``: written without point or exponent.

    JSON Schema itself takes 7.0 for an integer; FHIR does not, and the front door has
    made a ``Decimal`` of it.
    """

    def __init__(self, parent_schema: dict[str, Any], value: Any, schema_path: list[str | int]) -> None:
        del parent_schema, value, schema_path

    def validate(self, instance: Any) -> None:
        if type(instance) is not int:
            raise ValueError("not written as a whole number")


def compile_schema(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """A validator whose patterns take linear time."""
    return jsonschema_rs.Draft202012Validator(
        schema, pattern_options=jsonschema_rs.RegexOptions(), keywords={"whole": Whole}
    )


@cache
def _validator(type: str) -> jsonschema_rs.Draft202012Validator:
    return compile_schema(TABLE[type].schema)


def is_of_json_type(type: str, value: Any) -> bool:
    """Whether ``value`` is of the JSON type (string, number, boolean) that ``type`` is written in."""
    kind = _JSON_TYPES[TABLE[type].json]
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def is_primitive(type: str, value: Any) -> bool:
    """Whether ``value`` may stand for primitive ``type``."""
    return _validator(type).is_valid(value)


def reference_pattern(targets: tuple[str, ...]) -> str:
    """What ``Reference.reference`` may be where only ``targets`` are meant.

    A relative reference (``Patient/1``, ``Patient/1/_history/2``) or a conditional one
    (``Patient?identifier=…``) names its type and is held to ``targets``. Absolute
    addresses, ``urn:`` and fragments do not say for certain what they lead to.
    """
    types = "|".join(targets)
    anything = r"[^\x00-\x20]"
    return (
        rf"^(?:#{anything}*|[A-Za-z][A-Za-z0-9+.-]*:{anything}+"
        rf"|(?:{types})(?:/{LITERAL}|\?[^\x00-\x08\x0b\x0c\x0e-\x1f]+))$"
    )
