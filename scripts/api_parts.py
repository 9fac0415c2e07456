"""What a person has written of each interaction: ``docs/reference/api/parts/*.md``.

A heading is the name of an interaction and starts its part. Of a part

- a table with the heads ``request`` and ``answer`` says when which status is given,
- a table with the heads ``parameter`` and ``means`` says what its parameters do,
- a paragraph that begins with ``Not supported:`` says what is not,
- a block fenced as ``http`` is a request that is run when the page is written,

and all else is the text of the page. One that begins with ``As [name](name.md)`` has the
parameters of that, and lacks what that lacks.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

_HEADING = re.compile(r"^#{1,2} ([\w$-]+)$", re.MULTILINE)
_REQUEST = re.compile(r"^```http\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"^\| request \| answer \|\n\| --- \| --- \|\n((?:\|.*\|\n)+)", re.MULTILINE)
_WORDS = re.compile(r"^\| parameter \| means \|\n\| --- \| --- \|\n((?:\|.*\|\n)+)", re.MULTILINE)
_AS = re.compile(r"As \[([\w$-]+)\]")
_ROWS = re.compile(r"^\|.*\|\n\|(?: --- \|)+\n((?:\|.*\|\n)+)", re.MULTILINE)
_MISSING = re.compile(r"^Not supported: (.+?)(?:\n\n|\Z)", re.MULTILINE | re.DOTALL)
_STATUS = re.compile(r"\b[1-5]\d\d\b")


class Asked(NamedTuple):
    """A request to run; ``address`` is under the base, header fields and body are as written."""

    method: str
    address: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""


class Answered(NamedTuple):
    """A row of the table of statuses: what is asked, and what the answer is (404 ``not-found``)."""

    request: str
    answer: str

    @property
    def statuses(self) -> tuple[int, ...]:
        return tuple(int(status) for status in _STATUS.findall(self.answer))


@dataclass(frozen=True)
class Part:
    """What a person has written of one interaction."""

    source: str
    text: str = ""
    answers: tuple[Answered, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    missing: str = ""
    requests: tuple[Asked, ...] = ()


def read_parts(folder: Path) -> dict[str, Part]:
    """The parts by name of the interaction."""
    found: dict[str, Part] = {}
    for page in sorted(folder.glob("*.md")):
        # Without the first element, which is what stands before the first heading.
        _, *pieces = _HEADING.split(page.read_text("utf-8"))
        for name, text in zip(pieces[::2], pieces[1::2], strict=True):
            part = _part(page.name, text)
            same = _AS.match(part.text)
            found[name] = _gone_on(found[same[1]], part) if same else part
    return found


def read_rows(page: Path) -> list[tuple[str, ...]]:
    """The rows of the tables of a page, cell by cell, without their heads."""
    return list(_rows(_ROWS, page.read_text("utf-8")))


def _rows(tables: re.Pattern[str], text: str) -> Iterator[tuple[str, ...]]:
    for table in tables.findall(text):
        for row in table.splitlines():
            yield tuple(row.strip("| ").split(" | "))


def _gone_on(before: Part, part: Part) -> Part:
    return replace(part, words={**before.words, **part.words}, missing=part.missing or before.missing)


def _part(source: str, text: str) -> Part:
    words = {name.strip("`"): means for name, means in _rows(_WORDS, text)}
    requests = tuple(_request(block) for block in _REQUEST.findall(text))
    text = _REQUEST.sub("", text)
    answers = tuple(Answered(*row) for row in _rows(_TABLE, text))
    text = _TABLE.sub("", _WORDS.sub("", text))
    missing = " ".join(" ".join(found.split()) for found in _MISSING.findall(text))
    text = re.sub(r"\n{3,}", "\n\n", _MISSING.sub("", text)).strip()
    return Part(source, text, answers, words, missing, requests)


def _request(block: str) -> Asked:
    head, _, body = block.partition("\n\n")
    first, *fields = head.strip().splitlines()
    method, _, address = first.partition(" ")
    headers = tuple((name, value.strip()) for name, _, value in (field.partition(":") for field in fields))
    return Asked(method, address, headers, body.strip())
