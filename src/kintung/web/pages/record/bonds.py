"""By what the records of a person are certainly one person's, as far as who asks sees them.

Of a number: what document it is of, masked, and who keeps it. Of a decision: that it is a steward's, and
when it was made.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kintung.identity.feed import is_replaced
from kintung.identity.matching.numbers import Numbers, strong_numbers
from kintung.store.links import Link, LinkKind
from kintung.store.port import View
from kintung.store.reader import Reader
from kintung.web.pages.catalogues import N_
from kintung.web.pages.numbers import ShownNumber, shown_numbers
from kintung.web.pages.record.elements import Resource, listed
from kintung.web.pages.record.keepers import Origin

SAME_NUMBER = N_("the same number, its document seen at a counter")
REPLACED = N_("their source says so")
FOUND = N_("the same verified number, or their source says so")
DECIDED = N_("a steward decided it")


class Bond(NamedTuple):
    """Something that makes records one person's: ``message`` says what.

    Attributes:
        number: of :data:`SAME_NUMBER`: what document it is of, and the number, masked.
        keepers: whose records have that number.
        at: of :data:`DECIDED`: when, UTC microseconds.
    """

    message: str
    number: ShownNumber | None = None
    keepers: tuple[Origin, ...] = ()
    at: int = 0


class Kept(NamedTuple):
    """A Patient of the person, and who keeps it."""

    resource: Resource
    keeper: Origin


def bonds(view: View, reader: Reader, ids: tuple[str, ...], patients: Mapping[str, Kept]) -> tuple[Bond, ...]:
    """What links the source Patients of a person in sight, numbers first; nothing of what is only probable.

    Args:
        patients: those that are known, by id; a number is named where it stands in them.
    """
    if len(ids) == 1:
        return ()
    links = {link.pair: link for id in ids for link in view.links_of(reader, id)}.values()
    among = [link for link in links if link.one in ids and link.other in ids and link.is_linked]
    found = [bond for link in among for bond in _of(view, reader, link, patients)]
    kinds = (SAME_NUMBER, REPLACED, FOUND, DECIDED)
    return tuple(_joined(sorted(found, key=lambda bond: (kinds.index(bond.message), bond.at))))


def _of(view: View, reader: Reader, link: Link, patients: Mapping[str, Kept]) -> tuple[Bond, ...]:
    """What one link rests on."""
    if link.decided is LinkKind.MERGED:
        said = [each for each in view.said(reader, *link.pair) if each.kind is LinkKind.MERGED]
        return (Bond(DECIDED, at=said[-1].at if said else link.at),)
    sides = [patients[id] for id in link.pair if id in patients]
    if len(sides) < len(link.pair):
        return (Bond(FOUND),)
    one, other = sides
    shared = _seen_in_common(*(strong_numbers(listed(side.resource, "identifier")) for side in sides))
    numbers = shown_numbers(
        identifier
        for identifier in listed(one.resource, "identifier")
        if strong_numbers([identifier]).numbers & shared
    )
    if numbers:
        return tuple(Bond(SAME_NUMBER, number, (one.keeper, other.keeper)) for number in numbers)
    return (Bond(REPLACED if is_replaced(one.resource, other.resource, link.pair) else FOUND),)


def _seen_in_common(one: Numbers, other: Numbers) -> frozenset[str]:
    """The numbers that two have, and whose document was seen at the counter of one at least."""
    return (one.verified & other.numbers) | (one.numbers & other.verified)


def _joined(found: Iterable[Bond]) -> Iterable[Bond]:
    """Each kind, and each number, once, with all who keep it; of decisions the last."""
    joined: dict[tuple[str, ShownNumber | None], Bond] = {}
    for bond in found:
        key = (bond.message, bond.number)
        before = joined.get(key, bond).keepers
        joined[key] = bond._replace(keepers=tuple(dict.fromkeys((*before, *bond.keepers))))
    return joined.values()
