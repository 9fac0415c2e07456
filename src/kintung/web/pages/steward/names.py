"""Names as a steward compares them: every script, and by which form two of them agree."""

import unicodedata
from functools import lru_cache
from typing import Any, NamedTuple

from kintung.errors import TooLong, ValueInvalid
from kintung.identity.names import Form, folded, forms, is_han
from kintung.web.pages.catalogues import N_
from kintung.web.pages.steward.source import Source

Resource = dict[str, Any]


class Shown(NamedTuple):
    """A name for a heading: in characters and in letters, "" where it is not known so."""

    characters: str
    letters: str


class Name(NamedTuple):
    """One HumanName; ``use`` is its code, "" for none."""

    text: str
    use: str
    is_han: bool


FORMS: dict[str, str] = {
    "written": N_("the same characters"),
    "folded": N_("the same name in simplified characters"),
    "traditional": N_("the same name in traditional characters"),
    "telegraph": N_("the telegraph code of %(name)s"),
    "jyutping": N_("the Jyutping of %(name)s"),
    "hong_kong": N_("a Hong Kong spelling of %(name)s"),
    "macao": N_("a Macao spelling of %(name)s"),
    "pinyin": N_("the Pinyin of %(name)s"),
    "own_name": N_("%(name)s without the husband's surname"),
}
"""By kind of ``kintung.identity.names.Form``: how a form agrees with the name it was made of."""
USES: dict[str, str] = {
    "usual": N_("usual name"),
    "official": N_("official name"),
    "temp": N_("temporary name"),
    "nickname": N_("nickname"),
    "anonymous": N_("pseudonym"),
    "old": N_("former name"),
    "maiden": N_("name before marriage"),
}
"""Codes of FHIR name-use."""


def names_of(resource: Resource) -> tuple[Name, ...]:
    """Every name of a Patient that says something, in its order."""
    found = (_name(name) for name in resource.get("name", ()))
    return tuple(name for name in found if name.text)


def _name(name: Resource) -> Name:
    family, given = name.get("family") or "", [part for part in name.get("given", ()) if part]
    text = name.get("text") or ""
    han = any(map(is_han, family + text + "".join(given)))
    if family or given:
        text = family + "".join(given) if han else ", ".join(filter(None, [family, " ".join(given)]))
    return Name(unicodedata.normalize("NFC", text.strip()), name.get("use") or "", han)


def shown_name(source: Source) -> Shown:
    """The name of a source Patient for a heading."""
    names = names_of(source.resource or {})
    han = next((name.text for name in names if name.is_han), "")
    return Shown(han, next((name.text for name in names if not name.is_han), ""))


class Agreement(NamedTuple):
    """How one name agrees with another: ``kind`` is "same" or a key of ``FORMS``; ``of`` the name meant."""

    kind: str
    of: str


def agreement(name: Name, others: tuple[Name, ...]) -> Agreement | None:
    """The closest way in which a name agrees with one of others; None when with none."""
    plain = {_plain(other.text): other for other in others}
    if _plain(name.text) in plain:
        return Agreement("same", name.text)
    for other in others:
        if name.is_han and other.is_han and folded(_plain(name.text)) == folded(_plain(other.text)):
            return Agreement("folded", other.text)
        han, letters = (name, other) if name.is_han else (other, name)
        if not han.is_han or letters.is_han:
            continue
        for form in _forms(han.text):
            if _plain(form.text) == _plain(letters.text):
                return Agreement(form.kind, han.text)
    return None


def _plain(text: str) -> str:
    """Letters and characters alone, marks and case laid aside."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in decomposed if character.isalnum())


@lru_cache(maxsize=256)
def _forms(text: str) -> tuple[Form, ...]:
    try:
        return forms(text)
    except (ValueInvalid, TooLong):
        return ()
