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
_FURTHEST = 32_000
_FLIP = bytes(max(0xFE - byte, 0) for byte in range(256))
"""Turns the order of two-digit bytes (0x00 to 0x99) round, and stays below the closing 0xff."""

_CLOSE = b"\xff"


def decimal_key(number: Decimal) -> bytes:
    """Return bytes that sort as the number does.

    Sign byte; the exponent of the first digit, biased, in two bytes; two digits a byte, without
    zeros at the end, so that a shorter number sorts before a longer one that it begins. For
    negative numbers exponent and digits are counted down instead, and 0xff closes the key, so
    that longer (further from zero) sorts first.

    Args:
        number: finite, with the exponent of its first digit within ±32,000.

    Raises:
        ValueError: not finite, or the exponent is beyond those bounds.
    """
    if not number.is_finite():
        raise ValueError(f"{number} is not a finite number")
    if not number:
        return _ZERO
    first = number.adjusted()
    if abs(first) > _FURTHEST:
        raise ValueError(f"the exponent {first} is beyond {_FURTHEST}")
    digits = format(number, "e").partition("e")[0].lstrip("-").replace(".", "").rstrip("0")
    if len(digits) % 2:
        digits += "0"
    pairs = bytes.fromhex(digits)
    if number < 0:
        return _NEGATIVE + (_BIAS - first).to_bytes(2, "big") + pairs.translate(_FLIP) + _CLOSE
    return _POSITIVE + (_BIAS + first).to_bytes(2, "big") + pairs


def bound_keys(lo: Decimal | None, hi: Decimal | None) -> tuple[bytes, bytes]:
    """Return the keys of a closed span; an open end is before (after) every number."""
    low = LEAST_KEY if lo is None else decimal_key(lo)
    if lo is hi and lo is not None:
        return low, low
    return low, GREATEST_KEY if hi is None else decimal_key(hi)
