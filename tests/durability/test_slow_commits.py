"""A commit stands still before each of its statements in turn, while a follower reads the log.

Another process waits to commit meanwhile. Numbers are given in the order of commits, so the
follower sees nothing of the slow one early, and nothing after it before it.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kintung.clock import SetClock
from kintung.store.sql.store import SqlStore
from kintung.store.versions import LogEntry
from tests.databases import KINDS, fresh
from tests.durability.dying import HUNG_SECONDS
from tests.durability.nodes import assembled
from tests.durability.processes import ROOT
from tests.durability.writer import backend_of
from tests.records import organization
from tests.stores import START, SYSTEM, Record

SLOW = ("p", "q", "a", "b", "g")
"""What the ids of the slow unit end with."""


class Slow:
    """The process whose commits stop on demand."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout

    def begin(self, number: int, name: str) -> bool:
        """Commit a unit up to its statement of a number; False when it had fewer and is done."""
        return self._told(f"{number} {name}") == "stopped"

    def go_on(self) -> None:
        assert self._told("go on") == "done"

    def _told(self, line: str) -> str:
        self._stdin.write(f"{line}\n")
        self._stdin.flush()
        return self._stdout.readline().strip()


@contextmanager
def slow(url: str, keys: Path) -> Iterator[Slow]:
    orders = json.dumps({"url": url, "keys": str(keys), "signal": "SIGSTOP"})
    command = [sys.executable, "-m", "tests.durability.dying", orders]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Slow(process)
        assert process.stdin is not None
        process.stdin.close()


def followed(store: SqlStore, after: int) -> list[LogEntry]:
    """All that a follower finds now, in pages of three."""
    found: list[LogEntry] = []
    while page := store.follow(SYSTEM, found[-1].sequence if found else after, 3):
        found += page
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_follower_misses_nothing_of_slow_commits_and_sees_nothing_early(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url, keys, clock = fresh(kind, tmp_path, request), tmp_path / "keys.db", SetClock(START, tick=1)
    backend = backend_of(url, HUNG_SECONDS)
    statements, durable, log = 0, 0, list[LogEntry]()
    with assembled(backend, keys, clock=clock) as parts, slow(url, keys) as process:
        record = Record(parts.store, parts.scribe, clock)
        record.put(organization("first"))
        log += followed(parts.store, 0)
        while process.begin(statements, name := f"u{statements}"):
            waits = parts.store.submit(record.unit(record.putting(organization(f"beside-{name}"))))
            early = followed(parts.store, log[-1].sequence)
            is_durable = [entry.id for entry in early[:5]] == [f"{name}-{end}" for end in SLOW]
            if not is_durable:
                assert early == []
                assert not waits.done()
            process.go_on()
            assert waits.result(HUNG_SECONDS).done[0].version_id == 1
            later = followed(parts.store, log[-1].sequence)
            assert [entry.id for entry in later] == [*(f"{name}-{end}" for end in SLOW), f"beside-{name}"]
            assert later[: len(early)] == early
            log += later
            durable += is_durable
            statements += 1
        log += followed(parts.store, log[-1].sequence)
        assert [entry.sequence for entry in log] == list(range(1, len(log) + 1))
        assert parts.findings() == []
        assert durable >= 1  # what stands still after its commit hides nothing; how often it does is its own
    assert statements > 15
    print(f"{kind}: a follower read at {statements} stops of a commit, {len(log)} entries in all")
