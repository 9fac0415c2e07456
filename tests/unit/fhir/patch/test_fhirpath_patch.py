"""FHIRPath Patch on the text of a resource: what each operation does, and what is refused."""

import json
from collections import Counter
from typing import Any

import pytest

from kintung.errors import (
    BadInput,
    KintungError,
    NotSupported,
    RuleFailed,
    StructureInvalid,
    TooCostly,
    TooLong,
    ValueInvalid,
)
from kintung.fhir.json import parse
from kintung.fhir.patch import apply_fhirpath_patch, parse_fhirpath_patch
from kintung.fhir.patch.json_patch import MOST_OPERATIONS
from kintung.fhir.structure import require_valid
from tests.scale import counts, seeded

NAMES = '"name":[{"use":"official","given":["A","B"],"_given":[null,{"id":"x"}]},{"family":"Z"}]'
BORN = '"birthDate":"1970-01-01","_birthDate":{"extension":[{"url":"http://e.org/t","valueDecimal":1.50}]}'
PATIENT = f'{{"resourceType":"Patient",{NAMES},{BORN},"multipleBirthInteger":2}}'


def operation(type: str, path: str, **parts: Any) -> dict[str, Any]:
    """An operation; a part is a number, the name of an element, or a ``value[x]`` as it is sent."""
    sent = [{"name": "type", "valueCode": type}, {"name": "path", "valueString": path}]
    for name, part in parts.items():
        kinds = {int: "valueInteger", str: "valueString"}
        sent.append({"name": name, **(part if isinstance(part, dict) else {kinds[type_of(part)]: part})})
    return {"name": "operation", "part": sent}


def type_of(part: int | str) -> type:
    return type(part)


def patched(*operations: dict[str, Any], text: str = PATIENT) -> str:
    parameters: dict[str, Any] = {"resourceType": "Parameters", "parameter": list(operations)}
    sent = json.dumps(parameters).encode()
    read = parse_fhirpath_patch(parse(sent), sent)
    after = apply_fhirpath_patch(text.encode(), "Patient", read)
    require_valid(parse(after))
    return after.decode()


NEW_CONTACT = {
    "part": [
        {"name": "name", "valueHumanName": {"text": "x"}},
        {"name": "telecom", "valueContactPoint": {"value": "1"}},
        {"name": "telecom", "valueContactPoint": {"value": "2"}},
    ]
}
CASES = [
    (
        "add where there is none",
        operation("add", "Patient", name="gender", value={"valueCode": "male"}),
        ('"multipleBirthInteger":2', '"multipleBirthInteger":2,"gender":"male"'),
    ),
    (
        "add to a list, with what stands beside",
        operation(
            "add",
            "Patient.name.where(use = 'official')",
            name="given",
            value={"valueString": "C", "_valueString": {"id": "q"}},
        ),
        (
            '["A","B"],"_given":[null,{"id":"x"}]',
            '["A","B","C"],"_given":[null,{"id":"x"},{"id":"q"}]',
        ),
    ),
    (
        "add an element made of parts",
        operation("add", "Patient", name="contact", value=NEW_CONTACT),
        (
            '"multipleBirthInteger":2',
            '"multipleBirthInteger":2,"contact":[{"name":{"text":"x"},'
            '"telecom":[{"value":"1"},{"value":"2"}]}]',
        ),
    ),
    (
        "add a choice",
        operation("add", "Patient", name="deceased", value={"valueBoolean": False}),
        ('"multipleBirthInteger":2', '"multipleBirthInteger":2,"deceasedBoolean":false'),
    ),
    (
        "insert",
        operation("insert", "Patient.name[0].given", index=1, value={"valueString": "C"}),
        ('["A","B"],"_given":[null,', '["A","C","B"],"_given":[null,null,'),
    ),
    (
        "insert at the end",
        operation("insert", "Patient.name", index=2, value={"valueHumanName": {"text": "t"}}),
        ('{"family":"Z"}', '{"family":"Z"},{"text":"t"}'),
    ),
    (
        "delete an item",
        operation("delete", "Patient.name.first().given[0]"),
        ('["A","B"],"_given":[null,{', '["B"],"_given":[{'),
    ),
    ("delete the last item of a list", operation("delete", "Patient.name[1]"), (',{"family":"Z"}', "")),
    ("delete an element", operation("delete", "Patient.birthDate"), (BORN + ",", "")),
    ("delete what is not there", operation("delete", "Patient.gender"), ("", "")),
    (
        "replace a primitive, and what stands beside it",
        operation("replace", "Patient.birthDate", value={"valueDate": "2000-01-01"}),
        (BORN, '"birthDate":"2000-01-01"'),
    ),
    (
        "replace by another type",
        operation("replace", "Patient.multipleBirth", value={"valueBoolean": True}),
        ('"multipleBirthInteger":2', '"multipleBirthBoolean":true'),
    ),
    (
        "replace an item",
        operation("replace", "Patient.name.last()", value={"valueHumanName": {"family": "Y"}}),
        ('"Z"', '"Y"'),
    ),
    (
        "replace in an extension of a primitive",
        operation("replace", "Patient.birthDate.extension('http://e.org/t').value", value={"valueCode": "c"}),
        ('"valueDecimal":1.50', '"valueCode":"c"'),
    ),
    (
        "move",
        operation("move", "Patient.name.given", source=0, destination=1),
        ('["A","B"],"_given":[null,{"id":"x"}]', '["B","A"],"_given":[{"id":"x"},null]'),
    ),
]


