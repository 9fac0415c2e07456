"""What is disclosed is on record before it leaves: who, what, whose."""

import fcntl
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kintung.consent import Right
from kintung.errors import Conflict, NotFound, RuleFailed, VersionConflict
from kintung.identity import registry
from kintung.identity.registry import Steward
from kintung.store.links import LinkChange, LinkKind
from kintung.store.memory import MemoryStore
from kintung.store.reader import Reader
from kintung.store.writes import AuditRecord, Prepared
from kintung.web.limits import Limits
from kintung.web.site import WebSettings
from tests.records import group, observation, patient
from tests.server.api import Api, outcome, persona
from tests.server.api import api as opened


@pytest.fixture
def api() -> Iterator[Api]:
    """In memory, where the records can be looked at."""
    with opened() as found:
        yield found


@pytest.fixture
def clinic(api: Api) -> Api:
    """Two patients, what is theirs, and no audit records but those of the test."""
    api.store(patient("p1"), patient("p2", "Wong"), observation("o1", "p1"), group("g", "p1", "p2"))
    api.personas["doctor"] = persona("doctor", Reader.everything("d"), Right.VIEW, Right.DEPOSIT)
    return api


def last(api: Api, count: int = 1) -> list[AuditRecord]:
    """The newest audit records, oldest first."""
    store = api.node.store
    assert isinstance(store, MemoryStore)
    return [audited.record for audited in store._state.audit[-count:]]


def keys(api: Api, *patients: str) -> set[int]:
    with api.node.store.view() as view:
        return {key for id in patients for key in view.read(Reader.everything(), "Patient", id).patient_keys}


def recorded(api: Api) -> int:
    store = api.node.store
    assert isinstance(store, MemoryStore)
    return len(store._state.audit)


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "expected"),
    [
        ("GET", "Patient/p1", None, {}, ("read", 200, ["p1"])),
        ("GET", "Patient/p1", None, {"If-None-Match": "*"}, ("read", 304, ["p1"])),
        ("GET", "Patient/p1/Observation", None, {}, ("search-compartment-type", 200, ["p1"])),
        ("GET", "Patient/p1/$everything", None, {}, ("everything", 200, ["p1", "p2"])),
        ("GET", "Patient/p1/$everything?_type=Patient", None, {}, ("everything", 200, ["p1"])),
        ("GET", "Patient/none/$everything", None, {}, ("everything", 404, [])),
        ("GET", "Observation/$lastn?patient=p1&code=weight", None, {}, ("lastn", 200, ["p1"])),
        ("HEAD", "Patient/p1", None, {}, ("read", 200, ["p1"])),
        ("GET", "Group/g", None, {}, ("read", 200, ["p1", "p2"])),
        ("GET", "Patient/none", None, {}, ("read", 404, [])),
        ("GET", "Patient/p1/_history/1", None, {}, ("vread", 200, ["p1"])),
        ("GET", "Patient/p1/_history/9", None, {}, ("vread", 404, [])),
        ("GET", "Patient", None, {}, ("search-type", 200, ["p1", "p2"])),
        ("GET", "Patient?family=Wong", None, {}, ("search-type", 200, ["p2"])),
        ("GET", "Patient?family=Nobody", None, {}, ("search-type", 200, [])),
        ("GET", "Patient?_count=0", None, {}, ("search-type", 200, [])),
        ("GET", "Observation?_include=Observation:subject", None, {}, ("search-type", 200, ["p1"])),
        ("GET", "Patient?_id=p2&_revinclude=Group:member", None, {}, ("search-type", 200, ["p1", "p2"])),
        ("GET", "Patient/p2/_history", None, {}, ("history-instance", 200, ["p2"])),
        ("GET", "_history", None, {}, ("history-system", 200, ["p1", "p2"])),
        (
            "POST",
            "Patient",
            {"resourceType": "Patient"},
            {"If-None-Exist": "_id=p1"},
            ("create", 200, ["p1"]),
        ),
        (
            "POST",
            "Patient",
            {"resourceType": "Patient"},
            {"If-None-Exist": "_id=p1", "Prefer": "return=minimal"},
            ("create", 200, []),
        ),
        ("PUT", "Patient/p1", patient("p1"), {}, ("update", 200, ["p1"])),
        ("PUT", "Patient/p1", patient("p1"), {"If-Match": 'W/"9"'}, ("update", 412, [])),
        ("PUT", "Patient/p3", patient("p3"), {}, ("update", 404, [])),
        ("DELETE", "Patient/p1", None, {}, ("delete", 204, ["p1"])),
        ("DELETE", "Patient/none", None, {}, ("delete", 204, [])),
        ("DELETE", "Patient?_id=p1,p2", None, {}, ("conditional-delete", 412, [])),
    ],
)
def test_every_answer_about_the_record_is_recorded(
    clinic: Api,
    method: str,
    path: str,
    body: Any,
    headers: dict[str, str],
    expected: tuple[str, int, list[str]],
) -> None:
    operation, status, patients = expected
    disclosed = keys(clinic, *patients)
    before = recorded(clinic)
    answer = clinic.call(method, path, body, persona="doctor", headers=headers)
    assert answer.status_code == status
    assert recorded(clinic) == before + 1
    (record,) = last(clinic)
    assert (record.actor, record.purpose) == ("doctor", "TREAT")
    assert (record.operation, record.status, set(record.patient_keys)) == (operation, status, disclosed)
    assert record.request.startswith(f"{method} {path.partition('?')[0]}?{path.partition('?')[2]}")


