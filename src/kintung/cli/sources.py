"""What ``kintung load`` reads: files and folders to items, each a resource or a Bundle.

An item's key is the SHA-256 of its file and its place in it, so that the same file loaded
again, or a load that was broken off and started again, has each effect once.
"""

import gzip
from collections.abc import Iterable, Iterator
from hashlib import file_digest
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from kintung.errors import BadInput
from kintung.fhir.json import LIMITS

SUFFIXES = (".json", ".ndjson", ".json.gz", ".ndjson.gz")


class Item(NamedTuple):
    """One resource or Bundle as it stands in a file. ``place`` counts from 1 (a line)."""

    file: str
    place: int
    key: str
    raw: bytes


def items(paths: Iterable[Path]) -> Iterator[Item]:
    """Every item of the files and folders, in order; folders by name, with those below.

    Raises:
        BadInput: a path is neither a folder nor a file of a kind in ``SUFFIXES``.
        OSError: it cannot be read.
    """
    for file in _files(paths):
        with file.open("rb") as binary:
            key = file_digest(binary, "sha256").hexdigest()
        with _opened(file) as lines:
            if ".ndjson" in file.name:
                for place, line in enumerate(lines, 1):
                    if line.strip():
                        yield Item(file.name, place, f"{key}:{place}", line)
            else:
                yield Item(file.name, 1, f"{key}:1", lines.read(LIMITS.bytes + 1))


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.name.endswith(SUFFIXES))
        elif path.name.endswith(SUFFIXES) and path.exists():
            yield path
        elif path.exists():
            raise BadInput(f"{path.name} is not one of {', '.join(SUFFIXES)}.")
        else:
            raise BadInput(f"There is no file or folder {path}.")


def _opened(file: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(file)) if file.name.endswith(".gz") else file.open("rb")
