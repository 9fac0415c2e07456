"""Compartments: what belongs to one Patient, Encounter, Practitioner, RelatedPerson or Device.

Source: http://hl7.org/fhir/R4/compartmentdefinition.html; the CompartmentDefinition resources of FHIR
R4, compiled by ``scripts/build_compartments.py``. A compartment says what is searched, never who may
see it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from importlib.resources import files

import msgspec

from kintung.errors import NotSupported
from kintung.fhir.search.criteria import Compartment, Query
from kintung.fhir.search.parameters import Parameter, parameters

ARTEFACT = "compartments.json"

_Members = Mapping[str, tuple[str, ...]]


def compartment_types() -> frozenset[str]:
    """Return the resource types that have compartments."""
    return frozenset(_compartments())


def members(type: str) -> frozenset[str]:
    """Return the resource types that may be in the compartment of a resource of this type, its own too."""
    return frozenset(_compartments()[type]) | {type}


def compartment(type: str, ids: tuple[str, ...], of: Sequence[str] = ()) -> Compartment:
    """Return the condition to be in the compartment of one of several resources of a type.

    Args:
        type: one of ``compartment_types``.
        ids: those whose compartments are searched, as one.
        of: the types searched; none named for every type a compartment may hold.

    Raises:
        NotSupported: a type is never in such a compartment; ``path`` is left to the caller.
    """
    of = tuple(of) or tuple(sorted(members(type)))
    for searched in of:
        if searched not in members(type):
            raise NotSupported(f"{searched} is never in the compartment of a {type}")
    return Compartment(type, ids, _leading(type, of), itself=type in of)


def in_compartment(query: Query, type: str, id: str) -> Query:
    """Return the query for what of it is in a compartment: of all its types when none is named.

    Raises:
        NotSupported: a type searched is never in such a compartment.
    """
    inside = compartment(type, (id,), query.types)
    return replace(
        query, types=query.types or tuple(sorted(members(type))), criteria=(inside, *query.criteria)
    )


@cache
def _compartments() -> Mapping[str, _Members]:
    packaged = (files("kintung.fhir") / "data" / ARTEFACT).read_bytes()
    return msgspec.json.decode(packaged, type=dict[str, dict[str, tuple[str, ...]]])


@lru_cache(maxsize=256)
def _leading(type: str, of: tuple[str, ...]) -> Parameter:
    """Return one parameter for all that put a resource of the types searched into the compartment."""
    found = _compartments()[type]
    branches = [
        branch
        for member in of
        for code in found.get(member, ())
        for branch in parameters(member)[code].branches
        if branch.target in (None, type)
    ]
    return Parameter(
        type="",
        code=f"the compartment of {type}",
        kind="reference",
        branches=tuple(dict.fromkeys(branches)),
        targets=(type,),
        answered="rows",
    )
