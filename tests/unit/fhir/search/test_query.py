"""Reading searches: what each form means, and what is refused with which name."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from kintung.errors import BadInput, KintungError, NotSupported, TooCostly, TooLong, ValueInvalid
from kintung.fhir.search import (
    SEARCH_LIMITS,
    Chain,
    Criterion,
    DateValue,
    Has,
    Missing,
    NumberValue,
    QuantityValue,
    Query,
    ReferenceValue,
    SearchLimits,
    Sort,
    StringValue,
    TokenValue,
    UriBelow,
    UriValue,
    Value,
    parse_query,
    query_pairs,
)
from kintung.fhir.search.dates import span
from kintung.fhir.search.parameters import Branch, parameter

NOW = span("2022-10-19T00:00:00Z", 0)[0]
UCUM = "http://unitsofmeasure.org"


def query(type: str | None, *pairs: tuple[str, str], **options: Any) -> Query:
    return parse_query(type, pairs, now_micros=NOW, **options)


def values(type: str, name: str, text: str) -> tuple[Value, ...]:
    """Return the values of a search by one criterion."""
    (criterion,) = query(type, (name, text)).criteria
    assert isinstance(criterion, Criterion)
    return criterion.values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8480-6", TokenValue(None, "8480-6", any_system=True)),
        ("|8480-6", TokenValue(None, "8480-6", any_system=False)),
        ("http://loinc.org|8480-6", TokenValue("http://loinc.org", "8480-6", any_system=False)),
        ("http://loinc.org|", TokenValue("http://loinc.org", None, any_system=False)),
        (r"a\|b\,c\$d\\e\f", TokenValue(None, r"a|b,c$d\e\f", any_system=True)),
    ],
)
def test_tokens(text: str, value: TokenValue):
    assert values("Observation", "code", text) == (value,)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("subject", "Patient/1", ReferenceValue(("Patient",), "1")),
        ("subject", "1", ReferenceValue(("Device", "Group", "Location", "Patient"), "1")),
        ("subject:Patient", "1", ReferenceValue(("Patient",), "1")),
        ("subject:Patient", "Patient/1", ReferenceValue(("Patient",), "1")),
        ("patient", "1", ReferenceValue(("Patient",), "1")),
        ("subject", "http://o.org/Patient/1", ReferenceValue(("",), "http://o.org/Patient/1")),
        ("subject", "urn:uuid:1", ReferenceValue(("",), "urn:uuid:1")),
    ],
)
def test_references(name: str, text: str, value: ReferenceValue):
    assert values("Observation", name, text) == (value,)


def test_a_reference_by_its_identifier_is_a_token_of_atoms_of_their_own():
    (criterion,) = query("Observation", ("subject:identifier", "urn:x|1,2")).criteria
    subject, patient = (parameter("Observation", code) for code in ("subject", "patient"))

    assert isinstance(criterion, Criterion)
    assert criterion.parameter == replace(
        subject,
        kind="token",
        branches=tuple(Branch(atom) for atom in subject.identifiers),
        targets=(),
        identifiers=(),
    )
    assert criterion.values == (
        TokenValue("urn:x", "1", any_system=False),
        TokenValue(None, "2", any_system=True),
    )
    assert len(subject.identifiers) == 1
    assert subject.identifiers == patient.identifiers
    assert not {branch.atom for branch in subject.branches} & set(subject.identifiers)


def test_a_reference_to_anything_takes_a_bare_id_of_any_type():
    """Or a canonical that somebody wrote so, as an official example does."""
    assert values("Library", "depends-on", "1") == (ReferenceValue((), "1"), ReferenceValue(("",), "1"))


def test_the_own_address_of_the_node_is_local():
    """And itself: a canonical under it is indexed as it stands."""
    address = "http://me/fhir/Patient/1"
    found = query("Observation", ("subject", address), base="http://me/fhir").criteria

    both = (ReferenceValue(("Patient",), "1"), ReferenceValue(("",), address))
    assert found == (Criterion(parameter("Observation", "subject"), None, both),)


@pytest.mark.parametrize("rest", ["Parrot/1", "Patient/1|2", "Patient", ""])
def test_the_own_address_of_what_is_no_resource_is_an_address(rest: str):
    address = f"http://me/fhir/{rest}"
    found = query("Observation", ("subject", address.replace("|", "\\|")), base="http://me/fhir").criteria

    assert found == (Criterion(parameter("Observation", "subject"), None, (ReferenceValue(("",), address),)),)


@pytest.mark.parametrize("prefix", ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"])
def test_dates_with_each_prefix(prefix: str):
    lo, hi = span("2013-01", 480)

    assert values("Patient", "birthdate", f"{prefix}2013-01") == (DateValue(prefix, lo, hi),)  # type: ignore[arg-type]


def test_a_date_without_prefix_is_equal():
    assert values("Patient", "birthdate", "2013-01-14T10:00") == (
        DateValue("eq", *span("2013-01-14T10:00", 480)),
    )


def test_a_plus_that_came_as_a_space_is_a_plus():
    assert values("Observation", "date", "2013-01-14T10:00:00 08:00") == values(
        "Observation", "date", "2013-01-14T10:00:00+08:00"
    )


def test_about_a_date_is_a_tenth_of_its_distance_from_now_on_both_sides():
    lo, hi = span("2012-10-19T00:00:00Z", 0)
    widened = (NOW - hi) // 10

    assert values("Observation", "date", "ap2012-10-19T00:00:00Z") == (
        DateValue("ap", lo - widened, hi + widened),
    )


def test_about_a_span_that_holds_now_is_that_span():
    assert values("Observation", "date", "ap2022") == (DateValue("ap", *span("2022", 480)),)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("100", ("eq", "99.5", "100.5", "100")),
        ("1e2", ("eq", "50", "150", "100")),
        ("ne5.40", ("ne", "5.395", "5.405", "5.40")),
        ("gt5.40", ("gt", "5.40", "5.40", "5.40")),
        ("ap-10", ("ap", "-11.0", "-9.0", "-10")),
        ("0", ("eq", "-0.5", "0.5", "0")),
        ("1E-400", ("eq", "0.5E-400", "1.5E-400", "1E-400")),
    ],
)
def test_numbers(text: str, value: tuple[Any, str, str, str]):
    prefix, *bounds = value

    assert values("RiskAssessment", "probability", text) == (NumberValue(prefix, *map(Decimal, bounds)),)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("ge5", (None, None, True)),
        ("ge5||", (None, None, True)),
        (f"ge5|{UCUM}|mg", (UCUM, "mg", False)),
        ("ge5||mg", (None, "mg", False)),
        (f"ge5|{UCUM}|", (UCUM, None, False)),
    ],
)
def test_quantities(text: str, unit: tuple[str | None, str | None, bool]):
    five = Decimal(5)

    assert values("Observation", "value-quantity", text) == (QuantityValue("ge", five, five, five, *unit),)


def test_strings_and_addresses():
    assert values("Patient", "name", r"Ög\,le") == (StringValue("Ög,le", "og,le"),)
    assert values("ValueSet", "url", "http://a|b") == (UriValue("http://a|b"),)


def test_alternatives_and_repetition():
    found = query("Patient", ("gender", "male,female"), ("name", "a"), ("name", "b"))

    assert [len(criterion.values) for criterion in found.criteria if isinstance(criterion, Criterion)] == [
        2,
        1,
        1,
    ]


@pytest.mark.parametrize(
    ("name", "modifier"),
    [("name:exact", "exact"), ("name:contains", "contains"), ("gender:not", "not"), ("gender", None)],
)
def test_modifiers(name: str, modifier: str | None):
    (criterion,) = query("Patient", (name, "x")).criteria

    assert isinstance(criterion, Criterion)
    assert criterion.modifier == modifier


@pytest.mark.parametrize("name", ["name", "birthdate", "gender", "organization"])
def test_missing_goes_with_every_kind(name: str):
    assert values("Patient", f"{name}:missing", "true") == (Missing(missing=True),)


def test_a_chain_asks_every_target_that_has_the_parameter():
    (chain,) = query("Observation", ("subject.name:contains", "a,b")).criteria

    assert isinstance(chain, Chain)
    assert chain.parameter == parameter("Observation", "subject")
    assert chain.targets == ("Location", "Patient")
    assert chain.inner[1][1] == Criterion(
        parameter("Patient", "name"), "contains", (StringValue("a", "a"), StringValue("b", "b"))
    )


def test_a_typed_chain_asks_that_type_alone():
    (chain,) = query("Observation", ("subject:Patient.birthdate", "lt2000")).criteria

    assert isinstance(chain, Chain)
    assert chain.targets == ("Patient",)


def test_a_chain_passes_over_targets_whose_kind_the_value_does_not_fit():
    (chain,) = query("Provenance", ("target.date", "2013")).criteria

    assert isinstance(chain, Chain)
    assert "Observation" in chain.targets


@pytest.mark.parametrize("text", ["a\0", "\x07a", "a\x0bb", "\x1f", "\ud800"])
@pytest.mark.parametrize("place", ["name", "value"])
def test_what_no_stored_text_can_hold_is_refused(place: str, text: str):
    name, value = ("family:exact", text) if place == "value" else (f"family{text}", "x")
    with pytest.raises(ValueInvalid, match="a character that FHIR does not allow"):
        query("Patient", (name, value))


def test_line_ends_and_tabs_may_stand_in_a_text():
    assert values("Patient", "family:exact", "a\t\r\nb") == (StringValue("a\t\r\nb", "a b"),)


def test_a_uri_is_asked_with_what_is_below_and_above_it():
    assert values("ValueSet", "url:below", "http://a/b") == (UriBelow("http://a/b"),)
    above = ["http://a/b/c", "http://a/b", "http://a/b/", "http://a", "http://a/"]
    assert values("ValueSet", "url:above", "http://a/b/c") == tuple(map(UriValue, above))
    assert values("ValueSet", "url:above", "urn:oid:1.2") == (UriValue("urn:oid:1.2"),)
    assert values("Patient", "_profile:below", "http://a") == (UriBelow("http://a"),)


def test_what_is_asked_below_is_as_long_as_what_stands_of_a_long_uri():
    assert values("ValueSet", "url:below", "a" * 189) == (UriBelow("a" * 189),)
    with pytest.raises(TooLong, match="190"):
        query("ValueSet", ("url:below", "a" * 190))


@pytest.mark.parametrize("name", ["code:below", "family:above", "birthdate:below", "subject:above"])
def test_other_kinds_have_no_paths(name: str):
    with pytest.raises(NotSupported):
        query("Observation" if name.startswith(("code", "subject")) else "Patient", (name, "x"))


def test_a_chain_goes_on_from_what_it_leads_to():
    (chain,) = query("Observation", ("subject:Patient.general-practitioner:Organization.name", "x")).criteria

    practice = Criterion(parameter("Organization", "name"), None, (StringValue("x", "x"),))
    inner = Chain(parameter("Patient", "general-practitioner"), (("Organization", practice),))
    assert chain == Chain(parameter("Observation", "subject"), (("Patient", inner),))


def test_has_asks_what_leads_here():
    (has,) = query("Patient", ("_has:Observation:patient:code", "1234-5")).criteria

    code = Criterion(parameter("Observation", "code"), None, (TokenValue(None, "1234-5", any_system=True),))
    assert has == Has("Observation", parameter("Observation", "patient"), code)


def test_links_lead_forward_and_back():
    (has,) = query(
        "Patient", ("_has:Encounter:patient:_has:Observation:encounter:performer.name", "x")
    ).criteria

    assert isinstance(has, Has)
    assert isinstance(has.inner, Has)
    assert isinstance(has.inner.inner, Chain)
    (chain,) = query("Observation", ("subject:Patient._has:Group:member:_id", "1")).criteria
    assert isinstance(chain, Chain)
    assert isinstance(chain.inner[0][1], Has)


def test_a_list_is_what_its_entries_lead_to():
    (listed,) = query("Patient", ("_list", "42")).criteria

    own_id = Criterion(parameter("List", "_id"), None, (TokenValue(None, "42", any_system=True),))
    assert listed == Has("List", parameter("List", "item"), own_id)


def test_a_list_is_named_by_its_id_alone():
    assert query("Patient", ("_list", "List/42,42")).criteria == query("Patient", ("_list", "42")).criteria
    for written in ("$current-problems", "42,$current-allergies"):
        with pytest.raises(NotSupported, match="functional lists"):
            query("Condition", ("_list", written), lenient=True)
    for written in ("Group/42", "List/", "List/42/_history/1", "http://other.example/List/42", "a b"):
        with pytest.raises(ValueInvalid):
            query("Patient", ("_list", written))


@pytest.mark.parametrize("text", ["Patient/1/_history/2", "http://node.example/fhir/Patient/1/_history/2"])
def test_a_reference_is_not_searched_by_version(text: str):
    with pytest.raises(ValueInvalid, match=r"write Patient/1$"):
        query("Observation", ("subject", text), base="http://node.example/fhir")


def test_what_r4_has_and_is_not_offered_is_said_so():
    assert query("Patient", ("_contained", "false")) == Query(
        ("Patient",), (), used=(("_contained", "false"),), most_bodies=SEARCH_LIMITS.bodies
    )
    for name, value in (
        ("_contained", "true"), ("_contained", "both"), ("_containedType", "contained"),
        ("_filter", "name eq x"), ("_query", "x"), ("_score", "1"), ("_sort", "-_score"),
    ):  # fmt: skip
        with pytest.raises(NotSupported) as refusal:
            query("Patient", (name, value))
        assert "nearest" not in str(refusal.value)
        if name != "_sort":
            assert query("Patient", (name, value), lenient=True).ignored
    for name, value in (("_contained", "maybe"), ("_has", "x"), ("_has:", "x")):
        with pytest.raises(BadInput):
            query("Patient", (name, value), lenient=True)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("subject.subject.subject.subject.name", TooLong, "at most 3 links"),
        ("_has:Observation:subject:" * 4 + "code", TooLong, "at most 3 links"),
        ("_has:Observation:subject", BadInput, "_has:Observation:patient:code"),
        ("_has:::", BadInput, "_has:Observation:patient:code"),
        ("_has:Shoe:subject:code", BadInput, "'Shoe' is not a resource type"),
        ("_has:Observation:code:code", NotSupported, "no reference parameter 'code'"),
        ("_has:Observation:shoe:code", NotSupported, "no reference parameter 'shoe'"),
        ("_has:Patient:organization:name", NotSupported, "does not lead to Patient"),
        ("_has:Observation:subject:shoe", NotSupported, "no search parameter 'shoe'"),
        ("general-practitioner.name.family", NotSupported, "only a reference can be chained"),
        ("organization.partof.shoe", NotSupported, "'shoe' is not a parameter of what partof leads to"),
        ("organization:Patient.name", NotSupported, "'Patient' is not offered"),
    ],
)
def test_what_leads_nowhere_is_refused(name: str, error: type[KintungError], message: str):
    with pytest.raises(error, match=message):
        query("Patient", (name, "x"))


def test_a_chain_costs_what_all_it_leads_to_cost():
    with pytest.raises(TooCostly, match="it leads to"):
        query("Provenance", ("target.subject.organization.name", ",".join(map(str, range(200)))))


def test_sort_count_and_total():
    found = query("Patient", ("_sort", "-birthdate,family"), ("_count", "5"), ("_total", "accurate"))

    assert found.sort == (
        Sort(parameter("Patient", "birthdate"), descending=True),
        Sort(parameter("Patient", "family")),
    )
    assert (found.count, found.total) == (5, "accurate")


@pytest.mark.parametrize(
    ("text", "count"), [("0", 0), ("7", 7), ("1001", 1_000), ("9" * 5_000, 1_000), ("007", 7)]
)
def test_a_count_over_the_limit_is_lowered(text: str, count: int):
    found = query("Patient", ("_count", text))

    assert (found.count, query_pairs(found)) == (count, (("_count", str(count)),))


def test_the_system_is_searched_by_what_all_types_have():
    (criterion,) = query(None, ("_tag", "x")).criteria

    assert isinstance(criterion, Criterion)
    assert len(criterion.parameter.branches) == 146
    assert query(None, ("_id", "1"), ("_lastUpdated", "gt2020"), ("_sort", "_lastUpdated")).types == ()


def test_several_types_are_searched_by_what_they_share():
    found = query(None, ("_type", "Patient,Practitioner,Patient"), ("family", "x"))

    assert found.types == ("Patient", "Practitioner")


def test_the_self_link_holds_what_was_understood():
    found = query(
        "Patient", ("name", "a"), ("_format", "json"), ("shoe", "9"), ignore={"_format"}, lenient=True
    )

    assert query_pairs(found) == (("name", "a"),)
    assert [(issue.code, issue.path, issue.severity) for issue in found.ignored] == [
        ("not-supported", "shoe", "warning")
    ]


REFUSED: list[tuple[str | None, str, str, type[KintungError]]] = [
    ("Patient", "shoe", "9", NotSupported),
    ("Patient", "__proto__", "x", NotSupported),
    ("Patient", "constructor", "x", NotSupported),
    ("Patient", "", "x", NotSupported),
    ("Patient", "name:fuzzy", "x", NotSupported),
    ("Patient", "name:not", "x", NotSupported),
    ("Patient", "gender:exact", "x", NotSupported),
    ("Patient", "birthdate:not", "2013", NotSupported),
    ("Patient", "_id:missing", "true", NotSupported),
    ("Patient", "organization:Patient", "1", NotSupported),
    ("Observation", "subject:identifier", "|", ValueInvalid),
    ("Observation", "subject:identifier:not", "a|b", NotSupported),
    ("CarePlan", "instantiates-canonical:identifier", "a|b", NotSupported),
    ("Observation", "code:identifier", "a|b", NotSupported),
    ("Observation", "_has:Patient:x:y", "1", NotSupported),
    ("Observation", "code-value-quantity:not", "a$5", NotSupported),
    ("Location", "near", "1", ValueInvalid),
    ("Location", "near", "91|0", ValueInvalid),
    ("Location", "near", "1|181|3", ValueInvalid),
    ("Location", "near", "1|2|-3", ValueInvalid),
    ("Location", "near", "1|2|3|furlongs", ValueInvalid),
    ("Location", "near", "1|2|3|km|x", ValueInvalid),
    ("Location", "near", "1e1|2", ValueInvalid),
    ("Location", "near", "٥|2", ValueInvalid),
    ("Location", "near:missing", "true", NotSupported),
    ("Observation", "_text", "", ValueInvalid),
    ("Observation", "_text", "!!", ValueInvalid),
    ("Observation", "_text", "a,", ValueInvalid),
    ("Observation", "_text", "OR", ValueInvalid),
    ("Observation", "_text", "a OR", ValueInvalid),
    ("Observation", "_text", "a AND OR b", ValueInvalid),
    ("Observation", "_text", "(a", ValueInvalid),
    ("Observation", "_text", "a)", ValueInvalid),
    ("Observation", "_text", '"a', ValueInvalid),
    ("Observation", "_text", "(" * 11 + "a" + ")" * 11, TooLong),
    ("Observation", "_content", "a " * 51, TooLong),
    ("Observation", "_text:exact", "a", NotSupported),
    ("Observation", "_text:text", "a", NotSupported),
    ("Observation", "_content:missing", "true", NotSupported),
    ("Binary", "_text", "a", NotSupported),
    ("Observation", "code:text", "!", ValueInvalid),
    ("Observation", "status:text", "a", NotSupported),
    ("Observation", "subject:text", "a", NotSupported),
    ("Observation", "_id:text", "a", NotSupported),
    ("Observation", "subject:Patient._text", "a", NotSupported),
    ("Observation", "subject.identifier:text", "a", NotSupported),
    ("Patient", "_has:Observation:subject:_content", "a", NotSupported),
    ("Patient", "_has:Observation:subject:code:text", "a", NotSupported),
    ("Observation", "_sort", "_text", NotSupported),
    (None, "_text", "a", NotSupported),
    ("Observation", "subject.name.x", "1", NotSupported),
    ("Observation", "subject.shoe", "1", NotSupported),
    ("Observation", "subject:Patient.near", "1", NotSupported),
    ("Observation", "code.name", "1", NotSupported),
    ("Patient", "_sort", "shoe", NotSupported),
    ("Patient", "_sort", "", NotSupported),
    ("Location", "_sort", "near", NotSupported),
    ("Patient", "_type", "Patient", NotSupported),
    (None, "name", "x", NotSupported),
    ("Patient", "name", "", ValueInvalid),
    ("Patient", "name", "a,,b", ValueInvalid),
    ("Patient", "name", "\u0301", ValueInvalid),
    ("Patient", "name", "a\0", ValueInvalid),
    ("Patient", "name:exact", "\ud800", ValueInvalid),
    ("Patient", "name:missing", "yes", ValueInvalid),
    ("Patient", "birthdate", "2013-02-30", ValueInvalid),
    ("Patient", "birthdate", "eq", ValueInvalid),
    ("Patient", "birthdate", "xx2013", ValueInvalid),
    ("Patient", "gender", "|", ValueInvalid),
    ("Patient", "gender", "a|b|c", ValueInvalid),
    ("Patient", "_id", "s|1", ValueInvalid),
    ("Observation", "subject", "a/b", ValueInvalid),
    ("Observation", "subject", "#a", ValueInvalid),
    ("Observation", "subject", "Patient/", ValueInvalid),
    ("Observation", "subject", "a" * 65, ValueInvalid),
    ("Observation", "subject:Patient", "Group/1", ValueInvalid),
    ("Observation", "value-quantity", "5|mg", ValueInvalid),
    ("RiskAssessment", "probability", "NaN", ValueInvalid),
    ("RiskAssessment", "probability", "٥", ValueInvalid),
    ("RiskAssessment", "probability", "1" * 41, TooLong),
    ("RiskAssessment", "probability", "1e401", TooLong),
    ("RiskAssessment", "probability", "1e99999999999999999999", TooLong),
    ("RiskAssessment", "probability", "0" * 3_000, TooLong),
    ("Patient", "_count", "-1", ValueInvalid),
    ("Patient", "_count", "NaN", ValueInvalid),
    ("Patient", "_count", "1.0", ValueInvalid),
    ("Patient", "_count", "", ValueInvalid),
    ("Patient", "_total", "roughly", ValueInvalid),
    ("Patient", "gender", ",".join(["a"] * 10_000), TooLong),
    ("Patient", "name", "a" * 5_000, TooLong),
    ("Patient", "_sort", ",".join(["name"] * 11), TooLong),
    (None, "_type", "Patient,Pateint", BadInput),
]


@pytest.mark.parametrize(("type", "name", "text", "error"), REFUSED, ids=lambda part: str(part)[:24])
def test_what_cannot_be_answered_is_refused_by_name(
    type: str | None, name: str, text: str, error: type[KintungError]
):
    with pytest.raises(KintungError) as refusal:
        query(type, (name, text))

    assert refusal.type is error
    assert refusal.value.path == name
    assert refusal.value.issues[0].path == name


def test_words_of_all_texts_are_counted_together():
    query("Observation", ("_text", "a " * 25), ("code:text", ",".join(f"b{n}" for n in range(25))))
    with pytest.raises(TooLong, match="at most 50 words"):
        query("Observation", ("_text", "a " * 25), ("code:text", ",".join(f"b{n}" for n in range(26))))


def test_what_is_read_in_texts_is_no_criterion_of_the_index():
    found = query("Observation", ("code:text", "a"), ("status", "final"), ("_content", "b,c"))

    assert [condition.code for condition in found.in_bodies] == ["code", "_content"]
    assert len(found.criteria) == 1
    assert query_pairs(found) == (("code:text", "a"), ("status", "final"), ("_content", "b,c"))


def test_an_unknown_type_and_too_many_parameters_are_refused():
    with pytest.raises(BadInput, match="Patient"):
        query("Pateint")
    with pytest.raises(TooLong):
        query("Patient", *[("name", "a")] * 101)
    with pytest.raises(TooLong):
        query("Patient", *[("name:exact", "a,\\," * 4_000)] * 100)


@pytest.mark.parametrize("name", ["_sort", "_count", "_total", "_type"])
def test_what_orders_the_answer_is_given_once(name: str):
    value = {"_sort": "_id", "_count": "1", "_total": "none", "_type": "Patient"}[name]
    with pytest.raises(BadInput, match="more than once"):
        query(None, (name, value), (name, value))


def test_a_lenient_reading_still_refuses_modifiers_and_values():
    with pytest.raises(NotSupported):
        query("Patient", ("name:fuzzy", "x"), lenient=True)
    with pytest.raises(ValueInvalid):
        query("Patient", ("birthdate", "x"), lenient=True)


def test_limits_are_arguments():
    limits = SearchLimits(values=2, count=5, default_count=3)

    assert query("Patient", limits=limits).count == 3
    assert query("Patient", ("_count", "6"), limits=limits).count == 5
    with pytest.raises(TooLong):
        query("Patient", ("gender", "a,b,c"), limits=limits)


def test_alternatives_sent_again_are_dropped():
    assert len(values("Patient", "birthdate", ",".join(["ne2000"] * 500))) == 1
    assert len(values("Observation", "code", "a,b,a")) == 2
    assert query("Patient", ("gender", "a,a")).used == (("gender", "a,a"),)


@pytest.mark.parametrize(
    ("type", "name", "times"),
    [("Provenance", "target.name", 1), ("Patient", "name", 56), ("Patient", "_id", 10)],
)
def test_what_costs_too_much_together_is_refused_by_name(type: str, name: str, times: int):
    text = ",".join(f"a{n}" for n in range(500))

    with pytest.raises(TooCostly, match="give fewer") as refusal:
        query(type, *[(name, text)] * times)

    assert refusal.value.path == name


def test_a_list_of_the_full_length_is_not_too_costly():
    assert len(values("Patient", "identifier", ",".join(f"s|{n}" for n in range(500)))) == 500


def test_refusals_do_not_repeat_the_value():
    for name, text in (("birthdate", "1949-10-01x"), ("name", "Chan\0"), ("gender", "secret|a|b")):
        with pytest.raises(KintungError) as refusal:
            query("Patient", (name, text))
        assert text[:6] not in str(refusal.value)
