"""Jobs are done at least once, whoever fails."""

import threading
from pathlib import Path

import pytest

from kintung.app import open_node
from kintung.store.jobs import JobRunner
from kintung.store.port import Claimed, Unit
from kintung.store.writes import Job, Prepared
from tests.postgres_cluster import Cluster
from tests.stores import ADAPTERS, ALL, SYSTEM

LEASE_MICROS = 200_000
PATIENCE_SECONDS = 30


@pytest.fixture(params=ADAPTERS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        cluster: Cluster = request.getfixturevalue("postgres")
        return cluster.fresh_database()
    return {"memory": "memory:", "sqlite": f"sqlite:///{tmp_path}/record.db"}[request.param]


def test_a_job_that_fails_is_done_when_its_lease_has_ended(url: str, tmp_path: Path) -> None:
    done = threading.Event()
    attempts: list[tuple[bytes, int]] = []

    def handler(job: Claimed) -> None:
        attempts.append((job.payload, job.attempts))
        if job.attempts == 1:
            raise OSError("the printer is out of paper")
        done.set()

    with open_node(url, keys=tmp_path / "keys") as node:
        runner = JobRunner(node.store, SYSTEM, "print", handler, LEASE_MICROS)
        job = Job("print", b"a letter", node.clock.now_micros())
        node.store.commit(Unit(ALL, lambda _: Prepared(jobs=(job,))))

        assert done.wait(PATIENCE_SECONDS)
        runner.close()
        assert node.store.claim(SYSTEM, "print", LEASE_MICROS) is None

    assert attempts == [(b"a letter", 1), (b"a letter", 2)]


def test_two_runners_share_the_work(url: str, tmp_path: Path) -> None:
    jobs = 20
    seen: list[bytes] = []
    all_done = threading.Event()

    def handler(job: Claimed) -> None:
        seen.append(job.payload)
        if len(seen) == jobs:
            all_done.set()

    with open_node(url, keys=tmp_path / "keys") as node:
        hour = 3_600_000_000
        runners = [JobRunner(node.store, SYSTEM, "print", handler, hour) for _ in range(2)]
        queued = tuple(Job("print", b"%d" % n, node.clock.now_micros()) for n in range(jobs))
        node.store.commit(Unit(ALL, lambda _: Prepared(jobs=queued)))

        assert all_done.wait(PATIENCE_SECONDS)
        for runner in runners:
            runner.close()

    assert sorted(seen) == sorted(b"%d" % n for n in range(jobs))
