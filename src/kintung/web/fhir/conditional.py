"""Conditional references of a transaction: what they match once its writes are done.

Source: http://hl7.org/fhir/R4/http.html#trules, which has them resolved last. A criterion is
met by the record without what the transaction deletes or changes, and by what it writes, with
links inside the Bundle resolved and conditional references not yet: so the order of entries
does not matter, and no reference waits for another.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from kintung.consent import Access
from kintung.errors import KintungError, MultipleMatches, NoMatch, NotSupported, TooCostly
from kintung.fhir.json import parse
from kintung.fhir.search import Chain, Criterion, Has, Query, ReferenceValue, extract, is_of_itself
from kintung.fhir.splice import Links, splice
from kintung.store.matching import Indexed, codes_asked, indexed, meets, meets_one
from kintung.store.port import View
from kintung.store.vault import VaultedSystems
from kintung.web.fhir.bundle import at_entry
from kintung.web.fhir.deposit import Step

Name = tuple[str, str]
"""Type and id of a resource."""

_AT_ONCE = 100
"""Resources one criterion asks for."""
COMPARISONS = 1_000_000
"""Of one conditional reference with one thing written: about three seconds, perhaps in the commit lock."""


class Written(NamedTuple):
    """What a transaction does to a resource, and by which entry.

    ``is_new``: under an id that the node gives now, so that nothing stored refers to it.
    ``links``: what its links inside the Bundle become; in the parsed resource they are replaced.
    """

    number: int
    step: Step
    is_new: bool
    links: Links


class After:
    """The record as it will be after a transaction, as far as its conditional references ask.

    What the transaction writes is seen by its writer, who sent it; all else as the caller's
    sight has it. ``at`` stands for the instant of the commit, which is not known yet.
    """

    def __init__(
        self,
        view: View,
        access: Access,
        written: Mapping[Name, Written],
        *,
        at: int,
        offset_minutes: int,
        vaulted: VaultedSystems,
        keep_time: Callable[[], None],
    ) -> None:
        """Args:
        at: in UTC microseconds.
        offset_minutes: zone of dates without one, minutes east of UTC.
        vaulted: systems whose numbers are compared by their normal form.
        keep_time: raises when the time for the transaction has run out.
        """
        self._view = view
        self._sight = access.sight
        self._written: Mapping[Name, Written] = {} if self._sight.sees_nothing else written
        self._at = at
        self._offset = offset_minutes
        self._vaulted = vaulted
        self._keep_time = keep_time
        self._replaced = sum(1 for one in written.values() if not one.is_new)
        self._own: dict[Name, Indexed | None] = {}
        self._stored: dict[Name, Indexed | None] = {}
        self._names_by_code: dict[str, dict[str, list[Name]]] = {}
        self._left = COMPARISONS

    def one(self, query: Query) -> str:
        """The reference to the one resource that matches: ``Patient/1``.

        Raises:
            NoMatch, MultipleMatches: none does, or several do.
            NotSupported: what the transaction changes decides which stored resources meet a chain.
            TooCostly: the references so far had more to look through than they may.
        """
        self._keep_time()
        _refuse_far(query)
        self._refuse_changed_chains(query)
        found = [*self._in_record(query), *self._in_transaction(query)]
        if len(found) > 1:
            raise MultipleMatches("A conditional reference matches more than one resource.")
        if not found:
            raise NoMatch("A conditional reference matches nothing.")
        return "/".join(found[0])

    def _in_record(self, query: Query) -> list[Name]:
        """Two of the matches that the transaction leaves as they are, or all there are."""
        for limit in (2, 2 + self._replaced):
            matches = self._view.match(self._sight, query, limit)
            names = [(match.type, match.id) for match in matches]
            kept = [name for name in names if name not in self._written]
            if len(kept) > 1 or len(matches) < limit:
                break
        return kept

    def _in_transaction(self, query: Query) -> list[Name]:
        """Matches among what the transaction writes."""
        found: list[Name] = []
        candidates = self._candidates(query)
        self._left -= len(candidates)
        if self._left < 0:
            raise TooCostly(
                "The conditional references have too much of the transaction to look through; "
                "ask for an identifier or another code in each, or send several transactions."
            )
        for name in candidates:
            resource = self._own_rows(name)
            if resource is not None and meets(query, resource, self):
                found.append(name)
        return found

    def _candidates(self, query: Query) -> list[Name]:
        """What the transaction writes that may match: by its codes, where the query asks for codes."""
        codes = codes_asked(query, self._vaulted)
        if codes is None:
            return [name for name in self._written if name[0] in query.types]
        named = (name for type in query.types for code in codes for name in self._of_code(type, code))
        return list(dict.fromkeys(named))

    def _of_code(self, type: str, code: str) -> list[Name]:
        by_code = self._names_by_code.get(type)
        if by_code is None:
            by_code = self._names_by_code[type] = {}
            for name in self._written:
                resource = self._own_rows(name) if name[0] == type else None
                for one in {token[2] for token in resource.rows.tokens} if resource else ():
                    by_code.setdefault(one or "", []).append(name)
        return by_code.get(code, [])

    def _refuse_changed_chains(self, query: Query) -> None:
        """Refuse a chain that stored resources come to meet, or no longer, by what the transaction does.

        Each of them would have to be looked at, and one Organization has thousands.
        """
        for chain in query.criteria:
            if isinstance(chain, Chain):
                changed = self._changed_targets(chain)
                for start in range(0, len(changed), _AT_ONCE):
                    self._refuse_referred_to(query, chain, changed[start : start + _AT_ONCE])

    def _changed_targets(self, chain: Chain) -> list[Name]:
        """What meets the inner criterion of a chain either before the transaction or after it."""
        changed: list[Name] = []
        for name, one in self._written.items():
            if name[0] in chain.targets and not one.is_new:
                self._keep_time()
                if _is_link(chain, self._stored_rows(name)) != _is_link(chain, self._own_rows(name)):
                    changed.append(name)
        return changed

    def _refuse_referred_to(self, query: Query, chain: Chain, targets: Sequence[Name]) -> None:
        """Refuse if what is stored, and stays, leads to one of the targets and meets all but chains."""
        leads = Criterion(chain.parameter, None, tuple(ReferenceValue((type,), id) for type, id in targets))
        plain = (condition for condition in query.criteria if is_of_itself(condition))
        narrowed = replace(query, criteria=(*plain, leads))
        matches = self._view.match(self._sight, narrowed, 1 + self._replaced)
        if any((match.type, match.id) not in self._written for match in matches):
            raise NotSupported(
                f"A conditional reference leads through a {targets[0][0]} that this transaction changes; "
                "name the resource by its id, or send the change before."
            )

    def at(self, type: str, id: str) -> Indexed | None:
        """What a search will know of a resource after the transaction, as ``Around`` has it."""
        name = type, id
        return self._own_rows(name) if name in self._written else self._stored_rows(name)

    def of(self, type: str) -> Iterable[Indexed]:
        """Not asked for: what leads here decides no conditional reference."""
        raise AssertionError(type)

    def _own_rows(self, name: Name) -> Indexed | None:
        """What a search will know of a resource the transaction writes; None of one it deletes."""
        if name not in self._own:
            number, step, _, links = self._written[name]
            try:
                self._own[name] = self._indexed_step(name, step, links) if step.resource else None
            except KintungError as error:
                raise at_entry(error, number) from None
            self._keep_time()
        return self._own[name]

    def _indexed_step(self, name: Name, step: Step, links: Links) -> Indexed:
        resource = step.resource or {}
        if step.type != "Bundle":  # its links are its own
            spliced = splice(step.raw, type=step.type, id=name[1], references=links)
            if spliced.linked_elsewhere:
                resource = parse(spliced.text)
        rows = extract(resource, offset_minutes=self._offset)
        return indexed(*name, self._at, rows, self._vaulted)

    def _stored_rows(self, name: Name) -> Indexed | None:
        """What a search knows of a resource of the record now."""
        if name not in self._stored:
            current = self._view.current(self._sight, *name)  # what is read here is asked again inside
            self._stored[name] = None
            if current is not None and not current.deleted:
                version = self._view.read(self._sight, *name)
                rows = extract(parse(version.body), offset_minutes=self._offset)
                self._stored[name] = indexed(*name, version.at, rows, self._vaulted)
        return self._stored[name]


def _refuse_far(query: Query) -> None:
    """Refuse what other resources decide than those that a reference of the match leads to."""
    for condition in query.criteria:
        is_far = isinstance(condition, Chain) and not all(is_of_itself(c) for _, c in condition.inner)
        if is_far or isinstance(condition, Has):
            raise NotSupported("A conditional reference is by the resource itself, or a chain of one link.")


def _is_link(chain: Chain, target: Indexed | None) -> bool:
    """Whether a reference to ``target`` meets the chain, which is of one link."""
    return target is not None and any(
        type == target.type and is_of_itself(wanted) and meets_one(wanted, target)
        for type, wanted in chain.inner
    )
