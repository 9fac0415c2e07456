"""Whose data a resource is: one rule for each R4 type, and what counts as naming an owner."""

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.definitions import Owners, owners, ownership_rule, ownership_rules
from kintung.definitions.owners import RuleFile, load_rules, r4_evidence
from kintung.definitions.reader import decode, read
from kintung.errors import ValueInvalid
from scripts.make_ownership_evidence import TARGET, evidence, written
from tests.shared_data import shared

ORGANISATION = Owners("organisation")
EVIDENCE = r4_evidence()

NOT_OWNERS_THOUGH_SUBJECT = {
    "Coverage.policyHolder": "who pays, often an employer or a parent",
    "Coverage.subscriber": "who signed up for the insurance, often a parent",
    "Coverage.subscriberId": "a number, no reference",
    "MessageHeader.destination": "an address",
    "MessageHeader.destination.receiver": "staff or an organisation that a message goes to",
    "MessageHeader.sender": "staff or an organisation that a message comes from",
    "Observation.focus": "what was looked at; the record it belongs to is the subject's",
    "ResearchStudy.enrollment": "criteria of a study; participants are ResearchSubjects",
    "Subscription.contact": "telephone numbers of the subscriber",
}
"""Elements mapped to ``FiveWs.subject`` that name no owner, and why."""


def reference(literal: str) -> dict[str, Any]:
    return {"reference": literal}


def patient(id: str) -> dict[str, Any]:
    return reference(f"Patient/{id}")


def test_there_is_a_rule_for_each_of_the_146_types():
    assert len(EVIDENCE) == 146
    assert {rule.type for rule in ownership_rules()} == EVIDENCE.keys()


def test_evidence_is_what_the_r4_definitions_say():
    definitions = shared("fhir-r4-definitions/StructureDefinition.ndjson.gz")
    assert TARGET.read_text("utf-8") == written(evidence(definitions))


@pytest.mark.parametrize("rule", ownership_rules(), ids=lambda rule: rule.type)
def test_rule_agrees_with_what_r4_says_of_the_type(rule):
    said = EVIDENCE[rule.type]
    left_out = {f"{rule.type}.{element}" for element in set(said.subject) - set(rule.elements)}
    assert left_out <= NOT_OWNERS_THOUGH_SUBJECT.keys()
    if said.security == "patient":
        assert rule.kind in ("person", "several", "derived")
    if rule.kind == "public":
        assert said.security in ("anonymous", "business", "individual")


def test_no_exception_is_left_over():
    used = {f"{type}.{element}" for type, said in EVIDENCE.items() for element in said.subject}
    ruled = {f"{rule.type}.{element}" for rule in ownership_rules() for element in rule.elements}
    assert NOT_OWNERS_THOUGH_SUBJECT.keys() == used - ruled


def test_every_element_of_a_rule_is_an_element_of_its_type():
    """A misspelt element would silently give a person's data to the organisation."""
    definitions = shared("fhir-r4-definitions/StructureDefinition.ndjson.gz")
    with gzip.open(definitions, "rt", encoding="utf-8") as lines:
        paths = {
            element["path"]: element
            for line in lines
            for element in json.loads(line).get("snapshot", {}).get("element", [])
        }
    for rule in ownership_rules():
        if rule.type in (
            "Patient",
            "Bundle",
        ):  # ``id`` and a path through ``first()``: tested by what they do
            continue
        for element in rule.elements:
            types = [type["code"] for type in paths[f"{rule.type}.{element}"]["type"]]
            assert types == ["Reference"], f"{rule.type}.{element}"


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"resourceType": "Observation", "subject": patient("1"), "performer": [patient("2")]}, ("1",)),
        ({"resourceType": "Observation", "subject": patient("1"), "focus": [patient("2")]}, ("1",)),
        ({"resourceType": "Task", "for": patient("1"), "focus": patient("2"), "owner": patient("3")}, ("1",)),
        ({"resourceType": "Claim", "patient": patient("1"), "payee": {"party": patient("2")}}, ("1",)),
        (
            {
                "resourceType": "Coverage",
                "beneficiary": patient("1"),
                "subscriber": patient("2"),
                "payor": [patient("3")],
            },
            ("1",),
        ),
        ({"resourceType": "RelatedPerson", "patient": patient("1")}, ("1",)),
        ({"resourceType": "Composition", "subject": patient("1"), "author": [patient("2")]}, ("1",)),
        (
            {
                "resourceType": "DocumentReference",
                "subject": reference("Practitioner/9"),
                "context": {"sourcePatientInfo": patient("1")},
            },
            ("1",),
        ),
        ({"resourceType": "SupplyRequest", "deliverTo": patient("1"), "requester": patient("2")}, ("1",)),
        ({"resourceType": "BiologicallyDerivedProduct", "collection": {"source": patient("1")}}, ("1",)),
    ],
    ids=lambda value: value.get("resourceType") if isinstance(value, dict) else "",
)
def test_person_is_named_by_the_rule_and_by_nothing_else(resource, expected):
    assert owners(resource) == Owners("person", expected)


