"""The values a search asks for, one class for each kind of parameter.

Long texts are bounded as those of the rows are (``rows``).

Each says what it means on one index row in :func:`matches`, the plain definition that every
store must agree with. Bounds are in the units of the index: microseconds since 1970 UTC for
dates, ``Decimal`` for numbers.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Prefix = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]


@dataclass(frozen=True, slots=True)
class TokenValue:
    """``code`` (any system), ``|code`` (no system), ``system|code``, ``system|`` (code None)."""

    system: str | None
    code: str | None
    any_system: bool


@dataclass(frozen=True, slots=True)
class ReferenceValue:
    """A local literal by type and id, or an absolute address: ``types == ("",)``.

    ``types == ()`` is any local type.
    """

    types: tuple[str, ...]
    id: str


@dataclass(frozen=True, slots=True)
class DateValue:
    """A span ``[lo, hi)``; for ``ap`` it is widened already."""

    prefix: Prefix
    lo: int
    hi: int


@dataclass(frozen=True, slots=True)
class StringValue:
    """The text as sent, and the first 255 characters of it folded. Only ``:exact`` compares the first."""

    text: str
    folded: str


@dataclass(frozen=True, slots=True)
class NumberValue:
    """A number. ``lo`` and ``hi`` are its implicit precision ``[lo, hi)`` for ``eq`` and ``ne``,
    ten per cent round it, both in, for ``ap``; for other prefixes both are ``value``."""

    prefix: Prefix
    lo: Decimal
    hi: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True)
class QuantityValue:
    """A number with a unit: system and code, or ``system`` None for code or unit alone.

    ``code`` None with a system: any unit of that system. ``any_unit``: neither was given.
    """

    prefix: Prefix
    lo: Decimal
    hi: Decimal
    value: Decimal
    system: str | None
    code: str | None
    any_unit: bool


@dataclass(frozen=True, slots=True)
class UriValue:
    """An absolute address, compared letter for letter."""

    uri: str


@dataclass(frozen=True, slots=True)
class UriBelow:
    """``:below``: an address, and all under it in its path."""

    uri: str

    @property
    def folder(self) -> str:
        """What every address under it begins with."""
        return self.uri if self.uri.endswith("/") else f"{self.uri}/"


@dataclass(frozen=True, slots=True)
class Missing:
    """``:missing``. ``missing`` True: the resource yields no row for the parameter."""

    missing: bool


@dataclass(frozen=True, slots=True)
class CompositeValue:
    """``value$value``: each part must hold of the same element, in the order of the components."""

    parts: tuple["Value", ...]


Value = (
    TokenValue
    | ReferenceValue
    | DateValue
    | StringValue
    | NumberValue
    | QuantityValue
    | UriValue
    | UriBelow
    | CompositeValue
    | Missing
)
