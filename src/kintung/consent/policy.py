"""How an interaction or a search parameter keeps to consent; without a declaration none loads."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from kintung.consent.access import Right
from kintung.fhir.search import Answered, Parameter
from kintung.fhir.search.atoms import IN_BODIES, TABLE


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
    """Something does not say how it keeps to consent; the node must not start."""


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


def require_answered(parameter: Parameter) -> None:
    """Refuse a search parameter that does not declare what answers it, or declares what it contradicts.

    Whatever it declares, the store lets the Reader stand on every row it reads for it.

    Raises:
        Undeclared: it declares nothing, or something else than the store would read.
    """
    if parameter.answered is None:
        raise Undeclared(
            f"The search parameter {parameter.type}.{parameter.code} declares nothing that answers it; "
            "see kintung.fhir.search.parameters."
        )
    if not _READ[parameter.answered](parameter):
        raise Undeclared(
            f"The search parameter {parameter.type}.{parameter.code} is not answered from "
            f"{parameter.answered}, as it declares."
        )


_READ: Mapping[Answered, Callable[[Parameter], bool]] = {
    "rows": lambda it: it.stored is None and it.kind in TABLE and bool(it.branches or it.foci),
    "columns": lambda it: it.stored is not None and not it.branches,
    "bodies": lambda it: it.code in IN_BODIES and it.stored is None and not it.branches,
    "nothing": lambda it: it.stored is None and it.kind not in TABLE and not it.branches,
}
"""Does a parameter have what its declaration says the store reads, and nothing else?"""
