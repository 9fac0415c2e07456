"""Records as columns: what the batch compares, and makes its keys of.

The tables lie in a temporary folder that only its owner may read. Identity numbers stand in them as
hashes under a key that is made for one run and forgotten, so that no number is ever in clear outside
a sealed body.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from importlib import import_module
from itertools import accumulate, chain
from operator import attrgetter
from pathlib import Path
from typing import Any, cast

import msgspec

from kintung.errors import ValueInvalid
from kintung.identity.matching import Record, record
from kintung.identity.matching.features import FEATURES

HASHED = frozenset({"numbers", "verified", "near_numbers", "other_numbers"})
"""Features with identity numbers in them."""
_BLANK = Record("")
SETS = frozenset(name for name in FEATURES if isinstance(getattr(_BLANK, name), frozenset))
"""Features that are sets of texts."""


def write_part(lines: Sequence[bytes], first: int, folder: str, secret: bytes, since: str) -> tuple[int, int]:
    """Write the features of a part of the input as a Parquet file.

    Args:
        lines: NDJSON; resources of other types than Patient are passed over.
        first: number of the first record.
        folder: where the file goes; its name holds ``first``.
        secret: key of the run.
        since: instant from which on a record counts as new, in UTC; empty: all do.

    Returns:
        How many records there were, and how many lines could not be read.
    """
    parquet: Any = import_module("pyarrow.parquet")
    records: list[Record] = []
    is_new: list[bool] = []
    refused = 0
    for line in lines:
        try:
            resource = msgspec.json.decode(line)
        except msgspec.DecodeError:
            refused += 1
            continue
        if isinstance(resource, dict) and cast("dict[str, Any]", resource).get("resourceType") == "Patient":
            records.append(record(cast("dict[str, Any]", resource)))
            is_new.append(not since or _is_since(cast("dict[str, Any]", resource), since))
    numbered = range(first, first + len(records))
    made = features(records, numbered, secret).append_column("is_new", [is_new])
    parquet.write_table(made, Path(folder) / f"records-{first:010}.parquet", compression="lz4")
    return len(records), refused


def features(records: Sequence[Record], numbered: range, secret: bytes) -> Any:
    """A table of the features of records, with their numbers in ``record``."""
    pa: Any = import_module("pyarrow")
    table: dict[str, Any] = {"record": pa.array(numbered, pa.int64())}
    for name in FEATURES:
        values = list(map(attrgetter(name), records))
        if name in HASHED:
            hashed = [[_hashed(number, secret) for number in each] for each in values]
            table[name] = _lists(hashed, pa.int64())
        elif name in SETS:
            table[name] = _lists(values, pa.string())
        elif name == "surname_frequency":
            table["tf_surname_term"] = pa.array(values, pa.float64())
        else:
            table[name] = pa.array(values, pa.int64() if name == "birth_number" else pa.string())
    return pa.table(table)


def _lists(values: Sequence[Iterable[Any]], of: Any) -> Any:
    """A column of lists, made of one flat column: half the work of one list at a time."""
    pa: Any = import_module("pyarrow")
    ends = pa.array([0, *accumulate(map(len, cast("Sequence[Sequence[Any]]", values)))], pa.int32())
    return pa.ListArray.from_arrays(ends, pa.array(list(chain.from_iterable(values)), of))


def _is_since(resource: dict[str, Any], since: str) -> bool:
    """Whether a record was written at an instant or later; one that does not say counts as if."""
    match resource:
        case {"meta": {"lastUpdated": str(written)}}:
            return instant(written) >= instant(since)
        case _:
            return True


def instant(written: str) -> datetime:
    """A FHIR instant.

    Raises:
        ValueInvalid: it is none.
    """
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ValueInvalid("an instant is written 2026-11-22T09:00:00Z, with its zone.")
    return found


@lru_cache(maxsize=1 << 16)
def _hashed(text: str, secret: bytes) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8, key=secret).digest(), "big", signed=True)
