"""Build the table of characters of names from Unihan and ToJyutping.

    python scripts/build_names_table.py [FOLDER] [--check]

FOLDER holds Unihan_Readings.txt.bz2 and its neighbours, as Debian's package ``unicode-data`` installs
them (the default). ToJyutping, of the extra ``dev``, gives the Cantonese readings after the first:
Unihan 15 has one a character. ``--check`` writes nothing and fails when the table would differ;
a Unihan of another version is said, and not compared.

A line a character, in code point order, of these columns, separated by tabs:

1. the character;
2. Jyutping readings with tones, the commonest first, each syllable once whatever its tones;
3. pinyin readings without tones, the commonest first;
4. the character of simplified text that it is folded to, empty when it is that itself;
5. the characters of traditional text that it stands for in simplified text, itself among them if it
   is one;
6. the other characters that are folded to the same, given with that one only;
7. telegraph code, the mainland's where both tables have one.
"""

import argparse
import bz2
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import zstandard

ROOT = Path(__file__).resolve().parents[1]
PACKAGED = ROOT / "src/kintung/identity/names/data/characters.tsv.zst"
FILES = ("IRGSources", "OtherMappings", "Readings", "Variants")
VERSION = "15.0.0"
"""Of Unihan. A newer one moves readings and folds: an intended change, with its own look at the tests."""

READINGS = 3
"""At most so many of a character; those after are of dialects and of other words."""

Unihan = Mapping[str, Mapping[str, str]]


class Refused(Exception):
    """A source that is not there, or not what it should be."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the table of characters of names.")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("/usr/share/unicode"))
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    try:
        if not is_version(arguments.folder):
            print(f"{arguments.folder} has not Unihan {VERSION}, of which the table is made")
            return int(not arguments.check)
        text = "".join(lines(unihan(arguments.folder))).encode()
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    same = PACKAGED.exists() and zstandard.ZstdDecompressor().decompress(PACKAGED.read_bytes()) == text
    if not same and not arguments.check:
        PACKAGED.write_bytes(zstandard.ZstdCompressor(level=19).compress(text))
    return int(not same and arguments.check)


def is_version(folder: Path) -> bool:
    """Tell whether the folder has the Unihan the table is of.

    Raises:
        Refused: there is none.
    """
    return f"# Unicode version: {VERSION}\n" in source(folder, FILES[0])[:1000]


def source(folder: Path, name: str) -> str:
    """Return the text of a file of Unihan.

    Raises:
        Refused: it is not there; the message says how to get it.
    """
    path = folder / f"Unihan_{name}.txt.bz2"
    if not path.exists():
        raise Refused(f"{path} is not there: apt-get install unicode-data, or give the folder that has it")
    return bz2.decompress(path.read_bytes()).decode()


def unihan(folder: Path) -> Unihan:
    """Return character -> field -> value of Unihan.

    Raises:
        Refused: as :func:`source`.
    """
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name in FILES:
        for line in source(folder, name).splitlines():
            if line.startswith("U+"):
                point, field, value = line.split("\t")
                found[chr(int(point[2:], 16))][field] = value
    return found


def lines(known: Unihan) -> Iterator[str]:
    """Yield the lines of the table."""
    folds = {char: folded(char, known) for char in known}
    classes: dict[str, list[str]] = defaultdict(list)
    for char, fold in sorted(folds.items()):
        if fold != char:
            classes[fold].append(char)
    cantonese = Cantonese()
    for char in sorted(known):
        if unicodedata.normalize("NFC", char) != char:
            continue  # a compatibility ideograph; names are read in NFC
        fields = known[char]
        columns = (
            " ".join(cantonese.readings(char, fields)),
            " ".join(pinyin(char, folds[char], known)),
            folds[char] if folds[char] != char else "",
            "".join(characters(fields.get("kTraditionalVariant"))),
            "".join(classes.get(char, ())),
            (fields.get("kMainlandTelegraph") or fields.get("kTaiwanTelegraph") or "").split(" ")[0],
        )
        if any(columns):
            yield char + "\t" + "\t".join(columns) + "\n"


class Cantonese:
    """Jyutping readings: Unihan's first, then those of ToJyutping in its order."""

    def __init__(self) -> None:
        try:
            import ToJyutping  # noqa: PLC0415 - said in one line when it is missing
        except ImportError as error:
            raise Refused("ToJyutping is not installed: make .venv") from error
        self._candidates = ToJyutping.get_jyutping_candidates

    def readings(self, char: str, fields: Mapping[str, str]) -> tuple[str, ...]:
        others = self._candidates(char)
        syllables = [*fields.get("kCantonese", "").split(), *(others[0][1] if others else ())]
        return _ranked(syllables)


