"""Reading ``_include`` and ``_revinclude``: what each form means, and what is refused with which word."""

import pytest

from kintung.errors import BadInput, KintungError, NotSupported
from kintung.fhir.search import Include, includes_of, parse_query, resource_types, revincludes_of


def includes(type: str | None, *pairs: tuple[str, str], lenient: bool = False) -> tuple[Include, ...]:
    return parse_query(type, pairs, now_micros=0, lenient=lenient).includes


def told(include: Include) -> tuple[list[str], str | None, bool, bool]:
    """The parameters as they are written, and the rest."""
    named = [f"{each.type}:{each.code}" for each in include.parameters]
    return sorted(named), include.target, include.reverse, include.iterate


@pytest.mark.parametrize(
    ("type", "name", "value", "expected"),
    [
        ("Observation", "_include", "Observation:subject", (["Observation:subject"], None, False, False)),
        (
            "Observation",
            "_include",
            "Observation:subject:Patient",
            (["Observation:subject"], "Patient", False, False),
        ),
        (
            "Observation",
            "_include:iterate",
            "Patient:organization",
            (["Patient:organization"], None, False, True),
        ),
        (None, "_include", "Patient:link", (["Patient:link"], None, False, False)),
        ("Patient", "_include", "Patient:*", (
            ["Patient:general-practitioner", "Patient:link", "Patient:organization"], None, False, False,
        )),
        ("Patient", "_include", "Patient:*:Organization", (
            ["Patient:general-practitioner", "Patient:organization"], "Organization", False, False,
        )),
        ("Patient", "_revinclude", "Observation:subject", (["Observation:subject"], None, True, False)),
        ("Practitioner", "_revinclude", "Observation:*", (
            ["Observation:focus", "Observation:performer"], None, True, False,
        )),
        ("Patient", "_revinclude:iterate", "List:item", (["List:item"], None, True, True)),
    ],
)  # fmt: skip
def test_what_each_form_means(
    type: str | None, name: str, value: str, expected: tuple[list[str], str | None, bool, bool]
) -> None:
    (include,) = includes(type, (name, value))
    assert told(include) == expected


def test_all_references_are_those_of_every_type() -> None:
    """What is included by one of them may have others."""
    (include,) = includes("Observation", ("_include:iterate", "*"))
    named = {f"{each.type}:{each.code}" for each in include.parameters}
    assert {"Observation:subject", "Patient:organization", "Provenance:target"} <= named
    assert {each.kind for each in include.parameters} == {"reference"}


def test_they_are_given_as_often_as_wanted_and_the_same_counts_once() -> None:
    pairs = [("_include", "Observation:subject"), ("_include", "Observation:performer")]
    assert len(includes("Observation", *pairs, *pairs)) == 2
    assert parse_query("Observation", pairs, now_micros=0).used == tuple(pairs)


REFUSED = {
    ("Patient", "_include", "Patient"): (BadInput, "Observation:subject"),
    ("Patient", "_include", ""): (BadInput, "Observation:subject"),
    ("Patient", "_include", "Patient:"): (BadInput, "Observation:subject"),
    ("Patient", "_include", "Patient:link:Patient:link"): (BadInput, "Observation:subject"),
    ("Patient", "_include:recurse", "Patient:link"): (BadInput, "_include:iterate"),
    ("Patient", "_revinclude:recurse", "Patient:link"): (BadInput, "_revinclude:iterate"),
    ("Patient", "_include:missing", "Patient:link"): (BadInput, ":iterate"),
    ("Patient", "_include", "Pat:link"): (NotSupported, "nearest: Patient"),
    ("Patient", "_include", "Patient:orgnization"): (NotSupported, "nearest: organization"),
    ("Patient", "_include", "Patient:name"): (NotSupported, "only references"),
    ("Patient", "_include", "Patient:link:Group"): (NotSupported, "does not lead to Group"),
    ("Patient", "_include", "Patient:link:Grp"): (NotSupported, "nearest: Group"),
    ("Patient", "_include", "Observation:subject"): (NotSupported, ":iterate"),
    ("Patient", "_revinclude", "*"): (NotSupported, "name the type"),
    ("Practitioner", "_revinclude", "Observation:subject"): (NotSupported, "does not lead to Practitioner"),
    ("Practitioner", "_revinclude", "Observation:subject:Patient"): (NotSupported, "does not lead"),
}


@pytest.mark.parametrize("case", REFUSED, ids=" ".join)
def test_what_is_refused(case: tuple[str, str, str]) -> None:
    type, *pair = case
    error, word = REFUSED[case]
    with pytest.raises(KintungError) as refusal:
        includes(type, (pair[0], pair[1]))
    assert refusal.type is error
    assert word in str(refusal.value)
    assert refusal.value.path == pair[0]


def test_what_is_not_known_may_be_left_out_a_modifier_never() -> None:
    query = parse_query("Patient", [("_include", "Patient:colour")], now_micros=0, lenient=True)
    assert (query.includes, query.used) == ((), ())
    assert [(issue.path, issue.severity) for issue in query.ignored] == [("_include", "warning")]
    with pytest.raises(BadInput):
        includes("Patient", ("_include:recurse", "Patient:link"), lenient=True)


def test_what_is_offered_is_taken() -> None:
    """The lists of the CapabilityStatement, of every type."""
    for type in resource_types():
        for value in includes_of(type):
            assert includes(type, ("_include", value))
        for value in revincludes_of(type):
            assert includes(type, ("_revinclude", value)), f"{value} of {type}"
    assert "Observation:subject" in revincludes_of("Patient")
    assert "Observation:subject" not in revincludes_of("Practitioner")
