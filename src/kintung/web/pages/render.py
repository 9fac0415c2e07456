"""From a template and values to the bytes of a page."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache, lru_cache, partial
from typing import Any
from urllib.parse import quote, urlencode

from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from kintung.consent import Right
from kintung.web.outcomes import Headers
from kintung.web.pages import breaks
from kintung.web.pages.assets import MARK, STYLE
from kintung.web.pages.catalogues import messages
from kintung.web.pages.language import Language, tongue
from kintung.web.pages.sections import HOME, entries

HTML = b"text/html; charset=utf-8"
POLICY = (
    b"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
    b" base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing comes from elsewhere, nothing in a page runs, and no page of another place frames it."""
SCRIPTED = POLICY + b"; script-src 'self'; connect-src 'self'"
"""Of the few pages that bring a script of ours for comfort; it asks nobody but the node."""
OF_DOCUMENT = (
    b"default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; base-uri 'none'; form-action 'none';"
    b" frame-ancestors 'none'"
)
"""What browsers show a PDF with is under it too, and brings styles of its own."""
_COMMON: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),  # with none at all browsers send forms without an Origin
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
SAFE: Headers = ((b"content-security-policy", POLICY), *_COMMON)
_KEPT_NOWHERE: Headers = (
    (b"cache-control", b"no-store"),
    (b"vary", b"accept-language, cookie, accept-encoding"),
)


def page_headers(language: Language, *, runs: bool = False) -> Headers:
    """The header fields of a page: kept by nobody; ``runs``: it brings a script."""
    safe = ((b"content-security-policy", SCRIPTED), *_COMMON) if runs else SAFE
    return ((b"content-type", HTML), (b"content-language", language.encode()), *_KEPT_NOWHERE, *safe)


def document_headers(language: Language, name: str) -> Headers:
    """The header fields of a PDF: kept by nobody; ``name`` is what it is called where it is saved."""
    safe = ((b"content-security-policy", OF_DOCUMENT), *_COMMON)
    shown = (b"content-disposition", f'inline; filename="{name}"'.encode())
    return (
        (b"content-type", b"application/pdf"),
        (b"content-language", language.encode()),
        shown,
        *_KEPT_NOWHERE,
        *safe,
    )


def render(
    template: str,
    language: Language,
    *,
    path: str,
    query: Mapping[str, str] | None = None,
    lang: str = "",
    rights: Collection[Right] = (),
    script: str = "",
    offset_minutes: int = 0,
    **values: Any,
) -> bytes:
    """A page.

    Args:
        path, query: its own address, for the switch between languages.
        lang: the language when the address chose it: links go on with it.
        rights: of who asks; the header leads where they allow.
        script: address of the one it brings, "" for none.
        offset_minutes: zone that instants are shown in, minutes east of UTC.
    """

    def address(to: str, /, **more: str) -> str:  # a parameter may be called "to"
        return _address(to, {**more, **({"lang": lang} if lang else {})})

    def switch(to: Language) -> str:
        # However many slashes a request began with: two would lead to another site.
        here = "/" + quote(path.lstrip("/\\"))
        return _address(here, {**(query or {}), "lang": to.value})

    given = {
        **_words(language),
        "lang": lang,
        "address": address,
        "switch": switch,
        "when": partial(_instant, language=language, offset_minutes=offset_minutes),
        "sections": entries(path, rights),
        "script": script,
        **values,
    }
    return _environment(language).get_template(template).render(given).encode()


@cache
def _words(language: Language) -> dict[str, Any]:
    """What every page of a language has."""
    return {
        "language": language,
        "languages": tuple(Language),
        "signs": language.signs,
        "han": language.han.value,
        "day": partial(civil_day, language=language),
        "number": partial(_number, language=language),
        "tenths": partial(_number, language=language, pattern="#,##0.0"),
        "recorded": partial(_recorded, language=language),
        "phrases": breaks.phrases,
        "whole": breaks.whole,
        "breaks": breaks,
        "home": HOME,
        "style": STYLE,
        "mark": MARK,
    }


def _instant(micros: int, language: Language, offset_minutes: int) -> Markup:
    """A day and a time of it."""
    at = datetime.fromtimestamp(micros / 1_000_000, UTC).astimezone(
        timezone(timedelta(minutes=offset_minutes))
    )
    said = f"{format_date(at, 'medium', locale=language.locale)}".replace(" ", "\u00a0") + f" {at:%H:%M}"
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), said)


def _number(value: float, language: Language, pattern: str | None = None) -> str:
    return format_decimal(value, format=pattern, locale=language.locale)


def _recorded(text: str, language: Language) -> Markup:
    """What was recorded, marked with its language where that is not the language of the page."""
    of, text = tongue(text, language), breaks.held(text)
    return Markup('<span lang="{}">{}</span>').format(of, text) if of else Markup.escape(text)


@lru_cache(maxsize=4_096)
def civil_day(text: str, language: Language) -> str:
    """A FHIR date in the words of a language; a year or a month stays one. What is no date stays as it is."""
    year, *rest = text.split("-")
    try:
        if not rest:
            return format_skeleton("y", date(int(year), 1, 1), locale=language.locale)
        if len(rest) == 1:
            month = date(int(year), int(rest[0]), 1)
            return format_skeleton("yMMMM", month, locale=language.locale).replace(" ", "\u00a0")
        return format_date(date.fromisoformat(text), "long", locale=language.locale).replace(" ", "\u00a0", 1)
    except ValueError:
        return text


def _address(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


@cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=PackageLoader("kintung.web.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(messages(language), newstyle=True)  # type: ignore[attr-defined]
    return environment
