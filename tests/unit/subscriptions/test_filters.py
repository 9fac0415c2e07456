"""Which changes a subscription is about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.definitions import topics
from kintung.errors import RuleFailed
from kintung.fhir.search import OFFSET_MINUTES, extract
from kintung.identity.identifiers import VAULTED
from kintung.store.matching import indexed
from kintung.subscriptions import Change, parse_filter, wants


def _filter(*texts):
    return parse_filter(
        texts, path="Subscription.criteria", now_micros=0, offset_minutes=OFFSET_MINUTES, base="http://n/fhir"
    )


def _observation(status, patient="p"):
    resource = {
        "resourceType": "Observation",
        "id": "o",
        "status": status,
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "valueQuantity": {"value": 72},
    }
    return indexed("Observation", "o", 0, extract(resource, offset_minutes=OFFSET_MINUTES), VAULTED)


FINAL, AMENDED = _observation("final"), _observation("amended")
ALL = ("create", "update", "delete")


@pytest.mark.parametrize(
    ("criteria", "holds"),
    [
        ("Observation", True),
        ("Observation?", True),
        ("Observation?code=http://loinc.org|8867-4", True),
        ("Observation?code=http%3A%2F%2Floinc.org%7C8867-4&status=final", True),
        ("Observation?patient=p", True),
        ("Observation?patient=http://n/fhir/Patient/p", True),
        ("Observation?patient=q", False),
        ("Observation?status=amended,final", True),
        ("Observation?status:not=final", False),
        ("Observation?_id=o", True),
        ("Observation?value-string:missing=true", True),
        ("Observation?code-value-quantity=8867-4$gt5", True),
        ("Observation?code-value-quantity=8867-4$gt80", False),
        ("Observation?combo-code-value-quantity=8867-4$gt5,x$1", True),
        ("Patient", False),
    ],
)
def test_criteria_are_a_search_of_one_version(criteria, holds):
    assert _filter(criteria).holds(FINAL) is holds


def test_all_filters_must_hold():
    assert _filter("Observation?status=final", "Observation?patient=p").holds(FINAL)
    assert not _filter("Observation?status=final", "Observation?patient=q").holds(FINAL)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (Change("create", FINAL, None), True),
        (Change("create", AMENDED, None), False),
        (Change("update", FINAL, AMENDED), True),
        (Change("update", AMENDED, FINAL), True),
        (Change("update", AMENDED, AMENDED), False),
        (Change("delete", None, FINAL), True),
        (Change("delete", None, AMENDED), False),
    ],
)
def test_an_update_that_leaves_the_filter_is_told_too(change, wanted):
    assert wants(_filter("Observation?status=final"), ALL, change) is wanted


def test_only_the_triggers_of_the_topic_are_told():
    change = Change("update", FINAL, FINAL)
    told = {topic.id: wants(_filter("Observation"), topic.triggers, change) for topic in topics().values()}
    assert told == {
        "resource-created": False,
        "resource-updated": True,
        "resource-deleted": False,
        "resource-changed": True,
        "patients-linked": False,
    }


@pytest.mark.parametrize(
    "criteria",
    [
        "",
        "?code=1",
        "observation?code=1",
        "Observation?nothing=1",
        "Observation?subject:Patient.name=Chan",
        "Observation?patient.name=Chan",
        "Patient?_has:Observation:patient:code=1",
        "Observation?_list=1",
        "Observation?_sort=date",
        "Observation?_text=fever",
        "Observation?code=1&code:text=fever",
        "Observation?_count=3",
        "Observation?code-value-quantity=a$1&_count=3",
        "Observation?date=yesterday",
        "Observation?code=%ff",
        "Observation?code=a%00b",
        "Observation?" + "&".join(["code=a"] * 200),
        "Observation?code=" + "a" * 20_000,
        "Subscription?status=active",
        "Subscription",
    ],
)
def test_what_cannot_be_matched_on_one_version_is_refused(criteria):
    with pytest.raises(RuleFailed) as refused:
        _filter(criteria)
    assert refused.value.path == "Subscription.criteria"


def test_filters_of_several_types_are_refused():
    with pytest.raises(RuleFailed):
        _filter("Observation?status=final", "Patient?active=true")


@given(
    st.one_of(
        st.text(max_size=50),
        st.builds("Observation?{}={}".format, st.text(max_size=20), st.text(max_size=30)),
    )
)
def test_any_text_is_understood_or_refused(text):
    try:
        found = _filter(text)
    except RuleFailed:
        return
    assert found.holds(FINAL) in {True, False}
