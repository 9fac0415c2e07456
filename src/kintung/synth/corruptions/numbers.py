"""What goes wrong with identity numbers."""

from collections.abc import Sequence

from kintung.synth.chance import Chance
from kintung.synth.corruptions.registered import Corrupt, registered_in
from kintung.synth.corruptions.slips import one_of, other_digit, swapped
from kintung.synth.draft import Draft
from kintung.synth.numbers import printed

CORRUPTIONS: dict[str, Corrupt] = {}
_corruption = registered_in(CORRUPTIONS)


@_corruption("family-card")
def family_card(draft: Draft, chance: Chance) -> bool:
    if not (draft.person.relatives and draft.numbers):
        return False
    relative = one_of(draft.person.relatives, chance)
    draft.numbers[0].system = relative.system
    draft.numbers[0].value = printed(relative.system, relative.number)
    return True


@_corruption("old-record-number")
def old_record_number(draft: Draft, chance: Chance) -> bool:
    draft.record_number = f"{draft.system.prefix}-{90_000_000 + int(chance.random() * 9_999_999)}"
    return True


_KEPT: dict[str, Sequence[int]] = {
    "mainland-id": range(6),
    "mainland-residence-permit": (*range(6), *range(14, 17)),
    "home-return-permit": range(3),
    "macao-bir": range(2),
    "passport": range(3),
}
"""Places of a number that say that none such is issued; letters are kept in all."""


@_corruption("identifier-typo")
def identifier_typo(draft: Draft, chance: Chance) -> bool:
    """One digit is another, or two neighbours are swapped: 79.1 to 10.2 of errors (Verhoeff 1969).

    What marks the number as one that nobody has stays, so that it becomes nobody's.
    """
    if not draft.numbers:
        return False
    number = one_of(draft.numbers, chance)
    kept = _KEPT.get(number.system, ())
    places = [place for place, sign in enumerate(number.value) if sign.isdigit() and place not in kept]
    swappable = [
        place for place in places if place + 1 in places and number.value[place] != number.value[place + 1]
    ]
    if swappable and chance.random() < 10.2 / (79.1 + 10.2):
        number.value = swapped(number.value, one_of(swappable, chance))
    else:
        number.value = other_digit(number.value, one_of(places, chance), chance)
    return True


@_corruption("permit-reissued")
def permit_reissued(draft: Draft, chance: Chance) -> bool:
    for number in draft.numbers:
        if number.system == "home-return-permit":
            issue = int(number.value[9:] or 1)
            later = f"{issue % 20 + 1 + int(chance.random() * 3):02}"
            number.value = number.value[:9] + ("" if chance.random() < 0.5 else later)
            return True
    return False


@_corruption("identifier-absent")
def identifier_absent(draft: Draft, _chance: Chance) -> bool:
    if not draft.numbers:
        return False
    draft.numbers.clear()
    return True
