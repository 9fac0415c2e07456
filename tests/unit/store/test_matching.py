"""What a resource is sorted by."""

from decimal import Decimal

from kintung.fhir.search import Extracted, Sort
from kintung.fhir.search.parameters import parameter
from kintung.identity.identifiers import VAULTED
from kintung.store.matching import Indexed, SortValue, sort_value


def sorted_by(sort: Sort, rows: Extracted) -> SortValue | None:
    return sort_value(sort, Indexed("Patient", "1", 0, rows, VAULTED))


def test_sorting_takes_the_least_going_up_and_the_greatest_going_down():
    birth = parameter("Patient", "birthdate")
    atom = birth.branches[0].atom
    rows = Extracted([], [], [(atom, 10, 20), (atom, 5, 50)], [], [], [])

    assert sorted_by(Sort(birth), rows) == 5
    assert sorted_by(Sort(birth, descending=True), rows) == 50
    assert sorted_by(Sort(birth), Extracted([], [], [], [], [], [])) is None


def test_sorting_of_each_kind():
    name, subject, code, risk = (
        parameter(type, code)
        for type, code in (
            ("Patient", "family"),
            ("Observation", "subject"),
            ("Observation", "code"),
            ("RiskAssessment", "probability"),
        )
    )
    rows = Extracted(
        [(code.branches[0].atom, "s", "b"), (code.branches[0].atom, None, "b")],
        [(subject.branches[0].atom, "Patient", "1"), (subject.branches[0].atom, "", "z")],
        [],
        [(name.branches[0].atom, "chan", "Chan"), (name.branches[0].atom, "chan", "CHAN")],
        [(risk.branches[0].atom, None, None, Decimal(1), None)],
        [],
    )

    assert sorted_by(Sort(code), rows) == "b\0"
    assert sorted_by(Sort(subject), rows) == "\0z"
    assert sorted_by(Sort(name), rows) == "chan\0CHAN"
    assert sorted_by(Sort(risk, descending=True), rows) == b"\xff"
