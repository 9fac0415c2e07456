"""Which of the three languages a page speaks: of the address, then as chosen before, then of the browser.

What was chosen is kept in a cookie that holds the language and nothing else. An address of another site that
says a language is shown in it, and changes no choice.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from kintung.definitions.label import Wording

_ASKED = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?")
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_AMOUNT = re.compile(r"[<>≤≥]?\s*-?\d")
_WORD = re.compile("[A-Za-z]{3}")
_MOST = 32
"""Languages of one header field that are looked at."""


class Signs(NamedTuple):
    """What stands between words, and the space that goes with it; ``space`` parts what has no other sign."""

    colon: str
    comma: str
    semicolon: str
    opening: str
    closing: str
    space: str


class Language(StrEnum):
    """BCP 47 tags of the message catalogues, each with its own name."""

    HONG_KONG = "zh-Hant-HK"
    MAINLAND = "zh-Hans-CN"
    ENGLISH = "en"

    @property
    def own_name(self) -> str:
        """What a switch between languages calls it."""
        return _OWN_NAMES[self]

    @property
    def han(self) -> "Language":
        """Which Chinese names in characters are marked as: their shapes are those of the reader's place.

        Fonts that hold the shapes of all places draw ``zh`` alone as on the mainland.
        """
        return Language.HONG_KONG if self is Language.ENGLISH else self

    @property
    def signs(self) -> Signs:
        """Chinese has signs as wide as a character, and no space beside them."""
        if self is Language.ENGLISH:
            return Signs(": ", ", ", "; ", " (", ")", " ")
        return Signs("：", "，", "；", "（", "）", "")

    @property
    def locale(self) -> str:
        """Its name in CLDR; English dates are written as in Hong Kong."""
        return "en_HK" if self is Language.ENGLISH else self.value.replace("-", "_")


_OWN_NAMES: Mapping[Language, str] = {
    Language.HONG_KONG: "繁體中文",
    Language.MAINLAND: "简体中文",
    Language.ENGLISH: "English",
}
DEFAULT = Language.HONG_KONG
"""Of a node of Hong Kong, where nothing else is asked for."""
COOKIE = "lang"
_SIMPLIFIED = frozenset({"hans", "cn", "sg", "my"})


def chosen(lang: str, accept_language: bytes, kept: str = "") -> Language:
    """The language of a page.

    Args:
        lang: parameter of the address, "" for none; one that is not offered is passed over.
        kept: as :func:`kept_in` found it.
        accept_language: header field of the browser. Source: RFC 9110, section 12.5.4.
    """
    asked = spoken(lang) or spoken(kept)
    if asked is not None:
        return asked
    for tag in _in_order(accept_language.decode("latin-1")):
        found = DEFAULT if tag == "*" else spoken(tag)
        if found is not None:
            return found
    return DEFAULT


def kept_in(cookies: bytes) -> str:
    """The language that was chosen before, from the header field Cookie; "" for none."""
    for each in cookies.decode("latin-1").replace(",", ";").split(";", _MOST)[:_MOST]:
        name, _, value = each.strip().partition("=")
        if name == COOKIE:
            return value
    return ""


def keeping(language: Language) -> bytes:
    """Set-Cookie that keeps a choice for a year, out of the reach of scripts and of other sites."""
    return f"{COOKIE}={language}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax".encode()


def tongue(text: str, language: Language) -> str:
    """The language of a recorded text where its script is not that of the page: a BCP 47 tag, else "".

    Told by its signs, because what is recorded seldom says it; what begins with a number is of no language.
    """
    if speaks(text, language) or _AMOUNT.match(text):
        return ""
    if language is Language.ENGLISH:
        return language.han.value
    return "en" if _WORD.search(text) else ""


def speaks(text: str, language: Language) -> bool:
    """Has a text words in the script of the page? One in both scripts has."""
    is_han = _HAN.search(text) is not None
    return is_han if language is not Language.ENGLISH else not is_han or _WORD.search(text) is not None


def worded(wording: Wording, language: Language) -> str:
    """What a definition says in a language."""
    return {
        Language.HONG_KONG: wording.zh_hk,
        Language.MAINLAND: wording.zh_cn,
        Language.ENGLISH: wording.en,
    }[language]


def _in_order(field: str) -> Iterator[str]:
    """The tags of Accept-Language that are acceptable, best first."""
    weighed: list[tuple[float, str]] = []
    for part in field.split(",", _MOST)[:_MOST]:
        found = _ASKED.fullmatch(part)
        weight = float(found[2] or 1) if found else 0.0
        if found and weight:
            weighed.append((weight, found[1]))
    weighed.sort(key=lambda each: -each[0])  # stable: of equals the first
    return (tag for _, tag in weighed)


def spoken(tag: str) -> Language | None:
    """The catalogue that serves a tag; written Chinese of no place is that of Hong Kong."""
    first, *rest = tag.lower().split("-")
    if first == "en":
        return Language.ENGLISH
    if first in ("zh", "yue", "cmn"):
        is_simplified = "hant" not in rest and not _SIMPLIFIED.isdisjoint(rest)
        return Language.MAINLAND if is_simplified else Language.HONG_KONG
    return None
