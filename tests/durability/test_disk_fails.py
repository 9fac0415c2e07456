"""D4: a write or sync of the disk fails once; no commit is half done, and the next goes on.

Who was told that nothing was stored finds nothing; who was told that it is not known finds
all of it or nothing; who was answered finds it.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from kintung.clock import SetClock
from kintung.errors import NotFound, OutcomeUnknown, Unavailable
from kintung.store import sqlite
from kintung.store.sqlite import SqliteBackend
from tests.durability.nodes import assembled
from tests.records import patient, weight
from tests.scale import counts
from tests.stores import START, Record

WEIGHTS = 5
CALLS = counts(12, 200)
"""Calls of each kind that fail in turn; fewer when a workload makes fewer."""


class FailingVfs(apsw.VFS):
    """The operating system's VFS, of which one call fails: the ``fail(...)``-th from now."""

    def __init__(self, name: str) -> None:
        self._kind = self._ending = ""
        self._left = 0
        self._error: type[apsw.Error] = apsw.IOError
        self.failed = threading.Event()
        super().__init__(name, base="unix")

    def fail(self, kind: str, ending: str, number: int, error: type[apsw.Error]) -> None:
        """Let call ``number`` of a kind fail with ``error``, on files whose names end so."""
        self._kind, self._ending, self._left, self._error = kind, ending, number, error
        self.failed.clear()

    def heal(self) -> None:
        self._left = 0

    def called(self, kind: str, file: str) -> None:
        if self._left and kind == self._kind and file.endswith(self._ending):
            self._left -= 1
            if not self._left:
                self.failed.set()
                raise self._error("planted")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name or ""
        return _FailingFile(self, path, name, flags)


class _FailingFile(apsw.VFSFile):
    def __init__(self, vfs: FailingVfs, file: str, name: Any, flags: list[int]) -> None:
        self._vfs = vfs
        self._file = file
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._vfs.called("write", self._file)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._vfs.called("sync", self._file)
        super().xSync(flags)


@contextmanager
def failing(folder: Path, name: str) -> Iterator[tuple[Record, FailingVfs, list[str]]]:
    """A record on a disk that fails, and what ``check`` finds of it at the end."""
    vfs, clock = FailingVfs(name), SetClock(START, tick=1)
    found: list[str] = []
    with assembled(SqliteBackend(folder / "record.db", vfs=name), folder / "keys.db", clock=clock) as parts:
        record = Record(parts.store, parts.scribe, clock)
        record.put(patient("p"))
        yield record, vfs, found
        found += parts.findings()


@pytest.mark.parametrize("error", [apsw.IOError, apsw.FullError])
@pytest.mark.parametrize("kind", ["write", "sync"])
def test_no_commit_is_half_done(kind: str, error: type[apsw.Error], tmp_path: Path) -> None:
    told: list[str] = []
    with failing(tmp_path, f"failing-{kind}-{error.__name__}") as (record, vfs, found):
        for number in range(1, CALLS + 1):
            ids = [f"w{number}-{n}" for n in range(WEIGHTS)]
            vfs.fail(kind, "-wal", number, error)
            told.append(outcome(record, [weight(id, "p", 1) for id in ids]))
            vfs.heal()
            there = [id for id in ids if is_there(record, id)]
            assert there in ([], ids), "half a commit"
            if told[-1] != "unknown":
                assert bool(there) == (told[-1] == "stored")
            if told[-1] == "stored":
                break
        assert outcome(record, [weight("last", "p", 1)]) == "stored"
    assert found == []
    assert told[0] == ("not stored" if error is apsw.FullError else "unknown")


def outcome(record: Record, resources: list[dict[str, Any]]) -> str:
    """What the writer of one commit is told."""
    try:
        record.commit(*map(record.putting, resources))
    except OutcomeUnknown:
        return "unknown"
    except Unavailable:
        return "not stored"
    return "stored"


def is_there(record: Record, id: str) -> bool:
    try:
        record.read(f"Observation/{id}")
    except NotFound:
        return False
    return True


def test_checkpoints_go_on_after_one_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The file of the record could not grow once; later it can, and the WAL is taken over."""
    monkeypatch.setattr(sqlite, "CHECKPOINT_PAGES", 1)
    with caplog.at_level(logging.WARNING), failing(tmp_path, "failing-checkpoint") as (record, vfs, found):
        vfs.fail("write", "record.db", 1, apsw.FullError)
        record.put(patient("q"))
        assert vfs.failed.wait(30)
        vfs.fail("sync", "record.db", 1, apsw.FullError)  # a checkpoint that succeeds comes to this
        for number in range(50):
            if vfs.failed.is_set():
                break
            record.put(weight(f"w{number}", "q", number))
        assert vfs.failed.wait(30)
        vfs.heal()
    assert found == []
    assert "a checkpoint failed: FullError" in caplog.messages
