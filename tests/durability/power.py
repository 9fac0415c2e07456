"""Power loss, simulated: what a disk may hold when the power fails at any moment.

A VFS records every write, truncation, sync and deletion of the files of a workload, in the
one order they were made, with marks where the workload was told that something is stored.
From any prefix of that recording images are made: what was synced is there; of what was not,
any subset, and a write may be torn between 512-byte sectors. Source of the disk model: SQLite,
"Atomic Commit In SQLite", hardware assumptions (https://www.sqlite.org/atomiccommit.html).
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import apsw

SECTOR = 512


class Operation(NamedTuple):
    """One thing done to a file, or a mark of the workload (``file`` is then "")."""

    kind: str
    """write, truncate, sync, delete, or mark."""
    file: str
    offset: int = 0
    data: bytes = b""
    folder_too: bool = False
    """Of a sync or a deletion: the folder was synced with it, and so all deletions before."""
    mark: object = None


@dataclass
class Recording:
    """All operations under one folder, in order."""

    operations: list[Operation] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, operation: Operation) -> None:
        with self._lock:
            self.operations.append(operation)

    def mark(self, what: object) -> None:
        """The workload was told that this is stored."""
        self.add(Operation("mark", "", mark=what))


class RecordingVfs(apsw.VFS):
    """The operating system's VFS, with every change of a file below ``folder`` recorded."""

    def __init__(self, name: str, folder: Path, recording: Recording) -> None:
        self._folder = str(folder) + "/"
        self._recording = recording
        super().__init__(name, base="unix")

    def recorded(self, path: str) -> str | None:
        """The name below the folder; None for other files."""
        return path.removeprefix(self._folder) if path.startswith(self._folder) else None

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        file = self.recorded(path) if path else None
        if file is None:
            return apsw.VFSFile("unix", name, flags)
        return _RecordingFile(file, self._recording, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        file = self.recorded(filename)
        if file is not None:
            self._recording.add(Operation("delete", file, folder_too=bool(syncdir)))


class _RecordingFile(apsw.VFSFile):
    def __init__(self, file: str, recording: Recording, name: Any, flags: list[int]) -> None:
        self._file = file
        self._recording = recording
        # SQLite's unix VFS syncs the folder with the first sync of a journal it has made.
        self._new_journal = bool(
            flags[0] & apsw.SQLITE_OPEN_CREATE
            and flags[0] & (apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL)
        )
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        self._recording.add(Operation("write", self._file, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        super().xTruncate(newsize)
        self._recording.add(Operation("truncate", self._file, newsize))

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self._recording.add(Operation("sync", self._file, folder_too=self._new_journal))
        self._new_journal = False


Files = dict[str, bytes]


class _Disk:
    """What the disk surely holds, and for each file what it may hold besides, oldest first."""

    def __init__(self) -> None:
        self._safe: dict[str, bytearray] = {}
        self._loose: dict[str, list[Operation]] = {}

    def do(self, operation: Operation) -> None:
        file = operation.file
        if operation.kind == "mark":
            return
        self._loose.setdefault(file, []).append(operation)
        if operation.folder_too:
            for other, loose in self._loose.items():
                if any(earlier.kind == "delete" for earlier in loose):
                    self._settle(other, "delete")
        if operation.kind == "sync":
            self._settle(file, "sync")

    def _settle(self, file: str, kind: str) -> None:
        """All that was done to a file up to the last operation of a kind is on the disk for good."""
        loose = self._loose[file]
        end = max(place for place, operation in enumerate(loose) if operation.kind == kind) + 1
        content = self._safe.pop(file, None)
        for operation in loose[:end]:
            content = _after(content, operation)
        if content is not None:
            self._safe[file] = content
        self._loose[file] = loose[end:]

    def image(self, random: Random) -> Files:
        """One of the states the disk may be in now."""
        files: Files = {}
        survival = random.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        for file in sorted(self._safe.keys() | self._loose.keys()):
            content = self._safe.get(file)
            loose = self._loose.get(file, [])
            if loose:
                content = None if content is None else bytearray(content)
            for operation in loose:
                arrives = random.random() < survival
                if operation.kind == "delete" and not arrives:
                    break  # what follows was done to another file of the same name
                for part in _parts(operation, random) if arrives else ():
                    content = _after(content, part)
            if content is not None:
                files[file] = bytes(content)
        return files


def _after(content: bytearray | None, operation: Operation) -> bytearray | None:
    """A file after an operation; None when there is no file."""
    if operation.kind == "delete":
        return None
    content = bytearray() if content is None else content
    if operation.kind == "truncate":
        del content[operation.offset :]
        content.extend(bytes(operation.offset - len(content)))
    elif operation.kind == "write":
        end = operation.offset + len(operation.data)
        content.extend(bytes(max(0, end - len(content))))
        content[operation.offset : end] = operation.data
    return content


def _parts(operation: Operation, random: Random) -> Iterator[Operation]:
    """The operation, or of a write now and then only some of its sectors."""
    if operation.kind != "write" or random.random() < 0.6:
        yield operation
        return
    start, end = operation.offset, operation.offset + len(operation.data)
    for sector in range(start // SECTOR, (end + SECTOR - 1) // SECTOR):
        low, high = max(start, sector * SECTOR), min(end, (sector + 1) * SECTOR)
        if random.random() < 0.5:
            yield Operation("write", operation.file, low, operation.data[low - start : high - start])


class Image(NamedTuple):
    """What a disk may hold after ``after`` operations, and the marks made by then."""

    after: int
    files: Files
    marks: tuple[object, ...]

    def write(self, folder: Path) -> None:
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def images(recording: Recording, count: int, random: Random) -> Iterator[Image]:
    """``count`` images after prefixes drawn from the recording; each comes once before any comes again."""
    operations = recording.operations
    prefixes = range(len(operations) + 1)
    whole, rest = divmod(count, len(prefixes))
    places = sorted([*prefixes] * whole + random.sample(prefixes, rest))
    disk, marks, done = _Disk(), list[object](), 0
    for place in places:
        for operation in operations[done:place]:
            disk.do(operation)
            if operation.kind == "mark":
                marks.append(operation.mark)
        done = place
        yield Image(place, disk.image(random), tuple(marks))