def _ranked(syllables: Sequence[str]) -> tuple[str, ...]:
    """Keep each syllable once; a careless form of the first (國 gok for gwok) is no reading of its own."""
    once: dict[str, str] = {}
    for each in syllables:
        plain = each.rstrip("123456")
        if " " not in each and not plain.startswith(("gwu", "kwu")):  # 呎 is two syllables; gwu is gu
            once.setdefault(plain, each)
    first = next(iter(once), "")
    careless = {first.replace("gw", "g", 1), first.replace("kw", "k", 1), first.removeprefix("ng")} - {first}
    return tuple(each for plain, each in once.items() if plain not in careless)[:READINGS]


def pinyin(char: str, fold: str, known: Unihan) -> tuple[str, ...]:
    """Return the readings without tones: the customary, then those of today's dictionary by frequency."""
    fields, simplified = known[char], known.get(fold, {})
    customary = fields.get("kMandarin", "").split()
    frequent = [each.split("(")[0] for each in fields.get("kHanyuPinlu", "").split()]
    dictionary = fields.get("kTGHZ2013") or simplified.get("kTGHZ2013") or fields.get("kXHC1983", "")
    listed = [reading for each in dictionary.split() for reading in each.split(":")[1].split(",")]
    if not customary:
        listed = listed or [
            each
            for entry in fields.get("kHanyuPinyin", "").split()
            for each in entry.split(":")[1].split(",")
        ]
    readings = (without_tone(each) for each in (*customary, *frequent, *listed))
    return tuple(dict.fromkeys(readings))[:READINGS]


def without_tone(syllable: str) -> str:
    """Strip the tone of a pinyin syllable and keep the two dots: ``lǚ`` gives ``lü``."""
    marked = unicodedata.normalize("NFD", syllable)
    return unicodedata.normalize(
        "NFC", "".join(each for each in marked if each.isalpha() or each == "\u0308")
    )


def folded(char: str, known: Unihan) -> str:
    """Return the character of simplified text that stands for this one.

    A character of the mainland's standard list (kTGH) is itself. Any other is what Unihan says
    is its simplified form, one of the list before others; or the one character of the list that
    its variants lead to.
    """
    if is_standard(char, known):
        return char
    simplified = simple(char, known)
    if is_standard(simplified, known):
        return simplified
    fields = known[char]
    near = characters(fields.get("kZVariant")) + characters(fields.get("kSemanticVariant"))
    standard = {other if is_standard(other, known) else simple(other, known) for other in near}
    standard = {each for each in standard if is_standard(each, known)}
    if len(standard) == 1:
        return standard.pop()
    return folded(simplified, known) if simplified else char


def is_standard(char: str, known: Unihan) -> bool:
    """Tell whether it is of the mainland's standard list."""
    return "kTGH" in known.get(char, {})


def simple(char: str, known: Unihan) -> str:
    """Return the simplified form that Unihan gives, or nothing."""
    forms = [each for each in characters(known.get(char, {}).get("kSimplifiedVariant")) if each != char]
    standard = [each for each in forms if is_standard(each, known)]
    return (standard or forms or [""])[0]


def characters(value: str | None) -> list[str]:
    """Read a Unihan list of characters, ``U+53F6 U+8449<kMatthews``."""
    return [chr(int(each.split("<")[0][2:], 16)) for each in (value or "").split()]


if __name__ == "__main__":
    sys.exit(main())
