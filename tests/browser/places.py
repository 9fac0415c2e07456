"""Every page a person can be on, and how it is reached: for the screenshots and the checks of all of them."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from kintung.web.pages.language import Language

CHAN = "/steward/pairs/chan-clinic/chan-shenzhen"
HO = "/steward/pairs/ho-a/ho-b"


@dataclass(frozen=True)
class Place:
    """``then`` is done on the page at ``path``; it must leave the record as it was."""

    name: str
    path: str
    then: Callable[[Page], object] | None = None
    status: int = 200


def _send_stale(page: Page) -> None:
    """As if another steward had been first: the form speaks of a version that was."""
    page.locator("input[name=version]").evaluate("field => { field.value = '0' }")
    page.locator("#why").fill("-")
    page.locator("form button").click()


def _send_blank(page: Page) -> None:
    page.locator("#why").fill(" ")
    page.locator("form button").click()


def _typed(text: str) -> Callable[[Page], object]:
    """Type into the box of /find and press Enter, as who does not wait for what comes while typing."""

    def find(page: Page) -> None:
        page.locator("#typed").fill(text)
        with page.expect_event("load"):  # the script changes the address, too, and loads nothing
            page.keyboard.press("Enter")

    return find


PLACES = (
    Place("person", "/find"),
    Place("person-found", "/find", _typed("Chan Tai Man")),
    Place("person-number", "/find", _typed("A123456(3) 1950")),
    Place("person-of-two", "/find", _typed("何伯 1/1/1936")),
    Place("person-nobody", "/find", _typed("A123456(4)")),
    Place("person-no-day", "/find", _typed("陳大文 31/2/1948")),
    Place("person-forgotten", "/find?sought=abc", status=400),
    Place("design", "/design"),
    Place("home", "/"),
    Place("api", "/api"),
    Place("api-patient", "/api/Patient"),
    Place("api-list", "/api/List"),
    Place("seeds", "/seeds"),
    Place("seeds-partly", "/seeds?state=partly&seed=004"),
    Place("seeds-none", "/seeds?state=no-software&seed=001"),
    Place("record", "/record/ho-a"),
    Place("record-empty", "/record/lee-a"),
    Place("record-as-at", "/record/ho-b?as-at=2020-01-01"),
    Place("record-no-day", "/record/ho-a?as-at=2099-01-01", status=400),
    Place("timeline", "/record/ho-a/timeline"),
    Place("timeline-everything", "/record/ho-a/timeline?kind=everything&from=2022-01-01"),
    Place("timeline-nothing", "/record/ho-a/timeline?kind=procedures&from=2022-01-01"),
    Place("item", "/record/ho-a/DocumentReference/letter"),
    Place("item-attached", "/record/ho-a/DocumentReference/scan"),
    Place("item-not-yet", "/record/ho-a/List/recall?as-at=2020-01-01", status=404),
    Place("item-result", "/record/ho-a/Observation/pressure-8"),
    Place("item-no-range", "/record/ho-a/Observation/pressure-4"),
    Place("person-recent", "/find"),  # whose records were opened in the places before
    Place("queue", "/steward"),
    Place("find", "/steward/find", _typed("陳大文")),
    Place("find-beside", "/steward/find?beside=wong-a", _typed("wong")),
    Place("find-nobody", "/steward/find", _typed("nobody")),
    Place("pair", CHAN),
    Place("pair-near", "/steward/pairs/lee-a/lee-b"),
    Place("pair-merged", f"{HO}?done=merge"),
    Place("decision", f"{CHAN}/merge"),
    Place("decision-wrong", f"{CHAN}/keep-apart", _send_blank),
    Place("overtaken", f"{HO}/un-merge", _send_stale),
    Place("nowhere", "/nowhere", status=404),
    Place("absent", "/steward/pairs/chan-clinic/nobody", status=404),
)


def reached(page: Page, root: str, place: Place, language: Language) -> None:
    """Go to a place, in a language."""
    mark = "&" if "?" in place.path else "?"
    answer = page.goto(f"{root}{place.path}{mark}lang={language}")
    assert answer is not None
    assert answer.status == place.status, (place.name, answer.status)
    if place.then is not None:
        place.then(page)
