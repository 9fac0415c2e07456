"""How an interaction keeps to consent; one without a declared policy does not load."""

from enum import StrEnum

from kintung.consent.access import Right


class Policy(StrEnum):
    """What an interaction or operation may say of the record, and to whom."""

    OPEN = "open"
    """Says nothing of the record: needs no right and leaves no audit record."""

    DISCLOSES = "discloses"
    """Answers what the caller's Reader sees; audited before the body leaves."""

    DEPOSITS = "deposits"
    """Writes; its criteria match what the caller may see; the audit record commits with it."""

    CARRIES = "carries"
    """Carries other requests; each is held to the right and policy of its own entry."""


class Undeclared(RuntimeError):
    """An entry of the registry does not say how it keeps to consent; the node must not start."""


_NEEDS_RIGHT = {Policy.OPEN: False, Policy.DISCLOSES: True, Policy.DEPOSITS: True, Policy.CARRIES: False}


def require_policy(name: str, right: Right | None, policy: Policy | None) -> None:
    """Refuse an entry that declares no policy, or one its right contradicts.

    Raises:
        Undeclared: ``policy`` is missing; or it discloses or deposits and ``right`` is missing;
            or it does neither and asks for a right.
    """
    if not isinstance(policy, Policy):
        raise Undeclared(f"{name} declares no policy; see kintung.consent.policy.")
    if _NEEDS_RIGHT[policy] != (right is not None):
        raise Undeclared(f"{name}: the policy {policy} and the right {right} contradict each other.")
