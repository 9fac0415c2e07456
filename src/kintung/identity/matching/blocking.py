"""Keys under which records are worth comparing: two records that share none are not compared.

A key is a text, made of one record alone, so that keys can be indexed as records come. Identity
numbers come first; then the birth date with the surname, as characters or as one of the characters
its spelling may stand for, with the given name or with the district; then names with one part of
the birth date, for dates that are wrong, or alone; then telephones; and addresses with two parts of
the birth date, where name and date are both wrong, which the index has none of.
"""

from collections.abc import Iterator
from itertools import product

from kintung.identity.matching.features import Record


def blocking_keys(record: Record) -> frozenset[str]:
    """Every key of a record. Those of identity numbers begin with ``n:``, and hold them in clear."""
    return number_keys(record) | likeness_keys(record) | frozenset(_address_keys(record))


def likeness_keys(record: Record) -> frozenset[str]:
    """The keys that are neither of numbers nor of addresses."""
    return frozenset(
        (
            *_birth_keys(record),
            *_swapped_keys(record),
            *_name_keys(record),
            *_dated_name_keys(record),
            *_phone_keys(record),
        )
    )


def stored_keys(record: Record) -> frozenset[str]:
    """Of those, the keys to keep a record under, so that ``likeness_keys`` of another find it.

    Day and month are swapped by who asks, and a whole name stands alone only where there is no birth date.
    """
    named = _name_keys(record) if record.birth is None else _dated_name_keys(record)
    return frozenset((*_birth_keys(record), *named, *_phone_keys(record)))


def number_keys(record: Record) -> frozenset[str]:
    """The keys of identity numbers, those one slip away included."""
    return frozenset(f"n:{each}" for each in record.numbers | record.near_numbers | record.other_numbers)


def _birth_keys(record: Record) -> Iterator[str]:
    if record.birth_day is not None:
        for other in _surnames(record) | _givens(record) | record.places:
            yield f"b:{record.birth_day}:{other}"


def _swapped_keys(record: Record) -> Iterator[str]:
    if record.birth_swapped is not None:
        for surname in _surnames(record):
            yield f"b:{record.birth_swapped}:{surname}"


def _surnames(record: Record) -> frozenset[str]:
    return record.surname_pivot | record.surname_latin | record.surname_other


def _givens(record: Record) -> frozenset[str]:
    return record.given_folded | record.given_latin | record.given_other


def _name_keys(record: Record) -> Iterator[str]:
    surnames = record.surname_folded | record.surname_latin
    for surname, given in product(surnames, record.given_folded | record.given_latin):
        yield f"g:{surname}:{given}"


def _dated_name_keys(record: Record) -> Iterator[str]:
    if record.birth is None:
        return
    days = (part for part in record.birth_parts if part.startswith("-"))
    for name, when in product(_name_keys(record), (record.birth[:4], *days)):
        yield f"{name}:{when}"


def _address_keys(record: Record) -> Iterator[str]:
    for address, part in product(record.addresses, record.birth_parts):
        yield f"a:{address}:{part}"


def _phone_keys(record: Record) -> Iterator[str]:
    for phone in record.phones:
        yield f"p:{phone}"
