"""What each prefix, modifier and form means on one index row."""

from decimal import Decimal

import pytest

from kintung.fhir.search import (
    Criterion,
    DateValue,
    Extracted,
    Missing,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
    holds,
)
from kintung.fhir.search.dates import MAX_MICROS, MIN_MICROS
from kintung.fhir.search.match import matches
from kintung.fhir.search.parameters import parameter

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")


def dated(lo: int, hi: int) -> str:
    """Return the prefixes with which [100, 200) finds a row, in the order of PREFIXES."""
    return " ".join(prefix for prefix in PREFIXES if matches(DateValue(prefix, 100, 200), (1, lo, hi)))


@pytest.mark.parametrize(
    ("row", "prefixes"),
    [
        ((100, 200), "eq ge le ap"),
        ((120, 150), "eq ge le ap"),
        ((0, 50), "ne lt le eb"),
        ((0, 100), "ne lt le eb"),
        ((0, 101), "ne lt le ap"),
        ((0, 150), "ne lt le ap"),
        ((150, 250), "ne gt ge ap"),
        ((199, 250), "ne gt ge ap"),
        ((200, 250), "ne gt ge sa"),
        ((300, 400), "ne gt ge sa"),
        ((50, 250), "ne gt lt ge le ap"),
        ((100, 201), "ne gt ge ap"),
        ((99, 200), "ne lt le ap"),
        ((MIN_MICROS, 150), "ne lt le ap"),
        ((150, MAX_MICROS), "ne gt ge ap"),
    ],
)
def test_dates(row: tuple[int, int], prefixes: str):
    assert dated(*row) == prefixes


def numbered(lo: str | None, hi: str | None) -> str:
    """Return the prefixes with which 10 (10.0 ± 0.5, or about: 9 to 11) finds a row."""
    spread = {"eq": "0.5", "ne": "0.5", "ap": "1"}
    row = (1, None, None, None if lo is None else Decimal(lo), None if hi is None else Decimal(hi))
    ten = Decimal(10)
    return " ".join(
        prefix
        for prefix in PREFIXES
        for half in [Decimal(spread.get(prefix, 0))]
        if matches(NumberValue(prefix, ten - half, ten + half, ten), row)
    )


@pytest.mark.parametrize(
    ("row", "prefixes"),
    [
        (("10", "10"), "eq ge le ap"),
        (("9.5", "9.5"), "eq lt le eb ap"),
        (("10.4", "10.4"), "eq gt ge sa ap"),
        (("10.5", "10.5"), "ne gt ge sa ap"),
        (("11", "11"), "ne gt ge sa ap"),
        (("11.1", "11.1"), "ne gt ge sa"),
        (("5", "20"), "ne gt lt ge le ap"),
        ((None, "10"), "ne lt ge le ap"),
        (("10", None), "ne gt ge le ap"),
        ((None, "5"), "ne lt le eb"),
        ((None, None), "ne gt lt ge le ap"),
    ],
)
def test_numbers(row: tuple[str | None, str | None], prefixes: str):
    assert numbered(*row) == prefixes


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (TokenValue(None, "a", any_system=True), {"s|a", "|a"}),
        (TokenValue(None, "a", any_system=False), {"|a"}),
        (TokenValue("s", "a", any_system=False), {"s|a"}),
        (TokenValue("s", None, any_system=False), {"s|a", "s|b"}),
        (TokenValue(None, "A", any_system=True), set()),
        (UriValue("a"), {"s|a", "|a"}),
    ],
)
def test_tokens(value: TokenValue | UriValue, found: set[str]):
    rows = {"s|a": (1, "s", "a"), "|a": (1, None, "a"), "s|b": (1, "s", "b")}

    assert {name for name, row in rows.items() if matches(value, row)} == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (ReferenceValue(("Patient",), "1"), {"Patient/1"}),
        (ReferenceValue(("Group", "Patient"), "1"), {"Patient/1", "Group/1"}),
        (ReferenceValue((), "1"), {"Patient/1", "Group/1"}),
        (ReferenceValue(("",), "1"), {"1"}),
    ],
)
def test_references(value: ReferenceValue, found: set[str]):
    rows = {"Patient/1": (1, "Patient", "1"), "Group/1": (1, "Group", "1"), "1": (1, "", "1")}

    assert {name for name, row in rows.items() if matches(value, row)} == found


