"""The last observations of each code: what ``Observation/$lastn`` gives.

Source: http://hl7.org/fhir/R4/observation-operation-lastn.html.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast


class Observed(NamedTuple):
    """An Observation as it is grouped and ordered.

    ``effective`` is the end of the time it is of, UTC microseconds, None when it names none;
    ``codes`` are its codings as (system, code), or its text alone.
    """

    effective: int | None
    codes: frozenset[Hashable]


def codes_of(observation: Mapping[str, Any]) -> frozenset[Hashable]:
    """What an Observation is grouped by: codings by system and code; without one, the text as it is."""
    code = cast(Mapping[str, Any], observation.get("code", {}))
    codings = cast(Sequence[Mapping[str, Any]], code.get("coding", ()))
    named = frozenset((each.get("system"), each["code"]) for each in codings if "code" in each)
    if named:
        return named
    return frozenset((code["text"],)) if "text" in code else frozenset[Hashable]()


def last(observed: Sequence[Observed], most: int) -> list[int]:
    """Places of the ``most`` last of each code, the last first.

    Codes that one Observation has are equal, and so are those equal to the same. What is of the same
    time as the last one taken is taken too. What has no time comes after all that has, and what has no
    code is of a code of its own. Equals stay in the order they are given in.
    """
    taken: list[int] = []
    for group in _groups(observed):
        ordered = sorted(group, key=lambda place: _lateness(observed[place]))
        taken += ordered[:most]
        end = observed[ordered[most - 1]].effective if len(ordered) > most else None
        if end is not None:
            taken += [place for place in ordered[most:] if observed[place].effective == end]
    return sorted(taken, key=lambda place: (_lateness(observed[place]), place))


def _lateness(one: Observed) -> tuple[bool, int]:
    return one.effective is None, -(one.effective or 0)


def _groups(observed: Sequence[Observed]) -> Iterable[list[int]]:
    """Places by code, in their order. Each code leads to one equal to it, and at last to itself."""
    leads: dict[Hashable, Hashable] = {}

    def end(code: Hashable) -> Hashable:
        while leads[code] != code:
            leads[code] = code = leads[leads[code]]
        return code

    groups: dict[Hashable, list[int]] = {}
    for one in observed:
        first, *others = one.codes or (None,)
        for code in (first, *others):
            leads.setdefault(code, code)
            leads[end(code)] = end(first)
    for place, one in enumerate(observed):
        key: Hashable = end(next(iter(one.codes))) if one.codes else ("", place, "")
        groups.setdefault(key, []).append(place)
    return groups.values()
