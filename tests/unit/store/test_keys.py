"""The key store: one key for each owner whoever asks first, made in groups, destroyed without a trace."""

import threading
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from kintung.clock import SeededEntropy
from kintung.store.keys import DataKey, KeyStore, WouldWait
from tests.stores import together
from tests.waiting import until

THREADS = 16


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.db"


def rows(file: Path) -> dict[str, bytes]:
    """Owners and keys as another process finds them."""
    with closing(apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)) as db:
        return dict(db.execute("SELECT owner, value FROM data_key").fetchall())  # pyright: ignore


def test_threads_that_ask_at_once_get_one_key_each_owner(file: Path) -> None:
    with closing(KeyStore(file, SeededEntropy(1))) as keys:
        start = threading.Barrier(THREADS)

        def ask(number: int) -> dict[str, DataKey]:
            start.wait(30)
            return keys.for_owners((f"Patient/{number % 5}", f"Patient/of-{number}"))

        answers = together(*(lambda number=number: ask(number) for number in range(THREADS)))
        given: dict[str, set[DataKey]] = {}
        for answer in answers:
            assert isinstance(answer, dict)
            for owner, key in answer.items():
                given.setdefault(owner, set()).add(key)
        assert len(given) == 5 + THREADS
        assert {len(found) for found in given.values()} == {1}
        assert rows(file) == {owner: key.value for owner, (key,) in given.items()}


def test_keys_asked_for_during_a_write_are_made_together(file: Path) -> None:
    with (
        closing(KeyStore(file, SeededEntropy(1), write_seconds=60)) as keys,
        closing(apsw.Connection(str(file))) as other,
    ):
        commits: list[int] = []
        keys._db.set_commit_hook(lambda: bool(commits.append(1)))
        asking = [
            threading.Thread(target=keys.for_owners, args=((f"Patient/{number}",),)) for number in range(8)
        ]
        other.execute("BEGIN IMMEDIATE")
        asking[0].start()
        until(lambda: keys._writing.locked() and not keys._asked, "the first to write")
        for thread in asking[1:]:
            thread.start()
        until(lambda: len(keys._asked) == 7, "the others to gather")
        other.execute("ROLLBACK")
        for thread in asking:
            thread.join(60)
        assert len(rows(file)) == 8
        assert len(commits) == 2, "the first alone, then the seven that had gathered"


def test_another_process_made_it_first(file: Path) -> None:
    with (
        closing(KeyStore(file, SeededEntropy(1))) as one,
        closing(KeyStore(file, SeededEntropy(2))) as two,
    ):
        assert one.for_owners(("Patient/1",)) == two.for_owners(("Patient/1",))


def test_who_may_not_wait_gets_what_is_there(file: Path) -> None:
    with closing(KeyStore(file, SeededEntropy(1))) as keys:
        known = keys.for_owners(("Patient/known",))
        with keys.at_once():
            assert keys.for_owners(("Patient/known",)) == known
            with pytest.raises(WouldWait):
                keys.for_owners(("Patient/known", "Patient/new"))
        assert set(rows(file)) == {"Patient/known"}
        assert keys.for_owners(("Patient/new",))["Patient/new"].value == rows(file)["Patient/new"]


@pytest.mark.parametrize(
    "destroy",
    ["DELETE FROM data_key WHERE owner = ?", "UPDATE data_key SET value = NULL WHERE owner = ?"],
    ids=["deleted", "emptied"],
)
def test_a_destroyed_key_leaves_no_bytes(file: Path, destroy: str) -> None:
    """Also when its page goes with it: all of many keys, each on its place in the file."""
    with closing(KeyStore(file, SeededEntropy(1))) as keys:
        made = keys.for_owners(f"Patient/{number}" for number in range(500))
        checkpoint(keys)
        assert sum(key.value in everything(file) for key in made.values()) == 500
        kept = made.pop("Patient/250")
        for owner in made:
            keys._db.execute(destroy, (owner,))
        checkpoint(keys)
        found = everything(file)
        assert [owner for owner, key in made.items() if key.value in found] == []
        assert kept.value in found


def checkpoint(keys: KeyStore) -> None:
    """Bring what the log holds into the file, and empty the log."""
    keys._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)


def everything(file: Path) -> bytes:
    """All bytes of the key store on disk."""
    return b"".join(path.read_bytes() for path in sorted(file.parent.glob(f"{file.name}*")))
