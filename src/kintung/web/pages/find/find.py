"""GET /find: the persons that meet what was typed, and why; POST /find: from what was typed to there."""

from typing import NamedTuple
from urllib.parse import urlencode

from kintung.errors import BadInput
from kintung.identity.typed import MOST_CHARACTERS, Typed, card_of, is_doubtful, read
from kintung.store.port import View
from kintung.web.fhir.answer import Answer
from kintung.web.pages import assets
from kintung.web.pages.catalogues import N_
from kintung.web.pages.find.people import Person, people
from kintung.web.pages.find.records import records
from kintung.web.pages.find.sought import opened, sealed
from kintung.web.pages.forms import fields, token
from kintung.web.pages.numbers import ShownNumber, shown_numbers
from kintung.web.pages.page import page
from kintung.web.pages.registry import Asked
from kintung.web.pages.render import SAFE
from kintung.web.site import Site

PATH = "/find"
RECORD = "/record"
"""Under which the record of a person is, by the id of one of its Patients."""


class Wrong(NamedTuple):
    """What is wrong with what was typed, a message; ``text`` is the part it speaks of."""

    message: str
    text: str = ""


TOO_LONG = N_("Give at most %(n)s characters.")
FORGOTTEN = N_("What was looked for is no longer kept. Type it again.")
NO_DAY = N_("Nobody can be born on %(text)s. Check the day, or give the year alone.")
NOT_TAKEN = N_("This cannot be looked for. Try a part of the name.")


class Results(NamedTuple):
    """``following`` is the place after them, sealed; ``numbers`` what was asked for, masked."""

    people: list[Person]
    following: str = ""
    wrong: Wrong | None = None


def ask(site: Site, asked: Asked) -> Answer:
    """From the form to the address of its results; nothing is read.

    Raises:
        Forbidden: the form was not shown to who sends it.
        ValueInvalid: it cannot be read.
    """
    text = " ".join(fields(site, asked).get("typed", "").split())
    query = {"sought": sealed(site, asked, text)} if text else {}
    query |= {"lang": asked.lang} if asked.lang else {}
    address = f"{PATH}?{urlencode(query)}" if query else PATH
    return Answer(303, ((b"location", address.encode()), (b"cache-control", b"no-store"), *SAFE))


def find(site: Site, asked: Asked, view: View) -> Answer:
    """The box, and the persons that meet what the address has sealed.

    Raises:
        ValueInvalid: ``after`` is no place in this list.
    """
    sought = asked.first("sought")
    text = opened(site, asked, sought) if sought else ""
    typed = read(text or "", site.today)
    results = _results(site, asked, view, text, typed)
    return page(
        site,
        asked,
        "find/find.html",
        tuple(sorted({key for each in results.people for key in each.keys})),
        status=200 if text is not None else 400,
        kept=("sought", "after"),
        script=assets.FIND,
        token=token(site, asked, PATH),
        text=text or "",
        most=MOST_CHARACTERS,
        sought=sought if text else "",
        typed=typed,
        numbers=_masked(typed),
        is_doubtful=any(map(is_doubtful, typed.numbers)),
        results=results,
        record=RECORD,
        is_first=not asked.first("after"),
    )


def _results(site: Site, asked: Asked, view: View, text: str | None, typed: Typed) -> Results:
    if text is None:
        return Results([], wrong=Wrong(FORGOTTEN))
    if len(text) > MOST_CHARACTERS:
        return Results([], wrong=Wrong(TOO_LONG))
    if typed.impossible:
        return Results([], wrong=Wrong(NO_DAY, typed.impossible[0]))
    if typed.is_empty:
        return Results([])
    try:
        found, following = records(site, asked, view, typed, "find")
    except BadInput:
        if asked.first("after"):
            raise
        return Results([], wrong=Wrong(NOT_TAKEN))
    return Results(people(view, asked.access.reader, typed, found), following)


def _masked(typed: Typed) -> tuple[ShownNumber, ...]:
    return shown_numbers([{"system": card_of(number), "value": number} for number in typed.numbers])
