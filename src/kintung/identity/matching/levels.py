"""How two records may agree: comparisons, each a ladder of levels from the strongest down.

Of a comparison the first level holds whose condition is met; where no condition is met the
last, ``differs``, which has none; and none at all where the records cannot be compared, since
one of them does not say. Surname and given name are one ladder each for all scripts, so that
the characters, the telegraph codes and the spelling of one name count once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from kintung.identity.matching.conditions import (
    All,
    Condition,
    Covered,
    Crossed,
    Different,
    Either,
    Given,
    Known,
    Mirrored,
    Nearly,
    Not,
    Same,
    Shared,
    Within,
)

LUNAR_DAYS = 55
"""A day of the lunar calendar written as if it were of the solar one lies 20 to 51 days too early."""


@dataclass(frozen=True, slots=True)
class Level:
    """A way to agree.

    ``says`` is put into an explanation. ``by_frequency``: a rare surname says more than a
    common one; the weight is adjusted by how frequent the commoner of the two is.
    """

    name: str
    says: str
    condition: Condition | None
    by_frequency: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """A ladder of levels; ``comparable`` says when both records can be asked at all."""

    name: str
    comparable: Condition
    levels: tuple[Level, ...]


_SURNAMES_IN_CHARACTERS = Known("surname_folded")
_GIVEN_IN_CHARACTERS = Known("given_folded")
_WESTERN = Level("western", "a Western given name here and a Chinese one there", Different("given_manner"))

COMPARISONS = (
    Comparison(
        "number",
        Either(
            (
                Shared("numbers"),
                Crossed("near_numbers", "numbers"),
                Shared("other_numbers"),
                Shared("number_kinds"),
            )
        ),
        (
            Level("same", "the same identity number", Shared("numbers")),
            Level(
                "slip", "a number that fails its check is one slip away", Crossed("near_numbers", "numbers")
            ),
            Level("other", "the same number of a weaker kind", Shared("other_numbers")),
            Level("differs", "valid numbers of one kind differ", None),
        ),
    ),
    Comparison(
        "surname",
        _SURNAMES_IN_CHARACTERS,
        (
            Level("same", "the same character or telegraph code", Shared("surname_han"), by_frequency=True),
            Level("folded", "the same character when simplified", Shared("surname_folded")),
            Level(
                "other", "one of two surnames of a married woman", Crossed("surname_other", "surname_folded")
            ),
            Level("homophone", "another character that is spelled alike", Shared("surname_spelled")),
            Level("differs", "another character", None),
        ),
    ),
    Comparison(
        "surname-spelling",
        All((Known("surname_latin"), Not(_SURNAMES_IN_CHARACTERS))),
        (
            Level("same", "the same spelling", Shared("surname_latin"), by_frequency=True),
            Level(
                "sound",
                "two spellings of one character",
                Either((Crossed("surname_latin", "surname_spelled"), Shared("surname_pivot"))),
            ),
            Level(
                "other",
                "one of two surnames, or surname and given name in the other order",
                Crossed("surname_other", "surname_latin"),
            ),
            Level("nearly", "a letter or two of the spelling differ", Nearly("surname_text")),
            Level("differs", "another surname", None),
        ),
    ),
    Comparison(
        "surname-sound",
        All((Given("surname_term"), Not(_SURNAMES_IN_CHARACTERS), Not(Known("surname_latin")))),
        (
            Level(
                "same",
                "the character is spelled so",
                Crossed("surname_latin", "surname_spelled"),
                by_frequency=True,
            ),
            Level("other", "one of two surnames is spelled so", Shared("surname_pivot")),
            Level("differs", "the character is not spelled so", None),
        ),
    ),
    Comparison(
        "given",
        _GIVEN_IN_CHARACTERS,
        (
            Level("same", "the same characters or telegraph codes", Shared("given_han")),
            Level("folded", "the same characters when simplified", Shared("given_folded")),
            Level(
                "homophone",
                "other characters that sound alike",
                Either((Shared("given_latin"), Shared("given_sounds"))),
            ),
            Level("order", "the same characters in another order", Shared("given_sorted")),
            Level("part", "one character is the same", Shared("given_parts")),
            Level("differs", "other characters", None),
        ),
    ),
    Comparison(
        "given-spelling",
        All((Known("given_latin"), Not(_GIVEN_IN_CHARACTERS))),
        (
            Level("same", "the same spelling", Shared("given_latin")),
            Level(
                "sound",
                "each Chinese syllable is a spelling of its character",
                Covered("given_syllables", "given_spelled"),
            ),
            Level(
                "other",
                "a further given name, or the surname in the other order",
                Either((Crossed("given_other", "given_latin"), Shared("given_western"))),
            ),
            Level(
                "nearly",
                "a letter or two of the spelling differ",
                Either((Nearly("given_text"), Nearly("given_whole"))),
            ),
            Level(
                "syllable",
                "one syllable agrees",
                Either((Shared("given_syllables"), Crossed("given_syllables", "given_spelled"))),
            ),
            _WESTERN,
            Level("differs", "another given name", None),
        ),
    ),
    Comparison(
        "given-sound",
        All((Given("given_term"), Not(_GIVEN_IN_CHARACTERS), Not(Known("given_latin")))),
        (
            Level(
                "same",
                "each Chinese syllable is a spelling of its character",
                Covered("given_syllables", "given_spelled"),
            ),
            Level("syllable", "one syllable is", Crossed("given_syllables", "given_spelled")),
            _WESTERN,
            Level("differs", "no syllable is", None),
        ),
    ),
    Comparison(
        "birth",
        Given("birth_day"),
        (
            Level(
                "new-year", "the same 1 January, which may stand for an unknown day", Same("birth_new_year")
            ),
            Level("same", "the same day", Same("birth_day")),
            Level("open", "the same year, and one day may be unknown", Crossed("birth_open", "birth_spans")),
            Level("swapped", "day and month are swapped", Mirrored("birth_day", "birth_swapped")),
            Level("two-parts", "two of year, month and day are the same", Shared("birth_parts")),
            Level(
                "lunar", f"within {LUNAR_DAYS} days, as between calendars", Within("birth_number", LUNAR_DAYS)
            ),
            Level("differs", "another birth date", None),
        ),
    ),
    Comparison(
        "birth-part",
        All((Given("birth"), Not(Given("birth_day")))),
        (
            Level("same", "the same as far as it is known", Crossed("birth_open", "birth_spans")),
            Level("differs", "another year or month of birth", None),
        ),
    ),
    Comparison(
        "sex",
        Given("sex"),
        (
            Level("same", "the same sex", Same("sex")),
            Level("differs", "another sex", None),
        ),
    ),
    Comparison(
        "phone",
        Known("phones"),
        (
            Level("same", "the same telephone", Shared("phones")),
            Level("tail", "the last six digits of a telephone", Shared("phone_tails")),
            Level("differs", "other telephones", None),
        ),
    ),
    Comparison(
        "address",
        Known("places"),
        (
            Level("same", "the same address", Shared("addresses")),
            Level(
                "nearly",
                "in one place the same numbers, and of the rest a letter in four differs at most",
                All((Same("address_numbers"), Nearly("address_words"), Shared("places"))),
            ),
            Level("place", "the same district, town or postal code", Shared("places")),
            Level("differs", "another place", None),
        ),
    ),
)

CONTRADICTIONS = frozenset(
    {
        ("given", "part"),
        ("given", "differs"),
        ("given-spelling", "syllable"),
        ("given-spelling", "differs"),
        ("given-sound", "syllable"),
        ("given-sound", "differs"),
        ("birth", "differs"),
        ("birth-part", "differs"),
    }
)
"""Levels that a certain link never has: two people on one number look like this, twins by half a name."""

HALVES = (
    frozenset(
        {
            ("given", "homophone"),
            ("given", "order"),
            ("given-spelling", "nearly"),
            ("given-spelling", "western"),
            ("given-sound", "western"),
        }
    ),
    frozenset({("birth", "swapped"), ("birth", "two-parts"), ("birth", "lunar")}),
)
"""Levels of given name and of birth date that contradict together: brothers and sisters look like this."""

WHOLE = (
    frozenset(
        {
            ("surname", "same"),
            ("surname", "folded"),
            ("surname-spelling", "same"),
            ("surname-spelling", "sound"),
            ("surname-sound", "same"),
        }
    ),
    frozenset(
        {
            ("given", "same"),
            ("given", "folded"),
            ("given-spelling", "same"),
            ("given-spelling", "sound"),
            ("given-sound", "same"),
        }
    ),
    frozenset({("birth", "same")}),
)
"""Levels of a surname, a given name and a birth date that agree whole: what stands on a card."""

NOT_ON_CARD = frozenset({("phone", "same"), ("address", "same")})
"""Levels of what stands on no card: whoever holds a card of another does not read it there."""

Levels = tuple[str | None, ...]
"""The name of the level of each of COMPARISONS; None where it cannot be compared."""


def levels(a: Any, b: Any) -> Levels:
    """How two records agree, the same whichever comes first."""
    return tuple(ladder(a, b) for ladder in _ladders())


@cache
def _ladders() -> tuple[Callable[[Any, Any], str | None], ...]:
    return tuple(_ladder(comparison) for comparison in COMPARISONS)


def _ladder(comparison: Comparison) -> Callable[[Any, Any], str | None]:
    comparable = comparison.comparable.test()
    steps = [(level.name, level.condition.test()) for level in comparison.levels if level.condition]
    last = comparison.levels[-1].name

    def ladder(a: Any, b: Any) -> str | None:
        if not comparable(a, b):
            return None
        return next((name for name, test in steps if test(a, b)), last)

    return ladder
