"""Two values that stand together, as one index row: (atom, first, second, low, high).

Tokens are terms in ``first`` and ``second``. A quantity has its unit in ``second`` and its span
in ``low`` and ``high``, a reference its target in ``first``. Two plain numbers are points, the
first in ``low``, the second in ``high``. What a row has no use for is 0 or empty.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any

from kintung.fhir.search import Composite, OfType, Target, bound_keys
from kintung.store.vault import Vault
from kintung.store.writes import IndexRows, Term

NO_TERM = 0
"""In place of a term, where a row has none; terms count from 1, keyed hashes are below zero."""

_TOKEN = 2
"""Members of a token without its atom; those of a quantity are four."""

Row = tuple[int, Term, Term, bytes, bytes]
Numbered = tuple[int, int, int, bytes, bytes]
Numbers = Callable[[tuple[str, str]], int]


def composite_rows(found: Iterable[Composite], vault: Vault) -> list[Row]:
    """Return the rows without a target; a vaulted token is in each of its forms, none of them in clear."""
    rows = [
        (atom, *row)
        for atom, first, second in found
        if not isinstance(first, Target)
        for row in _rows(first, second, vault)
    ]
    return list(dict.fromkeys(rows))


def relation_rows(found: Iterable[Composite], vault: Vault) -> list[tuple[int, str, str, Term]]:
    """Return the rows of a reference and a token: (atom, type, id, term)."""
    return [
        (atom, first.type, first.id, term)
        for atom, first, second in found
        if isinstance(first, Target)
        for term in vault.forms(*second)
    ]


def composite_terms(index: IndexRows) -> Iterator[tuple[str, str]]:
    """Yield the terms that the rows name, with repetitions."""
    for _, first, second, _, _ in index.composites:
        yield from (term for term in (first, second) if isinstance(term, tuple))
    for *_, second in index.relations:
        if isinstance(second, tuple):
            yield second


def numbered(index: IndexRows, term: Numbers, target: Numbers) -> Iterator[Numbered]:
    """Yield the rows with the numbers of their terms, and of what they lead to."""
    for atom, first, second, low, high in index.composites:
        yield atom, _number(first, term), _number(second, term), low, high
    for atom, type, id, second in index.relations:
        yield atom, target((type, id)), _number(second, term), b"", b""


def _number(term: Term, numbers: Numbers) -> int:
    return term if isinstance(term, int) else numbers(term)


def _rows(
    first: tuple[Any, ...], second: tuple[Any, ...], vault: Vault
) -> Iterable[tuple[Term, Term, bytes, bytes]]:
    if len(first) > _TOKEN:
        return [(NO_TERM, NO_TERM, bound_keys(*first[2:])[0], bound_keys(*second[2:])[0])]
    firsts = vault.forms(*first)
    if len(second) > _TOKEN:
        system, code, low, high = second
        unit = (system or "", code or "")
        return [(term, unit, *bound_keys(low, high)) for term in firsts]
    seconds = [vault.of_value(*second)] if isinstance(second, OfType) else vault.forms(*second)
    return [(*terms, b"", b"") for terms in product(firsts, seconds)]
