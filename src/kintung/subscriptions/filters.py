"""Which changes a subscription is about: criteria read once, matched on one version at a time.

A criterion is a search of one type, as ``kintung.fhir.search`` reads it, of what stands in the
resource itself. What asks other resources (chains, ``_has``) is refused: its answer would move
when those change, without a version of this one to tell of, and would have to be judged by who
may see them at each moment. Source: http://hl7.org/fhir/R4/subscription.html#criteria, and
``docs/explanation/spec-readings.md``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import parse_qsl

from kintung.definitions import Trigger
from kintung.errors import KintungError, RuleFailed, ValueInvalid
from kintung.fhir.search import Condition, is_of_itself, parameters, parse_query
from kintung.store.matching import Indexed, meets_one

_OWN = frozenset(("Subscription",))
"""Types that are not subscribed to: the node itself writes them when it tells of something."""
MOST_CRITERIA = 10_000
"""Characters of one text of criteria."""
_MOST_PAIRS = 100


@dataclass(frozen=True, slots=True)
class Filter:
    """Resources of one type that meet every criterion."""

    type: str
    criteria: tuple[Condition, ...] = ()

    def holds(self, version: Indexed) -> bool:
        """Whether a version is one of them."""
        return version.type == self.type and all(meets_one(criterion, version) for criterion in self.criteria)


class Change(NamedTuple):
    """One entry of the log: what it made, and what was there before it.

    ``before`` is None where nothing was, or where what was is not asked for; ``after`` for a deletion.
    """

    trigger: Trigger
    after: Indexed | None
    before: Indexed | None


def parse_filter(
    texts: Sequence[str], *, path: str, now_micros: int, offset_minutes: int, base: str = ""
) -> Filter:
    """The filter that ``Type?name=value&...`` writes; several texts must all hold, for one type.

    Args:
        path: FHIRPath to what was written, for what is raised.
        now_micros: for the ``ap`` prefix of dates; the instant the subscription was made.
        base: the node's own address; references under it are local.

    Raises:
        RuleFailed: it cannot be understood, asks of other resources, or of several types.
    """
    found = [
        _parse(text, path=path, now_micros=now_micros, offset_minutes=offset_minutes, base=base)
        for text in texts
    ]
    types = {each.type for each in found}
    if len(types) != 1:
        raise RuleFailed("Name one resource type, as in Observation?code=8867-4.", path=path)
    return Filter(types.pop(), tuple(criterion for each in found for criterion in each.criteria))


def _parse(text: str, *, path: str, now_micros: int, offset_minutes: int, base: str) -> Filter:
    if len(text) > MOST_CRITERIA:
        raise RuleFailed(f"Criteria have at most {MOST_CRITERIA:,} characters.", path=path)
    type, _, written = text.strip().partition("?")
    try:
        query = parse_query(
            type, _pairs(written), now_micros=now_micros, offset_minutes=offset_minutes, base=base or None
        )
    except KintungError as error:
        raise RuleFailed(f"The criteria cannot be understood: {error}", path=path) from None
    if type in _OWN:
        raise RuleFailed(f"A {type} cannot be subscribed to.", path=path)
    if query.in_bodies:
        raise RuleFailed(
            f"{query.in_bodies[0].code} is read in the text of each resource, which is not offered here; "
            "ask for a code.",
            path=path,
        )
    criteria = tuple(each for each in query.criteria if is_of_itself(each))
    if len(criteria) < len(query.criteria):
        raise RuleFailed(
            "Criteria that ask other resources (chains, _has) are not offered; ask what stands in this one.",
            path=path,
        )
    if any(name.partition(":")[0] not in parameters(type) for name, _ in query.used):
        raise RuleFailed(
            "Criteria say what is wanted, not how an answer looks (_sort, _count ...).", path=path
        )
    return Filter(type, criteria)


def _pairs(written: str) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(written, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PAIRS)
    except ValueError:  # of which what is not UTF-8 is one
        raise ValueInvalid(f"they are not UTF-8, or more than {_MOST_PAIRS} parameters.") from None
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise ValueInvalid("they hold U+0000, which no value of the record does.")
    return pairs


def wants(filter: Filter, triggers: Sequence[Trigger], change: Change) -> bool:
    """Whether a change is one that ``triggers`` name: what is there now meets the filter, or what was."""
    if change.trigger not in triggers:
        return False
    return any(side is not None and filter.holds(side) for side in (change.after, change.before))
