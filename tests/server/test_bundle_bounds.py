"""batch and transaction within their time and the size of their answer: nothing stored is lost."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kintung.consent import unprotected
from kintung.errors import TimedOut
from kintung.web.deadline import Deadline
from kintung.web.fhir.batch import Batch
from kintung.web.fhir.bundle import received
from kintung.web.fhir.interactions import REGISTRY
from kintung.web.fhir.request import Request
from kintung.web.fhir.transaction import Transaction
from kintung.web.limits import LIMITS
from kintung.web.site import Site, WebSettings
from tests.records import patient
from tests.server.api import BASE, Api, Resource, ids
from tests.server.api import api as opened
from tests.server.test_bundles import bundle, entry, statuses, transaction

SIZE = 3_000
"""Bytes of an answer in these tests: a few small resources."""
SHOWN = {"Prefer": "return=representation"}


@pytest.fixture
def small(url: str) -> Iterator[Api]:
    """A node whose answers to Bundles are small, with a Patient of about 1,000 bytes."""
    with opened(url, settings=WebSettings(limits=replace(LIMITS, bundle_answer=SIZE))) as found:
        found.store(patient("p", "x" * 900))
        yield found


def codes(answer: Any) -> list[int]:
    return [int(status[:3]) for status in statuses(answer)]


def issues(answer: Any, place: int) -> list[Resource]:
    return answer.json()["entry"][place]["response"]["outcome"]["issue"]


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_reads_over_the_size_are_refused_one_by_one(small: Api, kind: str) -> None:
    asked = [entry("GET", "Patient/p")] * 5
    answer = small.post(
        "", bundle(kind, *asked, entry("GET", "metadata")) if kind == "batch" else bundle(kind, *asked)
    )
    assert codes(answer)[:5] == [200, 200, 413, 413, 413]
    assert codes(answer)[5:] in ([], [413])
    assert issues(answer, 2)[0]["expression"] == ["Bundle.entry[2]"]
    assert issues(answer, 2)[0]["code"] == "too-long"


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_writes_over_the_size_are_done_and_answered_without_the_resource(small: Api, kind: str) -> None:
    names = [f"n{number}" for number in range(6)]
    entries = [entry("PUT", f"Patient/{name}", patient(name, "y" * 900)) for name in names]
    answer = small.post("", bundle(kind, *entries), headers=SHOWN)
    assert codes(answer) == [201] * 6
    shown = ["resource" in each for each in answer.json()["entry"]]
    assert shown == [True, True, False, False, False, False]
    assert all(each["response"]["etag"] == 'W/"1"' for each in answer.json()["entry"])
    assert set(ids(small.get("Patient").json())) == {"p", *names}


def test_refusals_over_the_size_name_one_issue(small: Api) -> None:
    wrong = {"resourceType": "Patient", "gender": "x", "birthDate": "x", "active": "x", "colour": "x"}
    answer = small.post("", bundle("batch", *[entry("POST", "Patient", wrong)] * 12))
    assert codes(answer) == [400] * 12
    counts = [len(issues(answer, place)) for place in range(12)]
    assert counts[0] == 4
    assert counts[-1] == 1


def test_no_time_means_nothing_is_done(url: str) -> None:
    with opened(url, settings=WebSettings(limits=replace(LIMITS, bundle_seconds=0.0))) as api:
        writes = [entry("PUT", "Patient/p", patient("p")), entry("GET", "Patient")]
        refused = api.post("", transaction(*writes))
        assert refused.status_code == 503
        assert refused.json()["issue"][0]["code"] == "timeout"
        answer = api.post("", bundle("batch", *writes))
        assert answer.status_code == 200
        assert codes(answer) == [503, 503]
        assert issues(answer, 1)[0]["expression"] == ["Bundle.entry[1]"]
        assert ids(api.get("Patient").json()) == []


def outer(body: bytes) -> Request:
    return Request("POST", "", "", {}, unprotected({}), BASE, body)


def ticking(seconds: float) -> Deadline:
    """A deadline on which a second passes at each look."""
    return Deadline(seconds, itertools.count().__next__)


def test_entries_after_the_time_are_not_begun(api: Api) -> None:
    site = Site.of(api.node, WebSettings())
    names = [f"p{number}" for number in range(6)]
    body = json.dumps(bundle("batch", *(entry("PUT", f"Patient/{each}", patient(each)) for each in names)))
    answer = Batch(site, REGISTRY, outer(body.encode()), received(site, body.encode()), ticking(4)).answer()
    given = [each["response"]["status"][:3] for each in json.loads(answer.body)["entry"]]
    assert given[3:] == ["503", "503", "503"]
    # What was begun and is not under way by then is given up; what is answered 201 is there, and no more.
    done = [name for name, status in zip(names, given, strict=True) if status == "201"]
    assert set(given) <= {"201", "503"}
    assert sorted(ids(api.get("Patient").json())) == done


def test_a_transaction_past_its_time_stores_nothing_wherever_it_is(tmp_path: Path) -> None:
    entries = [entry("POST", "Patient", {"resourceType": "Patient"}) for _ in range(3)]
    about = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": "Patient?_id=p"}}
    body = json.dumps(transaction(*entries, entry("POST", "Basic", about))).encode()
    with opened(f"sqlite:///{tmp_path}/record.db") as api:
        api.store(patient("p"))
        site = Site.of(api.node, WebSettings())
        refused = 0
        for seconds in itertools.count(1):
            try:
                unit = Transaction(site, outer(body), received(site, body), ticking(seconds)).unit()
                api.node.store.commit(unit)
            except TimedOut:
                refused += 1
                assert api.get("_history").json()["total"] == 1
            else:
                break
        assert refused > 3 * 4  # looked at for each entry when it is read, found and written
        assert api.get("_history").json()["total"] == 5
