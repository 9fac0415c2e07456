"""The score of a pair term by term, as the rule said it when it said it: see ``kintung.identity.judge``."""

import re
from typing import NamedTuple

from kintung.identity.matching.levels import COMPARISONS
from kintung.web.pages.catalogues import N_

_TERM = re.compile(r"([a-z-]+) ([a-z-]+) ([+-]\d{1,3}\.\d)")
_MOST = 40

_LABELS = {
    "number": N_("Identity number"),
    "surname": N_("Surname"),
    "given": N_("Given name"),
    "birth": N_("Date of birth"),
    "sex": N_("Sex"),
    "phone": N_("Phone"),
    "address": N_("Address"),
}
"""By the first word of a comparison: surnames are compared as characters, as spellings and across both."""
_SAYS = {
    (comparison.name, level.name): level.says for comparison in COMPARISONS for level in comparison.levels
}


class Term(NamedTuple):
    """One addend: what was compared, how it agrees (both messages), and what that adds, in bits."""

    label: str
    says: str
    bits: float

    @property
    def is_number(self) -> bool:
        """Is it that of the identity numbers?"""
        return self.label == _LABELS["number"]


def terms(why: str) -> tuple[Term, ...]:
    """The terms that a rule's words list; () for any other words."""
    found: list[Term] = []
    for part in why.split(", ", _MOST):
        term = _TERM.fullmatch(part)
        says = _SAYS.get((term[1], term[2])) if term else None
        if term is None or says is None:
            return ()
        found.append(Term(_LABELS[term[1].partition("-")[0]], says, float(term[3])))
    return tuple(found)
