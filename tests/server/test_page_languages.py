"""In which language pages are shown: what the address says, then what was chosen before, then the browser."""

from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.web.pages.language import Language, chosen, keeping, kept_in
from tests.server.api import Api
from tests.server.api import api as opened

DESIGN = "http://record.example/design"


@pytest.fixture
def api() -> Iterator[Api]:
    with opened() as found:
        yield found


def get(api: Api, query: str = "", **headers: str) -> httpx.Response:
    return api.get(
        f"{DESIGN}{query}", headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


def spoken(page: httpx.Response) -> str:
    return page.headers["content-language"]


def test_a_choice_is_kept_and_goes_before_the_browser(api: Api) -> None:
    switched = get(api, "?lang=en", accept_language="zh-CN")
    cookie = switched.headers["set-cookie"]
    assert cookie == "lang=en; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"
    later = get(api, cookie=f"other=1; {cookie.partition(';')[0]}", accept_language="zh-CN")
    assert (spoken(switched), spoken(later)) == ("en", "en")
    assert "set-cookie" not in later.headers
    assert "cookie" in later.headers["vary"]


def test_the_address_goes_before_the_choice_and_changes_it(api: Api) -> None:
    page = get(api, "?lang=zh-Hans-CN", cookie="lang=en")
    assert (spoken(page), page.headers["set-cookie"].partition(";")[0]) == ("zh-Hans-CN", "lang=zh-Hans-CN")
    assert "set-cookie" not in get(api, "?lang=en", cookie="lang=en").headers, "nothing new"


def test_a_link_of_another_site_is_shown_in_its_language_and_changes_no_choice(api: Api) -> None:
    page = get(api, "?lang=en", cookie="lang=zh-Hans-CN", sec_fetch_site="cross-site")
    assert spoken(page) == "en"
    assert "set-cookie" not in page.headers


@pytest.mark.parametrize("query", ["", "?lang=", "?lang=klingon", "?lang=%00"])
def test_what_is_no_choice_is_not_kept(api: Api, query: str) -> None:
    assert "set-cookie" not in get(api, query).headers


@pytest.mark.parametrize("cookie", ["lang=klingon", "lang", "=", ";;,", "lang=\xff", "Lang=en"])
def test_a_cookie_that_says_no_language_is_passed_over(api: Api, cookie: str) -> None:
    header = [(b"cookie", cookie.encode("latin-1")), (b"accept-language", b"zh-CN")]
    assert api.get(DESIGN, headers=header).headers["content-language"] == "zh-Hans-CN"


@given(cookies=st.binary(max_size=60), accepted=st.binary(max_size=60), lang=st.text(max_size=12))
def test_whatever_is_sent_there_is_a_language(cookies: bytes, accepted: bytes, lang: str) -> None:
    assert chosen(lang, accepted, kept_in(cookies)) in Language


@pytest.mark.parametrize("language", list(Language))
def test_what_is_kept_is_found_again(language: Language) -> None:
    assert chosen("", b"fr", kept_in(keeping(language).partition(b";")[0])) is language


DAYS = {"en": "1 April 2022", "zh-Hant-HK": "2022年4月1日", "zh-Hans-CN": "2022年4月1日"}


@pytest.mark.parametrize(("lang", "day"), DAYS.items())
def test_days_and_numbers_are_those_of_the_language(api: Api, lang: str, day: str) -> None:
    text = get(api, f"?lang={lang}").text
    assert f"{day} ·</span> 1,234,567.5" in text.replace("\u00a0", " ")
