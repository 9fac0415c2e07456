"""Who asks, for whom and why, and what they may do: the one place a Reader is made."""

from kintung.consent.access import Access, Gate, Right, Stranger, unprotected
from kintung.consent.policy import Policy, Undeclared, require_answered, require_policy
from kintung.consent.standing import kept, of_now, standing

__all__ = [
    "Access",
    "Gate",
    "Policy",
    "Right",
    "Stranger",
    "Undeclared",
    "kept",
    "of_now",
    "require_answered",
    "require_policy",
    "standing",
    "unprotected",
]
