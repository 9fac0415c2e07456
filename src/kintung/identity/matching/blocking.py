"""Keys under which records are worth comparing: two records that share none are not compared.

A key is a text, made of one record alone, so that keys can be indexed as records come. Identity
numbers come first; then the birth date with the surname, as characters or as one of the characters
its spelling may stand for, with the given name or with the district; then names with one part of
the birth date, for dates that are wrong, or alone; then telephones; and addresses with two parts of
the birth date, where name and date are both wrong, which the index has none of.

What keys are made of is a table, so that a database makes the same ones of features in columns.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain, product
from operator import attrgetter

from kintung.identity.matching.features import Record

Texts = Callable[[Record], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Key:
    """Keys of one kind: what they begin with, and a text for each part, in every combination.

    A part is named by the features that the text may come from: sets, or one text that may be None.
    """

    prefix: str
    parts: tuple[tuple[str, ...], ...]
    _texts: tuple[Texts, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_texts", tuple(map(_texts, self.parts)))

    def of(self, record: Record) -> Iterable[str]:
        """The keys of a record."""
        return map(":".join, product((self.prefix,), *[texts(record) for texts in self._texts]))


def _texts(part: tuple[str, ...]) -> Texts:
    if len(part) == 1:
        return _alone(part[0])
    sets: Callable[[Record], tuple[frozenset[str], ...]] = attrgetter(*part)
    return lambda record: _NONE.union(*sets(record))


def _alone(feature: str) -> Texts:
    read: Callable[[Record], Iterable[str] | None] = attrgetter(feature)

    def texts(record: Record) -> Iterable[str]:
        found = read(record)
        if found is None:
            return ()
        return (found,) if isinstance(found, str) else found

    return texts


_NONE: frozenset[str] = frozenset()
_SURNAMES = ("surname_pivot", "surname_latin", "surname_other")
_GIVENS = ("given_folded", "given_latin", "given_other")
_NAME = (("surname_folded", "surname_latin"), ("given_folded", "given_latin"))

NUMBERED = Key("n", (("numbers", "near_numbers", "other_numbers"),))
BORN = Key("b", (("birth_day",), (*_SURNAMES, *_GIVENS, "places")))
SWAPPED = Key("b", (("birth_swapped",), _SURNAMES))
NAMED = Key("g", _NAME)
NAMED_BORN = Key("g", (*_NAME, ("birth_marks",)))
PHONED = Key("p", (("phones",),))
LIVING = Key("a", (("addresses",), ("birth_parts",)))

LIKENESS = (BORN, SWAPPED, NAMED, NAMED_BORN, PHONED)
KEYS = (NUMBERED, *LIKENESS, LIVING)


def blocking_keys(record: Record) -> frozenset[str]:
    """Every key of a record. Those of identity numbers begin with ``n:``, and hold them in clear."""
    return _made(record, KEYS)


def likeness_keys(record: Record) -> frozenset[str]:
    """The keys that are neither of numbers nor of addresses."""
    return _made(record, LIKENESS)


def stored_keys(record: Record) -> frozenset[str]:
    """Of those, the keys to keep a record under, so that ``likeness_keys`` of another find it.

    Day and month are swapped by who asks, and a whole name stands alone only where there is no birth date.
    """
    return _made(record, (BORN, NAMED if record.birth is None else NAMED_BORN, PHONED))


def number_keys(record: Record) -> frozenset[str]:
    """The keys of identity numbers, those one slip away included."""
    return _made(record, (NUMBERED,))


def _made(record: Record, keys: Iterable[Key]) -> frozenset[str]:
    return frozenset(chain.from_iterable([key.of(record) for key in keys]))
