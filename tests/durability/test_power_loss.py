"""D3: whatever a power loss leaves on the disk, no acknowledged commit is lost and nothing is corrupt."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

import apsw
import pytest

from kintung.clock import SeededEntropy, SetClock
from kintung.store.port import Unit
from kintung.store.sqlite import SqliteBackend
from kintung.store.writes import AuditRecord, Idempotency, Job, Prepared
from tests.durability.nodes import assembled
from tests.durability.power import Image, Recording, RecordingVfs, images
from tests.records import group, observation, patient, weight
from tests.scale import counts, is_long, seeded
from tests.stores import ALL, DAY, START, Record

IMAGES = 150
"""Of an ordinary run; a long one makes one after each prefix of the recording."""
PROVED_EVERY = 10
"""Of how many images one is also proved sound by ``check``; the others are read."""


class Stored(NamedTuple):
    """A version the workload was told is stored, and its body."""

    type: str
    id: str
    version_id: int
    body: bytes


class Audited(NamedTuple):
    """As many audit records the workload was told are stored."""

    records: int


@contextmanager
def recorded_by_default(vfs: RecordingVfs, name: str) -> Iterator[None]:
    """Every file opened in the block is recorded: the key store asks for no VFS of its own."""
    assert vfs is not None
    apsw.set_default_vfs(name)
    try:
        yield
    finally:
        apsw.set_default_vfs("unix")


def workload(folder: Path, recording: Recording, random: Random, commits: int) -> None:
    """Commits of every kind, alone and in groups, with checkpoints that come at any time."""
    clock = SetClock(START, tick=1_000)
    vfs = RecordingVfs("recording", folder, recording)
    with (
        recorded_by_default(vfs, "recording"),
        assembled(SqliteBackend(folder / "record.db"), folder / "keys.db", clock=clock) as parts,
    ):
        record = Record(parts.store, parts.scribe, clock)
        checkpointer = apsw.Connection(str(folder / "record.db"))
        audits = 0

        def stored(name: str) -> None:
            version = record.read(name)
            recording.mark(Stored(version.type, version.id, version.version_id, version.body))

        for number in range(commits):
            person = f"p{random.randrange(number // 4 + 1)}"
            match random.randrange(9):
                case 0 | 1:
                    record.put(patient(person, random.choice(["Chan", "Wong", "Lee"])))
                    stored(f"Patient/{person}")
                case 2 | 3:
                    weights = [
                        weight(f"w{number}-{n}", person, n + 1) for n in range(random.randrange(1, 12))
                    ]
                    record.commit(
                        *map(record.putting, weights), idempotency=Idempotency("c", str(number), b"")
                    )
                    for resource in weights:
                        stored(f"Observation/{resource['id']}")
                case 4:
                    futures = [
                        parts.store.submit(record.unit(record.putting(observation(f"o{number}-{n}", person))))
                        for n in range(6)
                    ]
                    for n, future in enumerate(futures):
                        future.result(30)
                        stored(f"Observation/o{number}-{n}")
                case 5:
                    record.put(group(f"g{number % 3}", person, "p0"))
                    stored(f"Group/g{number % 3}")
                case 6:
                    audit = AuditRecord("doctor", "", "TREAT", "read", "GET", 200)
                    parts.store.record(audit).result(30)
                    audits += 1
                    recording.mark(Audited(audits))
                case 7:
                    record.put(observation(f"d{number}", person))
                    record.delete(f"Observation/d{number}")
                    record.grant(1, person)
                    parts.store.commit(Unit(ALL, lambda _: Prepared(jobs=(Job("send", b"x", 1),))))
                case _:
                    checkpointer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        checkpointer.close()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    recording = Recording()
    workload(tmp_path_factory.mktemp("workload"), recording, seeded("power"), counts(90, 160))
    return recording


def sound(folder: Path) -> None:
    """SQLite's own proof of both files, after its recovery."""
    for name in ("record.db", "keys.db"):
        if (folder / name).exists():
            with closing(apsw.Connection(str(folder / name))) as database:
                assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)], name


def survived(image: Image, folder: Path, *, proved: bool) -> None:
    """All that was acknowledged is there, byte for byte, and the record goes on."""
    image.write(folder)
    sound(folder)
    clock = SetClock(START + DAY, tick=1)
    backend = SqliteBackend(folder / "record.db")
    with assembled(backend, folder / "keys.db", clock=clock, entropy=SeededEntropy(image.after)) as parts:
        with parts.store.view() as view:
            for mark in image.marks:
                if isinstance(mark, Stored):
                    assert view.vread(ALL, mark.type, mark.id, mark.version_id).body == mark.body
        if proved:
            record = Record(parts.store, parts.scribe, clock)
            record.put(patient("after"))
            assert parts.findings() == []
    audited = max((mark.records for mark in image.marks if isinstance(mark, Audited)), default=0)
    with closing(apsw.Connection(str(folder / "record.db"))) as database:
        assert database.execute("SELECT count(*) >= ? FROM audit", (audited,)).fetchone() == (1,)


def test_nothing_acknowledged_is_lost_in_a_power_loss(recording: Recording, tmp_path: Path) -> None:
    """D3: crash images after every prefix (an ordinary run draws some), torn sectors too.

    Of what was not synced each has any subset.
    """
    prefixes = len(recording.operations) + 1
    count, seen, lost = prefixes if is_long() else IMAGES, set[int](), 0
    for number, image in enumerate(images(recording, count, seeded("images"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        survived(image, folder, proved=number % PROVED_EVERY == 0)
        seen.add(image.after)
        lost += len(image.marks)
        shutil.rmtree(folder)
    assert len(seen) == count
    assert lost > count
    print(f"D3: images after {len(seen)} of {prefixes} prefixes, {lost} acknowledgements kept")


def without_syncs(recording: Recording) -> Recording:
    """What the disk was told by a store that does not sync: the same, and nothing is ever safe."""
    kept = [operation for operation in recording.operations if operation.kind != "sync"]
    return Recording(kept)


def test_without_syncs_the_images_show_a_loss(recording: Recording, tmp_path: Path) -> None:
    """The proof of the proof: take the syncs away, and the same images lose or corrupt."""
    failures = 0
    for number, image in enumerate(images(without_syncs(recording), 20, seeded("unsynced"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            survived(image, folder, proved=False)
        except Exception:  # noqa: BLE001 - whatever way it is broken
            failures += 1
        shutil.rmtree(folder)
    assert failures >= 10