@pytest.mark.parametrize(("sent", "change"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_operation_changes_that_element_and_no_other_letter(
    sent: dict[str, Any], change: tuple[str, str]
) -> None:
    assert patched(sent) == PATIENT.replace(*change, 1)


def test_operations_follow_each_other() -> None:
    gone = patched(operation("delete", "Patient.name[1]"), operation("delete", "Patient.name[0]"))
    assert gone == PATIENT.replace(f"{NAMES},", "")


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (operation("replace", "Patient.name[0]", value={"valueString": "x"}), "Patient.name[0]"),
        (
            operation("add", "Patient", name="contained", value={"valueHumanName": {"text": "x"}}),
            "Patient.contained",
        ),
    ],
    ids=["no object", "no resource"],
)
def test_what_an_earlier_operation_spoiled_is_refused(first: dict[str, Any], then: str) -> None:
    with pytest.raises(BadInput):
        patched(first, operation("add", then, name="given", value={"valueString": "x"}))


TEXT = {"valueString": "x"}
REFUSED = [
    ("several where one is meant", RuleFailed, operation("delete", "Patient.name")),
    ("none where one is meant", RuleFailed, operation("replace", "Patient.gender", value=TEXT)),
    ("there already", RuleFailed, operation("add", "Patient", name="birthDate", value=TEXT)),
    ("does not repeat", RuleFailed, operation("insert", "Patient.birthDate", index=0, value=TEXT)),
    ("items of several", RuleFailed, operation("insert", "Patient.name.use", index=0, value=TEXT)),
    ("past the end", ValueInvalid, operation("insert", "Patient.name.given", index=3, value=TEXT)),
    ("moved from nowhere", ValueInvalid, operation("move", "Patient.name", source=2, destination=0)),
    ("no such element", ValueInvalid, operation("add", "Patient", name="nix", value=TEXT)),
    ("no such type", ValueInvalid, operation("add", "Patient", name="deceased", value=TEXT)),
    ("the whole", ValueInvalid, operation("replace", "Patient", value=TEXT)),
    ("delete the whole", ValueInvalid, operation("delete", "Patient")),
    ("a computed value", NotSupported, operation("delete", "Patient.name.exists()")),
    ("a function", NotSupported, operation("delete", "Patient.name.repeat(given)")),
    ("a union", NotSupported, operation("delete", "Patient.name | Patient.telecom")),
    ("no type", NotSupported, operation("delete", "Patient.name as 'x'")),
    ("not FHIRPath", BadInput, operation("delete", "Patient.name[")),
    ("deep", TooLong, operation("delete", "(" * 4_000)),
    ("long", TooLong, operation("delete", "a" * 5_000)),
    ("another type of operation", ValueInvalid, operation("test", "Patient.name")),
    ("no name", StructureInvalid, operation("add", "Patient", value=TEXT)),
    ("no value", StructureInvalid, operation("replace", "Patient.birthDate")),
    ("twice", StructureInvalid, {"name": "operation", "part": operation("move", "a")["part"] * 2}),
    ("no parts", StructureInvalid, {"name": "operation"}),
    ("many steps", TooLong, operation("delete", ".".join(["a"] * 2_000))),
    ("another parameter", StructureInvalid, {"name": "op", "part": [TEXT]}),
    ("a text for a place", ValueInvalid, operation("insert", "Patient.name", index="1", value=TEXT)),
    ("a place below none", ValueInvalid, operation("insert", "Patient.name", index=-1, value=TEXT)),
]


