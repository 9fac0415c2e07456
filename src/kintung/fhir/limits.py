"""Bounds on what may be sent, as the whole package keeps them."""

from dataclasses import dataclass
from decimal import Clamped, Context, Inexact, InvalidOperation, Overflow, Rounded, Underflow

MAX_DIGITS = 40
"""Significant digits a number may have."""

MAX_EXPONENT = 400
"""The first digit of a number stands at 10^400 at most, its last at 10^-400 at least."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one text.

    ``bytes`` of it, objects and arrays open at once (``depth``), ``entries`` of a Bundle,
    and ``values``: commas and opening brackets outside strings, which bounds the memory a
    decoded text takes to about half a gigabyte.
    """

    bytes: int = 64 * 1024 * 1024
    depth: int = 100
    entries: int = 10_000
    values: int = 4_000_000


LIMITS = Limits()


# Decimal checks its own limits here, on the text, before anything is computed from it:
# too many digits signal Rounded, a first digit too high Overflow, a last digit too low
# Underflow or (for zero) Clamped. Etiny, the lowest place, is Emin - prec + 1.
NUMBERS = Context(
    prec=MAX_DIGITS,
    Emax=MAX_EXPONENT,
    Emin=MAX_DIGITS - 1 - MAX_EXPONENT,
    traps=[Clamped, Inexact, InvalidOperation, Overflow, Rounded, Underflow],
)
