"""The client registry: what a steward decides of two source Patients.

A steward merges them, keeps them apart, un-merges them, or takes a decision back. Each names the version of
the pair that was looked at, so that two stewards cannot decide of one pair without knowing of each other.
What is decided and what is refused are both in the audit log. What there is to decide and what was decided
are read of a view: ``queue``, ``links_of``, ``said``, ``disclosed`` (see ``kintung.store.port.View``).
"""

from collections.abc import Callable
from typing import NamedTuple

from kintung.errors import Conflict, KintungError, NotFound, RuleFailed, VersionConflict
from kintung.store.links import Link, LinkChange, LinkKind
from kintung.store.persons import pair_of
from kintung.store.port import Store, Unit, View
from kintung.store.reader import Reader, Scope
from kintung.store.writes import AuditRecord, Outcome, Prepared


class Steward(NamedTuple):
    """Who decides: ``reader`` is what it may see, and so what it may decide of."""

    actor: str
    organisation: str
    purpose: str
    reader: Reader


_Rule = Callable[[Link], LinkKind]
"""What is to be said of a pair that stands so; raises Conflict when there is nothing to say."""


def merge(store: Store, steward: Steward, one: str, other: str, *, version: int, why: str = "") -> Link:
    """Say that two source Patients are one person.

    Args:
        version: of the pair as it was looked at, 0 where nothing was said of it.
        why: in the steward's words, without clinical content; sealed.

    Raises:
        NotFound: either is absent, deleted, or hidden from the steward.
        VersionConflict: something else was said of the pair meanwhile.
        Conflict: they are merged already or kept apart; or it would join two that are kept apart.
        RuleFailed: both are one source Patient.
    """
    return _decide(store, steward, "merge", (one, other, version, why), lambda _: LinkKind.MERGED)


def keep_apart(store: Store, steward: Steward, one: str, other: str, *, version: int, why: str = "") -> Link:
    """Say that two source Patients are two persons, whatever any rule finds; raises what ``merge`` does."""
    return _decide(store, steward, "keep-apart", (one, other, version, why), lambda _: LinkKind.APART)


def unmerge(store: Store, steward: Steward, one: str, other: str, *, version: int, why: str = "") -> Link:
    """End the link of two source Patients, a steward's or a rule's; the next request has no reach by it.

    What a rule links they are kept apart of: it would link them again. Raises what ``merge`` does, and
    Conflict when they are not linked.
    """
    return _decide(store, steward, "un-merge", (one, other, version, why), _unmerged)


def withdraw(store: Store, steward: Steward, one: str, other: str, *, version: int, why: str = "") -> Link:
    """Take the last decision on a pair back: it is again what the rule says. Raises what ``merge`` does."""
    return _decide(store, steward, "withdraw", (one, other, version, why), lambda _: LinkKind.WITHDRAWN)


def _unmerged(link: Link) -> LinkKind:
    if not link.is_linked:
        raise Conflict(
            f"Patient/{link.one} and Patient/{link.other} are not linked; there is no link to end."
        )
    return LinkKind.APART if link.found is LinkKind.CERTAIN else LinkKind.WITHDRAWN


_TOLD: dict[type[KintungError], int] = {NotFound: 404, VersionConflict: 412, Conflict: 409, RuleFailed: 422}
"""Statuses of the audit records of refusals; those of the API are in ``kintung.web.outcomes``."""


def _decide(
    store: Store, steward: Steward, operation: str, said: tuple[str, str, int, str], rule: _Rule
) -> Link:
    one, other, version, why = said
    pair = (one, other)

    def prepare(view: View) -> Prepared:
        pair_of(one, other)
        for id in pair:
            current = view.current(steward.reader, "Patient", id)
            if current is None or current.deleted:
                raise NotFound(f"Patient/{id} is not known.", path="Patient")
        link = view.link(steward.reader, one, other) or Link(*pair_of(one, other))
        if link.version != version:
            raise VersionConflict(
                f"Something else was said of Patient/{one} and Patient/{other} meanwhile;"
                " look at the pair again and decide anew."
            )
        change = LinkChange(one, other, rule(link), steward.actor, why, expected=version)
        audit = _audit(steward, operation, pair, 200)
        return Prepared(outcomes=(Outcome(200),), links=(change,), audit=audit)

    try:
        store.commit(Unit(steward.reader, prepare))
    except tuple(_TOLD) as refusal:
        status = next(_TOLD[kind] for kind in type(refusal).__mro__ if kind in _TOLD)
        store.record(_audit(steward, operation, pair, status)).result()
        raise
    with store.view() as view:
        link = view.link(steward.reader, one, other)
    if link is None:  # hidden meanwhile
        raise NotFound(f"Patient/{one} is not known.", path="Patient")
    return link


def _audit(steward: Steward, operation: str, pair: tuple[str, str], status: int) -> AuditRecord:
    scope = steward.reader.persons if isinstance(steward.reader.persons, Scope) else Scope(0)
    return AuditRecord(
        steward.actor,
        steward.organisation,
        steward.purpose,
        operation,
        f"Patient/{pair[0]} Patient/{pair[1]}",
        status,
        scope=scope.number,
        epoch=scope.epoch,
    )