def test_patient_is_its_own_and_not_of_whom_it_is_linked_to():
    linked = {"resourceType": "Patient", "id": "sent", "link": [{"other": patient("2"), "type": "seealso"}]}
    assert owners(linked, "stored") == Owners("person", ("stored",))
    assert owners(linked) == Owners("person", ("sent",))


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ("Patient/1", Owners("person", ("1",))),
        ("Patient/1/_history/2", Owners("person", ("1",))),
        ("Patient/" + "a" * 64, Owners("person", ("a" * 64,))),
        ("Patient/" + "a" * 65, ORGANISATION),
        ("Patient/1\n", ORGANISATION),
        ("Patient/1?x=y", ORGANISATION),
        ("Patient/", ORGANISATION),
        ("Patient?identifier=x", ORGANISATION),
        ("patient/1", ORGANISATION),
        ("https://other.example/fhir/Patient/1", ORGANISATION),
        ("urn:uuid:0b0d7a4e-7f0e-4b7c-8a5c-0d6f6f3f3b11", ORGANISATION),
        ("Location/1", ORGANISATION),
        ("Practitioner/1", ORGANISATION),
        ("Group/1", Owners("derived", (), ("Group/1",))),
        ("Device/1/_history/3", Owners("derived", (), ("Device/1",))),
        ("Nonsense/1", ORGANISATION),
        ("#p", ORGANISATION),
        ("#", ORGANISATION),
    ],
)
def test_what_counts_as_naming_an_owner(literal, expected):
    assert owners({"resourceType": "Observation", "subject": reference(literal)}) == expected


def test_logical_reference_names_nobody():
    subject = {"type": "Patient", "identifier": {"system": "https://x.example", "value": "1"}, "display": "A"}
    assert owners({"resourceType": "Observation", "subject": subject}) == ORGANISATION
    assert owners({"resourceType": "Observation"}) == ORGANISATION


def test_contained_patient_owns_nothing_and_other_contained_resources_are_looked_into():
    def observation(contained: dict[str, Any]) -> dict[str, Any]:
        return {
            "resourceType": "Observation",
            "contained": [contained | {"id": "c"}],
            "subject": reference("#c"),
        }

    assert owners(observation({"resourceType": "Patient"})) == ORGANISATION
    group = {"resourceType": "Group", "member": [{"entity": patient("1")}, {"entity": patient("2")}]}
    assert owners(observation(group)) == Owners("several", ("1", "2"))
    turning = {"resourceType": "Group", "member": [{"entity": reference("#c")}]}
    assert owners(observation(turning)) == ORGANISATION


