"""What changed from one version of a resource to the next: by place, what was said and what is. Pure."""

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from kintung.fhir.search.narrative import told

MOST = 100
"""Changes of one version that are listed."""
_LONGEST = 400
"""Characters of a value that are shown."""
_STAMPED = ("meta.versionId", "meta.lastUpdated")
"""What the node sets on every version."""


class Change(NamedTuple):
    """One place that differs: ``before`` is "" for what was added, ``after`` for what was taken away."""

    place: str
    before: str
    after: str


class Changes(NamedTuple):
    """All that differs; ``more`` is how many there are beside those listed."""

    listed: tuple[Change, ...]
    more: int


def changes(before: dict[str, Any], after: dict[str, Any]) -> Changes:
    """What is otherwise in ``after``, by the paths of its leaves, in their order."""
    old, new = dict(leaves(before)), dict(leaves(after))
    places = [*new, *(place for place in old if place not in new)]
    found = [
        Change(place, old.get(place, ""), new.get(place, ""))
        for place in places
        if old.get(place) != new.get(place) and place not in _STAMPED
    ]
    return Changes(tuple(found[:MOST]), max(0, len(found) - MOST))


def leaves(resource: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every value that is no object and no list, with its path; of a narrative what it says."""
    waiting: list[tuple[str, Any]] = [("", resource)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, dict):
            members = cast(dict[str, Any], value).items()
            waiting += [(f"{place}.{name}" if place else name, each) for name, each in reversed(members)]
        elif isinstance(value, list):
            items = cast(list[Any], value)
            waiting += [(f"{place}[{index}]", items[index]) for index in range(len(items) - 1, -1, -1)]
        else:
            yield place, _shown(place, value)


def _shown(place: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    said = "null" if value is None else str(value)
    if place.endswith(".div"):
        said = " ".join(told(said).split())
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
