"""The oracle itself, on cases small enough to check by eye."""

from typing import Any

import pytest

from tests.oracle.search import Oracle
from tests.oracle.values import Held, fold, span

NOW = span("2020-01-01T00:00:00Z").low


def oracle(*resources: dict[str, Any]) -> Oracle:
    """Resources committed one second apart, the first at 2019-01-01T00:00:00Z."""
    start = int(span("2019-01-01T00:00:00Z").low)
    held = [Held({"id": str(n), **r}, start + n * 1_000_000) for n, r in enumerate(resources)]
    return Oracle(held, now=int(NOW))


def observations(**elements: list[Any]) -> Oracle:
    ((name, values),) = elements.items()
    return oracle(*[{"resourceType": "Observation", name: value} for value in values])


def ids(answer: list[str]) -> str:
    """Ids in order, without their type: ``"0 2"``."""
    return " ".join(name.partition("/")[2] for name in answer)


def found(oracle: Oracle, query: str, type: str = "Observation") -> str:
    """The ids a query finds, oldest first."""
    parameters = [tuple(pair.split("=", 1)) for pair in query.split("&")]
    return ids(oracle.search(type, parameters)[::-1])  # type: ignore[arg-type]


# -- dates --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2013", "2012-12-31T16:00:00Z", "2013-12-31T16:00:00Z"),
        ("2013-02", "2013-01-31T16:00:00Z", "2013-02-28T16:00:00Z"),
        ("2012-02", "2012-01-31T16:00:00Z", "2012-02-29T16:00:00Z"),
        ("2013-01-14", "2013-01-13T16:00:00Z", "2013-01-14T16:00:00Z"),
        ("2013-01-14T10:00", "2013-01-14T02:00:00Z", "2013-01-14T02:01:00Z"),
        ("2013-01-14T10:00:00", "2013-01-14T02:00:00Z", "2013-01-14T02:00:01Z"),
        ("2013-01-14T10:00:00Z", "2013-01-14T10:00:00Z", "2013-01-14T10:00:01Z"),
        ("2013-01-14T10:00:00-05:00", "2013-01-14T15:00:00Z", "2013-01-14T15:00:01Z"),
        ("2013-01-14T10:00:00.5Z", "2013-01-14T10:00:00.500000Z", "2013-01-14T10:00:00.600000Z"),
        ("2013-01-14T10:00:00.123456789Z", "2013-01-14T10:00:00.123456Z", "2013-01-14T10:00:00.123457Z"),
        ("9999", "9998-12-31T16:00:00Z", "9999-12-31T16:00:00Z"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z"),
    ],
)
def test_span_of_a_date(text: str, low: str, high: str) -> None:
    assert span(text) == (span(low).low, span(high).low)


def test_microseconds_count_from_the_epoch() -> None:
    assert span("1970-01-02T00:00:01.000002Z") == (86_401_000_002, 86_401_000_003)


DATES = ["2013-01-14", "2013-01", "2013-01-14T10:00:00+08:00", "2013-01-15", "2012-12-31", "2013"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("2013-01-14", "0 2"),
        ("eq2013-01-14", "0 2"),
        ("ne2013-01-14", "1 3 4 5"),
        ("gt2013-01-14", "1 3 5"),
        ("lt2013-01-14", "1 4 5"),
        ("ge2013-01-14", "0 1 2 3 5"),
        ("le2013-01-14", "0 1 2 4 5"),
        ("sa2013-01-14", "3"),
        ("eb2013-01-14", "4"),
        ("eq2013-01", "0 1 2 3"),
        ("eq2013-01-14T10:00", "2"),
        ("sa2012", "0 1 2 3 5"),
        ("eb2013-01-14T10:00:00", "4"),
        ("2013-01-15,2012", "3 4"),
    ],
)
def test_date_prefixes(query: str, expected: str) -> None:
    assert found(observations(effectiveDateTime=DATES), f"date={query}") == expected


def test_approximate_dates_widen_with_the_distance_from_now() -> None:
    # 2019-01-01 to 2020-01-01: the search span ends 365 days less 8 hours before now, so 36.4 days more.
    dates = observations(effectiveDateTime=["2018-11-26", "2018-11-24", "2019-02-06", "2019-02-08"])
    assert found(dates, "date=ap2019-01-01") == "0 2"


def test_approximate_dates_around_now_are_not_widened() -> None:
    dates = observations(effectiveDateTime=["2020-01-01", "2020-01-02", "2019-12-31"])
    assert found(dates, "date=ap2020-01-01") == "0"


