"""Decimals as bytes whose order is the order of the numbers.

SQLite BLOB, PostgreSQL bytea and Python ``bytes`` all compare byte by byte, so the three
stores agree exactly, whatever the digits. Equal numbers have equal keys (``5`` and ``5.00``).
"""

from decimal import Decimal

LEAST_KEY = b""
"""Before every number: the low bound of a span that is open below."""

GREATEST_KEY = b"\xff"
"""After every number: the high bound of a span that is open above."""

_NEGATIVE, _ZERO, _POSITIVE = b"\x40", b"\x80", b"\xc0"
_BIAS = 0x8000
_FLIP = bytes(255 - byte for byte in range(256))


def decimal_key(number: Decimal) -> bytes:
    """Return bytes that sort as the number does.

    Sign byte; the exponent of the first digit, biased, in two bytes; two digits a byte, each
    pair plus one so that a shorter number sorts first. For negative numbers exponent and
    digits are complemented and closed by 0xff, so that longer (further from zero) sorts first.

    Args:
        number: finite, with the exponent of its first digit within ±32,000.

    Raises:
        ValueError: not finite, or the exponent is beyond those bounds.
    """
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{number} is not a finite number")
    text = "".join(map(str, digits))
    bare = text.lstrip("0")
    if not bare:
        return _ZERO
    first = len(bare) - 1 + exponent
    if abs(first) > 32_000:
        raise ValueError(f"the exponent {first} is beyond 32,000")
    magnitude = (first + _BIAS).to_bytes(2, "big") + _pairs(bare.rstrip("0"))
    if sign:
        return _NEGATIVE + magnitude.translate(_FLIP) + b"\xff"
    return _POSITIVE + magnitude


def _pairs(digits: str) -> bytes:
    if len(digits) % 2:
        digits += "0"
    return bytes([int(digits[at : at + 2]) + 1 for at in range(0, len(digits), 2)])


def bound_keys(lo: Decimal | None, hi: Decimal | None) -> tuple[bytes, bytes]:
    """Return the keys of a closed span; an open end is before (after) every number."""
    return (
        LEAST_KEY if lo is None else decimal_key(lo),
        GREATEST_KEY if hi is None else decimal_key(hi),
    )
