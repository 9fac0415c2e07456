"""What goes wrong when a person is written down, one function a corruption.

Each changes of a :class:`Draft` what its definition says (``definitions/corruptions/``) and nothing
else, and returns whether it could: a surname of one character cannot be parted.
"""

from collections.abc import Mapping
from functools import cache

from kintung.definitions.corruptions import corruptions
from kintung.synth.chance import Chance
from kintung.synth.corruptions import births, characters, contacts, letters, married, numbers, private_use
from kintung.synth.corruptions.registered import Corrupt
from kintung.synth.draft import Draft

CORRUPTIONS: Mapping[str, Corrupt] = {
    **numbers.CORRUPTIONS,
    **characters.CORRUPTIONS,
    **married.CORRUPTIONS,
    **private_use.CORRUPTIONS,
    **letters.CORRUPTIONS,
    **births.CORRUPTIONS,
    **contacts.CORRUPTIONS,
}
"""By id, in the order in which they befall a record: of names, what is cut is cut last."""
_ONCE = ("birth date", "telephone")


@cache
def at_rates(rates: float) -> tuple[tuple[str, str, float, Corrupt], ...]:
    """Return id, feature, rate and function of each, the rates multiplied."""
    known = corruptions()
    return tuple(
        (id, known[id].feature, min(1.0, float(known[id].rate) * rates), corrupt)
        for id, corrupt in CORRUPTIONS.items()
    )


def befall(draft: Draft, rates: float, chance: Chance) -> tuple[str, ...]:
    """Corrupt a draft by the rates and return which corruptions befell it.

    Of corruptions of a birth date or a telephone at most one befalls a record.
    """
    found: list[str] = []
    spent: set[str] = set()
    for id, feature, rate, corrupt in at_rates(rates):
        if chance.random() < rate and feature not in spent and corrupt(draft, chance):
            found.append(id)
            if feature in _ONCE:
                spent.add(feature)
    return tuple(found)
