"""Names as a steward compares them: every script, and by which form two of them agree."""

import unicodedata
from functools import lru_cache
from typing import Any, NamedTuple

from kintung.errors import TooLong, ValueInvalid
from kintung.identity.matching import record
from kintung.identity.matching.levels import COMPARISONS, levels
from kintung.identity.names import Form, folded, forms, is_han
from kintung.web.pages.catalogues import N_
from kintung.web.pages.steward.source import Source

Resource = dict[str, Any]


class Shown(NamedTuple):
    """A name for a heading: in characters and in letters, "" where it is not known so."""

    characters: str
    letters: str


class Name(NamedTuple):
    """One HumanName, as it is stored too; ``use`` is its code, "" for none."""

    text: str
    use: str
    is_han: bool
    stored: Resource


FORMS: dict[str, str] = {
    "written": N_("the same characters"),
    "folded": N_("the same name when simplified"),
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
    return Name(unicodedata.normalize("NFC", text.strip()), name.get("use") or "", han, name)


def shown_name(source: Source) -> Shown:
    """The name of a source Patient for a heading."""
    names = names_of(source.resource or {})
    han = next((name.text for name in names if name.is_han), "")
    return Shown(han, next((name.text for name in names if not name.is_han), ""))


class Agreement(NamedTuple):
    """How one name agrees with another, a message, "" where it is the same; ``of`` is the other name."""

    message: str
    of: str


def agreement(name: Name, others: tuple[Name, ...]) -> Agreement | None:
    """The closest way in which a name agrees with one of others; None when with none.

    A name that is another in full, or by one of its forms; else surname and given name as the rule compares
    them, which knows given names in another order, Western ones, and the surnames of married women.
    """
    if any(_plain(name.text) == _plain(other.text) for other in others):
        return Agreement("", name.text)
    return _by_form(name, others) or next(filter(None, (_as_the_rule(name, other) for other in others)), None)


def _by_form(name: Name, others: tuple[Name, ...]) -> Agreement | None:
    for other in others:
        if name.is_han and other.is_han and folded(_plain(name.text)) == folded(_plain(other.text)):
            return Agreement(FORMS["folded"], other.text)
        han, letters = (name, other) if name.is_han else (other, name)
        if not han.is_han or letters.is_han:
            continue
        for form in _forms(han.text):
            if _plain(form.text) == _plain(letters.text):
                return Agreement(FORMS[form.kind], han.text)
    return None


_ALIKE = frozenset({"same", "folded", "sound", "order", "other"})
"""Levels at which surnames, or given names, are one name."""
_SAYS = {
    (comparison.name, level.name): level.says for comparison in COMPARISONS for level in comparison.levels
}


def _as_the_rule(name: Name, other: Name) -> Agreement | None:
    """How given names agree, where both surname and given name do."""
    one, two = (record({"name": [each.stored]}) for each in (name, other))
    found = {
        comparison.name: level
        for comparison, level in zip(COMPARISONS, levels(one, two), strict=True)
        if level is not None
    }
    surnames = {level for name, level in found.items() if name.startswith("surname")}
    givens = [(name, level) for name, level in found.items() if name.startswith("given")]
    if not surnames or not givens or not surnames | {level for _, level in givens} <= _ALIKE:
        return None
    return Agreement(_SAYS[givens[0]], other.text)


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
