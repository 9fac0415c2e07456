"""D8, D9, D22: threads of two processes want the same thing at once."""

import json
import subprocess
import sys
import threading
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from kintung.errors import Unavailable
from kintung.store.sqlite import refuse_old_sqlite
from kintung.store.versions import Paging
from tests.durability.processes import ROOT, writing
from tests.durability.racer import Race, race_threads
from tests.durability.test_kill import nothing_lost, orders_for
from tests.records import patient
from tests.scale import counts
from tests.stores import ADAPTERS, ALL, Adapter, Record, content, opened

THREADS = 16
PROCESSES = 2


class Racing:
    """A race on one adapter, and the record it leaves, open in this process."""

    def __init__(self, adapter: Adapter, record: Record, url: str, keys: Path) -> None:
        self.record = record
        self._adapter = adapter
        self._url = url
        self._keys = keys

    def run(self, kind: str, rounds: int) -> list[list[Any]]:
        """Every answer: of 32 threads of this process for memory, of 16 threads of two others else."""
        race = Race(self._url, str(self._keys), kind, "r", THREADS, rounds)
        if self._adapter == "memory":
            start = threading.Event()
            start.set()
            return list(race_threads(self.record, replace(race, threads=THREADS * PROCESSES), start))
        with ExitStack() as stack:
            processes = [
                stack.enter_context(_racer(replace(race, name=f"r{number}"))) for number in range(PROCESSES)
            ]
            for process in processes:
                assert process.stdout.readline() == "ready\n"
            for process in processes:
                process.stdin.write("go\n")
                process.stdin.flush()
            return [json.loads(line) for process in processes for line in process.stdout]


def _racer(race: Race) -> Any:
    command = [sys.executable, "-m", "tests.durability.racer", json.dumps(asdict(race))]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture(params=ADAPTERS)
def racing(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with opened(request.param, tmp_path, lambda: url) as record:
        yield Racing(request.param, record, url or f"sqlite:///{tmp_path}/record.db", tmp_path / "keys.db")


def test_of_racing_updates_exactly_one_wins_each_version(racing: Racing) -> None:
    """D8: If-Match on one resource by 32 threads: one winner a version, no gap, history complete."""
    rounds = counts(15, 100)
    racing.record.put(patient("raced", "Chan"))

    answers = racing.run("update", rounds)

    won = {answer[3]: answer[4] for answer in answers if answer[2] == "won"}
    assert Counter(answer[3] for answer in answers if answer[2] == "won") == Counter(range(2, rounds + 2))
    assert all(answer[3] == answer[1] + 1 for answer in answers if answer[2] == "won")
    lost = sum(answer[2] == "lost" for answer in answers)
    assert lost > 0
    with racing.record.store.view() as view:
        page = view.history(ALL, "Patient", "raced", paging=Paging(rounds + 10))
    assert [version.version_id for version in page.entries] == list(range(rounds + 1, 0, -1))
    for version in page.entries[:-1]:
        assert content(version)["name"] == [{"family": won[version.version_id]}]
    print(f"D8: {rounds} versions, one winner each; {lost} tries refused")


def test_of_racing_conditional_creates_exactly_one_creates(racing: Racing) -> None:
    """D9: 32 threads create on one criterion, alone and in bundles: one resource, and all are told which."""
    rounds = counts(20, 60)

    answers = racing.run("create", rounds)

    assert len(answers) == rounds * THREADS * PROCESSES
    for turn in range(rounds):
        told = [(status, id) for _, number, status, id in answers if number == turn]
        assert Counter(status for status, _ in told) == {201: 1, 200: len(told) - 1}
        assert len({id for _, id in told}) == 1
        found = racing.record.found(f"Patient?identifier=http://example.org/ids|{turn}")
        assert found == [f"Patient/{told[0][1]}"]
    assert len(racing.record.found("Observation?")) == rounds // 2
    print(f"D9: {rounds} criteria, {len(answers)} tries, one resource each")


def test_processes_that_open_one_new_file_at_once_all_serve_it(tmp_path: Path) -> None:
    """D22: the file, its keys and its schema are made once, and all writers share them."""
    for attempt in range(counts(2, 10)):
        orders = orders_for("sqlite", tmp_path / str(attempt), str)
        (tmp_path / str(attempt)).mkdir()
        with ExitStack() as stack:
            writers = [
                stack.enter_context(
                    writing(replace(orders, name=f"n{number}", acks=f"{orders.acks}-{number}", threads=4))
                )
                for number in range(4)
            ]
            for writer in writers:
                writer.wait_for_acks(5)
        acks = [Path(f"{orders.acks}-{number}").read_text() for number in range(4)]
        Path(orders.acks).write_text("".join(acks))
        assert nothing_lost(orders) >= 20


@pytest.mark.parametrize("version", ["3.40.1", "3.51.2", "3.7.0"])
def test_a_sqlite_with_the_wal_reset_bug_is_refused(version: str) -> None:
    """D22: what may corrupt a record under two processes does not open one."""
    with pytest.raises(Unavailable, match=r"3\.51\.3"):
        refuse_old_sqlite(version)


@pytest.mark.parametrize("version", ["3.51.3", "3.54.1", "4.0.0"])
def test_a_sqlite_without_it_is_not(version: str) -> None:
    refuse_old_sqlite(version)
