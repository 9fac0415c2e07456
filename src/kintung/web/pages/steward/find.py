"""GET /steward/find: records by a name in any script, a number or a birth date, and why; two to compare."""

from kintung.identity.typed import MOST_CHARACTERS
from kintung.store.port import View
from kintung.web.fhir.answer import Answer
from kintung.web.pages.find.looked import look
from kintung.web.pages.forms import token
from kintung.web.pages.numbers import shown_numbers
from kintung.web.pages.page import page
from kintung.web.pages.registry import Asked
from kintung.web.pages.steward.names import shown_name
from kintung.web.pages.steward.source import source
from kintung.web.site import Site


def find(site: Site, asked: Asked, view: View) -> Answer:
    """A page of the records that meet what was typed; ``beside`` is the one to be compared with another.

    Raises:
        NotFound: ``beside`` is absent or hidden.
        ValueInvalid: ``after`` is no place in this list.
    """
    reader = asked.access.reader
    beside = source(view, reader, asked.first("beside")) if asked.first("beside") else None
    looked = look(site, asked, view, "steward/find")
    shown = [each.source for each in looked.found] + ([beside] if beside else [])
    return page(
        site,
        asked,
        "steward/find.html",
        tuple(sorted({key for each in shown for key in each.keys})),
        status=looked.status,
        kept=("sought", "beside", "after"),
        token=token(site, asked, asked.path),
        most=MOST_CHARACTERS,
        looked=looked,
        is_first=not asked.first("after"),
        shown_name=shown_name,
        shown_numbers=shown_numbers,
        beside=beside,
        beside_name=shown_name(beside) if beside else None,
    )
