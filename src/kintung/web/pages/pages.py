"""Every page of a node."""

from kintung.consent import Policy, Right
from kintung.web.fhir.answer import Answer
from kintung.web.pages import api, assets, home, seeds
from kintung.web.pages.design import design
from kintung.web.pages.find import actions as find
from kintung.web.pages.record import actions as record
from kintung.web.pages.record.record import PDF
from kintung.web.pages.registry import Asked, Brings, Page, Pages, Tells
from kintung.web.pages.render import SAFE
from kintung.web.pages.steward import actions as steward


def _bring(asked: Asked) -> Answer:
    found = assets.asset(asked.path)
    kept = (b"cache-control", b"public, max-age=31536000, immutable")
    return Answer(200, ((b"content-type", found.type), kept, *SAFE), found.body)


PAGES = Pages(
    (
        Page("asset", "GET", f"{assets.MOUNT}/{{name}}", Brings(_bring), None, Policy.OPEN),
        Page("design", "GET", "/design", Tells(design), None, Policy.OPEN),
        Page("home", "GET", home.PATH, Tells(home.home), None, Policy.OPEN),
        Page("api", "GET", api.PATH, Tells(api.api), None, Policy.OPEN),
        Page("api-type", "GET", f"{api.PATH}/{{type}}", Tells(api.of_type), None, Policy.OPEN),
        Page("seeds", "GET", seeds.PATH, Tells(seeds.seeds), None, Policy.OPEN),
        Page("find", "GET", "/find", find.FIND, Right.VIEW, Policy.DISCLOSES),
        Page("find-ask", "POST", "/find", find.ASK, None, Policy.CARRIES),
        Page("record", "GET", "/record/{id}", record.RECORD, Right.VIEW, Policy.DISCLOSES),
        Page("record-pdf", "GET", f"/record/{{id}}/{PDF}", record.DOCUMENT, Right.VIEW, Policy.DISCLOSES),
        Page(
            "record-timeline",
            "GET",
            "/record/{id}/timeline",
            record.TIMELINE,
            Right.VIEW,
            Policy.DISCLOSES,
        ),
        Page("record-item", "GET", "/record/{id}/{type}/{rid}", record.ITEM, Right.VIEW, Policy.DISCLOSES),
        Page(
            "record-content",
            "GET",
            "/record/{id}/{type}/{rid}/content/{n}",
            record.CONTENT,
            Right.VIEW,
            Policy.DISCLOSES,
        ),
        Page(
            "steward-queue",
            "GET",
            "/steward",
            steward.QUEUE,
            Right.STEWARD,
            Policy.DISCLOSES,
        ),
        Page("steward-find", "GET", "/steward/find", steward.FIND, Right.STEWARD, Policy.DISCLOSES),
        Page("steward-find-ask", "POST", "/steward/find", find.ASK, None, Policy.CARRIES),
        Page(
            "steward-pair",
            "GET",
            "/steward/pairs/{one}/{other}",
            steward.PAIR,
            Right.STEWARD,
            Policy.DISCLOSES,
        ),
        Page(
            "steward-decision",
            "GET",
            "/steward/pairs/{one}/{other}/{decision}",
            steward.DECISION,
            Right.STEWARD,
            Policy.DISCLOSES,
        ),
        Page(
            "steward-decide",
            "POST",
            "/steward/pairs/{one}/{other}/{decision}",
            steward.DECIDE,
            Right.STEWARD,
            Policy.DEPOSITS,
        ),
    )
)
