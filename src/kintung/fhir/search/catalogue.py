"""The compiled search parameters of all resource types, as the package ships them.

The artefact is one gzipped JSON file. Types are decoded when first asked for: a node that
meets ten types pays for ten.
"""

import gzip
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

import msgspec

from kintung.fhir.search.atoms import Atom, Kind, Pair
from kintung.fhir.search.rows import FORM

ARTEFACT = "search-parameters.json.gz"


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A parameter of a type. A branch is (atom number, target type or None).

    ``identifiers`` are the atoms of the identifiers that stand in the references it reads.
    """

    url: str
    kind: Kind
    branches: tuple[tuple[int, str | None], ...]
    targets: tuple[str, ...]
    identifiers: tuple[int, ...] = ()


class Component(NamedTuple):
    """One component of a composite: how its value is read, and what its references may lead to."""

    kind: Kind
    targets: tuple[str, ...] = ()


class Joint(NamedTuple):
    """Components, by their places in the definition, and the atoms that hold their values.

    One component has atoms of the table of its kind; two have Pairs.
    """

    places: tuple[int, ...]
    atoms: tuple[int, ...]


class Composite(msgspec.Struct, frozen=True, array_like=True):
    """Values that must stand together in one element.

    Each of the ``foci`` is where they may do so: there all its joints must hold, each by itself.
    """

    components: tuple[Component, ...]
    foci: tuple[tuple[Joint, ...], ...]


class TypeCatalogue(msgspec.Struct, frozen=True):
    """What is known of one resource type."""

    atoms: tuple[Atom, ...]
    parameters: dict[str, Entry]
    composites: dict[str, Composite] = {}
    pairs: tuple[Pair, ...] = ()


class Catalogue(msgspec.Struct, frozen=True):
    """The whole artefact.

    ``next`` is the number the next new atom will get. ``retired`` numbers were in use once, by
    the key of their atom; they come back into use only for the same atom.
    """

    source: str
    next: int
    types: dict[str, msgspec.Raw]
    retired: dict[str, int] = {}


_TYPE = msgspec.json.Decoder(TypeCatalogue)


def packaged() -> bytes:
    """Return the JSON of the packaged artefact."""
    return gzip.decompress((files("kintung.fhir") / "data" / ARTEFACT).read_bytes())


@cache
def _catalogue() -> tuple[Catalogue, str]:
    text = packaged()
    return msgspec.json.decode(text, type=Catalogue), sha256(b"%d\n%b" % (FORM, text)).hexdigest()


def fingerprint() -> str:
    """Return what changes whenever the rows of any resource may.

    It is the SHA-256 of the form of rows and of the artefact.
    """
    return _catalogue()[1]


def resource_types() -> frozenset[str]:
    """Return the 146 concrete resource types of FHIR R4."""
    return _types()


@cache
def _types() -> frozenset[str]:
    return frozenset(_catalogue()[0].types)


@cache
def type_catalogue(type: str) -> TypeCatalogue:
    """Return what is known of one resource type; KeyError when there is none of that name."""
    return _TYPE.decode(_catalogue()[0].types[type])
