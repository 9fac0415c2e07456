"""What a name asked for may also stand as on the record: in another script, spelling or order.

Characters are sought in their other forms, and in the letters that Hong Kong, Macao and the
mainland write them with; letters in the characters they may be, by sound or by pinyin, and in any
order of surname and given name. All of it is bounded; what is left out is the least likely.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, product
from typing import Literal, NamedTuple

from kintung.identity.name_search.keys import (
    Words,
    characters_of,
    first_sounds,
    given_of,
    in_letters,
    is_surname,
    ranked,
    readings_of,
    with_v,
    words_of,
)
from kintung.identity.name_search.syllables import (
    MOST_DIVISIONS,
    cantonese,
    divisions,
    is_chinese,
    is_surname_spelling,
    spellings_of,
    surnames_spelled,
)
from kintung.identity.names import (
    SYSTEMS,
    System,
    folded,
    from_private_use,
    given_spellings,
    split,
    surname_parts,
    variants,
)
from kintung.identity.names import is_surname as is_surname_in_characters

Rows = Literal["written", "whole", "key"]
"""Where it is sought: where something written begins, as the whole of it, or where a key begins."""

Kind = Literal["variant", "characters", "hong_kong", "macao", "pinyin", "cantonese", "letters", "surname"]
"""How it differs from what is asked: other characters for the same name; characters that stand in the
middle of a name, or beside letters; the spelling of a place; characters by their sound; letters parted or put
in order otherwise; characters of a surname."""

NameCode = Literal["name", "family", "given"]

MOST_WORDS = 8
"""Words, or characters, of a name beyond which it is sought as it is written alone."""
MOST_VARIANTS = 32
MOST_SPELLED = 64
"""Spellings of a name in one system."""
MOST_SOUNDS = 160
"""Readings of one division of letters into surname and given name."""
MOST_SURNAMES = 16
"""Surnames of one spelling."""
MOST_SOUGHT = 400
"""All of it."""

_READINGS = 8
"""Syllables that one spelling may stand for."""


class Sought(NamedTuple):
    """One form: where it is sought, its text there, how it differs, and its rank among such."""

    rows: Rows
    text: str
    kind: Kind
    rank: int


def sought(code: NameCode, text: str) -> tuple[Sought, ...]:
    """What else a name, surname or given name may stand as; empty when nothing else is known."""
    received = from_private_use(text)
    if received.unknown:  # without them it would be another name
        return ()
    characters = characters_of(received.text)
    found = _of_characters(code, text, characters) if characters else _of_letters(code, text)
    return tuple(islice(dict.fromkeys(found), MOST_SOUGHT))


def _numbered(rows: Rows, kind: Kind, texts: Iterable[str]) -> Iterator[Sought]:
    for rank, text in enumerate(texts, start=1):
        yield Sought(rows, text, kind, rank)


# -- characters -------------------------------------------------------------------------


def _of_characters(code: NameCode, text: str, han: str) -> Iterator[Sought]:
    if len(han) > MOST_WORDS:
        return
    if han != text:
        yield Sought("written", han, "characters", 1)
    yield from _numbered("written", "variant", _variants(han))
    surname, given = split(han)
    if code != "family":
        yield Sought("key", f"={folded(han)}", "characters", 1)
    if code == "name" and given:
        for system in SYSTEMS:
            yield from _numbered("key", system, (f"{g}|{f}|" for f, g in _spelled(surname, given, system)))
    if code != "given" and (not given or is_surname_in_characters(han)):
        for system in SYSTEMS:
            spelled = spellings_of(han, system)[:MOST_SURNAMES]
            yield from _numbered("whole", system, (way for each in spelled for way in _written(each)))
    if code == "given" or (code == "name" and len(han) < 3):
        for system in SYSTEMS:
            yield from _numbered("key", system, (f"{g}|" for g in _given_spelled(han, system)))


def _variants(han: str) -> Iterator[str]:
    """The same name in characters that are compared alike, but not in its own; simplified ones first."""
    alike = ranked([(each, *variants(each)) for each in han], MOST_VARIANTS)
    found = dict.fromkeys((folded(han), *("".join(choice) for choice in alike)))
    return (each for each in found if each != han)


def _spelled(surname: str, given: str, system: System) -> Iterator[tuple[str, str]]:
    """Surname and given name in letters, each without spaces."""
    parts_of = surname_parts(surname)
    spelled = [tuple("".join(each.split()) for each in spellings_of(part, system)) for part in parts_of]
    families = tuple("".join(choice) for choice in ranked(spelled, MOST_SURNAMES))
    parts = [tuple(dict.fromkeys(families)), *(_given_letters(character, system) for character in given)]
    for family, *letters in ranked(parts, MOST_SPELLED):
        yield family, "".join(letters)


def _given_spelled(given: str, system: System) -> Iterator[str]:
    parts = [_given_letters(character, system) for character in given]
    return ("".join(choice) for choice in ranked(parts, MOST_SPELLED))


def _given_letters(character: str, system: System) -> tuple[str, ...]:
    found = given_spellings(character, system)
    return tuple(dict.fromkeys(with_v(each) for each in found)) if system == "pinyin" else found


def _written(spelled: str) -> Iterator[str]:
    """A surname as people write it."""
    words = (spelled.replace("v", "yu") if spelled in {"lv", "nv"} else spelled).split()
    for between in (" ", "-", "") if len(words) > 1 else (" ",):
        for way in (str.upper, str.capitalize, str.lower):
            yield between.join(map(way, words))


# -- letters ----------------------------------------------------------------------------


def _of_letters(code: NameCode, text: str) -> Iterator[Sought]:
    words = words_of(text)
    if not words or len(words) > MOST_WORDS:
        return
    if code == "name":
        divided = readings_of(text)
        for each in divided:
            for key in islice(in_letters(each), 1):
                yield Sought("key", key, "letters", 1)
                yield from _numbered("key", "pinyin", (f"~{also}" for also in _with_u(key)))
        for each in divided:
            yield from _numbered("key", "cantonese", _sounds(each))
    if code != "given" and is_surname(words):
        yield from _numbered("written", "surname", _surnames(words))
        yield from _numbered("whole", "letters", _written_otherwise(words))
    if code != "family" and all(map(is_chinese, words)):
        yield Sought("key", f"{''.join(words)}|", "letters", 1)
        yield Sought("key", f"~{''.join(words)}|", "pinyin", 1)
        yield from _numbered("key", "cantonese", (f"{sounds}." for sounds in _given_sounds(words)))


def _surnames(words: Sequence[str]) -> Iterator[str]:
    """Surnames in characters that are spelled so."""
    for surname in surnames_spelled("".join(words))[:MOST_SURNAMES]:
        yield surname
        yield from islice(_variants(surname), 4)


def _written_otherwise(words: Sequence[str]) -> Iterator[str]:
    """A surname of several syllables in one word or several, as people write it."""
    letters = "".join(words)
    for surname in surnames_spelled(letters)[:MOST_SURNAMES]:
        for system in SYSTEMS:
            for spelled in spellings_of(surname, system):
                if " " in spelled and "".join(spelled.split()) == letters:
                    yield from _written(spelled)


def _with_u(key: str) -> Iterator[str]:
    """The key, and for the surname Lu, which may be 呂 without its dots, that as well."""
    yield key
    if key.endswith("|lu|"):
        yield f"{key[:-3]}lv|"


def _sounds(name: Words) -> Iterator[str]:
    """Keys of what the letters of a whole name may sound like."""
    families = tuple(_family_sounds(name.family))
    for given in given_of(name.given)[:1]:
        for sounds, family in ranked([tuple(_given_sounds(given)), families], MOST_SOUNDS):
            yield f"{sounds}.|{family}|"


def _family_sounds(words: Sequence[str]) -> Iterator[str]:
    letters = "".join(words)
    if len(words) == 2 and not is_surname_spelling(letters):
        for choice in ranked([tuple(_family_sounds([word])) for word in words], MOST_SURNAMES):
            yield ".".join(choice)
        return
    named = (".".join(first_sounds(surname)) for surname in surnames_spelled(letters))
    yield from islice(dict.fromkeys((*filter(None, named), *cantonese(letters)[:2])), MOST_SURNAMES)


def _given_sounds(words: Sequence[str]) -> Iterator[str]:
    """Syllables of Jyutping with full stops between them, the likeliest first."""
    ways = islice(product(*(divisions(word) for word in words)), MOST_DIVISIONS)
    for way in ways:
        if sum(map(len, way)) > MOST_WORDS:
            continue
        syllables = [cantonese(each)[:_READINGS] for word in way for each in word]
        yield from (".".join(choice) for choice in ranked(syllables, MOST_SOUNDS))
