"""Every refusal as a page: what happened, what to do next, and nothing that is not so."""

from html import unescape

import pytest

from kintung.errors import KintungError, OutcomeUnknown, TooCostly, Unavailable
from kintung.web.outcomes import STATUS, MethodNotAllowed
from kintung.web.pages.catalogues import messages
from kintung.web.pages.language import Language
from kintung.web.pages.refusals import refusal

FAILED = "Something went wrong here"
UNSTORED = "The node cannot do it now, and nothing was stored. Try again in a while."


def shown(error: KintungError, language: Language = Language.ENGLISH) -> str:
    return unescape(refusal(error, language, "", "/find").body.decode())


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("kind", [each for each in STATUS if each is not MethodNotAllowed])
def test_each_says_its_status_and_only_a_failure_is_one(kind: type[KintungError], language: Language) -> None:
    page = refusal(kind("Not for readers 42."), language, "", "/find")
    text = unescape(page.body.decode())
    assert page.status == STATUS[kind]
    assert f'<p class="meta">{page.status}</p>' in text
    assert "Not for readers" not in text
    assert (messages(language).gettext(FAILED) in text) == (kind is KintungError)


@pytest.mark.parametrize("language", list(Language))
def test_a_failure_gives_its_reference_alone(language: Language) -> None:
    text = shown(KintungError("The node failed to answer; the log has it under 0oidQQ0b."), language)
    assert '<p class="number">0oidQQ0b</p>' in text
    assert "The node failed" not in text


def test_what_was_not_stored_is_said_only_where_that_is_known() -> None:
    assert UNSTORED in shown(Unavailable("later"))
    assert UNSTORED not in shown(OutcomeUnknown("later"))


def test_what_costs_too_much_says_how_to_ask_for_less() -> None:
    assert "Ask for less" in shown(TooCostly("too much"))
