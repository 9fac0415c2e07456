"""Reading ``_include`` and ``_revinclude``: what is given beside the matches of a page.

``_include=Observation:subject`` gives what the matches lead to, ``_revinclude=Observation:subject``
what leads to them; a third piece names the one type a reference must lead to, ``*`` in the place
of the parameter stands for all. Source: http://hl7.org/fhir/R4/search.html#include and #revinclude.
"""

from collections.abc import Sequence
from functools import lru_cache

from kintung.errors import BadInput, NotSupported
from kintung.fhir.search.catalogue import resource_types
from kintung.fhir.search.criteria import Include
from kintung.fhir.search.parameters import Parameter, nearest, parameters, shown

NAMES = ("_include", "_revinclude")

_ITERATE = "iterate"
_EVERY = "*"
_PIECES = (2, 3)


def is_inclusion(name: str) -> bool:
    """Is it the name of one of these parameters, with or without a modifier?"""
    return name.partition(":")[0] in NAMES


def _is_iterated(name: str) -> bool:
    """Does the modifier of the name say that what is included is followed too?

    Raises:
        BadInput: it has another modifier.
    """
    code, _, modifier = name.partition(":")
    if modifier == "recurse":
        raise BadInput(f"the modifier is called :iterate since FHIR R4; write {code}:iterate")
    if modifier not in ("", _ITERATE):
        raise BadInput(f"{shown(modifier)} is no modifier of {code}, which has :iterate alone")
    return modifier == _ITERATE


def inclusion(name: str, value: str, types: Sequence[str]) -> Include:
    """Read one of these parameters in a search of ``types``, all when there are none.

    Raises:
        NotSupported: a type or parameter is unknown, or no match of the search has it.
        BadInput: it cannot be read.
    """
    iterate = _is_iterated(name)
    reverse = name.startswith("_revinclude")
    if value == _EVERY:
        if reverse:
            raise NotSupported("name the type that refers here, as in Observation:*")
        return Include(_of_every_type(), iterate=iterate)
    pieces = value.split(":")
    if len(pieces) not in _PIECES or not all(pieces):
        raise BadInput("it is written Observation:subject, or Observation:subject:Patient")
    source, code, *rest = pieces
    target = rest[0] if rest else None
    for type in (source, *rest):
        _require_type(type)
    found = [each for each in _named(source, code) if target is None or target in (each.targets or (target,))]
    if not found:
        raise NotSupported(f"{code} of {source} does not lead to {target}")
    if not iterate and types:
        found = _of_matches(found, source, target, reverse, types)
    return Include(tuple(found), target, reverse, iterate)


def includes_of(type: str) -> list[str]:
    """What ``_include`` takes in a search of a type, as ``Type:parameter``."""
    return [f"{type}:{each.code}" for each in _references(type)]


def revincludes_of(type: str) -> list[str]:
    """What ``_revinclude`` takes in a search of a type, as ``Type:parameter``."""
    leading = (each for each in _of_every_type() if not each.targets or type in each.targets)
    return [f"{each.type}:{each.code}" for each in leading]


def _require_type(type: str) -> None:
    if type not in resource_types():
        raise NotSupported(
            f"{shown(type)} is not a resource type of FHIR R4{nearest(type, resource_types())}"
        )


def _named(source: str, code: str) -> Sequence[Parameter]:
    """The reference parameters of a type that a name stands for."""
    if code == _EVERY:
        return _references(source)
    found = parameters(source).get(code)
    if found is None:
        raise NotSupported(
            f"{source} has no search parameter {shown(code)}{nearest(code, parameters(source))}"
        )
    if found.kind != "reference":
        raise NotSupported(f"{code} of {source} is a {found.kind}; only references are followed")
    return (found,)


def _of_matches(
    found: Sequence[Parameter], source: str, target: str | None, reverse: bool, types: Sequence[str]
) -> list[Parameter]:
    """Those that lead from what is searched, or to it; what can include nothing is an error."""
    if not reverse:
        if source not in types:
            raise NotSupported(
                f"{source} is not what is searched; _include:iterate follows what is included too"
            )
        return list(found)
    wanted = set(types) if target is None else set(types) & {target}
    kept = [each for each in found if wanted and (not each.targets or wanted & set(each.targets))]
    if not kept:
        raise NotSupported(f"it does not lead to {', '.join(types)}; _revinclude:iterate goes further")
    return kept


def _references(type: str) -> tuple[Parameter, ...]:
    return tuple(each for each in parameters(type).values() if each.kind == "reference")


@lru_cache(maxsize=1)
def _of_every_type() -> tuple[Parameter, ...]:
    return tuple(each for type in sorted(resource_types()) for each in _references(type))
