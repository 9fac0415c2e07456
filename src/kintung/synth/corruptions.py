"""What goes wrong when a person is written down, one function a corruption.

Each changes of a :class:`Draft` what its definition says (``definitions/corruptions/``) and nothing
else, and returns whether it could: a surname of one character cannot be parted.
"""

from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from typing import TypeVar

from kintung.definitions.corruptions import corruptions, pairs
from kintung.identity.names import from_private_use
from kintung.synth import names
from kintung.synth.chance import Chance
from kintung.synth.draft import CARD_WIDTH, Draft
from kintung.synth.names import Han

T = TypeVar("T")

Corrupt = Callable[[Draft, Chance], bool]

_REGISTRY: dict[str, Corrupt] = {}
"""By id, in the order in which they befall a record: what is cut is cut last."""


def _corruption(id: str) -> Callable[[Corrupt], Corrupt]:
    def register(corrupt: Corrupt) -> Corrupt:
        _REGISTRY[id] = corrupt
        return corrupt

    return register


def registry() -> dict[str, Corrupt]:
    """Every corruption by its id, in order."""
    return dict(_REGISTRY)


@cache
def at_rates(rates: float) -> tuple[tuple[str, str, float, Corrupt], ...]:
    """Return id, feature, rate and function of each, the rates multiplied."""
    known = corruptions()
    return tuple(
        (id, known[id].feature, min(1.0, float(known[id].rate) * rates), corrupt)
        for id, corrupt in _REGISTRY.items()
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


_ONCE = ("birth date", "telephone")


# --- identity numbers ---------------------------------------------------------------------------


@_corruption("family-card")
def family_card(draft: Draft, chance: Chance) -> bool:
    if not (draft.person.relatives and draft.numbers):
        return False
    relative = _one_of(draft.person.relatives, chance)
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
    number = _one_of(draft.numbers, chance)
    kept = _KEPT.get(number.system, ())
    places = [place for place, sign in enumerate(number.value) if sign.isdigit() and place not in kept]
    swappable = [
        place for place in places if place + 1 in places and number.value[place] != number.value[place + 1]
    ]
    if swappable and chance.random() < 10.2 / (79.1 + 10.2):
        number.value = _swapped(number.value, _one_of(swappable, chance))
    else:
        number.value = _other_digit(number.value, _one_of(places, chance), chance)
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


# --- names in Chinese characters -----------------------------------------------------------------


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
    codes[place] = _other_digit(codes[place], int(chance.random() * 4), chance)
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


# --- names of married women ------------------------------------------------------------------------


@_corruption("married-prefix")
def married_prefix(draft: Draft, _chance: Chance) -> bool:
    return _with_husband(draft, first=True)


@_corruption("married-suffix")
def married_suffix(draft: Draft, _chance: Chance) -> bool:
    return _with_husband(draft, first=False)


def _with_husband(draft: Draft, *, first: bool) -> bool:
    """Put the husband's surname beside a woman's own, in each script on record; once.

    A mainland record follows the travel document, which has her own name.
    """
    person, husband = draft.person, draft.person.husband
    if husband is None or draft.system.country == "CN" or not person.region.startswith("hong-kong"):
        return False
    if draft.surname != person.latin.surname:
        return False  # it stands there by now
    han, latin = husband
    if draft.han and han:
        draft.han = draft.han._replace(surname=_beside(han.surname, draft.han.surname, "", first))
        draft.telegraph = ()
    draft.surname = _beside(latin.surname, draft.surname, " ", first)
    return True


def _beside(husband: str, own: str, between: str, first: bool) -> str:
    return f"{husband}{between}{own}" if first else f"{own}{between}{husband}"


@_corruption("private-use")
def private_use(draft: Draft, _chance: Chance) -> bool:
    if draft.han is None or draft.system.country != "HK":
        return False
    replaced = Han(*(part.translate(_private_use()) for part in draft.han))
    changed = replaced != draft.han
    draft.han = replaced
    return changed


# --- names in Latin letters ----------------------------------------------------------------------


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
    place = _one_of(places, chance)
    letter = chr(ord("a") + (ord(text[place].lower()) - ord("a") + 1 + int(chance.random() * 25)) % 26)
    text = text[:place] + (letter.upper() if text[place].isupper() else letter) + text[place + 1 :]
    if of_given:
        draft.given = text
    else:
        draft.surname = text
    return True


@_corruption("names-swapped")
def names_swapped(draft: Draft, _chance: Chance) -> bool:
    if not draft.surname or not draft.given:
        return False
    draft.surname, draft.given = draft.given, draft.surname
    return True


@_corruption("truncated")
def truncated(draft: Draft, _chance: Chance) -> bool:
    draft.cut = bool(draft.surname) and len(draft.latin_text) > CARD_WIDTH
    return draft.cut


# --- birth dates, sexes, telephones, addresses -----------------------------------------------------


@_corruption("birth-lunar")
def birth_lunar(draft: Draft, _chance: Chance) -> bool:
    if not _is_old(draft):
        return False
    lunar = lunar_date(draft.person.born)
    if lunar is None or lunar == draft.person.born:
        return False
    draft.birth = lunar.isoformat()
    return True


@_corruption("birth-swapped")
def birth_swapped(draft: Draft, _chance: Chance) -> bool:
    born = draft.person.born
    if born.day > 12 or born.day == born.month:
        return False
    draft.birth = born.replace(month=born.day, day=born.month).isoformat()
    return True


@_corruption("birth-year-only")
def birth_year_only(draft: Draft, _chance: Chance) -> bool:
    if not _is_old(draft):
        return False
    draft.birth = draft.birth[:4]
    return True


@_corruption("birth-first-of-january")
def birth_first_of_january(draft: Draft, _chance: Chance) -> bool:
    if draft.system.country != "CN" or draft.birth.endswith("-01-01"):
        return False
    draft.birth = f"{draft.person.born.year}-01-01"
    return True


@_corruption("birth-year-off")
def birth_year_off(draft: Draft, chance: Chance) -> bool:
    born = draft.person.born
    # Nobody is written down before being born.
    year = born.year + (1 if chance.random() < 0.5 and born.year < draft.registered.year else -1)
    draft.birth = f"{year}-{born.month:02}-{min(born.day, 28) if born.month == 2 else born.day:02}"
    return True


@_corruption("birth-typo")
def birth_typo(draft: Draft, chance: Chance) -> bool:
    """One digit of the day, month or year is another, and the date is one."""
    born = draft.person.born.isoformat()
    for _ in range(20):
        typed = _other_digit(born, _one_of((2, 3, 5, 6, 8, 9), chance), chance)
        try:
            found = date.fromisoformat(typed)
        except ValueError:
            continue
        if found <= draft.registered:
            draft.birth = typed
            return True
    return False


@_corruption("sex-code")
def sex_code(draft: Draft, _chance: Chance) -> bool:
    draft.sex = "male" if draft.sex == "female" else "female"
    return True


@_corruption("family-phone")
def family_phone(draft: Draft, chance: Chance) -> bool:
    if not draft.person.relatives:
        return False
    telephone = _one_of(draft.person.relatives, chance).telephone
    changed = telephone != draft.telephone
    draft.telephone = telephone
    return changed


@_corruption("phone-absent")
def phone_absent(draft: Draft, _chance: Chance) -> bool:
    draft.telephone = None
    return True


@_corruption("phone-changed")
def phone_changed(draft: Draft, _chance: Chance) -> bool:
    draft.telephone = draft.person.former_telephone
    return True


@_corruption("address-changed")
def address_changed(draft: Draft, _chance: Chance) -> bool:
    changed = draft.person.former_address != draft.address
    draft.address = draft.person.former_address
    return changed


# --- pieces -------------------------------------------------------------------------------------------


def printed(system: str, normal: str) -> str:
    """Return a number as its document shows it: check digits in brackets."""
    if system in ("hkid", "hk-birth-certificate", "macao-bir"):
        return f"{normal[:-1]}({normal[-1]})"
    return normal


_NEW_MOON = date(2000, 1, 6)
_MOON_DAYS = 29.530588


def lunar_date(born: date) -> date | None:
    """Return the day and month of the Chinese calendar, read as those of ours; right to a day or so.

    Counted from mean new moons, the first month being that of the new moon nearest 5 February;
    leap months are left out. None for a day that we do not have, such as the 30th of the second.
    """
    moon, age = divmod((born - _NEW_MOON).days, _MOON_DAYS)
    year = born.year if _first_moon(born.year) <= moon else born.year - 1
    try:
        return date(year, min(int(moon - _first_moon(year)) + 1, 12), int(age) + 1)
    except ValueError:
        return None


def _first_moon(year: int) -> int:
    """Which new moon begins a year of the Chinese calendar."""
    return round((date(year, 2, 5) - _NEW_MOON).days / _MOON_DAYS)


def _is_old(draft: Draft) -> bool:
    return draft.registered.year - draft.person.born.year >= 50


def _one_of(values: Sequence[T], chance: Chance) -> T:
    return values[int(chance.random() * len(values))]


def _other_digit(text: str, place: int, chance: Chance) -> str:
    digit = (int(text[place]) + 1 + int(chance.random() * 9)) % 10
    return f"{text[:place]}{digit}{text[place + 1 :]}"


def _swapped(text: str, place: int) -> str:
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


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
    place = _one_of(places, chance)
    whole = whole[:place] + others[whole[place]] + whole[place + 1 :]
    draft.han = Han(whole[: len(draft.han.surname)], whole[len(draft.han.surname) :])
    return True


@cache
def _private_use() -> dict[int, str]:
    """Characters that old Hong Kong records hold in the private use area, and where."""
    found: dict[int, str] = {}
    for point in range(0xE000, 0xF849):
        meant = from_private_use(chr(point)).text
        if meant != chr(point) and len(meant) == 1:
            found.setdefault(ord(meant), chr(point))
    return found
