"""Records that are damaged by hand, and what ``check`` says of them.

A finding is written ``proof | where | message``; no finding may hold a clinical value.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from kintung.app import open_node
from kintung.clock import SeededEntropy, SetClock
from tests.stores import DAY, START, SYSTEM, Record


class Damage(NamedTuple):
    """Statements that break something, and all that ``check`` says of it."""

    name: str
    statements: str
    findings: list[str]
    everywhere: bool = False
    """Also on PostgreSQL."""


def key(id: str) -> str:
    return f"(SELECT key FROM entity WHERE id = '{id}')"


def found(record: Record) -> list[str]:
    """All findings, sorted; keys and atoms, which are numbers of no meaning here, as N."""
    lines = [f"{f.proof} | {f.where} | {f.message}" for f in record.store.check(SYSTEM)]
    return sorted(
        re.sub(r"(atom|target|leads to term|key|^entities \| term) (?!999\b)\d+", r"\1 N", line)
        for line in lines
    )


@contextmanager
def opened_at(url: str, keys: Path) -> Iterator[Record]:
    clock = SetClock(START + DAY, tick=1)
    with open_node(url, keys=keys, clock=clock, entropy=SeededEntropy(2)) as node:
        yield Record(node.store, node.scribe, clock)


def made_sound(fill: Callable[[Record], object], folder: Path) -> Path:
    """Fill a record on SQLite in a folder, in which ``check`` finds nothing; to be copied."""
    with _at(folder) as record:
        fill(record)
        assert found(record) == []
    return folder


def copied(filled: Path, folder: Path) -> AbstractContextManager[Record]:
    """A copy of such a record, opened."""
    for name in ("record.db", "keys.db"):
        shutil.copy(filled / name, folder / name)
    return _at(folder)


def _at(folder: Path) -> AbstractContextManager[Record]:
    return opened_at(f"sqlite:///{folder}/record.db", folder / "keys.db")
