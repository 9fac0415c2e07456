"""Reading the right side of a search parameter: escapes, prefixes, and one value of each kind.

Source: http://hl7.org/fhir/R4/search.html, sections 3.1.1.4.2 to 3.1.1.4.11 and 3.1.1.5.1
(escaping).
"""

import re
from collections.abc import Iterator
from decimal import Context, Decimal
from typing import cast, get_args

from kintung.errors import TooLong, ValueInvalid
from kintung.fhir.limits import MAX_DIGITS, MAX_EXPONENT
from kintung.fhir.references import is_id
from kintung.fhir.search.convert import local_literal
from kintung.fhir.search.dates import span
from kintung.fhir.search.lengths import BEGINNING, bounded
from kintung.fhir.search.text import folded
from kintung.fhir.search.values import (
    DateValue,
    NumberValue,
    Prefix,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriBelow,
    UriValue,
)

_PREFIX = re.compile(f"({'|'.join(get_args(Prefix))})(?=[-+0-9])")
_NUMBER = re.compile(r"[+-]?(?P<whole>\d+)(?:\.(?P<fraction>\d+))?(?:[eE](?P<exponent>[+-]?\d+))?", re.ASCII)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:", re.ASCII)
_SPACE_FOR_PLUS = re.compile(r" (?=\d\d:\d\d$)")

_MARKS = re.compile(r"([\\,|$])")
_PART = {mark: re.compile(rf"(?:^|{re.escape(mark)})((?:[^\\{mark}]|\\.|\\$)*)", re.DOTALL) for mark in ",|$"}
"""One part of a list and the mark before it; a backslash keeps what follows from being a mark."""

_EXACT = Context(prec=1_000)
_TENTH = Decimal("0.1")


def split(text: str, mark: str) -> list[str]:
    """Split at each ``mark`` that is not escaped; the parts keep their escapes."""
    if "\\" not in text:
        return text.split(mark)
    return [found.group(1) for found in _PART[mark].finditer(text)]


def escape(text: str) -> str:
    """A text as one value of a search: the reverse of :func:`unescape`."""
    return _MARKS.sub(r"\\\1", text)


def unescape(text: str) -> str:
    r"""Resolve ``\,``, ``\$``, ``\|`` and ``\\``; a backslash before anything else stands for itself."""
    return re.sub(r"\\([,$|\\])", r"\1", text) if "\\" in text else text


def token(text: str) -> TokenValue:
    """Read ``code``, ``|code``, ``system|code`` or ``system|``."""
    parts = [unescape(part) for part in split(text, "|")]
    match parts:
        case [code]:
            return TokenValue(None, bounded(code), any_system=True)
        case ["", ""]:
            raise ValueInvalid("a token needs a system, a code, or both: system|code")
        case [system, code]:
            return token_of(system, code)
        case _:
            raise ValueInvalid("a token has at most one | between system and code; escape others as \\|")


def token_of(system: str, code: str) -> TokenValue:
    """What ``system|code`` asks for, of texts that are not escaped."""
    return TokenValue(bounded(system) or None, bounded(code) or None, any_system=False)


def string(text: str) -> StringValue:
    plain = unescape(text)
    return StringValue(bounded(plain), folded(plain))


def uri(text: str) -> UriValue:
    return UriValue(bounded(unescape(text)))


def uri_below(text: str) -> UriBelow:
    """Read the address at the top of what ``:below`` asks for.

    Raises:
        TooLong: over the characters that stand of a long address in the index.
    """
    found = unescape(text)
    if len(found) >= BEGINNING:
        raise TooLong(f"what :below asks for has fewer than {BEGINNING} characters")
    return UriBelow(found)


def uris_above(text: str) -> Iterator[UriValue]:
    """Read an address as ``:above`` has it: itself, and each folder of its path, with and without a slash.

    What is no URL (``urn:oid:1.2``) has nothing above it.
    """
    found = unescape(text)
    yield UriValue(bounded(found))
    scheme, is_url, rest = found.partition("://")
    while is_url and "/" in rest:
        rest = rest.rpartition("/")[0]
        for folder in (rest, f"{rest}/"):
            yield UriValue(bounded(f"{scheme}://{folder}"))