def test_a_form_is_part_of_what_was_asked(clinic: Api) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    clinic.post("Patient/_search?_count=5", b"family=Wong", headers=form)
    assert last(clinic)[0].request == "POST Patient/_search?_count=5&family=Wong"


def test_the_input_of_an_operation_is_part_of_what_was_asked(clinic: Api) -> None:
    asked = {"resourceType": "Parameters", "parameter": [{"name": "start", "valueDate": "2022"}]}
    clinic.post("Patient/p1/$everything", asked)
    assert last(clinic)[0].request == f"POST Patient/p1/$everything?{json.dumps(asked)}"


def test_conditions_are_part_of_what_was_asked(clinic: Api) -> None:
    new = {"resourceType": "Patient"}
    clinic.post("Patient", new, headers={"If-None-Exist": "family=Wong"})
    assert last(clinic)[0].request == "POST Patient?\nif-none-exist: family=Wong"
    clinic.put("Patient/p1", patient("p1"), headers={"If-Match": 'W/"7"'})
    assert last(clinic)[0].request == 'PUT Patient/p1?\nif-match: W/"7"'


def test_a_refusal_for_want_of_a_right_is_recorded(clinic: Api) -> None:
    clinic.personas["viewer"] = persona("viewer", Reader.everything(), Right.VIEW)
    assert clinic.delete("Patient/p1", persona="viewer").status_code == 403
    assert (last(clinic)[0].operation, last(clinic)[0].status) == ("delete", 403)


def test_what_says_nothing_of_the_record_is_not_recorded(clinic: Api) -> None:
    before = recorded(clinic)
    for path in ("metadata", "openapi.json", "Parrot", "Patient?colour=red", "Patient?_cursor=x"):
        clinic.get(path)
    clinic.post("$validate", patient("p1"))
    clinic.post("Patient", b"{")
    assert recorded(clinic) == before


def entry(method: str, url: str, resource: Any = None, **request: str) -> dict[str, Any]:
    return {
        "request": {"method": method, "url": url, **request},
        **({"resource": resource} if resource else {}),
    }


def test_each_entry_of_a_batch_is_recorded(clinic: Api) -> None:
    entries = [
        entry("GET", "Patient/p1"),
        entry("GET", "Patient/none"),
        entry("PUT", "Patient/p2", patient("p2")),
    ]
    clinic.post("", {"resourceType": "Bundle", "type": "batch", "entry": entries}, persona="doctor")
    found = {(record.operation, record.status): set(record.patient_keys) for record in last(clinic, 3)}
    assert found == {
        ("read", 200): keys(clinic, "p1"),
        ("read", 404): set(),
        ("update", 200): keys(clinic, "p2"),
    }


def test_a_transaction_is_one_record_and_each_read_in_it_another(clinic: Api) -> None:
    entries = [entry("PUT", "Patient/p1", patient("p1")), entry("GET", "Patient/p2")]
    clinic.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries}, persona="doctor")
    whole, read = last(clinic, 2)
    assert (whole.operation, set(whole.patient_keys)) == ("transaction", keys(clinic, "p1"))
    assert (read.operation, set(read.patient_keys)) == ("read", keys(clinic, "p2"))