def test_contained_resource_belongs_to_its_container():
    report = {
        "resourceType": "DiagnosticReport",
        "subject": patient("1"),
        "contained": [{"resourceType": "Observation", "id": "o", "subject": patient("2")}],
        "result": [reference("#o")],
    }
    assert owners(report) == Owners("person", ("1",))


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (
            {
                "resourceType": "Appointment",
                "participant": [
                    {"actor": patient("1")},
                    {"actor": reference("Practitioner/9")},
                    {"actor": patient("2")},
                    {"status": "accepted"},
                    {"actor": patient("1")},
                    {"actor": reference("Device/9")},
                ],
            },
            Owners("several", ("1", "2")),
        ),
        (
            {
                "resourceType": "Appointment",
                "participant": [{"actor": patient("1")}, {"actor": reference("RelatedPerson/3")}],
            },
            Owners("derived", ("1",), ("RelatedPerson/3",)),
        ),
        ({"resourceType": "Group", "member": [{"entity": patient("1")}]}, Owners("person", ("1",))),
        ({"resourceType": "Group", "type": "person", "actual": False}, ORGANISATION),
        (
            {
                "resourceType": "List",
                "subject": patient("1"),
                "entry": [{"item": patient("2")}, {"item": reference("Condition/7")}],
            },
            Owners("derived", ("1", "2"), ("Condition/7",)),
        ),
        (
            {
                "resourceType": "Provenance",
                "target": [patient("1"), reference("Observation/5/_history/1"), reference("Observation/5")],
                "agent": [{"who": patient("9")}],
            },
            Owners("derived", ("1",), ("Observation/5",)),
        ),
        (
            {"resourceType": "Person", "link": [{"target": patient("1")}, {"target": patient("2")}]},
            Owners("several", ("1", "2")),
        ),
        (
            {
                "resourceType": "AuditEvent",
                "agent": [{"who": patient("9")}],
                "entity": [{"what": patient("1")}, {"query": "eA=="}],
            },
            Owners("person", ("1",)),
        ),
        (
            {"resourceType": "Schedule", "actor": [reference("Location/1"), reference("Device/1")]},
            ORGANISATION,
        ),
    ],
    ids=lambda value: value["resourceType"] if isinstance(value, dict) else "",
)
def test_several_takes_everyone_named_once(resource, expected):
    assert owners(resource) == expected


def test_answer_of_staff_is_data_of_whose_appointment_it_is():
    answer = {"resourceType": "AppointmentResponse", "appointment": reference("Appointment/7")}
    assert owners(answer | {"actor": patient("1")}) == Owners("person", ("1",))
    assert owners(answer | {"actor": reference("Practitioner/9")}) == Owners(
        "derived", (), ("Appointment/7",)
    )


def test_binary_is_owned_by_its_security_context():
    assert owners({"resourceType": "Binary"}) == ORGANISATION
    assert owners({"resourceType": "Binary", "securityContext": patient("1")}) == Owners("person", ("1",))
    assert owners({"resourceType": "Binary", "securityContext": reference("Observation/5")}) == Owners(
        "derived", (), ("Observation/5",)
    )
    assert owners({"resourceType": "Binary", "securityContext": reference("Organization/5")}) == ORGANISATION


def bundle(type: str = "document", full_url: str = "urn:uuid:5b0d7a4e-7f0e-4b7c-8a5c-0d6f6f3f3b11"):
    composition = {"resourceType": "Composition", "subject": patient("1"), "author": [patient("2")]}
    entries = [{"fullUrl": full_url, "resource": composition}, {"resource": {"resourceType": "Patient"}}]
    return {"resourceType": "Bundle", "type": type, "entry": entries}


def test_document_is_its_subjects():
    assert owners(bundle()) == Owners("person", ("1",))


def test_subject_of_a_document_from_elsewhere_is_nobody_here():
    assert owners(bundle(full_url="https://other.example/fhir/Composition/1")) == ORGANISATION


@pytest.mark.parametrize("type", ["collection", "searchset", "message", "history", "batch"])
def test_other_bundles_are_the_organisations(type):
    assert owners(bundle(type)) == ORGANISATION


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"entry": []},
        {"entry": [{}]},
        {"entry": [{"resource": {"resourceType": "Basic", "subject": patient("1")}}]},
    ],
)
def test_document_without_composition_is_the_organisations(broken):
    assert owners({"resourceType": "Bundle", "type": "document"} | broken) == ORGANISATION


@pytest.mark.parametrize("type", ["Organization", "Practitioner", "Location", "ValueSet", "Medication"])
def test_directory_and_conformance_types_are_public_whatever_they_hold(type):
    assert owners({"resourceType": type, "subject": patient("1")}) == Owners("public")