PERIODS = [
    {"start": "2013-01-10", "end": "2013-01-20"},
    {"start": "2013-01-15"},
    {"end": "2013-01-15"},
    {"_start": {}},
    {"start": "2013-01-15", "end": "2013-01-15"},
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("eq2013-01-15", "4"),
        ("eq2013-01", "0 4"),
        ("ne2013-01-15", "0 1 2"),
        ("gt2013-01-15", "0 1"),
        ("lt2013-01-15", "0 2"),
        ("ge2013-01-15", "0 1 4"),
        ("le2013-01-15", "0 2 4"),
        ("sa2013-01-14", "1 4"),
        ("eb2013-01-16", "2 4"),
        ("ap2013-01-18", "0 1 2 4"),
    ],
)
def test_open_periods_reach_before_and_after_all_time(query: str, expected: str) -> None:
    assert found(observations(effectivePeriod=PERIODS), f"date={query}") == expected


def test_a_period_without_ends_is_no_value() -> None:
    periods = observations(effectivePeriod=PERIODS)
    assert found(periods, "date:missing=true") == "3"
    assert found(periods, "date:missing=false") == "0 1 2 4"


def test_timing_spans_its_events_else_its_bounds() -> None:
    timings = observations(
        effectiveTiming=[
            {"event": ["2013-03-01", "2013-01-01"], "repeat": {"boundsPeriod": {"start": "2010"}}},
            {"repeat": {"boundsPeriod": {"start": "2013-01", "end": "2013-02"}}},
            {"repeat": {"frequency": 1}},
        ]
    )
    assert found(timings, "date=eq2013") == "0 1"
    assert found(timings, "date=eb2013-03") == "1"
    assert found(timings, "date:missing=true") == "2"


def test_last_updated_is_the_commit_instant() -> None:
    three = observations(status=["final", "final", "final"])
    assert found(three, "_lastUpdated=gt2019-01-01T00:00:00.000Z") == "1 2"
    assert found(three, "_lastUpdated=2019-01-01T00:00:01Z") == "1"
    assert found(three, "_lastUpdated=lt2019-01-01T00:00:01Z") == "0"


# -- numbers and quantities ---------------------------------------------------------------


def risks(*probabilities: Any) -> Oracle:
    return oracle(
        *[
            {"resourceType": "RiskAssessment", "prediction": [{"probabilityDecimal": p}]}
            for p in probabilities
        ]
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("100", "0 1"),  # [99.5, 100.5)
        ("eq100", "0 1"),
        ("ne100", "2 3 4"),
        ("gt100", "2 3 4"),
        ("lt100", "1"),
        ("ge100", "0 2 3 4"),
        ("le100", "0 1"),
        ("sa100", "2 3 4"),
        ("eb100", "1"),
        ("ap100", "0 1 2 3"),  # [90, 110]
        ("1e2", "0 1 2 3 4"),  # [50, 150)
        ("100.0", "0"),
        ("100.50", "2"),
        ("1.00e2", "0 1"),
        ("gt1.000e2", "2 3 4"),
        ("-100", ""),
    ],
)
def test_number_prefixes(query: str, expected: str) -> None:
    numbers = risks("100", "99.5", "100.5", "110", "110.1")
    assert found(numbers, f"probability={query}", "RiskAssessment") == expected


def test_a_number_near_nothing() -> None:
    numbers = risks("0", "-0.5", "0.5", "1E-9")
    assert found(numbers, "probability=0", "RiskAssessment") == "0 1 3"
    assert found(numbers, "probability=ap0", "RiskAssessment") == "0"
    assert found(numbers, "probability=lt0", "RiskAssessment") == "1"
    assert found(numbers, "probability=0.000000001", "RiskAssessment") == "3"


def test_a_range_is_a_span() -> None:
    ages = oracle(
        {"resourceType": "Condition", "onsetRange": {"low": {"value": 40}, "high": {"value": 50}}},
        {"resourceType": "Condition", "onsetRange": {"low": {"value": 40}}},
        {"resourceType": "Condition", "onsetAge": {"value": 45, "unit": "years"}},
        {"resourceType": "Condition", "onsetRange": {}},
    )
    assert found(ages, "onset-age=45", "Condition") == "2"
    assert found(ages, "onset-age=gt45", "Condition") == "0 1"
    assert found(ages, "onset-age=sa39", "Condition") == "0 1 2"
    assert found(ages, "onset-age=eb50", "Condition") == "2"
    assert found(ages, "onset-age=le45", "Condition") == "0 1 2"
    assert found(ages, "onset-age:missing=true", "Condition") == "3"


