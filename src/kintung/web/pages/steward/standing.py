"""How a pair stands, what was said of it, and what may be decided: messages and nothing else. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from kintung.store.links import Link, LinkKind
from kintung.web.pages.catalogues import N_
from kintung.web.pages.steward.reasons import HELD


class Decision(NamedTuple):
    """What a steward may decide, by the last segment of its address.

    Attributes:
        verb: on what leads to it; ``question`` heads the page that asks for the reason.
        effect: what follows from it, said before it is done.
        done: what is said after it.
    """

    name: str
    verb: str
    question: str
    effect: str
    done: str


MERGE = Decision(
    "merge",
    N_("Merge"),
    N_("Are these two records of one person?"),
    N_(
        "Whoever may see one of the records will see both. Neither record changes, and you can un-merge them"
        " later."
    ),
    N_("Merged: the records are of one person now."),
)
KEEP_APART = Decision(
    "keep-apart",
    N_("Keep apart"),
    N_("Are these two records of two persons?"),
    N_("They are never linked by a rule again, until a steward takes this decision back."),
    N_("Kept apart: the records are of two persons."),
)
UN_MERGE = Decision(
    "un-merge",
    N_("Un-merge"),
    N_("Were these two records linked by mistake?"),
    N_(
        "From the next request on, who may see one of them does not see the other by this link. What was"
        " shown through the link is listed with the pair."
    ),
    N_("Un-merged: the records are of two persons again."),
)
WITHDRAW = Decision(
    "withdraw",
    N_("Take the decision back"),
    N_("Take the last decision on this pair back?"),
    N_("The pair is then what the rule says of it, and may wait in the list again."),
    N_("Taken back: the pair is what the rule says of it."),
)
DECISIONS: Mapping[str, Decision] = {
    decision.name: decision for decision in (MERGE, KEEP_APART, UN_MERGE, WITHDRAW)
}

KINDS: Mapping[LinkKind, str] = {
    LinkKind.NOTHING: N_("The rule finds no link"),
    LinkKind.PROBABLE: N_("The rule asks a steward"),
    LinkKind.CERTAIN: N_("The rule links them"),
    LinkKind.MERGED: N_("Merged by a steward"),
    LinkKind.APART: N_("Kept apart by a steward"),
    LinkKind.WITHDRAWN: N_("Decision taken back by a steward"),
}
"""What was said of a pair, in its history."""


class Standing(NamedTuple):
    """How a pair stands: ``mark`` is a name for style, ``said`` a message."""

    mark: str
    said: str


_DECIDED: Mapping[LinkKind, Standing] = {
    LinkKind.MERGED: Standing("one", N_("One person: a steward merged the records.")),
    LinkKind.APART: Standing("two", N_("Two persons: a steward keeps the records apart.")),
}
_JOINED: Mapping[LinkKind, Standing] = {
    LinkKind.NOTHING: Standing("one", N_("One person: other records link these two.")),
    LinkKind.PROBABLE: Standing("one", N_("One person: other records link these two.")),
    LinkKind.CERTAIN: Standing("one", N_("One person: the rule links the records.")),
}
_OPEN: Mapping[LinkKind, Standing] = {
    LinkKind.NOTHING: Standing("none", N_("Nothing links these records.")),
    LinkKind.PROBABLE: Standing("open", N_("Waiting for a decision.")),
    LinkKind.CERTAIN: Standing("open", HELD),
}


def standing(link: Link, *, is_one_person: bool) -> Standing:
    """How a pair stands; ``is_one_person`` is what the links of all pairs make of it."""
    return _DECIDED.get(link.decided) or (_JOINED if is_one_person else _OPEN)[link.found]


def offered(link: Link) -> tuple[Decision, ...]:
    """What may be decided of a pair that stands so, the likeliest first."""
    if link.decided is LinkKind.APART:
        return (WITHDRAW,)
    if link.decided is LinkKind.MERGED:
        return (UN_MERGE, WITHDRAW)
    if link.found is LinkKind.CERTAIN:
        return (MERGE, UN_MERGE)
    return (MERGE, KEEP_APART)


def undoing(done: Decision, link: Link) -> Decision | None:
    """What takes a decision back that was just made; None where there is nothing to take back."""
    if link.decided is not LinkKind.NOTHING:
        return WITHDRAW
    return MERGE if done is UN_MERGE else None
