"""What goes wrong with names in Latin letters."""

from kintung.synth import names
from kintung.synth.chance import Chance
from kintung.synth.corruptions.registered import Corrupt, registered_in
from kintung.synth.corruptions.slips import one_of
from kintung.synth.draft import CARD_WIDTH, Draft

CORRUPTIONS: dict[str, Corrupt] = {}
_corruption = registered_in(CORRUPTIONS)


@_corruption("polyphone")
def polyphone(draft: Draft, _chance: Chance) -> bool:
    other = names.other_reading(draft.person.han.surname) if draft.in_pinyin and draft.person.han else None
    if other is None or not draft.surname:
        return False
    draft.surname = other
    return True


@_corruption("other-spelling")
def other_spelling(draft: Draft, chance: Chance) -> bool:
    own = draft.person.latin.surname
    if draft.in_pinyin or draft.person.han is None or own not in draft.surname:
        return False
    spelled = names.dialect_spelling(draft.person.han.surname, chance)
    if spelled is None or spelled == own:
        return False
    draft.surname = draft.surname.replace(own, spelled)
    return True


@_corruption("other-syllable")
def other_syllable(draft: Draft, chance: Chance) -> bool:
    person, syllables = draft.person, draft.given.split()
    if draft.in_pinyin or person.han is None or len(syllables) != len(person.han.given) or not draft.surname:
        return False
    place = int(chance.random() * len(syllables))
    spelled = names.respelled(person.han.given[place], person.region)
    changed = spelled != syllables[place]
    syllables[place] = spelled
    draft.given = " ".join(syllables)
    return changed


@_corruption("compound-surname-spacing")
def compound_surname_spacing(draft: Draft, chance: Chance) -> bool:
    own = draft.person.latin.surname
    if (
        draft.person.han is None
        or len(draft.person.han.surname) < 2
        or " " not in own
        or own not in draft.surname
    ):
        return False
    draft.surname = draft.surname.replace(own, own.replace(" ", "" if chance.random() < 0.5 else "-"))
    return True


@_corruption("western-name-added")
def western_name_added(draft: Draft, _chance: Chance) -> bool:
    if not draft.surname or draft.in_pinyin or not draft.person.called or draft.western:
        return False
    draft.western = draft.person.called
    return True


@_corruption("western-name-dropped")
def western_name_dropped(draft: Draft, _chance: Chance) -> bool:
    if not draft.surname or not draft.western or draft.western == draft.person.called:
        return False
    draft.western = ""
    return True


@_corruption("western-name-only")
def western_name_only(draft: Draft, _chance: Chance) -> bool:
    if not draft.surname or not draft.western:
        return False
    draft.given, draft.western_place = "", "first"
    return True


@_corruption("western-name-first")
def western_name_first(draft: Draft, _chance: Chance) -> bool:
    if not draft.surname or not draft.western or draft.western_place == "first":
        return False
    draft.western_place = "first"
    return True


@_corruption("given-name-hyphenated")
def given_name_hyphenated(draft: Draft, _chance: Chance) -> bool:
    return _join_given(draft, "-")


@_corruption("given-name-joined")
def given_name_joined(draft: Draft, _chance: Chance) -> bool:
    return _join_given(draft, "")


def _join_given(draft: Draft, between: str) -> bool:
    first, space, second = draft.given.partition(" ")
    if not draft.surname or not space or draft.person.han is None:
        return False
    draft.given = f"{first}{between}{second.lower()}"
    return True


@_corruption("misspelt")
def misspelt(draft: Draft, chance: Chance) -> bool:
    """One letter of the surname or of the given name is another."""
    if not draft.surname:
        return False
    of_given = bool(draft.given) and chance.random() < 0.6
    text = draft.given if of_given else draft.surname
    places = [place for place, sign in enumerate(text) if sign.isalpha()]
    place = one_of(places, chance)
    letter = chr(ord("a") + (ord(text[place].lower()) - ord("a") + 1 + int(chance.random() * 25)) % 26)
    text = text[:place] + (letter.upper() if text[place].isupper() else letter) + text[place + 1 :]
    if of_given:
        draft.given = text
    else:
        draft.surname = text
    return True


@_corruption("names-swapped")
def namesswapped(draft: Draft, _chance: Chance) -> bool:
    if not draft.surname or not draft.given:
        return False
    draft.surname, draft.given = draft.given, draft.surname
    return True


@_corruption("truncated")
def truncated(draft: Draft, _chance: Chance) -> bool:
    draft.cut = bool(draft.surname) and len(draft.latin_text) > CARD_WIDTH
    return draft.cut