def test_sampled_data_spans_its_samples() -> None:
    origin = {"value": 100, "unit": "mV"}
    samples = observations(
        valueSampledData=[
            {"origin": origin, "period": 1, "dimensions": 1, "factor": 2, "data": "1 E -3 2"},  # 94 to 104
            {"origin": origin, "period": 1, "dimensions": 1, "lowerLimit": -9, "data": "L 1"},  # up to 101
            {"origin": origin, "period": 1, "dimensions": 1, "data": "1 U"},  # no limit known: any value
            {"origin": origin, "period": 1, "dimensions": 1, "data": "E"},
        ]
    )
    assert found(samples, "value-quantity=sa93||mV") == "0"
    assert found(samples, "value-quantity=eb102||mV") == "1"
    assert found(samples, "value-quantity=ge104") == "0 2"
    assert found(samples, "value-quantity:missing=true") == "3"


UCUM = "http://unitsofmeasure.org"
QUANTITIES = [
    {"value": 5, "unit": "milligram", "system": UCUM, "code": "mg"},
    {"value": 5, "unit": "mg"},
    {"value": 5},
    {"value": 6, "unit": "mg", "system": "http://other.example", "code": "mg"},
    {"unit": "mg"},
    {"value": 5, "comparator": "<", "code": "mg"},
    {"value": 5, "comparator": ">=", "code": "mg"},
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("5", "0 1 2"),
        (f"5|{UCUM}|mg", "0"),
        ("5||mg", "0 1"),
        ("5||milligram", "0"),
        ("le6||mg", "0 1 3 5 6"),
        ("gt5", "3 6"),
        ("lt5||mg", "5"),
        ("ge5||mg", "0 1 3 5 6"),
        ("sa4", "0 1 2 3 6"),
        ("ne5", "3 5 6"),
        ("ne5||mg", "3 5 6"),
        ("ap5||mg", "0 1 5 6"),
    ],
)
def test_quantity_units_and_comparators(query: str, expected: str) -> None:
    assert found(observations(valueQuantity=QUANTITIES), f"value-quantity={query}") == expected


def test_money_is_a_quantity_of_its_currency() -> None:
    charges = oracle(
        {"resourceType": "ChargeItem", "priceOverride": {"value": 250, "currency": "HKD"}},
        {"resourceType": "ChargeItem", "priceOverride": {"value": 250, "currency": "MOP"}},
    )
    assert found(charges, "price-override=250", "ChargeItem") == "0 1"
    assert found(charges, "price-override=250|urn:iso:std:iso:4217|HKD", "ChargeItem") == "0"


# -- tokens -------------------------------------------------------------------------------

CODES = [
    {"coding": [{"system": "http://a", "code": "x"}]},
    {"coding": [{"system": "http://b", "code": "x"}, {"system": "http://a", "code": "y"}]},
    {"coding": [{"code": "x"}]},
    {"coding": [{"system": "http://a", "code": "X"}]},
    {"text": "x"},
    {"coding": [{"system": "http://a", "code": "p|q,r"}]},
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("code=x", "0 1 2"),
        ("code=http://a|x", "0"),
        ("code=|x", "2"),
        ("code=http://a|", "0 1 3 5"),
        ("code=y,X", "1 3"),
        ("code=x&code=y", "1"),
        ("code:not=x", "3 4 5"),
        ("code:not=x,y", "3 4 5"),
        ("code:not=http://a|X", "0 1 2 4 5"),
        ("code:missing=true", "4"),
        ("code:missing=false", "0 1 2 3 5"),
        ("code=http://a|p\\|q\\,r", "5"),
    ],
)
def test_tokens(query: str, expected: str) -> None:
    assert found(observations(code=CODES), query) == expected


PEOPLE = oracle(
    {"resourceType": "Patient", "active": True, "telecom": [{"system": "phone", "value": "555"}]},
    {"resourceType": "Patient", "deceasedBoolean": False, "identifier": [{"system": "s", "value": "555"}]},
    {"resourceType": "Patient", "deceasedBoolean": True, "telecom": [{"system": "email", "value": "a@b"}]},
    {"resourceType": "Patient", "deceasedDateTime": "2013", "gender": "male"},
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("active=true", "0"),
        ("deceased=true", "2 3"),
        ("deceased=false", "0 1"),
        ("deceased:missing=true", ""),
        ("death-date=2013", "3"),
        ("telecom=phone|555", "0"),
        ("telecom=555", "0"),
        ("phone=555", "0"),
        ("email=555", ""),
        ("email:missing=true", "0 1 3"),
        ("identifier=s|555", "1"),
        ("gender=|male", "3"),
        ("gender:not=male", "0 1 2"),
        ("_id=0,3", "0 3"),
        ("_id:not=0,3", "1 2"),
    ],
)
def test_tokens_of_patients(query: str, expected: str) -> None:
    assert found(PEOPLE, query, "Patient") == expected


