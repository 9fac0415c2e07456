"""Numbers and units as people write them: every digit that was stored, UCUM by its usual signs. Pure.

A unit is shown by its word in the language of the page where :mod:`kintung.definitions.units` has one,
else as whoever recorded it wrote it, in the usual notation; what is no known unit stays as it is.

Source: https://ucum.org/ucum, sections 2 and 4; http://hl7.org/fhir/R4/datatypes.html#Quantity.
"""

import re
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, cast

from babel.numbers import get_decimal_symbol, get_group_symbol

from kintung.definitions.measurements import UCUM
from kintung.definitions.units import symbols, words
from kintung.web.pages.language import Language

_LONGEST = 24
"""Signs of a number that is written out; a longer one stays in the form with an exponent."""
_COMPARATORS = {"<=": "≤", ">=": "≥"}
_RAISED = str.maketrans("0123456789-+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺")
_PART = re.compile(
    r"(?P<apart>[./·()]|\s+)"
    r"|(?P<note>\{[^{}]*\})"
    r"|(?P<power>(?:[x×]\s*)?10[*^](?P<of>[+-]?\d{1,2}))"
    r"|(?P<bare>\d+(?:\.\d+)?)"
    r"|(?P<unit>%|(?:[A-Za-zµμ°Ωℓ]|\[[A-Za-z0-9_']+\])+)(?P<raised>-?\d)?"
)
"""One piece of a unit: what stands between two, an annotation, a power of ten, a number, or a unit."""
_MEASURES = frozenset(
    {"m", "dm", "cm", "mm", "um", "km", "s", "min", "h", "d", "L", "dL", "mL", "g", "kg", "mol"}
)
"""Units whose powers are written with a figure behind them."""
_MICRO = re.compile(r"u(?=(?:mol|g|L|l|m|s|kat|U|V|A|Ci|Gy|Sv|Eq|Osm|IU)$)")


def quantity(value: Any, language: Language) -> str:
    """A Quantity in a line, ``≤ 6.50 mmol/L``; "" of what has no value."""
    if not isinstance(value, dict):
        return ""
    it = cast(dict[str, Any], value)
    amount = it.get("value")
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        return ""
    comparator = _text(it, "comparator")
    measure = unit(it, language)
    times = "×" if measure.startswith("10") else ""  # 213 × 10⁹/L, not 213 10⁹/L
    parts = (_COMPARATORS.get(comparator, comparator), number(amount, language), times, measure)
    return "\u00a0".join(filter(None, parts))


def unit(value: dict[str, Any], language: Language) -> str:
    """The unit of a Quantity as people write it; "" of a bare number."""
    code, given = _text(value, "code"), _text(value, "unit")
    word = words().get(code if _text(value, "system") == UCUM else given if "{" in given else "")
    if word is not None:
        is_one = value.get("value") == 1
        by_language = {Language.HONG_KONG: word.zh_hk, Language.MAINLAND: word.zh_cn}
        return by_language.get(language, word.one if is_one else word.en)
    said = given or code
    return "" if said in ("1", "{#}") else notation(said)


@lru_cache(maxsize=4_096)
def notation(code: str) -> str:
    """A unit in its usual notation: ``10*9/L`` is 10⁹/L. What cannot be read as one stays as it is."""
    pieces: list[str] = []
    place = 0
    while place < len(code):
        found = _PART.match(code, place)
        shown = _shown(found) if found is not None else None
        if found is None or shown is None:
            return code
        stands_apart = found["note"] is not None and pieces and pieces[-1][-1] not in "/.( "
        pieces.append(f" {shown}" if stands_apart else shown)
        place = found.end()
    return "".join(pieces)


def _shown(found: re.Match[str]) -> str | None:
    """A piece in its notation; None where it is not known what it is."""
    if found["apart"] is not None:
        return found["apart"]
    if (note := found["note"]) is not None:
        inside = note[1:-1].replace("_", " ")
        return re.sub(r"(?<=[a-z])([23])\b", lambda it: it[1].translate(_RAISED), inside)
    if found["power"] is not None:
        return f"10{found['of'].removeprefix('+').translate(_RAISED)}"
    if found["bare"] is not None:
        return found["bare"]
    named, raised = _symbol(found["unit"]), found["raised"] or ""
    if raised and not (raised.startswith("-") or found["unit"] in _MEASURES):
        return None  # B12 is no unit to the power of 2
    return None if named is None else f"{named}{raised.translate(_RAISED)}"


def _symbol(unit: str) -> str | None:
    """The sign of one unit with its prefix; None where a part in brackets is not known."""
    if unit in symbols():
        return symbols()[unit]
    named = re.sub(r"\[[^]]*\]", lambda it: symbols().get(it[0], it[0]), unit)
    return None if "[" in named else _MICRO.sub("µ", named)


def number(value: Decimal | int, language: Language) -> str:
    """A number with the digits that were stored, grouped as a language does."""
    return _written(str(value), language)


@lru_cache(maxsize=4_096)
def _written(text: str, language: Language) -> str:
    plain = format(Decimal(text), "f")
    if len(plain) > _LONGEST:
        return text
    point, group = _signs(language)
    whole, _, rest = plain.partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    grouped = f"{int(digits):,}".replace(",", group)
    return f"{sign}{grouped}{point}{rest}" if rest else f"{sign}{grouped}"


@cache
def _signs(language: Language) -> tuple[str, str]:
    return get_decimal_symbol(language.locale), get_group_symbol(language.locale)


def _text(value: dict[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""
