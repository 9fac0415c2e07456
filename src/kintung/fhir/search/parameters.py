"""Search parameters of each resource type, as the packaged artefact defines them.

Source: the SearchParameter resources of FHIR R4, compiled by
``scripts/build_search_parameters.py``; ``docs/reference/search-parameters.md`` lists them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple, Self

from kintung.errors import BadInput, NotSupported
from kintung.fhir.search.atoms import IN_BODIES, TABLE, Kind, Table
from kintung.fhir.search.catalogue import Component, Entry, Joint, resource_types, type_catalogue

Stored = Literal["id", "updated"]

_STORED: Mapping[str, Stored] = {"_id": "id", "_lastUpdated": "updated"}

Answered = Literal["rows", "columns", "bodies", "nothing"]
"""What a store reads to answer a parameter, and so what it must let the Reader stand on.

``rows``: index rows of the resource; each leads to its resource, on which the Reader stands.
``columns``: columns of the resource itself, on which the Reader stands.
``bodies``: the text of what the rest of the search finds, on which the Reader stands.
``nothing``: a search by it is refused before the store is asked.
"""

_ANSWERED: Mapping[Kind | Stored, Answered] = {
    "token": "rows",
    "uri": "rows",
    "reference": "rows",
    "date": "rows",
    "string": "rows",
    "number": "rows",
    "quantity": "rows",
    "id": "columns",
    "updated": "columns",
    "composite": "rows",
    "special": "nothing",
}
"""By what the store holds beside the resource, else by kind; what is not here does not load."""


class Branch(NamedTuple):
    """An atom a parameter reads; with a target, only its references to that resource type."""

    atom: int
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter of a resource type.

    ``type`` is "" when several types are searched at once; ``branches`` are then those of all.
    ``targets`` are the resource types a reference may lead to, () for any; ``identifiers`` are
    the atoms of the identifiers in its references, which ``:identifier`` asks for.
    ``stored`` marks ``_id`` and ``_lastUpdated``, which the store holds beside the resource:
    they have no branches.
    ``components`` and ``foci`` are those of a composite, which is not asked of rows itself:
    see ``composites``. ``of_type`` says that it reads Identifiers, which ``:of-type`` asks of.
    ``answered`` is what it declares for consent; without it nothing may be searched by it, and
    the registry of interactions does not load.
    """

    type: str
    code: str
    kind: Kind
    branches: tuple[Branch, ...] = ()
    targets: tuple[str, ...] = ()
    url: str = ""
    stored: Stored | None = None
    answered: Answered | None = None
    identifiers: tuple[int, ...] = ()
    components: tuple[Component, ...] = ()
    foci: tuple[tuple[Joint, ...], ...] = ()
    of_type: bool = False

    def of_identifiers(self) -> Self:
        """The token parameter that a search by a reference with ``:identifier`` is.

        Raises:
            NotSupported: what it reads are no References.
        """
        if not self.identifiers:
            raise NotSupported(f"what {shown(self.code)} reads has no identifier beside it")
        branches = tuple(map(Branch, self.identifiers))
        return replace(self, kind="token", branches=branches, targets=(), identifiers=())

    @property
    def searchable(self) -> bool:
        """Does it declare that something answers it?"""
        return self.answered in ("rows", "columns", "bodies")

    @property
    def table(self) -> Table:
        """The list of ``Extracted`` its rows are in; KeyError for special."""
        return TABLE[self.kind]

    def joined(self, joint: Joint) -> "Parameter":
        """Return what one joint of a composite is asked of: an atom of one component, or a pair."""
        components = tuple(self.components[place] for place in joint.places)
        is_single = len(components) == 1
        return replace(
            self,
            kind=components[0].kind if is_single else "composite",
            branches=tuple(Branch(atom) for atom in joint.atoms),
            targets=components[0].targets if is_single else (),
            components=() if is_single else components,
            foci=(),
        )


