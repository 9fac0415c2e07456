"""From accepted text to a Write: spliced, indexed, owned, sealed. All outside the commit lock."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kintung.definitions import owners, ownership_rule
from kintung.errors import RuleFailed
from kintung.fhir.json import parse
from kintung.fhir.search import OFFSET_MINUTES, Extracted, String, bound_keys, extract
from kintung.fhir.splice import splice
from kintung.store.composites import composite_rows, relation_rows
from kintung.store.port import View
from kintung.store.reader import Reader
from kintung.store.sealing import Sealer
from kintung.store.vault import Vault, VaultedSystems, Vaults
from kintung.store.versions import Current, Method, OwnerKind, Ownership
from kintung.store.writes import KEY_ATOM, IndexRows, Write, is_hash

OtherRows = Callable[[dict[str, Any]], Sequence[String]]
"""Rows of a resource beside those that its search parameters have: a pure function of it, given by
who knows more of names than the language does. What asks for them is ``fhir.search.OtherForms``."""


OtherKeys = Callable[[dict[str, Any]], Sequence[int]]
"""Keys that alike resources share (``KEY_ATOM``): a pure function of one, too."""


def none(_resource: dict[str, Any]) -> Sequence[Any]:
    """There are none."""
    return ()


class Scribe:
    """Makes the Writes of a node: it holds the node's keys, vaults and zone, and what it knows of names."""

    def __init__(
        self,
        sealer: Sealer,
        vaults: Vaults,
        offset_minutes: int = OFFSET_MINUTES,
        other_rows: OtherRows = none,
        other_keys: OtherKeys = none,
    ) -> None:
        self._sealer = sealer
        self.vaults = vaults
        self.offset_minutes = offset_minutes
        self._other_rows = other_rows
        self._other_keys = other_keys

    @property
    def vaulted(self) -> VaultedSystems:
        """Systems whose numbers are compared by their normal form."""
        return self.vaults.systems

    def expect(self, persons: Iterable[str]) -> None:
        """Make ready for new Patients by their ids, before :meth:`put` of each."""
        self._sealer.expect(persons)

    def put(  # noqa: PLR0913 - one argument for each thing a version is made of
        self,
        view: View,
        reader: Reader,
        *,
        type: str,
        id: str,
        raw: bytes,
        resource: dict[str, Any],
        current: Current | None,
        organisation: str = "",
        references: Mapping[str, str] | None = None,
        written: Mapping[tuple[str, str], Ownership] | None = None,
    ) -> Write:
        """The write that makes ``raw`` the next version of ``type/id``.

        Args:
            raw: the accepted text, as sent.
            resource: the same, parsed, with ``references`` already replaced where a Reference has them.
            current: what ``view.current`` answered; None when the id is free.
            organisation: id of the depositing Organization, for a new resource.
            references: texts in ``raw`` (urn:uuid, conditional) to the references they became.
            written: whose the resources are that the same unit has written so far.

        Raises:
            RuleFailed: the update would give the data of one person to another; or whose it is
                depends on what the reader cannot see.
        """
        links: Mapping[str, str] = {} if references is None else references
        text, meta_at, linked_elsewhere = splice(raw, type=type, id=id, references=links)
        if linked_elsewhere:
            resource = parse(text)
        depositor = current.ownership.organisation if current else organisation
        sources = _sources(view, reader, type, written or {})
        ownership = ownership_of(sources, type, id, resource, depositor)
        if current is not None:
            ownership = _in_its_range(current.ownership, ownership)
            _refuse_move(type, id, current.ownership, ownership)
        return Write(
            method=Method.UPDATE if current is not None and not current.deleted else Method.CREATE,
            type=type,
            id=id,
            expected=current.version_id if current is not None else 0,
            ownership=ownership,
            sealed=self._sealer.seal(text, meta_at, ownership, type, id),
            adds=self.index(resource),
            removes=self._indexed(view, reader, type, id, current),
        )

    def delete(self, view: View, reader: Reader, *, type: str, id: str, current: Current) -> Write:
        """The write that deletes ``type/id``, whose state is ``current``."""
        assert not current.deleted, f"{type}/{id} is deleted already"
        return Write(
            method=Method.DELETE,
            type=type,
            id=id,
            expected=current.version_id,
            ownership=current.ownership,
            sealed=None,
            adds=None,
            removes=self._indexed(view, reader, type, id, current),
        )

    def index(self, resource: dict[str, Any], vault: Vault | None = None) -> IndexRows:
        """The index rows of a resource: a pure function of it, so the index can be rebuilt.

        Args:
            vault: hashes its numbers; by default the one in force.
        """
        vault = vault or self.vaults.current
        found = self.extracted(resource)
        tokens = vault.index(found.tokens)
        tokens += [(KEY_ATOM, key) for key in self._other_keys(resource)]
        return IndexRows(
            tokens=tokens,
            references=found.references,
            dates=found.dates,
            strings=found.strings,
            quantities=[
                (atom, (system or "", code or ""), *bound_keys(low, high))
                for atom, system, code, low, high in found.quantities
            ],
            composites=composite_rows(found.composites, vault) if found.composites else [],
            relations=relation_rows(found.composites, vault) if found.composites else [],
            vault=vault.name,
        )

    def hashed(self, resource: dict[str, Any], vault: Vault) -> IndexRows:
        """Of these rows those with a keyed hash, under the secret of ``vault``."""
        found = extract(resource, offset_minutes=self.offset_minutes)
        composites = composite_rows(found.composites, vault)
        relations = relation_rows(found.composites, vault)
        return IndexRows(
            tokens=[row for row in vault.index(found.tokens) if is_hash(row[1])],
            references=[],
            dates=[],
            strings=[],
            quantities=[],
            composites=[row for row in composites if is_hash(row[1]) or is_hash(row[2])],
            relations=[row for row in relations if is_hash(row[3])],
            vault=vault.name,
        )

    def extracted(self, resource: dict[str, Any]) -> Extracted:
        """The same before terms are numbered and identifiers hashed."""
        found = extract(resource, offset_minutes=self.offset_minutes)
        others = self._other_rows(resource)
        return found._replace(strings=[*found.strings, *others]) if others else found

    def open(self, sealed: bytes, type: str, id: str) -> bytes:
        """The text of a sealed body, without version and time."""
        return self._sealer.open(sealed, type, id)

    def _indexed(
        self, view: View, reader: Reader, type: str, id: str, current: Current | None
    ) -> IndexRows | None:
        if current is None or current.deleted:
            return None
        return self.index(parse(view.read(reader, type, id).body))


