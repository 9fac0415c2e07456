"""Transaction Bundles to load: 100 Synthea patients, or the project's own sample, as often as wanted.

Copies differ in every UUID, so that each is another patient with other identifiers.
"""

import gzip
import re
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

import msgspec

from bench.machine import ROOT
from kintung.sample import sample_bundles

SYNTHEA = ROOT.parent / "shared/data/synthea-r4-100/bundles.ndjson.gz"
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class _Entry(msgspec.Struct):
    resource: msgspec.Raw


class _Bundle(msgspec.Struct):
    entry: tuple[_Entry, ...]


_bundles = msgspec.json.Decoder(_Bundle)


def name() -> str:
    """Which people these are."""
    return "100 Synthea patients" if SYNTHEA.exists() else "the sample"


@cache
def originals() -> tuple[bytes, ...]:
    """The Bundles as they are in the file, without those of the sample that join people."""
    with gzip.open(SYNTHEA if SYNTHEA.exists() else sample_bundles()) as file:
        lines = tuple(file)
    return lines if SYNTHEA.exists() else lines[:-1]


@cache
def resource_texts() -> tuple[bytes, ...]:
    """Every resource of the originals, compact."""
    return tuple(
        msgspec.json.format(bytes(entry.resource), indent=-1)
        for line in originals()
        for entry in _bundles.decode(line).entry
    )


@cache
def entries_each() -> tuple[int, ...]:
    """How many entries each of the originals has."""
    return tuple(len(_bundles.decode(line).entry) for line in originals())


def copies(first: int, count: int) -> Iterator[tuple[bytes, int]]:
    """Bundles of ``count`` copies of all people, from copy ``first`` on, and the entries in each.

    Copy 0 is the original.
    """
    for copy in range(first, first + count):
        for line, entries in zip(originals(), entries_each(), strict=True):
            yield (_renamed(line, copy) if copy else line), entries


def _renamed(line: bytes, copy: int) -> bytes:
    known: dict[bytes, bytes] = {}

    def other(found: re.Match[bytes]) -> bytes:
        uuid = found[0]
        if uuid not in known:
            text = sha256(b"%d %s" % (copy, uuid)).hexdigest()
            parts = (text[:8], text[8:12], text[12:16], text[16:20], text[20:32])
            known[uuid] = "-".join(parts).encode()
        return known[uuid]

    return _UUID.sub(other, line)


def write(path: Path, count: int) -> tuple[int, int]:
    """A file of that many copies, a Bundle a line; how many resources and bytes it holds."""
    resources = size = 0
    with path.open("wb") as file:
        for line, entries in copies(0, count):
            resources += entries
            size += file.write(line)
    return resources, size
