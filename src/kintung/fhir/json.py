"""The JSON front door: what may enter, decided once.

FHIR R4 JSON (http://hl7.org/fhir/R4/json.html) is decoded to plain ``dict``, ``list``,
``str``, ``int``, ``bool``, ``None`` and, for every number written with a point or an
exponent, ``Decimal`` with its digits kept. What is stored is the accepted text (see
``kintung.fhir.splice``), never a text made again from the dict.

Every text is decoded by msgspec and then checked by counting bytes, all at the speed of
C. Only when something is wrong, or looks so, ``kintung.fhir.faults`` says what and where.
"""

import re
from decimal import DecimalException
from typing import Any, NamedTuple

import msgspec

from kintung.errors import StructureInvalid, TooLong
from kintung.fhir.faults import first_fault, is_deeper, rule_broken, undecodable
from kintung.fhir.limits import LIMITS, MAX_DIGITS, NUMBERS, Limits
from kintung.fhir.tokens import STRING

__all__ = ["LIMITS", "BundleEntry", "Limits", "SplitBundle", "parse", "parse_list", "split_bundle"]

_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=NUMBERS.create_decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")

_DIGITS_ALIKE = bytes(0x30 if 0x30 <= byte <= 0x39 else byte for byte in range(256))
_LONG_INTEGER = b"0" * (MAX_DIGITS + 1)
_ESCAPED_MARK = re.compile(rb"\\u00(?:00|3[aA])")
_SURELY_MANY = 200
"""Bytes of a text for each bracket in it, at most; where it has fewer, asking costs a little more."""


def parse(raw: bytes, limits: Limits = LIMITS) -> dict[str, Any]:
    """Decode one JSON object.

    Raises:
        TooLong: over ``limits``, or a number of more than 40 significant digits or with
            digits beyond 10^±400.
        StructureInvalid: not JSON, not UTF-8, a byte order mark, a member name twice in
            one object, or not an object at the top.
        ValueInvalid: U+0000 or half of a surrogate pair in a string.

    The error has the FHIRPath of the place, if it is in the first 8 MB; what is not JSON has
    its line and column too.
    """
    value = _parse(raw, limits)
    if type(value) is not dict:
        raise StructureInvalid("The text is JSON, but not an object; a resource is one JSON object.")
    return value  # pyright: ignore[reportUnknownVariableType]


def parse_list(raw: bytes, limits: Limits = LIMITS) -> list[Any]:
    """Decode one JSON array; raises as ``parse`` does, and when it is no array."""
    value = _parse(raw, limits)
    if type(value) is not list:
        raise StructureInvalid("The text is JSON, but not an array.")
    return value  # pyright: ignore[reportUnknownVariableType]


def _parse(raw: bytes, limits: Limits) -> Any:
    _check_size(raw, limits)
    try:
        value = _DECODER.decode(raw)
        suspect = _is_suspect(raw, value, limits)
    except (
        msgspec.MsgspecError,
        UnicodeDecodeError,
        DecimalException,
        RecursionError,
        OverflowError,
    ) as error:
        raise undecodable(raw, limits, error) from None
    if suspect and (broken := rule_broken(raw, limits)):
        raise first_fault(raw, limits) or broken
    return value


def _check_size(raw: bytes, limits: Limits) -> None:
    if len(raw) > limits.bytes:
        raise TooLong(
            f"The text has {len(raw)} bytes and the limit is {limits.bytes}; send it in smaller parts."
        )
    if (
        len(raw) > limits.values
        and _count_values(raw) > limits.values
        and _count_values(STRING.sub(b"", raw)) > limits.values
    ):
        raise TooLong(
            f"The text has over {limits.values} commas and opening brackets; send it in smaller parts."
        )


def _count_values(raw: bytes) -> int:
    """Commas and opening brackets; strings hold few enough of them to be left in at first."""
    return raw.count(b",") + raw.count(b"[") + raw.count(b"{")


