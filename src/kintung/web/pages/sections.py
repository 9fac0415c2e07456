"""Where pages lead: the parts of the node that who asks has a right to."""

from collections.abc import Collection
from typing import NamedTuple

from kintung.consent import Right
from kintung.web.pages.catalogues import N_

HOME = "/"
"""Where the mark of the node leads."""


class Section(NamedTuple):
    """A part of the node.

    ``label`` is a message; ``right`` is None where none is needed. Who is on a page under ``path`` is in
    it. A section that ``is_within`` has no first page: the header names it only to who is on one of its
    pages.
    """

    path: str
    label: str
    right: Right | None
    is_within: bool = False


SECTIONS = (
    Section("/find", N_("Find a person"), Right.VIEW),
    Section("/steward", N_("Who is who"), Right.STEWARD),
    Section("/api", N_("API"), None),
    Section("/seeds", N_("Policy map"), None),
)
"""In the order the header has them."""


RECORD = "/record"
"""Under which the record of a person is, by the id of one of its Patients."""
_NEEDED = {RECORD: Right.VIEW, **{section.path: section.right for section in SECTIONS}}


def may_open(path: str, rights: Collection[Right]) -> bool:
    """Would who has these rights be refused a page for want of one? Then nothing leads there."""
    needed = _NEEDED.get("/" + path.lstrip("/").partition("/")[0].partition("?")[0])
    return needed is None or needed in rights


class Entry(NamedTuple):
    """One entry of the header: ``address`` is where it leads."""

    address: str
    label: str
    is_here: bool


def entries(path: str, rights: Collection[Right]) -> tuple[Entry, ...]:
    """The entries of the header of a page, for who has these rights."""
    found: list[Entry] = []
    for section in SECTIONS:
        is_here = path == section.path or path.startswith(section.path + "/")
        if (section.right is None or section.right in rights) and (is_here or not section.is_within):
            found.append(Entry(path if section.is_within else section.path, section.label, is_here))
    return tuple(found)
