"""Structure validation: wrong resources with the exact issues they must give, and right ones with none."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from kintung.errors import Issue, StructureInvalid
from kintung.fhir.json import parse
from kintung.fhir.structure import is_valid, require_valid, validate
from kintung.fhir.structure.definitions import definitions
from kintung.fhir.structure.primitives import is_primitive
from kintung.fhir.structure.walk import MAX_ISSUES, issues_of

NOTE = '{"extension":[{"url":"http://a.example/x","valueString":"y"}]}'
"""An extension that stands in for, or beside, a primitive."""


def observation(*members: str, status: str = '"status":"final"', code: str = '"code":{"text":"x"}') -> str:
    return (
        "{"
        + ",".join(each for each in ('"resourceType":"Observation"', status, code, *members) if each)
        + "}"
    )


def patient(*members: str) -> str:
    return "{" + ",".join(('"resourceType":"Patient"', *members)) + "}"


def questionnaire(item: str) -> str:
    return f'{{"resourceType":"Questionnaire","status":"draft","item":[{item}]}}'


WRONG: dict[str, tuple[str, list[str]]] = {
    # the type
    "no type": ('{"id":"a"}', ["required Resource"]),
    "unknown type": ('{"resourceType":"Elephant"}', ["structure Resource"]),
    "abstract type": ('{"resourceType":"DomainResource"}', ["structure Resource"]),
    "data type as resource": ('{"resourceType":"HumanName"}', ["structure Resource"]),
    "type is no string": ('{"resourceType":["Patient"]}', ["structure Resource"]),
    "R5 type": ('{"resourceType":"Transport"}', ["structure Resource"]),
    # elements
    "unknown element": (patient('"height":1'), ["structure Patient.height"]),
    "unknown element inside": (patient('"name":[{"surname":"A"}]'), ["structure Patient.name[0].surname"]),
    "unknown primitive extension": (patient('"_height":' + NOTE), ["structure Patient._height"]),
    "extension of an object": (patient('"_name":[' + NOTE + "]"), ["structure Patient._name"]),
    "name that is no identifier": (patient('"Chan Tai Man":1'), ["structure Patient.`?`"]),
    "case matters": (patient('"BirthDate":"2000"'), ["structure Patient.BirthDate"]),
    "R5 element": (observation('"triggeredBy":[]'), ["structure Observation.triggeredBy"]),
    "resourceType inside": (
        patient('"name":[{"resourceType":"HumanName","text":"A"}]'),
        ["structure Patient.name[0].resourceType"],
    ),
    "backbone of another element": (
        observation('"component":[{"code":{"text":"x"},"component":[]}]'),
        ["structure Observation.component[0].component"],
    ),
    # cardinality
    "missing element": (observation(status=""), ["required Observation.status"]),
    "two missing elements": (
        observation(status="", code=""),
        ["required Observation.status", "required Observation.code"],
    ),
    "missing choice": (
        '{"resourceType":"MedicationRequest","status":"active","intent":"order","subject":{"reference":"Patient/1"}}',
        ["required MedicationRequest.medication"],
    ),
    "missing inside a backbone": (
        observation('"component":[{"valueString":"x"}]'),
        ["required Observation.component[0].code"],
    ),
    "missing in a data type": (patient('"text":{"status":"generated"}'), ["required Patient.text.div"]),
    "array for one": (observation(status='"status":["final"]'), ["structure Observation.status"]),
    "one for array": (patient('"name":{"family":"A"}'), ["structure Patient.name"]),
    "one primitive for array": (
        patient('"name":[{"given":"A"}]'),
        ["structure Patient.name[0].given"],
    ),
    "empty array": (patient('"name":[]'), ["structure Patient.name"]),
    "empty object": (patient('"name":[{}]'), ["structure Patient.name[0]"]),
    "object with an id alone": (patient('"name":[{"id":"a"}]'), ["structure Patient.name[0]"]),
    "array in array": (patient('"name":[[{"family":"A"}]]'), ["structure Patient.name[0]"]),
    "null": (patient('"active":null'), ["structure Patient.active"]),
    "null object": (patient('"maritalStatus":null'), ["structure Patient.maritalStatus"]),
    "null in array": (patient('"name":[null]'), ["structure Patient.name[0]"]),
    "object for primitive": (patient('"active":{}'), ["structure Patient.active"]),
    "primitive for object": (patient('"maritalStatus":"M"'), ["structure Patient.maritalStatus"]),
    # choices
    "two of a choice": (
        observation('"valueString":"x","valueInteger":1'),
        ["structure Observation.valueInteger"],
    ),
    "three of a choice": (
        observation('"valueString":"x","valueBoolean":true,"valueInteger":1'),
        ["structure Observation.valueBoolean"],
    ),
    "value and extension of two types": (
        observation('"valueString":"x","_valueDateTime":' + NOTE),
        ["structure Observation.valueDateTime"],
    ),
    "choice without its type": (observation('"value":"x"'), ["structure Observation.value"]),
    "type not of the choice": (observation('"valueDecimal":1.0'), ["structure Observation.valueDecimal"]),
    "choice in lower case": (
        observation('"valuequantity":{"value":1}'),
        ["structure Observation.valuequantity"],
    ),
    "simple quantity with a comparator": (
        observation('"referenceRange":[{"low":{"value":1,"comparator":"<"}}]'),
        ["structure Observation.referenceRange[0].low.comparator"],
    ),
    # primitives
    "number as string": (
        observation('"valueQuantity":{"value":"7"}'),
        ["structure Observation.valueQuantity.value"],
    ),
    "boolean as string": (patient('"active":"true"'), ["structure Patient.active"]),
    "boolean as number": (patient('"active":1'), ["structure Patient.active"]),
    "string as number": (patient('"name":[{"family":7}]'), ["structure Patient.name[0].family"]),
    "number as boolean": (observation('"valueInteger":true'), ["structure Observation.valueInteger"]),
    "integer with a point": (observation('"valueInteger":7.0'), ["value Observation.valueInteger"]),
    "integer with an exponent": (observation('"valueInteger":7E0'), ["value Observation.valueInteger"]),
    "integer of 33 bits": (observation('"valueInteger":2147483648'), ["value Observation.valueInteger"]),
    "integer below 32 bits": (observation('"valueInteger":-2147483649'), ["value Observation.valueInteger"]),
    "integer of 64 bits": (
        observation('"valueInteger":9223372036854775808'),
        ["value Observation.valueInteger"],
    ),
    "positive int of zero": (patient('"telecom":[{"rank":0}]'), ["value Patient.telecom[0].rank"]),
    "unsigned int below zero": (
        questionnaire('{"linkId":"1","type":"string","maxLength":-1.5}'),
        ["value Questionnaire.item[0].maxLength"],
    ),
    "empty string": (patient('"name":[{"family":""}]'), ["value Patient.name[0].family"]),
    "control character": (patient(r'"name":[{"family":"a\u0007b"}]'), ["value Patient.name[0].family"]),
    "id of 65 characters": (patient(f'"id":"{"a" * 65}"'), ["value Patient.id"]),
    "id with a slash": (patient('"id":"a/b"'), ["value Patient.id"]),
    "id with a line end": (patient(r'"id":"a\n"'), ["value Patient.id"]),
    "uri with a space": (patient('"implicitRules":"http://a.example/ b"'), ["value Patient.implicitRules"]),
    "code with two spaces": (
        patient('"maritalStatus":{"coding":[{"code":"a  b"}]}'),
        ["value Patient.maritalStatus.coding[0].code"],
    ),
    "code with an end space": (
        patient('"maritalStatus":{"coding":[{"code":"a "}]}'),
        ["value Patient.maritalStatus.coding[0].code"],
    ),
    "base64 of a wrong letter": (
        patient('"photo":[{"data":"AAA*"}]'),
        ["value Patient.photo[0].data"],
    ),
    "base64 without its end": (patient('"photo":[{"data":"AAAAA"}]'), ["value Patient.photo[0].data"]),
    "string of over 1 MB": (
        patient(f'"name":[{{"family":"{"a" * 1048577}"}}]'),
        ["value Patient.name[0].family"],
    ),
    # dates
    "month 13": (patient('"birthDate":"2020-13-01"'), ["value Patient.birthDate"]),
    "30 February": (patient('"birthDate":"2020-02-30"'), ["value Patient.birthDate"]),
    "29 February in no leap year": (patient('"birthDate":"1900-02-29"'), ["value Patient.birthDate"]),
    "31 April": (patient('"birthDate":"2021-04-31"'), ["value Patient.birthDate"]),
    "year 0000": (patient('"birthDate":"0000"'), ["value Patient.birthDate"]),
    "year of five digits": (patient('"birthDate":"10000-01-01"'), ["value Patient.birthDate"]),
    "date with a time": (patient('"birthDate":"2020-01-01T00:00:00Z"'), ["value Patient.birthDate"]),
    "date as written in Europe": (patient('"birthDate":"01.02.2020"'), ["value Patient.birthDate"]),
    "time without a zone": (
        observation('"effectiveDateTime":"2020-01-01T10:00:00"'),
        ["value Observation.effectiveDateTime"],
    ),
    "time without seconds": (
        observation('"effectiveDateTime":"2020-01-01T10:00Z"'),
        ["value Observation.effectiveDateTime"],
    ),
    "hour 24": (
        observation('"effectiveDateTime":"2020-01-01T24:00:00Z"'),
        ["value Observation.effectiveDateTime"],
    ),
    "zone over 14 hours": (
        observation('"effectiveDateTime":"2020-01-01T10:00:00+14:30"'),
        ["value Observation.effectiveDateTime"],
    ),
    "30 February with a time": (
        observation('"effectiveDateTime":"2020-02-30T10:00:00Z"'),
        ["value Observation.effectiveDateTime"],
    ),
    "instant of a day alone": (observation('"issued":"2020-01-01"'), ["value Observation.issued"]),
    "time of day with a zone": (observation('"valueTime":"10:00:00Z"'), ["value Observation.valueTime"]),
    "date among array items": (
        '{"resourceType":"ServiceRequest","status":"active","intent":"order","subject":{"reference":"Patient/1"},'
        '"occurrenceTiming":{"event":["2020-01-01","2020-02-31"]}}',
        ["value ServiceRequest.occurrenceTiming.event[1]"],
    ),
    # bindings
    "code not in the value set": (
        observation(status='"status":"bogus"'),
        ["code-invalid Observation.status"],
    ),
    "code in another case": (patient('"gender":"Male"'), ["code-invalid Patient.gender"]),
    "type code": (
        '{"resourceType":"CompartmentDefinition","url":"http://a.example/c","name":"C","status":"draft",'
        '"code":"Patient","search":true,"resource":[{"code":"Elephant"}]}',
        ["code-invalid CompartmentDefinition.resource[0].code"],
    ),
    "concept without a code of the value set": (
        '{"resourceType":"Condition","subject":{"reference":"Patient/1"},"clinicalStatus":{"text":"active"}}',
        ["code-invalid Condition.clinicalStatus"],
    ),
    "concept with the code of another system": (
        '{"resourceType":"Condition","subject":{"reference":"Patient/1"},"clinicalStatus":'
        '{"coding":[{"system":"http://a.example","code":"active"}]}}',
        ["code-invalid Condition.clinicalStatus"],
    ),
    # references
    "reference to another type": (
        observation('"subject":{"reference":"Practitioner/1"}'),
        ["value Observation.subject.reference"],
    ),
    "versioned reference to another type": (
        observation('"subject":{"reference":"Practitioner/1/_history/2"}'),
        ["value Observation.subject.reference"],
    ),
    "conditional reference to another type": (
        observation('"subject":{"reference":"Practitioner?identifier=a|b"}'),
        ["value Observation.subject.reference"],
    ),
    "reference in a choice to another type": (
        '{"resourceType":"MedicationRequest","status":"active","intent":"order",'
        '"subject":{"reference":"Patient/1"},"medicationReference":{"reference":"Patient/1"}}',
        ["value MedicationRequest.medicationReference.reference"],
    ),
    "reference to no type": (
        observation('"subject":{"reference":"Elephant/1"}'),
        ["value Observation.subject.reference"],
    ),
    "reference to a bad id": (
        observation('"subject":{"reference":"Patient/1 2"}'),
        ["value Observation.subject.reference"],
    ),
    "reference without a type": (
        observation('"subject":{"reference":"1"}'),
        ["value Observation.subject.reference"],
    ),
    "empty reference": (observation('"subject":{}'), ["structure Observation.subject"]),
    "reference is a string": (observation('"subject":"Patient/1"'), ["structure Observation.subject"]),
    # extensions
    "extension without url": (
        patient('"extension":[{"valueString":"x"}]'),
        ["required Patient.extension[0].url"],
    ),
    "extension without value": (
        patient('"extension":[{"url":"http://a.example"}]'),
        ["invariant Patient.extension[0]"],
    ),
    "extension with value and extensions": (
        patient('"extension":[{"url":"a:b","valueString":"x","extension":[{"url":"b","valueString":"y"}]}]'),
        ["invariant Patient.extension[0]"],
    ),
    "extension with two values": (
        patient('"extension":[{"url":"a:b","valueString":"x","valueCode":"y"}]'),
        ["structure Patient.extension[0].valueCode"],
    ),
    "extension inside an extension": (
        patient('"extension":[{"url":"a:b","extension":[{"url":"c","valueElephant":1}]}]'),
        [
            "structure Patient.extension[0].extension[0].valueElephant",
        ],
    ),
    "modifier extension in a data type": (
        patient('"name":[{"family":"A","modifierExtension":[{"url":"a:b","valueString":"x"}]}]'),
        ["structure Patient.name[0].modifierExtension"],
    ),
    # extensions of primitives
    "extension of a primitive is no object": (patient('"_birthDate":"x"'), ["structure Patient.birthDate"]),
    "extension of a primitive is null": (
        patient('"birthDate":"2000","_birthDate":null'),
        ["structure Patient.birthDate"],
    ),
    "empty extension of a primitive": (
        patient('"birthDate":"2000","_birthDate":{}'),
        ["structure Patient.birthDate"],
    ),
    "id alone stands for no value": (patient('"_birthDate":{"id":"a"}'), ["structure Patient.birthDate"]),
    "unknown element in it": (
        patient('"birthDate":"2000","_birthDate":{"value":"x"}'),
        ["structure Patient.birthDate.value"],
    ),
    "fault in its extension": (
        patient('"_birthDate":{"extension":[{"url":"a:b","valueDate":"2000-02-30"}]}'),
        ["value Patient.birthDate.extension[0].valueDate"],
    ),
    "extension of an attribute": (
        patient(f'"extension":[{{"url":"a:b","_url":{NOTE},"valueString":"x"}}]'),
        ["structure Patient.extension[0]._url"],
    ),
    "extensions shorter than values": (
        patient(f'"name":[{{"given":["A","B"],"_given":[{NOTE}]}}]'),
        ["structure Patient.name[0].given"],
    ),
    "extensions longer than values": (
        patient(f'"name":[{{"given":["A"],"_given":[null,{NOTE}]}}]'),
        ["structure Patient.name[0].given"],
    ),
    "null on both sides": (
        patient('"name":[{"given":["A",null],"_given":[null,null]}]'),
        ["structure Patient.name[0].given[1]", "structure Patient.name[0].given[1]"],
    ),
    "null without extensions": (
        patient('"name":[{"given":["A",null]}]'),
        ["structure Patient.name[0].given[1]"],
    ),
    "extensions of an array not in one": (
        patient(f'"name":[{{"given":["A"],"_given":{NOTE}}}]'),
        ["structure Patient.name[0].given"],
    ),
    "extensions of one in an array": (
        patient(f'"birthDate":"2000","_birthDate":[{NOTE}]'),
        ["structure Patient.birthDate"],
    ),
    # resources inside
    "fault in a contained resource": (
        patient('"contained":[{"resourceType":"Patient","id":"a","gender":"x"}]'),
        ["code-invalid Patient.contained[0].gender"],
    ),
    "contained in contained": (
        patient(
            '"contained":[{"resourceType":"Patient","id":"a","contained":[{"resourceType":"Device","id":"b"}]}]'
        ),
        ["invariant Patient.contained[0]"],
    ),
    "contained ids repeat": (
        patient('"contained":[{"resourceType":"Patient","id":"a"},{"resourceType":"Device","id":"a"}]'),
        ["invariant Patient.contained[1].id"],
    ),
    "contained without a type": (patient('"contained":[{"id":"a"}]'), ["required Patient.contained[0]"]),
    "contained is no object": (patient('"contained":["Patient/1"]'), ["structure Patient.contained[0]"]),
    "fault in a resource of a Bundle": (
        '{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","gender":"x"}}]}',
        ["code-invalid Bundle.entry[0].resource.gender"],
    ),
    "fault in an outcome of a Bundle": (
        '{"resourceType":"Bundle","type":"batch-response","entry":[{"response":{"status":"400","outcome":'
        '{"resourceType":"OperationOutcome"}}}]}',
        ["required Bundle.entry[0].response.outcome.issue"],
    ),
    "fault in a resource of Parameters": (
        '{"resourceType":"Parameters","parameter":[{"name":"a","part":[{"name":"b","resource":'
        '{"resourceType":"Patient","active":0}}]}]}',
        ["structure Parameters.parameter[0].part[0].resource.active"],
    ),
    # several at once, in the order of the text
    "all of them": (
        observation(
            '"subject":{"reference":"Device/1 "}', '"foo":1', '"note":[{"text":""}]', status='"status":"x"'
        ),
        [
            "code-invalid Observation.status",
            "value Observation.subject.reference",
            "structure Observation.foo",
            "value Observation.note[0].text",
        ],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_resources_give_these_issues(name: str):
    text, expected = WRONG[name]
    resource = parse(text.encode())
    issues = validate(resource)
    found = [f"{issue.code} {issue.path}" for issue in issues]
    assert found == expected
    assert not is_valid(resource)
    with pytest.raises(StructureInvalid) as error:
        require_valid(resource)
    assert list(error.value.issues) == issues
    assert error.value.path == expected[0].split()[1]
    assert all(issue.message.startswith(str(issue.path)) for issue in issues)


RIGHT: dict[str, str] = {
    "smallest": patient(),
    "extension of status": observation(status='"_status":' + NOTE),
    "status and its extension": observation('"_status":' + NOTE),
    "id beside a value": patient('"birthDate":"2000","_birthDate":{"id":"a"}'),
    "extension of a choice": observation('"_valueString":' + NOTE),
    "value and extension of a choice": observation('"valueString":"x","_valueString":' + NOTE),
    "extensions of an array": patient(
        f'"name":[{{"given":["A",null,"C"],"_given":[null,{NOTE},{{"id":"x"}}]}}]'
    ),
    "extensions of an array alone": patient(f'"name":[{{"_given":[{NOTE}]}}]'),
    "extension of an extension's value": patient(f'"extension":[{{"url":"a:b","_valueString":{NOTE}}}]'),
    "extension with an id": patient('"extension":[{"id":"e","url":"a:b","valueString":"x"}]'),
    "29 February": patient('"birthDate":"2000-02-29"'),
    "29 February of year 4": patient('"birthDate":"0004-02-29"'),
    "year": patient('"birthDate":"0001"'),
    "last day": patient('"birthDate":"9999-12-31"'),
    "leap second": observation('"effectiveDateTime":"2016-12-31T23:59:60Z"'),
    "fourteen hours": observation('"effectiveDateTime":"2016-12-31T23:59:59.123456789+14:00"'),
    "minus zero zone": observation('"issued":"2016-12-31T23:59:59.1-00:00"'),
    "largest integer": observation('"valueInteger":2147483647'),
    "smallest integer": observation('"valueInteger":-2147483648'),
    "minus zero": observation('"valueInteger":-0'),
    "decimal forms": observation(
        '"component":['
        + ",".join(
            f'{{"code":{{"text":"x"}},"valueQuantity":{{"value":{each}}}}}'
            for each in ("1.0E+2", "1e-7", "0.000000001", "-0", "-0.0", "7", "9223372036854775808", "1" * 40)
        )
        + "]"
    ),
    "string of 1 MB": patient(f'"name":[{{"family":"{"陳" * 1048576}"}}]'),
    "white space in strings": patient(r'"name":[{"family":" a\r\n\tb\u00a0"}]'),
    "space alone": patient('"name":[{"family":" "}]'),
    "base64 in lines": patient(r'"photo":[{"data":"AAAA\r\nAA==\n"}]'),
    "id of 64 characters": patient(f'"id":"{"a" * 64}"'),
    "concept in a required value set": (
        '{"resourceType":"Condition","subject":{"reference":"Patient/1"},"clinicalStatus":{"text":"x","coding":'
        '[{"system":"http://a.example","code":"y"},'
        '{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]}}'
    ),
    "currency is not checked": (
        '{"resourceType":"Account","status":"active","coverage":[{"coverage":{"reference":"Coverage/1"}}],'
        '"extension":[{"url":"a:b","valueMoney":{"value":1.10,"currency":"HKD"}}]}'
    ),
    "references not to be judged": observation(
        '"subject":{"reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}',
        '"performer":[{"reference":"http://a.example/fhir/Device/1"},{"reference":"#x"},{"display":"someone"},'
        '{"identifier":{"value":"1"}},{"reference":"Patient/1/_history/2"},'
        '{"reference":"Patient?identifier=a|b c"}]',
    ),
    "any reference": patient('"extension":[{"url":"a:b","valueReference":{"reference":"Device/1"}}]'),
    "contained": patient(
        '"contained":[{"resourceType":"Device","id":"a"},{"resourceType":"Device","id":"b"}]',
    ),
    "a Bundle in a Bundle": (
        '{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Bundle",'
        '"type":"collection","entry":[{"resource":{"resourceType":"Patient"}}]}}]}'
    ),
    "Parameters": (
        '{"resourceType":"Parameters","parameter":[{"name":"a","valueOid":"urn:oid:1.2.840"},'
        '{"name":"b","valueUuid":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"},'
        '{"name":"c","valueTime":"23:59:60"}]}'
    ),
    "recursion": questionnaire(
        '{"linkId":"1","type":"group","item":[{"linkId":"1.1","type":"string","maxLength":0}]}',
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_resources_give_no_issue(name: str):
    resource = parse(RIGHT[name].encode())
    assert validate(resource) == []
    assert issues_of(resource) == []
    assert is_valid(resource)
    require_valid(resource)


def test_twelve_wrong_observations_are_all_refused():
    """The wrong Observations of the library comparison, each refused at its element."""
    base = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": "2022-10-19",
        "valueQuantity": {"value": Decimal("7.10"), "unit": "%"},
    }
    assert is_valid(base)
    changes: list[tuple[dict[str, Any], str]] = [
        ({"colour": "red"}, "Observation.colour"),
        ({"status": "bogus"}, "Observation.status"),
        ({"code": None}, "Observation.code"),
        ({"valueString": "high"}, "Observation.valueString"),
        ({"effectiveDateTime": "2022-13-01"}, "Observation.effectiveDateTime"),
        ({"effectiveDateTime": "2022-02-30"}, "Observation.effectiveDateTime"),
        ({"valueQuantity": {"value": "7.10"}}, "Observation.valueQuantity.value"),
        ({"code": {"coding": {"code": "4548-4"}}}, "Observation.code.coding"),
        ({"subject": {}}, "Observation.subject"),
        ({"id": "a" * 65}, "Observation.id"),
        ({"bodyStructure": {"reference": "BodyStructure/1"}}, "Observation.bodyStructure"),
        ({"referenceRange": [{}]}, "Observation.referenceRange[0]"),
    ]
    for change, path in changes:
        wrong = {name: value for name, value in {**base, **change}.items() if value is not None}
        assert [issue.path for issue in validate(wrong)] == [path]


def test_messages_repeat_nothing_of_the_value():
    secret = "Chan Tai Man A123456(3)"
    for text in (
        patient(f'"birthDate":"{secret}"'),
        patient(f'"gender":"{secret}"'),
        patient(f'"active":"{secret}"'),
        patient(f'"{secret}":1'),
        patient(f'"id":"{secret}"'),
        observation(f'"subject":{{"reference":"{secret}"}}'),
        observation(f'"subject":{{"reference":"{secret}/1"}}'),
        observation(f'"subject":"{secret}"'),
        f'{{"resourceType":"{secret}"}}',
    ):
        (issue,) = validate(parse(text.encode()))
        assert "Chan" not in f"{issue.path} {issue.message}"
        assert "A123456" not in f"{issue.path} {issue.message}"


def test_a_message_says_what_and_what_to_do():
    (issue,) = validate(parse(observation('"subject":{"reference":"Practitioner/1"}').encode()))
    assert issue == Issue(
        "value",
        "Observation.subject.reference leads to a Practitioner; "
        "it may lead to: Device, Group, Location, Patient.",
        "Observation.subject.reference",
    )
    (issue,) = validate(parse(patient('"gender":"man"').encode()))
    assert issue.message == (
        "Patient.gender must be a code of http://hl7.org/fhir/ValueSet/administrative-gender: "
        "female, male, other, unknown."
    )


def test_issues_are_bounded():
    wrong = patient('"name":[' + ",".join(["1"] * 100_000) + "]")
    assert len(validate(parse(wrong.encode()))) == MAX_ISSUES


@pytest.mark.parametrize("value", [None, 1, "x", [], {"resourceType": None}])
def test_what_is_no_json_object_is_an_issue_too(value: Any):
    assert validate(value)
    assert not is_valid(value)


def test_depth_beyond_the_limit_is_an_issue_not_a_crash():
    extension: dict[str, Any] = {"url": "a:b", "valueString": "x"}
    for _ in range(5_000):
        extension = {"url": "a:b", "extension": [extension]}
    issues = validate({"resourceType": "Patient", "extension": [extension], "gender": "x"})
    assert [issue.code for issue in issues] == ["too-long", "code-invalid"]


def test_every_resource_type_is_known_and_asks_for_what_its_definition_requires():
    known = definitions()
    assert len(known.resources) == 146
    for type in known.resources:
        required = [element.name for element in known.types[type] if element.min]
        paths = [issue.path for issue in validate({"resourceType": type})]
        assert paths == [f"{type}.{name}" for name in required]


def test_value_sets_that_are_not_checked_are_known_by_name():
    assert sorted(definitions().unchecked) == [
        "http://hl7.org/fhir/ValueSet/currencies",
        "http://hl7.org/fhir/ValueSet/mimetypes",
        "http://hl7.org/fhir/ValueSet/ucum-units",
        "http://loinc.org/vs/LL379-9",
    ]


def test_every_day_of_every_kind_of_year_is_judged_as_the_calendar_does():
    for year in (1, 4, 100, 400, 1600, 1900, 1999, 2000, 2023, 2024, 2100, 9996, 9999):
        for month in range(14):
            for day in range(33):
                try:
                    date(year, month, day)
                    exists = True
                except ValueError:
                    exists = False
                text = f"{year:04}-{month:02}-{day:02}"
                assert is_primitive("date", text) is exists, text
                assert is_primitive("dateTime", text) is exists, text
                assert is_primitive("instant", f"{text}T00:00:00Z") is exists, text
