"""Why a pair waits, in words that are translated where the rule's own are known."""

from typing import NamedTuple

from kintung.store.links import Link, LinkKind, Said
from kintung.web.pages.catalogues import N_
from kintung.web.pages.steward.terms import Term, terms

SAID = (
    N_("a verified number in common, and another birth date"),
    N_("a verified number in common, and nothing against it"),
    N_("no verified number in common"),
    N_("one of the records was deleted"),
    N_("one replaces the other, by the word of who deposited both"),
)
"""What ``kintung.identity.feed`` says of a pair."""
HELD = N_("Linking them would join two records that a steward keeps apart.")
ASKED = N_("They may be one person; the rule cannot tell.")
NUMBER = N_("Nothing in the score speaks against one person, but the identity number does not settle it.")
NO_NUMBER = N_("Nothing in the score speaks against one person, but no identity number is in common.")

AGAINST = 2
"""Terms of a score that are named in the list."""


class Reason(NamedTuple):
    """Why a pair waits: messages, or the rule's words; and what of its score speaks against a link."""

    why: str
    against: tuple[Term, ...] = ()


def reason(link: Link, said: tuple[Said, ...]) -> Reason:
    """Why a pair waits, from all that was said of it."""
    if link.found is LinkKind.CERTAIN:
        return Reason(HELD)
    of_rule = last_of_rule(said)
    scored = terms(of_rule)
    if not scored:
        return Reason(of_rule or ASKED)
    against = sorted((term for term in scored if term.bits < 0), key=lambda term: term.bits)
    if against:
        return Reason("", tuple(against[:AGAINST]))
    return Reason(NUMBER if any(term.is_number for term in scored) else NO_NUMBER)


def last_of_rule(said: tuple[Said, ...]) -> str:
    """The rule's last words on a pair, "" for none."""
    return next((each.why for each in reversed(said) if not each.kind.is_decision), "")