@pytest.mark.parametrize(("error", "sent"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_cannot_be_done_is_refused_with_its_place(
    error: type[KintungError], sent: dict[str, Any]
) -> None:
    fine = operation("delete", "Patient.gender")
    with pytest.raises(error) as refused:
        patched(fine, sent)
    assert str(refused.value.path).startswith("Parameters.parameter[1]")


def test_paths_look_at_so_much_and_no_more() -> None:
    many = PATIENT.replace('"A"', ",".join(['"A"'] * 1_000)).replace(
        '"_given":[null,', '"_given":[' + "null," * 1_000
    )
    look = operation("delete", "Patient.name.given.where(id = 'nix')")
    with pytest.raises(TooCostly):
        patched(*[look] * 200, text=many)


def test_a_patch_has_at_most_so_many_operations() -> None:
    with pytest.raises(TooLong):
        patched(*[operation("delete", "Patient.gender")] * (MOST_OPERATIONS + 1))


@pytest.mark.parametrize("place", ["operation", "type", "of a value"])
def test_a_name_that_is_an_extension_alone_is_refused(place: str) -> None:
    """FHIR's structure allows it, and a patch needs the name itself."""
    sent = operation("add", "Patient", name="contact", value=NEW_CONTACT)
    nameless = {"operation": sent, "type": sent["part"][0], "of a value": sent["part"][3]["part"][0]}[place]
    whole = json.loads(json.dumps(sent))
    text = json.dumps(sent).replace(
        json.dumps(nameless),
        json.dumps(
            {**nameless, "_name": {"extension": [{"url": "http://e.org/x", "valueCode": "x"}]}}
        ).replace(f'"name": "{nameless["name"]}", ', "", 1),
    )
    assert json.loads(text) != whole
    with pytest.raises(StructureInvalid) as refused:
        patched(json.loads(text))
    assert refused.value.path == "Parameters.parameter[0].name"


PATHS = (
    *("Patient", "Patient.name", "Patient.name[0]", "Patient.name[0].given", "Patient.name.given[1]", "name"),
    *("Patient.birthDate", "Patient.birthDate.extension", "Patient.birthDate.id", "Patient.gender", "$this"),
    *("Patient.multipleBirth", "Patient.id", "Patient.name.where(use = family)", "(Patient.name)[0]", "a.b"),
    *("Patient.birthDate.extension.value", "%resource.name", "Patient.name.where(1)", "Patient.resourceType"),
    *("Patient.name.given.first().id", "Patient.name as HumanName", "Patient.name.ofType(HumanName).last()"),
)
VALUES: tuple[dict[str, Any], ...] = (
    *({"valueCode": "male"}, {"valueString": "x"}, {"_valueString": {"id": "q"}}, {"valueInteger": 1}, {}),
    *({"valueBoolean": True}, {"valueHumanName": {"text": "t"}}, {"valueExtension": {"url": "http://z.org"}}),
    *(NEW_CONTACT, {"part": [{"name": "given", "valueString": "x"}]}, {"valueDecimal": 1.5}),
    {"resource": {"resourceType": "Basic", "code": {"text": "x"}}},
)
ELEMENTS = (
    "gender",
    "given",
    "name",
    "deceased",
    "extension",
    "id",
    "contained",
    "contact",
    "birthDate",
    "nix",
)


def test_whatever_is_sent_is_done_or_refused() -> None:
    """Given generated operations, when applied, then what comes out is valid, or a refusal says why."""
    rng, ends = seeded("FHIRPath patches"), Counter[bool]()
    for _ in range(counts(3_000, 100_000)):
        places = {
            name: rng.choice((0, 0, 1, 2, 5, -1, 2**31 - 1)) for name in ("index", "source", "destination")
        }
        sent = [
            operation(
                rng.choice(("add", "insert", "delete", "replace", "move")),
                rng.choice(PATHS),
                name=rng.choice((*ELEMENTS, *ELEMENTS, *VALUES)),
                value=rng.choice(VALUES),
                **places,
            )
            for _ in range(rng.choice((1, 1, 2, 3)))
        ]
        try:
            patched(*sent)
        except KintungError:
            ends[False] += 1
        else:
            ends[True] += 1
    assert min(ends[True], ends[False]) * 50 > sum(ends.values()), ends
