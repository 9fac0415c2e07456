"""What goes wrong with names in Chinese characters, and with their telegraph codes."""

from functools import cache

from kintung.definitions.corruptions import pairs
from kintung.synth.chance import Chance
from kintung.synth.corruptions.registered import Corrupt, registered_in
from kintung.synth.corruptions.slips import one_of, other_digit
from kintung.synth.draft import Draft
from kintung.synth.names import Han

CORRUPTIONS: dict[str, Corrupt] = {}
_corruption = registered_in(CORRUPTIONS)


@_corruption("telegraph-blank")
def telegraph_blank(draft: Draft, _chance: Chance) -> bool:
    if not draft.telegraph:
        return False
    draft.telegraph = ()
    return True


@_corruption("telegraph-wrong")
def telegraph_wrong(draft: Draft, chance: Chance) -> bool:
    if not draft.telegraph:
        return False
    codes = list(draft.telegraph)
    place = int(chance.random() * len(codes))
    codes[place] = other_digit(codes[place], int(chance.random() * 4), chance)
    draft.telegraph = tuple(codes)
    return True


@_corruption("merged-surname")
def merged_surname(draft: Draft, _chance: Chance) -> bool:
    other = _pairs("merged").get(draft.han.surname) if draft.han else None
    if other is None or draft.han is None:
        return False
    draft.han = draft.han._replace(surname=other)
    return True


@_corruption("variant-character")
def variant_character(draft: Draft, chance: Chance) -> bool:
    return _replace_one(draft, _pairs("variants"), chance)


@_corruption("homophone-character")
def homophone_character(draft: Draft, chance: Chance) -> bool:
    return _replace_one(draft, _pairs("homophones"), chance, of_surname=False)


@_corruption("given-name-reversed")
def given_name_reversed(draft: Draft, _chance: Chance) -> bool:
    if draft.han is None or len(draft.han.given) != 2:
        return False
    draft.han = draft.han._replace(given=draft.han.given[::-1])
    return True


@_corruption("compound-surname-split")
def compound_surname_split(draft: Draft, _chance: Chance) -> bool:
    if draft.han is None or len(draft.han.surname) != 2:
        return False
    draft.han = Han(draft.han.surname[0], draft.han.surname[1] + draft.han.given)
    return True


@cache
def _pairs(id: str) -> dict[str, str]:
    """The characters of a table of pairs, each with the one it is taken for."""
    both = pairs()[id].pairs.split()
    return {b: a for a, b in both} | {pair[0]: pair[1] for pair in reversed(both)}


def _replace_one(draft: Draft, others: dict[str, str], chance: Chance, *, of_surname: bool = True) -> bool:
    """Put another character for one of the name, the first that has one."""
    if draft.han is None:
        return False
    whole = draft.han.surname + draft.han.given
    start = 0 if of_surname else len(draft.han.surname)
    places = [place for place in range(start, len(whole)) if whole[place] in others]
    if not places:
        return False
    place = one_of(places, chance)
    whole = whole[:place] + others[whole[place]] + whole[place + 1 :]
    draft.han = Han(whole[: len(draft.han.surname)], whole[len(draft.han.surname) :])
    return True
