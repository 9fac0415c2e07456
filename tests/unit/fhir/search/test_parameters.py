"""What the packaged catalogue says of well-known parameters."""

import pytest

from kintung.errors import BadInput, NotSupported
from kintung.fhir.search import parameters, resource_types
from kintung.fhir.search.catalogue import type_catalogue
from kintung.fhir.search.parameters import parameter, together


def test_every_r4_resource_type_is_there():
    assert len(resource_types()) == 146
    assert {"Patient", "Observation", "VisionPrescription"} <= resource_types()
    assert not {"Resource", "DomainResource", "Element"} & resource_types()


def test_every_type_has_the_common_parameters():
    for type in resource_types():
        assert {"_id", "_lastUpdated", "_tag", "_profile", "_security", "_source"} <= parameters(type).keys()


def test_id_and_last_updated_need_no_rows():
    assert [
        (parameter("Patient", code).stored, parameter("Patient", code).branches)
        for code in ("_id", "_lastUpdated")
    ] == [
        ("id", ()),
        ("updated", ()),
    ]


def test_every_other_parameter_reads_atoms_of_its_own_type_and_table():
    for type in resource_types():
        tables = {atom.number: atom.table for atom in type_catalogue(type).atoms}
        for found in parameters(type).values():
            if found.answered == "rows" and found.kind != "composite":
                assert found.branches, found
                assert {tables[branch.atom] for branch in found.branches} == {found.table}


def test_no_two_types_share_an_atom():
    numbers = [atom.number for type in resource_types() for atom in type_catalogue(type).atoms]

    assert len(numbers) == len(set(numbers))


def test_combo_code_reads_the_atoms_of_code_and_component_code():
    combo, code, component = (
        set(parameter("Observation", name).branches) for name in ("combo-code", "code", "component-code")
    )

    assert combo == code | component


def test_patient_reads_the_atom_of_subject_and_leads_to_patients_alone():
    patient, subject = parameter("Observation", "patient"), parameter("Observation", "subject")

    assert [branch.atom for branch in patient.branches] == [branch.atom for branch in subject.branches]
    assert {branch.target for branch in patient.branches} == {"Patient"}
    assert patient.targets == ("Patient",)
    assert subject.targets == ("Device", "Group", "Location", "Patient")


def test_a_telecom_is_indexed_once_for_phone_email_and_telecom():
    telecom, phone, email = (
        set(parameter("Patient", name).branches) for name in ("telecom", "phone", "email")
    )

    assert phone < telecom
    assert email < telecom
    assert not phone & email


def test_a_reference_to_anything_names_no_targets():
    assert parameter("Library", "depends-on").targets == ()


def test_an_unknown_parameter_is_refused_with_the_nearest():
    with pytest.raises(NotSupported, match="birthdate") as refusal:
        parameter("Patient", "birth-date")

    assert refusal.value.path == "birth-date"


def test_an_unknown_type_is_refused_with_the_nearest():
    with pytest.raises(BadInput, match="Patient"):
        parameters("Pateint")


def test_several_types_are_searched_by_the_atoms_of_all():
    both = together(("Patient", "Practitioner"), "family")

    assert (
        both.branches
        == parameter("Patient", "family").branches + parameter("Practitioner", "family").branches
    )


def test_a_code_of_different_kinds_is_not_searched_in_several_types():
    with pytest.raises(NotSupported, match="different kinds"):
        together(("Observation", "ResearchStudy"), "focus")
