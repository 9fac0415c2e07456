"""What the registry says of two Patients: the result of comparing them, as a finding on the pair."""

from functools import lru_cache
from typing import Any

import msgspec

from kintung.identity.feed import Finding
from kintung.identity.matching import ELEMENTS, Record, Result, explain, match, record
from kintung.store.links import LinkKind

_KINDS = {
    Result.CERTAIN: LinkKind.CERTAIN,
    Result.PROBABLE: LinkKind.PROBABLE,
    Result.NONE: LinkKind.NOTHING,
}


def matched(one: dict[str, Any], other: dict[str, Any]) -> Finding:
    """Judge a pair by its score; ``why`` names each comparison with its level and bits, and no value."""
    a, b = _record(one), _record(other)
    found = match(a, b)
    terms = explain(a, b, agreed=found.levels)
    why = ", ".join(f"{term.comparison} {term.level} {term.bits:+.1f}" for term in terms)
    return Finding(_KINDS[found.result], round(found.score * 100), why)


def _record(patient: dict[str, Any]) -> Record:
    return _record_of(_encode({name: patient[name] for name in ELEMENTS if name in patient}))


@lru_cache(128)
def _record_of(written: bytes) -> Record:
    """The features of a Patient: remembered, for records of one person often come one after another."""
    return record(_decode(written))


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
