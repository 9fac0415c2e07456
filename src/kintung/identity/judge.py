"""What the registry says of two Patients: the result of comparing them, as a finding on the pair."""

from typing import Any

from kintung.identity.feed import Finding
from kintung.identity.matching import Result, explain, match, record_again
from kintung.store.links import LinkKind

_KINDS = {
    Result.CERTAIN: LinkKind.CERTAIN,
    Result.PROBABLE: LinkKind.PROBABLE,
    Result.NONE: LinkKind.NOTHING,
}


def matched(one: dict[str, Any], other: dict[str, Any]) -> Finding:
    """Judge a pair by its score; ``why`` names each comparison with its level and bits, and no value."""
    a, b = record_again(one), record_again(other)
    found = match(a, b)
    terms = explain(a, b, agreed=found.levels)
    why = ", ".join(f"{term.comparison} {term.level} {term.bits:+.1f}" for term in terms)
    return Finding(_KINDS[found.result], round(found.score * 100), why)
