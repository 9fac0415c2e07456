"""The source Patients that meet what was typed, page by page, and why; for stewards as for others."""

from typing import NamedTuple

from kintung.identity.name_search import MatchedForm
from kintung.identity.typed import Reasons, Typed, query, reasons
from kintung.store.port import View
from kintung.store.versions import Paging
from kintung.web.cursor import Cursor, refused
from kintung.web.pages.catalogues import N_
from kintung.web.pages.registry import Asked
from kintung.web.pages.steward.source import Source, source_of
from kintung.web.site import Site

EACH = 20
"""Records of one page."""

MATCHED: dict[str, str] = {
    "written": "",
    "variant": N_("other characters that are compared alike"),
    "characters": N_("characters in the middle of the name, or beside letters"),
    "hong_kong": N_("as Hong Kong spells the characters"),
    "macao": N_("as Macao spells the characters"),
    "pinyin": N_("as Pinyin spells the characters"),
    "cantonese": N_("characters that sound alike in Cantonese"),
    "letters": N_("the same letters, spaced or ordered differently; or Pinyin"),
    "surname": N_("a surname that is spelled so"),
}
"""By kind of ``kintung.identity.name_search.MatchedForm``: how a name that was found is the one asked for."""
_NOTHING = Reasons(None, "", ())


class Found(NamedTuple):
    """A record that meets what was typed, and why."""

    source: Source
    reasons: Reasons

    @property
    def form(self) -> MatchedForm | None:
        """The name that was found, where it is not as it was typed."""
        form = self.reasons.name
        return form if form is not None and MATCHED[form.kind] else None

    @property
    def why(self) -> str:
        """How that is the name that was typed, a message; "" as it is written."""
        return MATCHED[self.form.kind] if self.form is not None else ""

    @property
    def born(self) -> str:
        return (self.source.resource or {}).get("birthDate") or ""


def records(site: Site, asked: Asked, view: View, typed: Typed, path: str) -> tuple[list[Found], str]:
    """The records of a page, newest first, and the place after them, sealed; "" for none.

    Args:
        path: whose places these are; the parameter ``after`` of the address has one.

    Raises:
        BadInput: a name that no search takes.
        ValueInvalid: ``after`` is no place in this list.
    """
    reader, after = asked.access.reader, asked.first("after")
    what = (("typed", repr(typed)),)
    paging = Paging(EACH)
    if after:
        cursor = site.cursors.open(after, reader=reader.name, path=path)
        if cursor.asked != what:
            raise refused()
        paging = Paging(EACH, sequence=cursor.sequence, after=cursor.after)
    found = view.search(reader, query(typed), paging)
    following = ""
    if found.next is not None:
        following = site.cursors.seal(Cursor(reader.name, path, what, 0, found.sequence, found.next))
    sources = [source_of(view, reader, version) for version in found.entries]
    return [Found(each, reasons(typed, each.resource or {}) or _NOTHING) for each in sources], following
