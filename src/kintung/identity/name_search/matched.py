"""Which form of a recorded name matched what was asked for: pages show it, and it is shown to be checked."""

from typing import Any, Final, Literal, NamedTuple

from kintung.fhir.search import Criterion, StringValue, extract, holds, parameters
from kintung.fhir.search.text import folded
from kintung.identity.name_search.rows import condition_of, name_rows
from kintung.identity.name_search.sought import Kind, NameCode, sought


class MatchedForm(NamedTuple):
    """A name as it is recorded, in which form it was found, its rank among such, and what that means."""

    text: str
    kind: Literal["written"] | Kind
    rank: int
    why: str


_WRITTEN: Final = ("written", 1, "as it is written")
_WHY: dict[Kind, str] = {
    "variant": "other characters that are compared alike",
    "characters": "characters in the middle of the name, or beside letters",
    "hong_kong": "as Hong Kong spells the characters",
    "macao": "as Macao spells the characters",
    "pinyin": "as pinyin spells the characters",
    "cantonese": "characters that sound alike in Cantonese",
    "letters": "the same letters, spaced or ordered differently; or pinyin",
    "surname": "a surname that is spelled so",
}


def matched_form(query: str, name: dict[str, Any], code: NameCode = "name") -> MatchedForm | None:
    """Return the form in which a search finds a name; None when it does not.

    Args:
        query: what was asked for, as typed.
        name: a HumanName as it is recorded.
        code: the search parameter it was asked for by.

    The text of the form is the name as it is recorded. A name that is asked for whole, CHAN Tai Man, is
    written so too, though none of its parts is.
    """
    resource = {"resourceType": "Patient", "name": [name]}
    rows = extract(resource)
    rows = rows._replace(strings=[*rows.strings, *name_rows(resource)])
    asked = parameters("Patient")[code]
    shown = _shown(name)
    written = Criterion(asked, None, (StringValue(query, folded(query)),))
    if folded(query) and holds(written, rows, id="", updated=0):
        return MatchedForm(shown, *_WRITTEN)
    for each in sought(code, query):
        if holds(condition_of(asked, each), rows, id="", updated=0):
            if folded(shown).startswith(folded(query)):
                return MatchedForm(shown, *_WRITTEN)
            return MatchedForm(shown, each.kind, each.rank, _WHY[each.kind])
    return None


def _shown(name: dict[str, Any]) -> str:
    text: str | None = name.get("text")
    parts = [name.get("family"), *name.get("given", ())]
    return text or " ".join(part for part in parts if part)
