"""The list of public figures whose official romanisation measures the candidates of the names package."""

from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
import yaml

FIGURES = Path(__file__).with_name("public_figures.yaml")

Spelling = Literal["hong_kong", "macao", "pinyin"]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where spellings stand; ``read``: the page was at hand when the list was made."""

    id: str
    title: str
    page: str
    read: bool


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name in characters and as the office writes it: ``SURNAME Given-given``."""

    han: str
    official: str
    page: str = ""


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Figures of one source, kind of office and habit of spelling."""

    source: str
    kind: str
    spelling: Spelling
    names: tuple[Figure, ...]


class Figures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole list."""

    sources: tuple[Source, ...]
    figures: tuple[Group, ...]


@cache
def figures() -> Figures:
    """Read the list; msgspec.ValidationError when it is not of this form."""
    return msgspec.convert(yaml.safe_load(FIGURES.read_text(encoding="utf-8")), Figures)
