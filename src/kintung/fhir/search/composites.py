"""Composite parameters: values that must stand together in one element.

``Observation.component-code-value-quantity`` asks for a code and a quantity of the same
component. The tuples are extracted here; the index does not hold them yet.
Source: http://hl7.org/fhir/R4/search.html#composite.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from typing import Any

from kintung.fhir.search.atoms import Atom, Field, Step
from kintung.fhir.search.catalogue import Component, type_catalogue
from kintung.fhir.search.dates import OFFSET_MINUTES
from kintung.fhir.search.extract import Extractor, compiled

Part = tuple[Any, ...]
"""An index row without its atom."""


def extract_composites(
    resource: dict[str, Any], *, offset_minutes: int = OFFSET_MINUTES
) -> dict[str, list[tuple[Part, ...]]]:
    """Return for each composite parameter the tuples a valid resource holds, without repetition.

    A tuple has one part a component, in the order of the definition.
    """
    found: dict[str, list[tuple[Part, ...]]] = {}
    for code, (foci, components, count) in _composites(resource["resourceType"]).items():
        tuples: dict[tuple[Part, ...], None] = {}
        for element in (element for steps in foci for element in _elements(steps, resource)):
            parts = components(element, resource, offset_minutes)
            tuples |= dict.fromkeys(product(*(parts.get(place, ()) for place in range(count))))
        found[code] = list(tuples)
    return found


Parts = Callable[[dict[str, Any], dict[str, Any], int], dict[int, list[Part]]]


@cache
def _composites(type: str) -> dict[str, tuple[tuple[tuple[Step, ...], ...], Parts, int]]:
    return {
        code: (composite.foci, _parts(composite.components), len(composite.components))
        for code, composite in type_catalogue(type).composites.items()
    }


def _parts(components: tuple[Component, ...]) -> Parts:
    """Return a function that gives the parts of each component, by its place."""
    inside = _extractor(Atom(place, one.table, one.leaves) for place, one in enumerate(components))
    outside = _extractor(Atom(place, one.table, one.from_root) for place, one in enumerate(components))

    def parts(element: dict[str, Any], root: dict[str, Any], offset_minutes: int) -> dict[int, list[Part]]:
        by_place: dict[int, list[Part]] = {}
        for extractor, start in ((inside, element), (outside, root)):
            for table in extractor(start, offset_minutes):
                for place, *part in table:
                    by_place.setdefault(place, []).append(tuple(part))
        return by_place

    return parts


def _extractor(atoms: Iterator[Atom]) -> Extractor:
    return compiled(tuple(atoms), "composite")


def _elements(steps: tuple[Step, ...], element: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the elements at the end of a path; composites are reached by members alone."""
    if not steps:
        yield element
        return
    step = steps[0]
    assert isinstance(step, Field), step
    inner = element.get(step.name, ())
    for one in inner if step.many else (inner,) if inner else ():
        yield from _elements(steps[1:], one)