def test_a_replay_that_shows_data_is_recorded(clinic: Api) -> None:
    sent = {"Idempotency-Key": "k"}
    clinic.put("Patient/p1", patient("p1"), headers=sent)
    before = recorded(clinic)
    clinic.put("Patient/p1", patient("p1"), headers=sent)
    assert recorded(clinic) == before + 1
    assert set(last(clinic)[0].patient_keys) == keys(clinic, "p1")


def test_nothing_leaves_that_cannot_be_recorded(tmp_path: Path) -> None:
    url, settings = f"sqlite:///{tmp_path}/record.db", WebSettings(limits=Limits(seconds=0.2))
    with opened(url) as api:
        api.store(patient("p1", "Secretname"))
    with opened(url, settings=settings) as api:
        with (tmp_path / "record.db.lock").open("rb+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for path in ("Patient/p1", "Patient", "Patient/p1/_history"):
                answer = api.get(path)
                assert outcome(answer)[:2] == (503, "transient")
                assert answer.headers["retry-after"] == "1"
                assert "Secretname" not in answer.text
            written = api.put("Patient/p2", patient("p2"))
            assert written.status_code == 503
            fcntl.flock(lock, fcntl.LOCK_UN)
        assert in_time(api, "Patient/p1") == 200
        assert in_time(api, "Patient/p2") == 404, "what was answered 503 was not stored"


def in_time(api: Api, path: str) -> int:
    """The first status that is not for want of time: a busy machine may need more than the limit."""
    return next(status for _ in range(1000) if (status := api.get(path).status_code) != 503)


def test_a_fault_in_the_audit_is_no_leak_and_no_fault_of_the_request(tmp_path: Path) -> None:
    path = tmp_path / "record.db"
    with opened(f"sqlite:///{path}") as api:
        api.store(patient("p1", "Secretname"))
        with closing(sqlite3.connect(path)) as database:
            database.execute("ALTER TABLE audit RENAME TO lost")
        for address in ("Patient/p1", "Patient"):
            answer = api.get(address)
            assert outcome(answer)[:2] == (503, "transient")
            assert "Secretname" not in answer.text


def test_a_read_that_no_longer_fits_its_batch_is_not_on_record_as_shown() -> None:
    with opened(settings=WebSettings(limits=Limits(bundle_answer=3_000))) as api:
        api.store(patient("p", "x" * 900))
        before = recorded(api)
        read = {"request": {"method": "GET", "url": "Patient/p"}}
        api.post("", {"resourceType": "Bundle", "type": "batch", "entry": [read] * 5})
        assert recorded(api) - before == 2


def test_what_a_steward_decides_and_is_refused_is_on_record(clinic: Api) -> None:
    steward = Steward("steward", "registry", "HOPERAT", Reader.everything())

    def merge(one: str, other: str, version: int) -> None:
        registry.merge(clinic.node.store, steward, one, other, version=version)

    merge("p1", "p2", 0)
    for refusal, one, other, version in (
        (VersionConflict, "p1", "p2", 0),
        (RuleFailed, "p1", "p1", 0),
        (NotFound, "p1", "nobody", 0),
        (Conflict, "p2", "p1", 1),
    ):
        with pytest.raises(refusal):
            merge(one, other, version)

    records = last(clinic, 5)
    assert [(each.operation, each.status, each.actor) for each in records] == [
        ("merge", status, "steward") for status in (200, 412, 422, 404, 409)
    ]
    assert records[0].request == "Patient/p1 Patient/p2"
    assert set(records[0].patient_keys) == keys(clinic, "p1", "p2")


def test_a_record_says_what_scope_it_rests_on_and_whose_everything_was_asked(clinic: Api) -> None:
    reader = clinic.grant(1, "p1")
    clinic.prepared(Prepared(links=(LinkChange("p1", "p2", LinkKind.CERTAIN, "rule"),)))
    reader = replace(reader, persons=clinic.node.store.scope(1))
    clinic.personas["nurse"] = persona("nurse", reader, Right.VIEW)

    clinic.get("Patient/p2", persona="nurse")
    clinic.get("Patient/p1/$everything", persona="nurse")

    read, everything = last(clinic, 2)
    (asked,) = keys(clinic, "p1")
    assert (read.scope, read.epoch, read.about) == (1, 2, 0)
    assert (everything.scope, everything.epoch, everything.about) == (1, 2, asked)
    assert set(everything.patient_keys) == keys(clinic, "p1", "p2")
