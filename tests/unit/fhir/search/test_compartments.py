"""Compartments: which types they hold, and by which parameters."""

import pytest

from kintung.errors import NotSupported
from kintung.fhir.search import (
    Compartment,
    compartment,
    compartment_types,
    in_compartment,
    members,
    parameters,
    parse_query,
)


def test_five_types_have_compartments() -> None:
    assert compartment_types() == {"Device", "Encounter", "Patient", "Practitioner", "RelatedPerson"}


@pytest.mark.parametrize("type", sorted(["Device", "Encounter", "Patient", "Practitioner", "RelatedPerson"]))
def test_a_resource_is_in_its_own_compartment(type: str) -> None:
    assert type in members(type)
    assert compartment(type, ("1",), (type,)).itself
    assert not compartment(type, ("1",), ("Observation",)).itself


def test_all_parameters_of_a_type_lead_into_it() -> None:
    found = compartment("Patient", ("1",), ("Observation",)).parameter
    wanted = {
        branch.atom
        for code in ("subject", "performer")
        for branch in parameters("Observation")[code].branches
    }

    assert {branch.atom for branch in found.branches} == wanted
    assert found.targets == ("Patient",)


def test_a_mention_by_another_parameter_does_not_lead_into_it() -> None:
    focus = {branch.atom for branch in parameters("Observation")["focus"].branches}
    found = compartment("Patient", ("1",)).parameter

    assert focus.isdisjoint(branch.atom for branch in found.branches)


def test_a_search_of_all_types_is_of_those_a_compartment_holds() -> None:
    query = in_compartment(parse_query(None, [("_id", "x")], now_micros=0), "Encounter", "1")

    assert set(query.types) == members("Encounter")
    assert isinstance(query.criteria[0], Compartment)
    assert len(query.criteria) == 2


@pytest.mark.parametrize("type", ["Medication", "Organization", "Device"])
def test_a_type_that_is_never_in_it_is_refused(type: str) -> None:
    with pytest.raises(NotSupported, match=f"{type} is never in the compartment of a Patient"):
        in_compartment(parse_query(type, [], now_micros=0), "Patient", "1")