@pytest.mark.parametrize(
    "resource", [{}, {"resourceType": "DomainResource"}, {"resourceType": "Observatoin"}]
)
def test_type_outside_r4_is_refused(resource):
    with pytest.raises(ValueInvalid):
        owners(resource)


ELEMENT_OF = {rule.type: rule.elements[0].split(".") for rule in ownership_rules() if rule.kind == "several"}


@given(
    type=st.sampled_from(sorted(ELEMENT_OF)),
    ids=st.lists(st.from_regex(r"[A-Za-z0-9\-.]{1,64}", fullmatch=True), max_size=8),
)
def test_everyone_named_owns_and_nobody_else(type, ids):
    outer, *inner = ELEMENT_OF[type]
    resource: dict[str, Any] = {"resourceType": type, outer: []}
    for id in ids:
        value: dict[str, Any] = patient(id)
        for name in reversed(inner):
            value = {name: value}
        resource[outer].append(value)
    found = owners(resource)
    assert found.persons == tuple(dict.fromkeys(ids))
    assert found.kind == {0: "organisation", 1: "person"}.get(len(set(ids)), "several")


RULES = read("ownership", RuleFile)


def changed(**kinds: bytes) -> list[RuleFile]:
    """The rule files with those of ``kinds`` put in place of the packaged ones."""
    others = [file for file in RULES.values() if file.kind not in kinds]
    return others + [decode("ownership", b'{"x": %b}' % text, RuleFile)["x"] for text in kinds.values()]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (changed(derived=b'{"kind": "derived", "rules": []}'), "no ownership rule for Binary"),
        (
            [*RULES.values(), *changed(derived=b'{"kind": "derived", "rules": []}')],
            "two ownership rules",
        ),
        (
            changed(organisation=b'{"kind": "organisation", "rules": [{"types": ["Foo"], "reason": "x"}]}'),
            "no ownership rule",
        ),
        (
            changed(derived=b'{"kind": "derived", "rules": [{"types": ["Binary"], "reason": "x"}]}'),
            "elements",
        ),
        (
            changed(
                organisation=b'{"kind": "organisation", "rules": [{"types": ["Basic"], "reason": "x", '
                b'"elements": ["subject"]}]}'
            ),
            "elements",
        ),
        (
            changed(
                organisation=b'{"kind": "organisation", "rules": [{"types": ["TestReport"], "reason": " "}]}'
            ),
            "reason",
        ),
    ],
)
def test_rules_that_do_not_cover_the_types_do_not_load(files, message):
    with pytest.raises(ValueInvalid, match=message):
        load_rules(files, EVIDENCE)


def test_rule_for_what_is_no_type_does_not_load():
    with pytest.raises(ValueInvalid, match="no R4 resource type: Binary"):
        load_rules(RULES.values(), {type: said for type, said in EVIDENCE.items() if type != "Binary"})


def test_patient_data_cannot_be_declared_public():
    observation = b'{"kind": "public", "rules": [{"types": ["Observation"], "reason": "x"}]}'
    said = {"Observation": EVIDENCE["Observation"]}
    with pytest.raises(ValueInvalid, match="cannot be public"):
        load_rules([decode("ownership", b'{"x": %b}' % observation, RuleFile)["x"]], said)


@pytest.mark.parametrize(
    "text",
    [
        b'{"x": {"kind": "public", "rules": [], "extra": 1}}',
        b'{"x": {"kind": "public", "rules": [{"types": ["A"], "reason": "x", "element": ["y"]}]}}',
        b'{"x": {"kind": "everyone", "rules": []}}',
        b'{"x": {"rules": []}}',
        b"{",
    ],
)
def test_reader_refuses_what_it_does_not_know(text):
    with pytest.raises(ValueInvalid, match="definitions/ownership"):
        decode("ownership", text, RuleFile)


def test_rule_can_be_shown():
    rule = ownership_rule("Task")
    assert (rule.kind, rule.elements) == ("person", ("for",))
    assert rule.reason.startswith("FiveWs.subject")
