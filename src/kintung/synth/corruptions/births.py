"""What goes wrong with birth dates."""

from datetime import date

from kintung.synth.chance import Chance
from kintung.synth.corruptions.registered import Corrupt, registered_in
from kintung.synth.corruptions.slips import one_of, other_digit
from kintung.synth.draft import Draft

CORRUPTIONS: dict[str, Corrupt] = {}
_corruption = registered_in(CORRUPTIONS)


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
def birthswapped(draft: Draft, _chance: Chance) -> bool:
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
        typed = other_digit(born, one_of((2, 3, 5, 6, 8, 9), chance), chance)
        try:
            found = date.fromisoformat(typed)
        except ValueError:
            continue
        if found <= draft.registered:
            draft.birth = typed
            return True
    return False


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
