"""Write ``docs/reference/romanisation.md``: how often an official spelling is among our candidates.

The names are of public figures, written down apart from the tables (``tests/conformance/names``).
"""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec
import yaml

from kintung.identity.names import System, forms, given_spellings, split, surname_spellings

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "tests/conformance/names/public_figures.yaml"
PAGE = ROOT / "docs/reference/romanisation.md"

HEAD = """# Romanisation, measured

The spelling that a person bears is a choice of theirs or of an office, and no rule gives it back. These are
the spellings in which the office writes {total} public figures (office holders, judges, scholars, athletes)
of Hong Kong, Macao and the mainland, beside those that `kintung.identity.names` holds for their characters.
The list stands in `tests/conformance/names/public_figures.yaml`, with a page for each name; no table was made
from it. Of {read} the spelling was read on a page at hand; that of the others is from the public record, and
wants a second reader.

*Among the candidates*: every part is spelled as one of its candidates of that place (at most 24 a part),
which is what search and matching go by. *Printed*: among the eight that `kintung names` prints. *First*: it
is the first of these.

<!-- Written by scripts/measure_romanisation.py; `make generate` writes it anew. -->

| spelling of | names | among the candidates | printed | first |
| --- | ---: | ---: | ---: | ---: |
"""

PLACES: dict[System, str] = {"hong_kong": "Hong Kong", "macao": "Macao", "pinyin": "the mainland (pinyin)"}


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where spellings stand; ``read``: the page was at hand when the list was made."""

    id: str
    title: str
    page: str
    read: bool


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name in characters and as the office writes it: ``SURNAME Given-given``.

    ``read``: its spelling was found on a page at hand, though its source was not.
    """

    han: str
    official: str
    page: str = ""
    read: bool = False


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Figures of one source, kind of office and habit of spelling."""

    source: str
    kind: str
    spelling: System
    names: tuple[Figure, ...]


class Figures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole list."""

    sources: tuple[Source, ...]
    figures: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure: is the official spelling among the candidates, printed, and the first?"""

    figure: Figure
    spelling: System
    among: bool
    printed: bool
    first: bool


@cache
def figures() -> Figures:
    """Read the list; msgspec.ValidationError when it is not of this form."""
    return msgspec.convert(yaml.safe_load(FIGURES.read_text(encoding="utf-8")), Figures)


@cache
def measured() -> tuple[Measured, ...]:
    """Every figure of the list, measured."""
    return tuple(_measure(each, group.spelling) for group in figures().figures for each in group.names)


def _measure(figure: Figure, spelling: System) -> Measured:
    official = letters(figure.official)
    surname, given = split(figure.han)
    parts = [surname_spellings(surname, spelling), *(given_spellings(each, spelling) for each in given)]
    printed = [letters(form.text) for form in forms(figure.han) if form.kind == spelling]
    return Measured(
        figure,
        spelling,
        among=is_spelled(official, parts),
        printed=official in printed,
        first=printed[:1] == [official],
    )


def letters(text: str) -> str:
    """The letters of a name, small: spaces and hyphens are a habit of their own."""
    return re.sub("[^a-zü]", "", text.lower())


def is_spelled(text: str, parts: Sequence[Sequence[str]]) -> bool:
    """Is a text one choice of each part, one after the other?"""
    if not parts:
        return not text
    return any(
        text.startswith(letters(each)) and is_spelled(text[len(letters(each)) :], parts[1:])
        for each in parts[0]
    )


def page() -> str:
    """The whole page."""
    head = HEAD.format(total=len(measured()), read=_read())
    rows = [*(_row(name, _of(system)) for system, name in PLACES.items()), _row("all", measured())]
    return head + "".join(rows) + "".join(_misses())


def _read() -> int:
    """How many spellings were read."""
    known = {source.id for source in figures().sources if source.read}
    return sum(group.source in known or each.read for group in figures().figures for each in group.names)


def _of(system: System) -> list[Measured]:
    return [each for each in measured() if each.spelling == system]


def _row(name: str, found: Sequence[Measured]) -> str:
    shares = (
        f"{sum(held)} ({100 * sum(held) / len(found):.1f} %)"
        for held in zip(*((each.among, each.printed, each.first) for each in found), strict=True)
    )
    return f"| {name} | {len(found)} | {' | '.join(shares)} |\n"


def _misses() -> Iterator[str]:
    yield "\n## Not among the candidates\n\n"
    yield (
        "Spellings of other languages and times (Teochew, Shanghainese, Wade-Giles), and rarer ones of\n"
        "Cantonese. Who bears one is found by the characters, and by the letters as they are written.\n"
    )
    for system, name in PLACES.items():
        missed = [each.figure for each in _of(system) if not each.among]
        if missed:
            yield f"\n### {name[0].upper()}{name[1:]}\n\n"
            yield "".join(f"- {each.han} {each.official}\n" for each in missed)


def main() -> None:
    """Write the page, or with ``--check`` exit 1 when it is not what the tables give."""
    found = page()
    if "--check" not in sys.argv:
        PAGE.write_text(found, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != found:
        sys.exit(f"{PAGE.name} is not what the tables of names give: run make generate")


if __name__ == "__main__":
    main()
