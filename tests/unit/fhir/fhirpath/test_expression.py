"""The FHIRPath of search parameters, text to tree."""

import pytest

from kintung.errors import BadInput
from kintung.fhir.fhirpath.expression import (
    Binary,
    Call,
    Index,
    Literal,
    Member,
    Name,
    This,
    Variable,
    branches,
    parse,
)


def test_a_path():
    assert parse("Patient.name.family") == Member(Member(Name("Patient"), "name"), "family")


def test_a_cast_binds_tighter_than_a_union():
    value = Member(Name("Observation"), "value")

    assert parse("Observation.value as Quantity | Observation.value as Range") == Binary(
        "|", Binary("as", value, Name("Quantity")), Binary("as", value, Name("Range"))
    )


def test_a_path_goes_on_from_parentheses():
    assert parse("(Observation.value as CodeableConcept).text") == Member(
        Binary("as", Member(Name("Observation"), "value"), Name("CodeableConcept")), "text"
    )


def test_a_function_of_the_context():
    assert parse("a.where(resolve() is Patient)") == Call(
        Name("a"), "where", (Binary("is", Call(This(), "resolve", ()), Name("Patient")),)
    )


def test_and_binds_loosest():
    assert parse("a.exists() and a != false") == Binary(
        "and", Call(Name("a"), "exists", ()), Binary("!=", Name("a"), Literal(False))
    )


def test_index_variable_and_escaped_text():
    assert parse("Bundle.entry[0]") == Index(Member(Name("Bundle"), "entry"), 0)
    assert parse("%resource.a") == Member(Variable("resource"), "a")
    assert parse(r"a.where(b='it\'s')") == Call(
        Name("a"), "where", (Binary("=", Name("b"), Literal("it's")),)
    )


def test_branches_of_a_union():
    assert branches(parse("a | (b | c)")) == [Name("a"), Name("b"), Name("c")]


@pytest.mark.parametrize(
    "expression", ["", "a.", "a b", "a | ", "(a", "a[b]", "a.where(", "a + b", "'open", ".a"]
)
def test_what_is_not_of_the_subset_is_refused(expression: str):
    with pytest.raises(BadInput):
        parse(expression)
