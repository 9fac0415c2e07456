"""Names across scripts: what forms a name in Chinese characters has, and what they tell.

Pure but for the packaged table and definitions, which are read when first needed. Take from here:
the modules below are how it is done.
"""

from kintung.identity.names.forms import MOST, Form, forms, is_han
from kintung.identity.names.latin import LatinName, Word, latin_words, read_latin, surnames_spelled
from kintung.identity.names.private_use import Converted, from_private_use
from kintung.identity.names.readings import jyutping, pinyin, pinyin_spellings
from kintung.identity.names.romanisation import readings, spellings
from kintung.identity.names.spellings import SYSTEMS, System, given_spellings, surname_spellings
from kintung.identity.names.surnames import (
    Name,
    is_surname,
    own_name,
    split,
    surname_parts,
    surnames,
    without_title,
)
from kintung.identity.names.telegraph import codes as telegraph_codes
from kintung.identity.names.telegraph import telegraph
from kintung.identity.names.variants import folded, traditional, variants


def hong_kong_spellings(syllable: str) -> tuple[str, ...]:
    """Return Hong Kong's spellings of a Jyutping syllable, ranked; see :func:`spellings`."""
    return spellings(syllable, "hong_kong")


def macao_spellings(syllable: str) -> tuple[str, ...]:
    """Return Macao's spellings of a Jyutping syllable, ranked; see :func:`spellings`."""
    return spellings(syllable, "macao")


__all__ = [
    "MOST",
    "SYSTEMS",
    "Converted",
    "Form",
    "LatinName",
    "Name",
    "System",
    "Word",
    "folded",
    "forms",
    "from_private_use",
    "given_spellings",
    "hong_kong_spellings",
    "is_han",
    "is_surname",
    "jyutping",
    "latin_words",
    "macao_spellings",
    "own_name",
    "pinyin",
    "pinyin_spellings",
    "read_latin",
    "readings",
    "split",
    "surname_parts",
    "surname_spellings",
    "surnames",
    "surnames_spelled",
    "telegraph",
    "telegraph_codes",
    "traditional",
    "variants",
    "without_title",
]
