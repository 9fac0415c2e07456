"""What the matches of a page include: every resource in sight is looked at in every step."""

from collections.abc import Iterable, Sequence

from kintung.fhir.search import Include
from kintung.store.inclusion import MOST_INCLUDED, MOST_ROUNDS, too_far, too_many
from kintung.store.matching import Around, referenced
from kintung.store.memory.state import Name


def included(includes: Sequence[Include], matches: Iterable[Name], around: Around) -> set[Name]:
    """The names of all that is included, the matches not among them.

    Raises:
        TooCostly: it is more, or further away, than a page may include.
    """
    if not includes:
        return set()
    matched = set(matches)
    found = set[Name]()
    reached = matched
    for step in range(MOST_ROUNDS + 1):
        asked = [include for include in includes if step == 0 or include.iterate]
        reached = _one_step(asked, reached, around) - matched - found
        if not reached:
            break
        if step == MOST_ROUNDS:
            raise too_far(includes)
        found |= reached
        if len(found) > MOST_INCLUDED:
            raise too_many(includes)
    return found


def _one_step(includes: Sequence[Include], start: set[Name], around: Around) -> set[Name]:
    """What lies at the other end of each reference from or to one of the names."""
    found = set[Name]()
    for include in includes:
        found |= _back(include, start, around) if include.reverse else _forward(include, start, around)
    return found


def _forward(include: Include, start: set[Name], around: Around) -> set[Name]:
    sources = [source for name in start if (source := around.at(*name)) is not None]
    return {
        target
        for parameter in include.parameters
        for source in sources
        if source.type == parameter.type
        for target in referenced(parameter, source.rows)
        if include.target in (None, target[0]) and around.at(*target) is not None
    }


def _back(include: Include, start: set[Name], around: Around) -> set[Name]:
    return {
        (source.type, source.id)
        for parameter in include.parameters
        for source in around.of(parameter.type)
        for target in referenced(parameter, source.rows)
        if include.target in (None, target[0]) and target in start
    }
