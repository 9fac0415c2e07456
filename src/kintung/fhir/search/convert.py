"""How a FHIR value becomes index rows, for the values that need more than one line.

The generated extractors call these; what they do inline for codings, codes and identifiers
is in ``generate``. Source: the type tables of http://hl7.org/fhir/R4/search.html, sections
3.1.1.4.3 to 3.1.1.4.11, and ``docs/explanation/spec-readings.md``.
"""

import re
from collections.abc import Callable, Iterable
from decimal import Context, Decimal
from typing import Any

from kintung.fhir.references import Relative, relative
from kintung.fhir.search.catalogue import resource_types
from kintung.fhir.search.dates import MAX_MICROS, MIN_MICROS, span
from kintung.fhir.search.lengths import bounded
from kintung.fhir.search.rows import Composite, Date, OfType, Quantity, Reference, String, Token
from kintung.fhir.search.text import folded, has_han

CURRENCIES = "urn:iso:std:iso:4217"
"""The system of the currency of a Money."""

_EXACT = Context(prec=1_000)
"""Wide enough that products and sums of accepted numbers lose no digit."""

_SAMPLE = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,3})?", re.ASCII)

Bounds = tuple[Decimal | None, Decimal | None]


def local_literal(text: str) -> Relative | None:
    """Return (type, id) of a relative reference to an R4 type; else None."""
    found = relative(text)
    return found if found and found.type in resource_types() else None


def reference(rows: list[Reference], atom: int, value: dict[str, Any]) -> None:
    """A Reference by its literal. Logical references, fragments and searches yield nothing.

    A search (``Patient?identifier=...``) names nobody before it is resolved, and may hold an
    identifier that must not stand in an index in clear.
    """
    text = value.get("reference")
    if text is not None and not text.startswith("#") and "?" not in text:
        address(rows, atom, text)


def address(rows: list[Reference], atom: int, text: str) -> None:
    """A uri that refers: local literal or absolute address."""
    local = local_literal(text)
    type, id = local or ("", text)
    rows.append((atom, type, bounded(id)))


def canonical_reference(rows: list[Reference], atom: int, text: str) -> None:
    """A canonical as a reference, with and without its version. Fragments yield nothing."""
    if text.startswith("#"):
        return
    address(rows, atom, text)
    bare, bar, _ = text.partition("|")
    if bar:
        address(rows, atom, bare)


def canonical_token(rows: list[Token], atom: int, text: str) -> None:
    """A canonical as a uri, with and without its version."""
    rows.append((atom, None, bounded(text)))
    bare, bar, _ = text.partition("|")
    if bar:
        rows.append((atom, None, bounded(bare)))


def entry(rows: list[Reference], atom: int, resource: dict[str, Any]) -> None:
    """A resource inside a Bundle, as if it were referred to by type and id."""
    if "id" in resource:
        rows.append((atom, resource["resourceType"], resource["id"]))


def whole_name(rows: list[String], atom: int, name: dict[str, Any]) -> None:
    """The Chinese family and given names of a HumanName as one, as Chinese names are written.

    Nothing, where the family name is in other letters, or where the text says the same.
    """
    family: str | None = name.get("family")
    if family is None or not has_han(family):
        return
    given = "".join(part for part in name.get("given", ()) if part is not None and has_han(part))
    whole = family + given
    if given and folded(whole) != folded(name.get("text") or ""):
        rows.append((atom, folded(whole), bounded(whole)))


def of_type(rows: list[Composite], atom: int, type: dict[str, Any], system: str | None, value: str) -> None:
    """An Identifier under each coding of its type; ``:of-type`` asks for system, code and value."""
    for coding in type.get("coding", ()):
        if "system" in coding and "code" in coding:
            named = bounded(coding["system"]), bounded(coding["code"])
            rows.append((atom, named, OfType(bounded(system), bounded(value))))


def period(rows: list[Date], atom: int, value: dict[str, Any], offset_minutes: int) -> None:
    """A Period; an end that is not given is open, and with neither end there is no row.

    One that ends before it starts counts as its start: no span in the index is turned round.
    """
    bounds = _period(value, offset_minutes)
    if bounds is not None:
        rows.append((atom, *bounds))