def _is_suspect(raw: bytes, value: Any, limits: Limits) -> bool:
    """Whether well-formed text may break a rule; False is certain, True is to be looked into.

    A member name given twice loses a colon on the way through the dict, and an escaped
    colon gains one.
    """
    written = _ENCODER.encode(value)
    return (
        (written != raw and raw.count(b":") != written.count(b":"))
        or (b"\\u00" in raw and _ESCAPED_MARK.search(raw) is not None)
        or _LONG_INTEGER in raw.translate(_DIGITS_ALIKE)
        or (_may_be_deeper(raw, limits.depth) and is_deeper(raw, limits.depth))
    )


def _may_be_deeper(raw: bytes, depth: int) -> bool:
    """Whether it is worth asking: a long text is known to open more without counting."""
    return len(raw) > _SURELY_MANY * depth or raw.count(b"[") + raw.count(b"{") > depth


# --- Bundles ------------------------------------------------------------------------


class BundleEntry(NamedTuple):
    """One entry of a Bundle; ``text`` is the resource as sent, ``resource`` the same decoded."""

    full_url: str | None
    request: dict[str, Any] | None
    resource: dict[str, Any] | None
    text: bytes | None


class SplitBundle(NamedTuple):
    """A Bundle with its resources apart.

    ``envelope`` is the Bundle without the resources, so that it can be validated alone; an
    entry that has nothing else, and would seem empty, keeps an empty Parameters, which is
    valid. ``entries`` are in the order of the text.
    """

    envelope: dict[str, Any]
    entries: list[BundleEntry]


class _EntryText(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw()


class _BundleText(msgspec.Struct):
    """Where the resources are in the text; all other members are skipped at the speed of C."""

    entry: list[_EntryText] = []


_TEXTS = msgspec.json.Decoder(_BundleText)
_STAND_IN = {"resource": {"resourceType": "Parameters"}}


def split_bundle(raw: bytes, limits: Limits = LIMITS) -> SplitBundle:
    """Decode a Bundle once, keeping the text of each ``Bundle.entry.resource``.

    Raises:
        TooLong, StructureInvalid, ValueInvalid: as ``parse`` does; also when the text is
            not a Bundle, its entries or their resources are not objects, or it has more
            entries than ``limits.entries``.
    """
    _check_size(raw, limits)
    try:
        texts = _TEXTS.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        _require_bundle(parse(raw, limits))
        raise StructureInvalid(
            "Bundle.entry is an array of objects; write each entry in { }, and all of them in [ ].",
            path="Bundle.entry",
        ) from None
    if len(texts.entry) > limits.entries:
        raise TooLong(
            f"The Bundle has {len(texts.entry)} entries and the limit is {limits.entries}; "
            "send several Bundles.",
            path="Bundle.entry",
        )
    whole = parse(raw, limits)
    _require_bundle(whole)
    entries: list[BundleEntry] = []
    stubs: list[dict[str, Any]] = []
    for index, (text, entry) in enumerate(zip(texts.entry, whole.get("entry", ()), strict=True)):
        resource = entry.get("resource")
        if resource is None and "resource" not in entry:
            stubs.append(entry)
        elif type(resource) is dict:
            rest = {name: value for name, value in entry.items() if name != "resource"}
            stubs.append(rest or _STAND_IN)
        else:
            raise StructureInvalid("A resource is one JSON object.", path=f"Bundle.entry[{index}].resource")
        full_url, request = entry.get("fullUrl"), entry.get("request")
        entries.append(
            BundleEntry(
                full_url if type(full_url) is str else None,
                request if type(request) is dict else None,
                resource,
                bytes(text.resource) if resource is not None else None,
            )
        )
    return SplitBundle({**whole, "entry": stubs} if "entry" in whole else whole, entries)


def _require_bundle(whole: dict[str, Any]) -> None:
    if whole.get("resourceType") != "Bundle":
        raise StructureInvalid(
            "The resource is not a Bundle; send it to the address of its type.", path="Bundle.resourceType"
        )
