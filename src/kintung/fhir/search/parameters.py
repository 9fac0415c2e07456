"""Search parameters of each resource type, as the packaged artefact defines them.

Source: the SearchParameter resources of FHIR R4, compiled by
``scripts/build_search_parameters.py``; ``docs/reference/search-parameters.md`` lists them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["token", "reference", "date", "string", "number", "quantity", "uri", "composite", "special"]
Stored = Literal["id", "updated"]


class Branch(NamedTuple):
    """An atom a parameter reads; with a target, only its references to that resource type."""

    atom: int
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter of a resource type.

    ``type`` is "" when several types are searched at once; ``branches`` are then those of all.
    ``targets`` are the resource types a reference may lead to, () for any.
    ``stored`` marks ``_id`` and ``_lastUpdated``, which the store holds beside the resource:
    they have no branches.
    """

    type: str
    code: str
    kind: Kind
    branches: tuple[Branch, ...] = ()
    targets: tuple[str, ...] = ()
    url: str = ""
    stored: Stored | None = None


def parameter(type: str, code: str) -> Parameter:
    """Return the search parameter ``code`` of a resource type.

    Raises:
        BadInput: there is no such resource type.
        NotSupported: the type has no such parameter; the message names the nearest ones.
    """
    raise NotImplementedError


def parameters(type: str) -> Mapping[str, Parameter]:
    """Return all search parameters of a resource type by code, common ones included."""
    raise NotImplementedError
