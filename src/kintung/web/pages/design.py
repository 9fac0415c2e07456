"""GET /design: every piece that pages are made of, live, in the language and the theme of who looks.

It shows nothing of the record; what stands in the pieces is invented here. What each is for is said in
``docs/reference/pages.md``.
"""

from collections.abc import Mapping
from typing import Any

from kintung.web.fhir.answer import Answer
from kintung.web.pages.page import page
from kintung.web.pages.registry import Asked
from kintung.web.pages.steward.names import Shown
from kintung.web.site import Site

NAME = Shown("陳大文", "CHAN, Tai Man")
PLACES = ("hong-kong", "mainland", "macao", "patient", "elsewhere", "")
LEVELS = ("certain", "probable", "assumed")
READINGS = (("2021-10-04", 152, 94), ("2022-01-17", 138, 86), ("2022-04-01", 128, 79))
"""Day, systolic and diastolic pressure."""
AS_AT, TODAY = "2022-04-01", "2022-10-19"


PIECES: Mapping[str, Any] = {
    "name": NAME,
    "places": PLACES,
    "levels": LEVELS,
    "readings": READINGS,
    "as_at": AS_AT,
    "today": TODAY,
}


def design(site: Site, asked: Asked) -> Answer:
    """The page; the same for everyone."""
    return page(site, asked, "design.html", (), **PIECES)