def test_strings():
    row = (1, "eve langley", "Ève Langley")

    assert matches(StringValue("EVE", "eve"), row)
    assert not matches(StringValue("lang", "lang"), row)
    assert matches(StringValue("lang", "lang"), row, "contains")
    assert matches(StringValue("Ève Langley", "eve langley"), row, "exact")
    assert not matches(StringValue("Eve Langley", "eve langley"), row, "exact")
    assert not matches(StringValue("Ève", "eve"), row, "exact")


@pytest.mark.parametrize(
    ("unit", "found"),
    [
        ((None, None, True), {"s|mg", "|mg", "|"}),
        ((None, "mg", False), {"s|mg", "|mg"}),
        (("s", "mg", False), {"s|mg"}),
        (("s", None, False), {"s|mg"}),
    ],
)
def test_units(unit: tuple[str | None, str | None, bool], found: set[str]):
    five = Decimal(5)
    rows = {"s|mg": ("s", "mg"), "|mg": (None, "mg"), "|": (None, None)}

    assert {
        name
        for name, row in rows.items()
        if matches(QuantityValue("ge", five, five, five, *unit), (1, *row, five, five))
    } == found


GENDER = parameter("Patient", "gender")
GENDER_ATOM = GENDER.branches[0].atom
MALE = TokenValue(None, "male", any_system=True)
HE = Extracted([(GENDER_ATOM, None, "male"), (GENDER_ATOM + 1_000, None, "female")], [], [], [], [], [])
NOBODY = Extracted([], [], [], [], [], [])


@pytest.mark.parametrize(
    ("criterion", "he", "nobody"),
    [
        (Criterion(GENDER, None, (MALE,)), True, False),
        (Criterion(GENDER, "not", (MALE,)), False, True),
        (Criterion(GENDER, None, (TokenValue(None, "female", any_system=True),)), False, False),
        (Criterion(GENDER, "not", (TokenValue(None, "female", any_system=True), MALE)), False, True),
        (Criterion(GENDER, "missing", (Missing(missing=True),)), False, True),
        (Criterion(GENDER, "missing", (Missing(missing=False),)), True, False),
    ],
)
def test_criteria(criterion: Criterion, he: bool, nobody: bool):
    assert (holds(criterion, HE, id="1", updated=0), holds(criterion, NOBODY, id="1", updated=0)) == (
        he,
        nobody,
    )


def test_a_branch_with_a_target_reads_references_to_it_alone():
    patient, subject = parameter("Observation", "patient"), parameter("Observation", "subject")
    to_group = Extracted([], [(subject.branches[0].atom, "Group", "1")], [], [], [], [])
    one = (ReferenceValue((), "1"),)

    assert holds(Criterion(subject, None, one), to_group, id="", updated=0)
    assert not holds(Criterion(patient, None, one), to_group, id="", updated=0)
    assert holds(Criterion(patient, "missing", (Missing(missing=True),)), to_group, id="", updated=0)


def test_id_and_last_updated_are_not_rows():
    by_id = Criterion(parameter("Patient", "_id"), None, (TokenValue(None, "7", any_system=True),))
    by_time = Criterion(parameter("Patient", "_lastUpdated"), None, (DateValue("ge", 100, 200),))

    assert holds(by_id, NOBODY, id="7", updated=0)
    assert not holds(by_id, NOBODY, id="8", updated=0)
    assert holds(by_time, NOBODY, id="7", updated=100)
    assert not holds(by_time, NOBODY, id="7", updated=99)