def _sources(
    view: View, reader: Reader, type: str, written: Mapping[tuple[str, str], Ownership]
) -> Callable[[str, str], Ownership | None]:
    """Whose a source of owners is, for a resource of ``type`` that the reader writes.

    Were the owners of a hidden source taken and those of an absent one not, the writer would
    see what it wrote in one case only. Who sees nothing at all cannot tell, and who sees all
    has nothing hidden from it.
    """

    def owners_of(source_type: str, source_id: str) -> Ownership | None:
        found = written.get((source_type, source_id))
        if found is not None:
            return found
        tells = not (reader.sees_all or reader.sees_nothing)
        if tells and view.current(reader, source_type, source_id) is None:
            raise RuleFailed(
                f"Whose this {type} is depends on {source_type}/{source_id}, which is not known to you; "
                "store that first, or name the person.",
                path=type,
            )
        return view.owners_of(source_type, source_id)

    return owners_of


def ownership_of(
    owners_of: Callable[[str, str], Ownership | None],
    type: str,
    id: str,
    resource: dict[str, Any],
    organisation: str,
) -> Ownership:
    """Whose ``type/id`` is: its rule, with what others own asked of ``owners_of(type, id)``.

    One that is nobody's takes nobody away from those a resource derives its owners from. When
    one that was never stored is all there is to derive them from, they are unknown: were it the
    organisation's meanwhile, its readers would see what may be a person's. See ADR 0011.
    """
    found = owners(resource, id)
    if found.kind == "public":
        return Ownership(OwnerKind.PUBLIC)
    persons = dict.fromkeys(found.persons)
    unknown = False
    for source in found.sources:
        owned = owners_of(*source.split("/"))
        unknown |= owned is None or owned.kind is OwnerKind.UNKNOWN
        persons.update(dict.fromkeys(owned.persons if owned is not None else ()))
    if not persons:
        kind = OwnerKind.UNKNOWN if unknown else OwnerKind.ORGANISATION
        return Ownership(kind, organisation=organisation)
    may_be_several = len(persons) > 1 or ownership_rule(type).kind == "several"
    kind = OwnerKind.SEVERAL if may_be_several else OwnerKind.PERSON
    return Ownership(kind, tuple(persons), organisation)


def _in_its_range(before: Ownership, after: Ownership) -> Ownership:
    """What was stored before its owner was known stays in nobody's range: one owns it as several do."""
    known_now = before.kind is OwnerKind.UNKNOWN or (
        before.kind is OwnerKind.SEVERAL and before.persons == after.persons
    )
    if known_now and after.kind is OwnerKind.PERSON:
        return replace(after, kind=OwnerKind.SEVERAL)
    return after


def _refuse_move(type: str, id: str, before: Ownership, after: Ownership) -> None:
    """One person's data stays that person's, and what is persons' does not become an organisation's.

    Who is in a List, or a Group, may change: there the persons are what is written.
    """
    one_person = OwnerKind.PERSON in (before.kind, after.kind)
    if ownership_rule(type).kind != "several" and before.kind is OwnerKind.SEVERAL:
        one_person |= len(before.persons) == 1 or not after.persons
    if one_person and (before.kind, before.persons) != (after.kind, after.persons):
        if type == "Binary" and not after.persons:
            raise RuleFailed(
                f"Binary/{id} belongs to a person; say whose it is in securityContext,"
                " or in X-Security-Context where content is sent.",
                path="Binary.securityContext",
            )
        raise RuleFailed(
            f"{type}/{id} belongs to another person than this version says; "
            "delete it and create a new resource for the right person.",
            path=type,
        )
