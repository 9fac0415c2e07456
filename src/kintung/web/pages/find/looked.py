"""What was looked for and what was found of it, from a sealed address, for every page that finds people."""

from typing import NamedTuple

from kintung.errors import BadInput
from kintung.identity.typed import MOST_CHARACTERS, Typed, card_of, is_doubtful, read
from kintung.store.port import View
from kintung.web.pages.catalogues import N_
from kintung.web.pages.find.records import Found, records
from kintung.web.pages.find.sought import opened
from kintung.web.pages.numbers import ShownNumber, shown_numbers
from kintung.web.pages.registry import Asked
from kintung.web.site import Site

TOO_LONG = N_("Give at most %(n)s characters.")
FORGOTTEN = N_("Your search is no longer kept. Type it again.")
NO_DAY = N_("Nobody can have been born on %(text)s. Check the day, or give the year alone.")
NOT_TAKEN = N_("This cannot be looked for. Try a part of the name.")


class Looked(NamedTuple):
    """A page of what was found.

    Attributes:
        sought: the sealed text, as the address has it; "" where there is none that is good.
        text: what was typed.
        wrong: a message that says what is wrong with it, "" for nothing; ``part`` is what it speaks of.
        following: the place after these records, sealed; "" for none.
    """

    sought: str
    text: str
    typed: Typed
    wrong: str = ""
    part: str = ""
    found: tuple[Found, ...] = ()
    following: str = ""

    @property
    def is_asked(self) -> bool:
        """Is there anything to find?"""
        return not (self.wrong or self.typed.is_empty)

    @property
    def numbers(self) -> tuple[ShownNumber, ...]:
        """The numbers that were typed, masked."""
        return shown_numbers([{"system": card_of(each), "value": each} for each in self.typed.numbers])

    @property
    def is_doubtful(self) -> bool:
        """Has one of them a wrong check digit?"""
        return any(map(is_doubtful, self.typed.numbers))

    @property
    def status(self) -> int:
        return 400 if self.wrong == FORGOTTEN else 200


def look(site: Site, asked: Asked, view: View, path: str) -> Looked:
    """The records that meet what the address of a page has sealed.

    Args:
        path: of the page, as its places say it.

    Raises:
        ValueInvalid: ``after`` is no place in this list.
    """
    sought = asked.first("sought")
    text = opened(site, asked, sought) if sought else ""
    if text is None:
        return Looked("", "", Typed(), FORGOTTEN)
    looked = Looked(sought, text, read(text, site.today))
    if len(text) > MOST_CHARACTERS:
        return looked._replace(wrong=TOO_LONG)
    if looked.typed.impossible:
        return looked._replace(wrong=NO_DAY, part=looked.typed.impossible[0])
    if looked.typed.is_empty:
        return looked
    try:
        found, following = records(site, asked, view, looked.typed, path)
    except BadInput:
        if asked.first("after"):
            raise
        return looked._replace(wrong=NOT_TAKEN)
    return looked._replace(found=tuple(found), following=following)
