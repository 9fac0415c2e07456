"""What ``kintung load`` reads: files and folders to items, each a resource or a Bundle.

An item's key is the SHA-256 of its file and its place in it, so that the same file loaded
again, or a load that was broken off and started again, has each effect once.
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from hashlib import file_digest
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from kintung.definitions import ownership_rule
from kintung.errors import BadInput, KintungError, TooLong
from kintung.fhir.json import LIMITS

SUFFIXES = (".json", ".ndjson", ".json.gz", ".ndjson.gz")


class Item(NamedTuple):
    """One resource or Bundle as it stands in a file.

    ``place`` counts from 1 (a line). ``fault`` is set, and ``raw`` empty, where nothing could
    be read.
    """

    file: str
    place: int
    key: str
    raw: bytes
    fault: KintungError | None = None


def files_of(paths: Iterable[Path]) -> list[Path]:
    """The files to load, in order: as named, those of a folder by name with those below it.

    In a folder, files named for a type whose owner is that of another resource come last, so
    that what an export wrote finds its owners when it is loaded.

    Raises:
        BadInput: a path is not there, of no kind in ``SUFFIXES``, or a folder without such files.
    """
    return [file for path in paths for file in _below(path)]


def _below(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(
            (file for file in path.rglob("*") if file.name.endswith(SUFFIXES) and file.is_file()),
            key=lambda file: (_waits_for_others(file), file),
        )
        if not found:
            raise BadInput(f"{path} holds no {', '.join(SUFFIXES)} file.")
        return found
    if not path.exists():
        raise BadInput(f"there is no file or folder {path}.")
    if not path.name.endswith(SUFFIXES):
        raise BadInput(f"{path.name} is not one of {', '.join(SUFFIXES)}.")
    return [path]


def _waits_for_others(file: Path) -> int:
    type = file.name.partition(".")[0]
    if type == "Binary":
        return 2  # it may be owned through any other, also through one that waits itself
    try:
        return int(ownership_rule(type).kind == "derived")
    except KeyError:
        return 0  # named for no type


def items(files: Iterable[Path]) -> Iterator[Item]:
    """Every item of the files, in order, read one at a time."""
    for file in files:
        place = 0
        try:
            with file.open("rb") as binary:
                key = file_digest(binary, "sha256").hexdigest()
            with _opened(file) as content:
                for place, raw in _texts(content, by_line=file.name.removesuffix(".gz").endswith(".ndjson")):
                    if raw is None:
                        yield Item(file.name, place, "", b"", TooLong(f"It is over {LIMITS.bytes:,} bytes."))
                    else:
                        yield Item(file.name, place, f"{key}:{place}", raw)
        except (OSError, EOFError, zlib.error) as error:
            what = "gzip" if file.suffix == ".gz" and not isinstance(error, PermissionError) else "read"
            yield Item(file.name, place + 1, "", b"", BadInput(_UNREADABLE[what]))


_UNREADABLE = {
    "gzip": "It cannot be unpacked further; the file is cut off, damaged or not gzip.",
    "read": "The file cannot be read.",
}


def _texts(content: BinaryIO, *, by_line: bool) -> Iterator[tuple[int, bytes | None]]:
    """Place and text of each item; None for one over the limit, which is passed over."""
    if not by_line:
        raw = content.read(LIMITS.bytes + 1)
        yield 1, raw if len(raw) <= LIMITS.bytes else None
        return
    place = 0
    while line := content.readline(LIMITS.bytes + 1):
        place += 1
        if len(line) > LIMITS.bytes and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = content.readline(LIMITS.bytes)
            yield place, None
        elif not line.isspace():
            yield place, line


def _opened(file: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(file)) if file.suffix == ".gz" else file.open("rb")
