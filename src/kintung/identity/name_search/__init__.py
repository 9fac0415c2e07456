"""Search by name: any script finds the person, and it can be said which form of the name matched.

The store is given two functions of it by ``kintung.app``: one makes the rows of a resource
(:func:`name_rows`), one what a name asked for may stand as (:func:`name_forms`). Pure.
"""

from kintung.identity.name_search.matched import MatchedForm, matched_form
from kintung.identity.name_search.rows import (
    is_found_in_any_form,
    name_forms,
    name_rows,
    names_fingerprint,
)
from kintung.identity.name_search.sought import NameCode
from kintung.identity.name_search.syllables import is_syllable

__all__ = [
    "MatchedForm",
    "NameCode",
    "is_found_in_any_form",
    "is_syllable",
    "matched_form",
    "name_forms",
    "name_rows",
    "names_fingerprint",
]
