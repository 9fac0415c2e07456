"""Another process stands still while it writes to the key store: only new keys wait for it."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import apsw
import pytest

from kintung.clock import SeededEntropy, SetClock
from kintung.errors import NotFound, Unavailable
from kintung.store.keys import KeyStore
from kintung.store.sqlite import SqliteBackend
from tests.durability.nodes import assembled
from tests.records import organization, patient
from tests.stores import START, Record, together

PATIENCE_SECONDS = 0.2


@contextmanager
def held(keys: Path) -> Iterator[None]:
    """Another connection is in the middle of a write."""
    with closing(apsw.Connection(str(keys))) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def opened(folder: Path) -> Iterator[Record]:
    clock = SetClock(START, tick=1)
    backend = SqliteBackend(folder / "record.db")
    keys = folder / "keys.db"
    with assembled(backend, keys, clock=clock, key_seconds=PATIENCE_SECONDS) as parts:
        yield Record(parts.store, parts.scribe, clock)


def test_what_has_its_key_is_read_and_written(tmp_path: Path) -> None:
    with opened(tmp_path) as record:
        record.put(patient("known"))

    with held(tmp_path / "keys.db"), opened(tmp_path) as record:
        assert record.read("Patient/known").version_id == 1
        assert record.put(patient("known", "Wong")).version_id == 2


def test_a_new_key_is_not_had_in_time(tmp_path: Path) -> None:
    """However many ask at once, each is told in time; nothing is stored, and later it is."""
    with opened(tmp_path) as record:
        record.put(patient("known"))
        with held(tmp_path / "keys.db"):
            calls = [lambda number=number: record.put(patient(f"new{number}")) for number in range(8)]
            answers = together(*calls)
            assert [type(answer) for answer in answers] == [Unavailable] * 8
            with pytest.raises(NotFound):
                record.read("Patient/new0")

        assert record.put(patient("new0")).version_id == 1


def test_commits_do_not_wait_to_be_witnessed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A commit that is durable is acknowledged, also when its head cannot be witnessed now.

    The next commit witnesses it: nothing to tell the operator.
    """
    with opened(tmp_path) as record:
        record.put(organization("o"))
        with held(tmp_path / "keys.db"):
            for _ in range(130):
                record.put(organization("o"))
        record.put(organization("o"))
        assert record.read("Organization/o").version_id == 132
    assert caplog.messages == []
    with closing(KeyStore(tmp_path / "keys.db", SeededEntropy(1))) as keys:
        assert max(keys.witnesses()) == 132


def test_a_head_that_is_not_witnessed_at_the_end_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with ExitStack() as node:
        record = node.enter_context(opened(tmp_path))
        record.put(organization("o"))
        with held(tmp_path / "keys.db"):
            node.close()
    assert caplog.messages == ["the head of the log was not witnessed: Unavailable"]
