"""The packaged table of characters: readings, simplified form, variants, telegraph code.

Made by ``scripts/build_names_table.py``, which tells its columns. It stays one text, searched by
halves, since most names are of a few thousand characters: loading takes a millisecond or two, and
only when a character is first asked for.
"""

from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import zstandard

_TABLE = Path(__file__).parent / "data/characters.tsv.zst"

REMEMBERED = 8192
"""Characters whose row is kept parsed; names use fewer."""


class Row(NamedTuple):
    """What is known of one character.

    ``jyutping`` with tones and ``pinyin`` without, each ranked; ``folded`` is the character of
    simplified text it is compared as, itself where it is one; ``traditional`` are those of
    traditional text it stands for in simplified text, itself among them if it is one;
    ``members`` are those folded to it; ``telegraph`` has four digits, or is empty.
    """

    jyutping: tuple[str, ...]
    pinyin: tuple[str, ...]
    folded: str
    traditional: str
    members: str
    telegraph: str


@lru_cache(REMEMBERED)
def row(character: str) -> Row:
    """Return what is known of a character; of one that is not in the table, that it is itself."""
    found = _line(character)
    if found is None:
        return Row((), (), character, "", "", "")
    _, jyutping, pinyin, folded, traditional, members, telegraph = found.split("\t")
    return Row(
        tuple(jyutping.split()), tuple(pinyin.split()), folded or character, traditional, members, telegraph
    )


def characters() -> tuple[str, ...]:
    """Return every character of the table, in code point order."""
    return tuple(line[0] for line in _text().decode().splitlines())


@cache
def syllables(language: Literal["jyutping", "pinyin"]) -> frozenset[str]:
    """Return the syllables that some character is read as, without tones."""
    column = 1 if language == "jyutping" else 2
    found = {each for line in _text().splitlines() for each in line.split(b"\t", column + 1)[column].split()}
    return frozenset(each.decode().rstrip("123456") for each in found)


def _line(character: str) -> str | None:
    """Find the line that begins with the character; UTF-8 sorts as code points do."""
    wanted = character.encode("utf-8", "surrogatepass")
    text = _text()
    low, high = 0, len(text)
    while low < high:
        middle = text.rfind(b"\n", low, (low + high) // 2) + 1 or low
        end = text.index(b"\n", middle)
        key = text[middle : text.index(b"\t", middle)]
        if key == wanted:
            return text[middle:end].decode()
        if key < wanted:
            low = end + 1
        else:
            high = middle
    return None


@cache
def _text() -> bytes:
    return zstandard.ZstdDecompressor().decompress(_TABLE.read_bytes())
