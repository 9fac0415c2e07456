"""The rows that names have in the search index beside those of the standard, and what asks for them.

Source: http://hl7.org/fhir/R4/patient.html#search says of ``name`` that the server defines what it
matches, and of ``phonetic`` that the algorithm is the server's. See the ADR on names in any script.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from kintung.fhir.search import (
    Branch,
    Condition,
    Criterion,
    Parameter,
    String,
    StringValue,
    parameters,
)
from kintung.fhir.search.text import folded
from kintung.identity.name_search.keys import keys_of
from kintung.identity.name_search.sought import NameCode, Rows, Sought, sought

FORM = 2
"""Of the keys; to be raised when the same name has other keys than before."""

ATOMS = {"Patient": -1, "Person": -2, "RelatedPerson": -3, "Practitioner": -4}
"""Atoms of the keys, by type: those of the standard's parameters count from 1."""

_CODES: dict[str, NameCode] = {"name": "name", "phonetic": "name", "family": "family", "given": "given"}
"""Parameters that find a name in its other forms, and what of it they ask for."""

MOST_TEXTS = 20
"""Alternatives of one parameter up to which each is sought in its other forms."""
_MOST_OF_ALL = 800
"""Other forms of all of them; what is left out is the least likely of each."""


def is_found_in_any_form(type: str, code: str) -> bool:
    """Does a search parameter of a type find a name in its other forms?"""
    return type in ATOMS and code in _CODES and code in parameters(type)


def name_rows(resource: dict[str, Any]) -> Sequence[String]:
    """The rows of a resource that its names are found by in their other forms.

    Pure, and the same wherever the packaged tables are the same (``names_fingerprint``).
    """
    atom = ATOMS.get(resource["resourceType"])
    if atom is None:
        return ()
    keys = dict.fromkeys(key for name in resource.get("name", ()) for key in keys_of(name))
    return [(atom, folded(key), "") for key in keys]


@cache
def names_fingerprint() -> str:
    """What changes whenever the rows of any name may: the SHA-256 of their form and of the tables."""
    characters = files("kintung.identity.names") / "data/characters.tsv.zst"
    written = files("kintung.definitions") / "compiled/names.json"
    return sha256(b"%d\n%b%b" % (FORM, characters.read_bytes(), written.read_bytes())).hexdigest()


def name_forms(parameter: Parameter, texts: Sequence[str]) -> Sequence[Condition]:
    """Conditions of which one holds of a resource that has one of the names in another form."""
    asked = _asked(parameter) if len(texts) <= MOST_TEXTS else None
    if asked is None:
        return ()
    code, written, keys = asked
    found: dict[Rows, list[Sought]] = {"written": [], "whole": [], "key": []}
    for text in texts:
        for each in sought(code, text)[: _MOST_OF_ALL // len(texts)]:
            found[each.rows].append(each)
    return [
        _criterion(keys if rows == "key" else written, rows, forms) for rows, forms in found.items() if forms
    ]


def condition_of(parameter: Parameter, each: Sought) -> Criterion:
    """The condition that a resource has one form.

    Raises:
        ValueError: names are not what the parameter asks for.
    """
    asked = _asked(parameter)
    if asked is None:
        raise ValueError(parameter.code)
    _, written, keys = asked
    return _criterion(keys if each.rows == "key" else written, each.rows, [each])


def _criterion(parameter: Parameter, rows: Rows, found: Iterable[Sought]) -> Criterion:
    values = tuple(dict.fromkeys(map(_value, found)))
    return Criterion(parameter, "exact" if rows == "whole" else None, values)


def _value(each: Sought) -> StringValue:
    return StringValue(each.text, each.text if each.rows == "key" else folded(each.text))


@lru_cache(256)
def _asked(parameter: Parameter) -> tuple[NameCode, Parameter, Parameter] | None:
    """What of a name is asked for, of the types that have keys: as it is written, and by its keys."""
    code = _CODES.get(parameter.code)
    if code is None:
        return None
    types = [
        type
        for type in ATOMS
        if (own := parameters(type).get(parameter.code)) and set(own.branches) <= set(parameter.branches)
    ]
    if not types:
        return None
    branches = tuple(branch for type in types for branch in parameters(type)[parameter.code].branches)
    written = replace(parameter, branches=branches)
    return code, written, replace(parameter, branches=tuple(Branch(ATOMS[type]) for type in types))
