"""Refusals as pages: what happened and what to do next, in the language of who asked."""

import re
from collections.abc import Collection

from kintung.consent import Right
from kintung.errors import (
    BadInput,
    Conflict,
    Deleted,
    Forbidden,
    KintungError,
    NotEquipped,
    NotFound,
    OutcomeUnknown,
    RuleFailed,
    Throttled,
    TooCostly,
    Unavailable,
)
from kintung.web.fhir.answer import Answer
from kintung.web.outcomes import headers_of, status_of
from kintung.web.pages.catalogues import N_
from kintung.web.pages.language import Language
from kintung.web.pages.render import page_headers, render

_SAID: dict[type[KintungError], tuple[str, str]] = {
    NotFound: (
        N_("There is nothing here"),
        N_("Nothing is at this address, or it is not for you to see. Go back and choose again."),
    ),
    Deleted: (N_("This was deleted"), N_("It was here and was deleted. Go back and choose again.")),
    Forbidden: (
        N_("You may not do this"),
        N_("You lack the right to do it, or the form is no longer good. Open the page again."),
    ),
    Conflict: (
        N_("This cannot be done now"),
        N_("The record has changed since you opened the page. Open it again."),
    ),
    RuleFailed: (
        N_("This cannot be done"),
        N_("A rule forbids it. A link is between two different records."),
    ),
    Throttled: (N_("Too much at once"), N_("Wait until what you asked for is done, then try again.")),
    TooCostly: (
        N_("This would look through too much"),
        N_("Ask for less: more of the name, a date of birth, or a number."),
    ),
    OutcomeUnknown: (
        N_("It is not known whether this was done"),
        N_("Open the page again, and look before you try once more."),
    ),
    Unavailable: (
        N_("Not possible at the moment"),
        N_("The node cannot do it now, and nothing was stored. Try again in a while."),
    ),
    NotEquipped: (
        N_("No PDF is made here"),
        N_("This node lacks the program or the fonts. Print the page, or tell whoever runs the node."),
    ),
    BadInput: (
        N_("This could not be understood"),
        N_("What was sent is not what this page takes. Open the page again."),
    ),
    KintungError: (
        N_("Something went wrong here"),
        N_("It is not your fault. Tell whoever runs this node, and give them this reference:"),
    ),
}


_REFERENCE = re.compile(r"\w+(?=\.$)")
"""The end of what is said of a failure nobody foresaw: where the log has it."""


def refusal(
    error: KintungError,
    language: Language,
    lang: str,
    path: str,
    rights: Collection[Right] = (),
    demo_day: str = "",
) -> Answer:
    """The page that says that a request is refused.

    Args:
        path: the address that was asked for.
        rights: of who asked, where that is known.
        demo_day: the day a demo is as at, "" where the node is none.
    """
    title, advice = next(_SAID[kind] for kind in type(error).__mro__ if kind in _SAID)
    status = status_of(error)
    reference = found[0] if status == 500 and (found := _REFERENCE.search(str(error))) else ""
    body = render(
        "refusal.html",
        language,
        path=path,
        lang=lang,
        rights=rights,
        demo_day=demo_day,
        title=title,
        advice=advice,
        status=status,
        reference=reference,
    )
    return Answer(status, (*page_headers(language), *headers_of(error)), body)
