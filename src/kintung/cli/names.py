"""Show the forms of a name: simplified, telegraph codes, readings, and how it is spelled where.

A name in Latin letters is read: which syllables of which system, and which surnames are spelled so.
Nothing is looked up in a record.
"""

import argparse
import sys
import unicodedata
from collections.abc import Iterable, Sequence

from kintung.cli.arguments import Commands, number_between
from kintung.cli.console import say
from kintung.errors import ValueInvalid
from kintung.identity.names import MOST, SYSTEMS, LatinName, forms, is_han, read_latin

_KINDS = {
    "written": "written",
    "folded": "compared as",
    "traditional": "may stand for",
    "telegraph": "telegraph code",
    "jyutping": "Jyutping",
    "hong_kong": "Hong Kong",
    "macao": "Macao",
    "pinyin": "pinyin",
    "own_name": "own name",
}
_MOST_SURNAMES = 6


def add_to(commands: Commands) -> None:
    parser = commands.add_parser("names", help="show the forms of a name, and why", description=__doc__)
    parser.add_argument(
        "name", nargs="+", metavar="NAME", help="in Chinese characters, Latin letters, or both"
    )
    parser.add_argument(
        "--most",
        type=number_between(1, 1_000),
        default=MOST,
        metavar="N",
        help=f"forms of one kind at most; {MOST} by default",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if reconfigure := getattr(sys.stdout, "reconfigure", None):  # tests may have put another in its place
        reconfigure(errors="backslashreplace")  # what a terminal cannot show is shown by its number
    text = " ".join(options.name)
    han = any(map(is_han, text))
    rows = (
        [(_KINDS[form.kind], str(form.rank), form.text, form.why) for form in forms(text, options.most)]
        if han
        else []
    )
    letters = "".join(" " if is_han(each) else each for each in text)
    if any(each.isalpha() for each in letters):
        rows += [("", "", "", "")] * han + _latin(read_latin(letters))
    elif not han:
        raise ValueInvalid("there is no name in it: no Chinese character and no letter")
    for line in aligned(rows):
        say(line)
    return 0


def aligned(rows: Sequence[tuple[str, ...]]) -> Iterable[str]:
    """Put rows under each other; a Chinese character is two columns wide."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _width(text: str) -> int:
    """Columns on a terminal."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in text
    )


def _latin(name: LatinName) -> list[tuple[str, ...]]:
    system = _KINDS[name.system] if name.system else "no system we know"
    rows = [("read as", "", system, "")]
    if name.surname:
        listed = " ".join(name.surnames[:_MOST_SURNAMES])
        more = len(name.surnames) - _MOST_SURNAMES
        rows.append(
            ("surname", "", " ".join(name.surname), listed + (f" and {more} more" if more > 0 else ""))
        )
    rows += [("given name", "", " ".join(name.given), "")] if name.given else []
    rows += (
        [("other words", "", " ".join(name.others), "spelled as in no system, or Western")]
        if name.others
        else []
    )
    for word in name.words:
        found = [
            f"{_KINDS[system]} {', '.join(word.syllables[system])}"
            for system in SYSTEMS
            if system in word.syllables
        ]
        rows.append(("word", "", word.text, "; ".join(found) or "no syllable of any"))
    return rows