def _period(value: dict[str, Any], offset_minutes: int) -> tuple[int, int] | None:
    start, end = value.get("start"), value.get("end")
    if start is None and end is None:
        return None
    lo, begun = (MIN_MICROS, MIN_MICROS) if start is None else span(start, offset_minutes)
    hi = MAX_MICROS if end is None else span(end, offset_minutes)[1]
    return lo, hi if hi > lo else begun


def timing(rows: list[Date], atom: int, value: dict[str, Any], offset_minutes: int) -> None:
    """A Timing by its outer limits: first to last event, else the Period that bounds it."""
    spans = [span(event, offset_minutes) for event in value.get("event", ()) if event is not None]
    outer = value.get("repeat", {}).get("boundsPeriod")
    if spans:
        rows.append((atom, min(lo for lo, _ in spans), max(hi for _, hi in spans)))
    elif outer is not None:
        period(rows, atom, outer, offset_minutes)


def number(rows: list[Quantity], atom: int, value: Decimal | int) -> None:
    """A plain number: a point without unit."""
    exact = Decimal(value)
    rows.append((atom, None, None, exact, exact))


def quantity(rows: list[Quantity], atom: int, value: dict[str, Any]) -> None:
    """A Quantity or one of its kinds, under its code and, where they differ, under its unit."""
    amount = value.get("value")
    if amount is not None:
        _measured(rows, atom, value, _compared(Decimal(amount), value.get("comparator")))


def _compared(amount: Decimal, comparator: str | None) -> Bounds:
    if comparator is None:
        return amount, amount
    return (None, amount) if comparator in ("<", "<=") else (amount, None)


def _measured(rows: list[Quantity], atom: int, unit_of: dict[str, Any], bounds: Bounds) -> None:
    code, unit = unit_of.get("code"), unit_of.get("unit")
    if code is not None or unit is None:
        rows.append((atom, bounded(unit_of.get("system")), bounded(code), *bounds))
    if unit is not None and unit != code:
        rows.append((atom, None, bounded(unit), *bounds))


def money(rows: list[Quantity], atom: int, value: dict[str, Any]) -> None:
    """A Money; the currency is its unit."""
    amount, currency = value.get("value"), value.get("currency")
    if amount is not None:
        exact = Decimal(amount)
        rows.append((atom, None if currency is None else CURRENCIES, currency, exact, exact))


def range_(rows: list[Quantity], atom: int, value: dict[str, Any]) -> None:
    """A Range; an end that is not given is open, and with neither end there is no row.

    One that ends below its start counts as its start: no span in the index is turned round.
    """
    low, high = value.get("low", {}), value.get("high", {})
    lo = None if low.get("value") is None else Decimal(low["value"])
    hi = None if high.get("value") is None else Decimal(high["value"])
    if lo is not None and hi is not None:
        hi = max(lo, hi)
    if lo is not None or hi is not None:
        _measured(rows, atom, low if lo is not None else high, (lo, hi))


def samples(rows: list[Quantity], atom: int, value: dict[str, Any]) -> None:
    """A SampledData, from its least to its greatest sample, in the unit of the origin.

    ``E`` (no sample) is passed over. ``L`` is anything up to the lower limit of measurement,
    ``U`` anything from the upper limit.
    """
    origin = value["origin"]
    zero, factor = Decimal(origin.get("value", 0)), Decimal(value.get("factor", 1))

    def measured(sample: Decimal | int | str | None) -> Decimal | None:
        return None if sample is None else _EXACT.add(zero, _EXACT.multiply(factor, Decimal(sample)))

    words = set((value.get("data") or "").split())
    lows = [measured(word) for word in words if _SAMPLE.fullmatch(word)]
    highs = list(lows)
    if "L" in words:
        lows.append(None)
        highs.append(measured(value.get("lowerLimit")))
    if "U" in words:
        lows.append(measured(value.get("upperLimit")))
        highs.append(None)
    if lows:
        _measured(rows, atom, origin, (_outermost(lows, min), _outermost(highs, max)))


def _outermost(bounds: list[Decimal | None], of: Callable[[Iterable[Decimal]], Decimal]) -> Decimal | None:
    known = [bound for bound in bounds if bound is not None]
    return of(known) if len(known) == len(bounds) else None
