"""GET /find: the persons that meet what was typed, and why; POST /find: from what was typed to there."""

from urllib.parse import urlencode

from kintung.identity.typed import MOST_CHARACTERS
from kintung.store.port import View
from kintung.web.fhir.answer import Answer
from kintung.web.pages import assets
from kintung.web.pages.find.looked import look
from kintung.web.pages.find.people import people, recent
from kintung.web.pages.find.sought import sealed
from kintung.web.pages.find.wider import wider
from kintung.web.pages.forms import fields, token
from kintung.web.pages.page import page
from kintung.web.pages.registry import Asked
from kintung.web.pages.render import SAFE
from kintung.web.pages.sections import RECORD
from kintung.web.site import Site


def ask(site: Site, asked: Asked) -> Answer:
    """From the form of a page to the address of its results; nothing is read.

    Raises:
        Forbidden: the form was not shown to who sends it.
        ValueInvalid: it cannot be read.
    """
    sent = fields(site, asked)
    text = " ".join(sent.get("typed", "").split())
    kept = {"sought": sealed(site, asked, text) if text else "", "beside": sent.get("beside", "")}
    query = urlencode({name: value for name, value in (*kept.items(), ("lang", asked.lang)) if value})
    address = f"{asked.path}?{query}" if query else asked.path
    return Answer(303, ((b"location", address.encode()), (b"cache-control", b"no-store"), *SAFE))


def find(site: Site, asked: Asked, view: View) -> Answer:
    """The box, and the persons that meet what the address has sealed; with nothing in it, recent people.

    Raises:
        ValueInvalid: ``after`` is no place in this list.
    """
    looked = look(site, asked, view, "find")
    found = people(view, asked.access.reader, looked.typed, looked.found, site.today)
    is_empty = not (looked.text or looked.wrong)
    lately = recent(view, asked.access, site.today) if is_empty else []
    return page(
        site,
        asked,
        "find/find.html",
        tuple(sorted({key for each in (*found, *lately) for key in each.keys})),
        status=looked.status,
        kept=("sought", "after"),
        script=assets.FIND,
        token=token(site, asked, asked.path),
        most=MOST_CHARACTERS,
        looked=looked,
        people=found,
        wider=wider(site, asked, looked.typed) if looked.is_asked else None,
        has_recent=is_empty and bool(asked.access.actor),
        recent=lately,
        record=RECORD,
        is_first=not asked.first("after"),
    )