LICENCE = "urn:oid:2.16.840.1.113883.4.3.25"
NUMBERED = [
    {"resourceType": "Patient", "identifier": [{"system": system, "value": value}]}
    for system, value in (
        (LICENCE, "S999-55854"),
        (LICENCE, "-"),
        (LICENCE, "()"),
        ("http://in-clear", "S99955854"),
    )
]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"{LICENCE}|s99955854", "0"),
        (f"{LICENCE}|Ｓ９９９ 55854", "0"),
        (f"{LICENCE}|S9995585", ""),
        ("s99955854", "0"),
        ("S99955854", "0 3"),
        ("http://in-clear|s99955854", ""),
        (f"{LICENCE}|", "0 1 2"),
        ("()", "2"),
    ],
)
def test_numbers_of_a_vaulted_system_are_found_by_their_normal_form(value: str, expected: str) -> None:
    """Given a system kept hashed and one in clear, when a number is written otherwise, one finds it."""
    held = [Held({"id": str(place), **one}, place) for place, one in enumerate(NUMBERED)]
    answer = Oracle(held, now=0, vaulted=[LICENCE]).search("Patient", [("identifier", value)])
    assert ids(answer[::-1]) == expected


# -- strings ------------------------------------------------------------------------------

NAMES = oracle(
    {"resourceType": "Patient", "name": [{"family": "Núñez", "given": ["Ana", "María José"]}]},
    {"resourceType": "Patient", "name": [{"text": "陳大文 (CHAN Tai Man)", "prefix": ["Dr."]}]},
    {"resourceType": "Patient", "name": [{"family": "ＣＨＡＮ", "given": ["Annie"]}]},
    {"resourceType": "Patient", "name": [{"family": "Straße,  Groß"}]},
    {"resourceType": "Patient", "address": [{"line": ["8 Ann St"], "city": "Ana"}]},
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=nunez", "0"),
        ("name=an", "0 2"),
        ("name=ANA", "0"),
        ("name=maria  jose", "0"),
        ("name=jose", ""),
        ("name:contains=jose", "0"),
        ("name=chan", "2"),
        ("name:contains=chan", "1 2"),
        ("name:exact=ＣＨＡＮ", "2"),
        ("name:exact=CHAN", ""),
        ("name:exact=Ana", "0"),
        ("name:exact=ana", ""),
        ("name=陳", "1"),
        ("name:contains=大文", "1"),
        ("name=dr.", "1"),
        ("name=strasse\\, gross", "3"),
        ("name:exact=Straße\\,  Groß", "3"),
        ("name:missing=true", "4"),
        ("given=ann", "2"),
        ("name=nun,陳", "0 1"),
        ("address=8 ann", "4"),
        ("address-city=a", "4"),
        ("address:contains=st", "4"),
    ],
)
def test_strings(query: str, expected: str) -> None:
    assert found(NAMES, query, "Patient") == expected


def test_folding() -> None:
    assert fold("  Ｆｕｌｌ　Width\tÉÀÇ ") == "full width eac"
    assert fold("한국") == "한국"


# -- references, addresses, chains ----------------------------------------------------------

LINKED = oracle(
    {"resourceType": "Patient", "id": "a", "gender": "female", "name": [{"family": "Chan"}]},
    {"resourceType": "Group", "id": "a", "type": "person"},
    {"resourceType": "Patient", "id": "b"},
    {"resourceType": "Observation", "subject": {"reference": "Patient/a"}},
    {"resourceType": "Observation", "subject": {"reference": "Group/a"}},
    {"resourceType": "Observation", "subject": {"reference": "Patient/b/_history/2"}},
    {"resourceType": "Observation", "subject": {"reference": "http://far.example/Patient/a"}},
    {"resourceType": "Observation", "subject": {"reference": "#a"}},
    {"resourceType": "Observation", "subject": {"identifier": {"value": "a"}}},
    {"resourceType": "Observation", "subject": {"reference": "Patient/gone"}},
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("subject=Patient/a", "3"),
        ("subject=a", "3 4"),
        ("subject:Patient=a", "3"),
        ("subject:Group=a", "4"),
        ("patient=a", "3"),
        ("patient=Group/a", ""),
        ("subject=Patient/b", "5"),
        ("subject=http://far.example/Patient/a", "6"),
        ("subject:missing=true", "7 8"),
        ("patient:missing=false", "3 5 9"),
        ("subject=Patient/a,Group/a", "3 4"),
        ("subject.gender=female", "3"),
        ("subject:Patient.name=chan", "3"),
        ("subject:Group.name=chan", ""),
        ("subject.type=person", "4"),
        ("patient.gender:not=female", "5"),
        ("patient.gender:missing=true", "5"),
        ("subject._id=a", "3 4"),
        ("subject:Patient._id=a,b", "3 5"),
    ],
)
def test_references_and_chains(query: str, expected: str) -> None:
    assert found(LINKED, query) == expected