def references(text: str, targets: tuple[str, ...], base: str | None) -> tuple[ReferenceValue, ...]:
    """Read ``id``, ``Type/id`` or an absolute address.

    One under the node's own address is local, and that address too: canonicals keep theirs. A
    bare id where anything may be referred to is also a canonical that somebody wrote so.

    Args:
        targets: the types a bare id may be of, () for any.
        base: the node's own base address, without a slash at its end.
    """
    plain = unescape(text)
    if _ABSOLUTE.match(plain):
        absolute = ReferenceValue(("",), bounded(plain))
        own = _local(plain[len(base) + 1 :]) if base and plain.startswith(f"{base}/") else None
        return (own, absolute) if own else (absolute,)
    if is_id(plain):
        bare = ReferenceValue(targets, plain)
        return (bare,) if targets else (bare, ReferenceValue(("",), plain))
    local = _local(plain)
    if local is None:
        raise ValueInvalid("a reference is given as id, as Type/id, or as an absolute address")
    return (local,)


def _local(text: str) -> ReferenceValue | None:
    found = local_literal(text)
    if found and text != f"{found.type}/{found.id}":
        raise ValueInvalid(
            f"references to a resource are found whatever version they name; write {found.type}/{found.id}"
        )
    return ReferenceValue((found.type,), found.id) if found else None


def date(text: str, now_micros: int, offset_minutes: int) -> DateValue:
    """Read a prefix and a date of any precision."""
    prefix, rest = _prefixed(text)
    # A + that was not percent-encoded arrives as a space.
    rest = _SPACE_FOR_PLUS.sub("+", rest)
    try:
        lo, hi = span(rest, offset_minutes)
    except ValueError as refusal:
        raise ValueInvalid(
            f"{refusal}; a date is written as 2013, 2013-01, 2013-01-14 or with a time"
        ) from refusal
    if prefix == "ap":
        distance = max(lo - now_micros, now_micros - hi, 0)
        lo, hi = lo - distance // 10, hi + distance // 10
    return DateValue(prefix, lo, hi)


def number(text: str) -> NumberValue:
    """Read a prefix and a number."""
    prefix, rest = _prefixed(text)
    return NumberValue(prefix, *_bounds(prefix, rest))


def quantity(text: str) -> QuantityValue:
    """Read ``number``, ``number|system|code`` or ``number||code``, with a prefix."""
    match [unescape(part) for part in split(text, "|")]:
        case [amount]:
            system = code = ""
        case [amount, system, code]:
            pass
        case _:
            raise ValueInvalid("a quantity is given as number, number|system|code or number||code")
    prefix, rest = _prefixed(amount)
    return QuantityValue(
        prefix,
        *_bounds(prefix, rest),
        bounded(system) or None,
        bounded(code) or None,
        any_unit=not (system or code),
    )


def _prefixed(text: str) -> tuple[Prefix, str]:
    plain = unescape(text)
    found = _PREFIX.match(plain)
    if found is None:
        return "eq", plain
    return cast(Prefix, found.group(1)), plain[found.end() :]


def _bounds(prefix: Prefix, text: str) -> tuple[Decimal, Decimal, Decimal]:
    """Return low bound, high bound and value, as NumberValue defines them."""
    value, last_digit = _decimal(text)
    if prefix in ("eq", "ne"):
        spread = Decimal((0, (5,), last_digit - 1))
    elif prefix == "ap":
        spread = _EXACT.multiply(abs(value), _TENTH)
    else:
        spread = Decimal(0)
    return _EXACT.subtract(value, spread), _EXACT.add(value, spread), value


def _decimal(text: str) -> tuple[Decimal, int]:
    """Return the number and the exponent of its last digit; size is checked before conversion."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueInvalid("a number is written as 100, 5.40 or 1e2")
    whole, fraction, exponent = found["whole"], found["fraction"] or "", found["exponent"] or "0"
    if len((whole + fraction).lstrip("0")) > MAX_DIGITS:
        raise TooLong(f"a number has at most {MAX_DIGITS} digits")
    if len(exponent) > 5 or abs(int(exponent)) > MAX_EXPONENT or len(whole + fraction) > 2 * MAX_EXPONENT:
        raise TooLong(f"the exponent of a number is between -{MAX_EXPONENT} and {MAX_EXPONENT}")
    return Decimal(text), int(exponent) - len(fraction)
