"""GET /steward/find: records by a name in any script, and which form of it matched; two to compare."""

from typing import Any, NamedTuple

from kintung.fhir.search import escape, parse_query
from kintung.identity.name_search import matched_form, name_forms
from kintung.store.port import Paging, Version, View
from kintung.store.reader import Reader
from kintung.web.cursor import Cursor, refused
from kintung.web.fhir.answer import Answer
from kintung.web.pages.catalogues import N_
from kintung.web.pages.page import page
from kintung.web.pages.registry import Asked
from kintung.web.pages.steward.names import Shown, shown_name
from kintung.web.pages.steward.source import Source, source, source_of
from kintung.web.site import Site

EACH = 20
"""Records of one page."""
MOST_CHARACTERS = 100
"""Of a name that is looked for."""
_PATH = "steward/find"

MATCHED: dict[str, str] = {
    "written": "",
    "variant": N_("other characters that are compared alike"),
    "characters": N_("characters in the middle of the name, or beside letters"),
    "hong_kong": N_("as Hong Kong spells the characters"),
    "macao": N_("as Macao spells the characters"),
    "pinyin": N_("as Pinyin spells the characters"),
    "cantonese": N_("characters that sound so in Cantonese"),
    "letters": N_("the same letters, parted or put in order otherwise; or Pinyin"),
    "surname": N_("a surname that is spelled so"),
}
"""By kind of ``kintung.identity.name_search.MatchedForm``: how a name that was found is the one asked for."""


class Found(NamedTuple):
    """A record that has the name: ``text`` is what matched, ``why`` a message, "" as it is written."""

    source: Source
    name: Shown
    text: str
    why: str

    @property
    def born(self) -> str:
        return (self.source.resource or {}).get("birthDate") or ""


def find(site: Site, asked: Asked, view: View) -> Answer:
    """A page of the records that have a name; ``beside`` is the one that another is to be compared with.

    Raises:
        NotFound: ``beside`` is absent or hidden.
        ValueInvalid: ``after`` is no place in the list of this name.
    """
    reader, name = asked.access.reader, " ".join(asked.first("name").split())
    beside = source(view, reader, asked.first("beside")) if asked.first("beside") else None
    is_long = len(name) > MOST_CHARACTERS
    found, following = _found(site, asked, view, name) if name and not is_long else ([], "")
    shown = [each.source for each in found] + ([beside] if beside else [])
    return page(
        site,
        asked,
        "steward/find.html",
        tuple(sorted({key for each in shown for key in each.keys})),
        kept=("name", "beside", "after"),
        name=name,
        most=MOST_CHARACTERS,
        is_long=is_long,
        found=found,
        following=following,
        is_first=not asked.first("after"),
        beside=beside,
        beside_name=shown_name(beside) if beside else None,
    )


def _found(site: Site, asked: Asked, view: View, name: str) -> tuple[list[Found], str]:
    """The records of a page, newest first, and the place after them, sealed."""
    reader = asked.access.reader
    query = parse_query("Patient", [("name", escape(name))], now_micros=0, others=name_forms)
    paging, text, what = Paging(EACH), asked.first("after"), (("name", name),)
    if text:
        cursor = site.cursors.open(text, reader=reader.name, path=_PATH)
        if cursor.asked != what:
            raise refused()
        paging = Paging(EACH, sequence=cursor.sequence, after=cursor.after)
    records = view.search(reader, query, paging)
    following = ""
    if records.next is not None:
        following = site.cursors.seal(Cursor(reader.name, _PATH, what, 0, records.sequence, records.next))
    return [_matched(view, reader, name, version) for version in records.entries], following


def _matched(view: View, reader: Reader, name: str, version: Version) -> Found:
    patient = source_of(view, reader, version)
    names: list[dict[str, Any]] = (patient.resource or {}).get("name", [])
    forms = [form for each in names if (form := matched_form(name, each))]
    best = min(forms, key=lambda form: form.kind != "written", default=None)
    text, why = (best.text, MATCHED[best.kind]) if best else ("", "")
    return Found(patient, shown_name(patient), text, why)