def parameter(type: str, code: str) -> Parameter:
    """Return the search parameter ``code`` of a resource type.

    Raises:
        BadInput: there is no such resource type.
        NotSupported: the type has no such parameter; the message names the nearest ones.
    """
    known = parameters(type)
    if code not in known:
        raise NotSupported(f"{type} has no search parameter {shown(code)}{nearest(code, known)}", path=code)
    return known[code]


@cache
def parameters(type: str) -> Mapping[str, Parameter]:
    """Return all search parameters of a resource type by code, common ones included.

    Raises:
        BadInput: there is no such resource type.
    """
    if type not in resource_types():
        raise BadInput(f"{shown(type)} is not a resource type of FHIR R4{nearest(type, resource_types())}")
    found = type_catalogue(type)
    identifiers = frozenset(
        atom.number for atom in found.atoms if any(leaf.conversion == "identifier" for leaf in atom.leaves)
    )
    return MappingProxyType(
        {code: _parameter(type, code, entry, identifiers) for code, entry in found.parameters.items()}
    )


@lru_cache(maxsize=1_024)
def together(types: tuple[str, ...], code: str) -> Parameter:
    """Return one parameter for a search of several types: the branches of all of them.

    Raises:
        NotSupported: a type lacks it, or it is of another kind there.
    """
    if len(types) == 1:
        return parameter(types[0], code)
    each = [parameter(type, code) for type in types]
    if len({one.kind for one in each}) > 1:
        raise NotSupported(
            f"{shown(code)} is of different kinds in these types; search them one by one", path=code
        )
    first = each[0]
    if len({one.components for one in each}) > 1:
        raise NotSupported(
            f"{shown(code)} has different components in these types; search them one by one", path=code
        )
    open_target = any(not one.targets for one in each)
    return Parameter(
        type="",
        code=code,
        kind=first.kind,
        branches=tuple(branch for one in each for branch in one.branches),
        targets=() if open_target else tuple(sorted({target for one in each for target in one.targets})),
        url=first.url,
        stored=first.stored,
        answered=first.answered,
        identifiers=tuple(atom for one in each for atom in one.identifiers),
        components=first.components,
        foci=_merged([focus for one in each for focus in one.foci]),
        of_type=any(one.of_type for one in each),
    )


def _merged(foci: Iterable[tuple[Joint, ...]]) -> tuple[tuple[Joint, ...], ...]:
    """Foci of one joint each are asked of all their atoms at once."""
    single: dict[tuple[int, ...], list[int]] = {}
    several: list[tuple[Joint, ...]] = []
    for focus in foci:
        if len(focus) == 1:
            single.setdefault(focus[0].places, []).extend(focus[0].atoms)
        else:
            several.append(focus)
    merged = [(Joint(places, tuple(atoms)),) for places, atoms in single.items()]
    return (*merged, *dict.fromkeys(several))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``; nearest: a, b`` or nothing, to end a message about an unknown name."""
    close = get_close_matches(word[:64], known, n=3, cutoff=0.5)
    return f"; nearest: {', '.join(close)}" if close else ""


def shown(name: str) -> str:
    """Return a name from outside as a message may hold it: quoted, printable, short."""
    return repr(name[:64])


def _parameter(type: str, code: str, entry: Entry, identifiers: frozenset[int]) -> Parameter:
    narrowed = {target for _, target in entry.branches}
    # A parameter whose every branch asks for one type (patient) leads to no other, even where
    # the definition, shared by many types, names more.
    targets = entry.targets if None in narrowed or not narrowed else tuple(sorted(filter(None, narrowed)))
    stored = _STORED.get(code)
    composite = type_catalogue(type).composites.get(code)
    return Parameter(
        type=type,
        code=code,
        kind=entry.kind,
        branches=tuple(Branch(atom, target) for atom, target in entry.branches),
        targets=targets,
        url=entry.url,
        stored=stored,
        answered="bodies" if code in IN_BODIES else _ANSWERED.get(stored or entry.kind),
        identifiers=entry.identifiers,
        components=composite.components if composite else (),
        foci=composite.foci if composite else (),
        of_type=entry.kind == "token" and any(atom in identifiers for atom, _ in entry.branches),
    )
