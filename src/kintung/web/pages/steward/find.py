"""GET /steward/find: records by a name in any script, and which form of it matched; two to compare."""

from kintung.identity.typed import MOST_CHARACTERS, Typed
from kintung.store.port import View
from kintung.web.fhir.answer import Answer
from kintung.web.pages.find.records import records
from kintung.web.pages.page import page
from kintung.web.pages.registry import Asked
from kintung.web.pages.steward.names import shown_name
from kintung.web.pages.steward.source import source
from kintung.web.site import Site


def find(site: Site, asked: Asked, view: View) -> Answer:
    """A page of the records that have a name; ``beside`` is the one that another is to be compared with.

    Raises:
        NotFound: ``beside`` is absent or hidden.
        ValueInvalid: ``after`` is no place in the list of this name.
    """
    reader, name = asked.access.reader, " ".join(asked.first("name").split())
    beside = source(view, reader, asked.first("beside")) if asked.first("beside") else None
    is_long = len(name) > MOST_CHARACTERS
    is_asked = bool(name) and not is_long
    found, following = records(site, asked, view, Typed(name), "steward/find") if is_asked else ([], "")
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
        shown_name=shown_name,
        beside=beside,
        beside_name=shown_name(beside) if beside else None,
    )