def test_canonicals_match_with_and_without_their_version() -> None:
    procedures = oracle(
        {"resourceType": "Procedure", "instantiatesCanonical": ["http://p.example/x|1.0"]},
        {"resourceType": "Procedure", "instantiatesCanonical": ["http://p.example/x"]},
        {"resourceType": "Procedure", "instantiatesUri": ["http://p.example/x"]},
    )
    assert found(procedures, "instantiates-canonical=http://p.example/x", "Procedure") == "0 1"
    assert found(procedures, "instantiates-canonical=http://p.example/x|1.0", "Procedure") == "0"
    assert found(procedures, "instantiates-canonical=http://p.example/x|2.0", "Procedure") == ""
    assert found(procedures, "instantiates-uri=http://p.example/x", "Procedure") == "2"
    assert found(procedures, "instantiates-uri=http://p.example/X", "Procedure") == ""


# -- order and system searches --------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("", "3 2 1 0"),
        ("birthdate", "2 3 0 1"),
        ("-birthdate", "0 3 2 1"),
        ("gender,birthdate", "2 3 0 1"),
        ("gender,-birthdate", "3 2 0 1"),
        ("given", "1 0 3 2"),
        ("-given", "0 1 3 2"),
        ("_id", "0 1 2 3"),
        ("-_id", "3 2 1 0"),
        ("_lastUpdated", "0 1 2 3"),
        ("general-practitioner", "3 1 2 0"),
    ],
)
def test_order(order: str, expected: str) -> None:
    doctors = [{"reference": "Practitioner/1"}], [{"reference": "Organization/9"}]
    people = oracle(
        {
            "resourceType": "Patient",
            "birthDate": "1980",
            "gender": "male",
            "name": [{"given": ["Zoe", "Bob"]}],
        },
        {"resourceType": "Patient", "name": [{"given": ["ann"]}], "generalPractitioner": doctors[0]},
        {"resourceType": "Patient", "birthDate": "1979-01", "gender": "female"},
        {
            "resourceType": "Patient",
            "birthDate": "1979-02",
            "gender": "female",
            "generalPractitioner": doctors[1],
        },
    )
    sort = [("_sort", order)] if order else []
    assert ids(people.search("Patient", sort)) == expected


def test_order_of_spans_and_amounts() -> None:
    amounts = observations(valueQuantity=[{"value": 10}, {"value": 9, "comparator": ">"}, {"value": 9.5}])
    assert ids(amounts.search("Observation", [("_sort", "value-quantity")])) == "1 2 0"
    assert ids(amounts.search("Observation", [("_sort", "-value-quantity")])) == "1 0 2"
    times = observations(
        effectivePeriod=[{"start": "2013"}, {"end": "2013"}, {"start": "2012", "end": "2012"}]
    )
    assert ids(times.search("Observation", [("_sort", "date")])) == "1 2 0"
    assert ids(times.search("Observation", [("_sort", "-date")])) == "0 1 2"


def test_order_of_tokens_and_strings() -> None:
    codes = observations(code=CODES)
    assert ids(codes.search("Observation", [("_sort", "code")])) == "3 5 2 0 1 4"
    letters = oracle(*[{"resourceType": "Patient", "name": [{"text": t}]} for t in ("b", "É", "e", "Z")])
    assert ids(letters.search("Patient", [("_sort", "name")])) == "0 2 1 3"


def test_the_system_is_searched_by_type() -> None:
    assert ids(LINKED.search(None, [("_id", "a")])) == "a a"
    assert LINKED.search(None, [("_id", "a"), ("_type", "Group,Observation")]) == ["Group/a"]
    assert LINKED.search(None, [("_type", "Patient,Group")]) == ["Patient/b", "Group/a", "Patient/a"]


def test_a_parameter_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        PEOPLE.search("Patient", [("colour", "x")])
