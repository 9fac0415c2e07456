"""Keys of (type, id) pairs, and what the tables hold under them, for the time of one commit."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, cast

from kintung.store.links import LinkChange
from kintung.store.sql.database import Database, Row
from kintung.store.sql.names import TYPE_NAMES, TYPE_NUMBERS
from kintung.store.versions import OwnerKind
from kintung.store.writes import Grant, Write

Entity = tuple[str, str]
"""A resource type and id; ("", address) for what is elsewhere."""


class State(NamedTuple):
    """What the tables hold of an entity; ``version_id`` 0 when it was never stored."""

    key: int
    patient_key: int
    version_id: int
    labels: int
    deleted: int


NEVER_STORED = State(0, 0, 0, 0, 0)


class Entities:
    """Finds and gives keys; remembers what the commit has done so far."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._last = -1
        """The last key given; -1 until it is asked for."""
        self.keys: dict[Entity, int] = {}
        """The keys of all entities that ``number`` was told of."""
        self._absent: set[Entity] = set()
        """Entities that were looked for and have no key yet: nobody else gives one meanwhile."""
        self._states: dict[Entity, State] = {}

    def patient_key(self, write: Write) -> int:
        """The key of the Patient whose range a resource lies in, 0 for nobody's."""
        home = _home(write)
        return self.keys[home] if home is not None else 0

    # -- states -------------------------------------------------------------------------

    def states(self, writes: Sequence[Write]) -> list[State | None]:
        """What is stored now of what each write is for; None for an id never heard of."""
        entities = [(write.type, write.id) for write in writes]
        unknown = [entity for entity in entities if entity not in self._states and entity not in self._absent]
        if unknown:
            found = self._db.lookup(
                "SELECT w.c0, w.c1, e.key, e.patient_key, coalesce(r.version_id, 0), coalesce(r.labels, 0),"
                " coalesce(r.deleted, 0)"
                " FROM wanted w CROSS JOIN entity e LEFT JOIN resource r"
                " ON r.patient_key = e.patient_key AND r.type = e.type AND r.key = e.key"
                " WHERE e.id = w.c1 AND e.type = w.c0",
                ("int", "text"),
                [(TYPE_NUMBERS[type], id) for type, id in unknown],
            )
            stored = {(type, id): State(*state) for type, id, *state in found}
            for entity in unknown:
                state = stored.get((TYPE_NUMBERS[entity[0]], entity[1]))
                if state is None:
                    self._absent.add(entity)
                else:
                    self._states[entity] = state
                    self.keys[entity] = state.key
        return [self._states.get(entity) for entity in entities]

    def expect(self, writes: Sequence[Write]) -> None:
        """The writes are staged, ``states`` asked: who comes after them meets their versions."""
        for write in writes:
            entity = (write.type, write.id)
            stored = self._states.get(entity) or NEVER_STORED
            self._states[entity] = stored._replace(version_id=write.expected + 1)

    def before(self, write: Write) -> State:
        """What the tables hold of what is written, but the version, which is the one expected."""
        return self._states.get((write.type, write.id), NEVER_STORED)

    def stored(self, write: Write, state: State) -> None:
        """The write is in the tables."""
        self._states[write.type, write.id] = state

    def forget(self, type: str, id: str) -> None:
        """Something else than a write changed it: ask the tables again."""
        self._states.pop((type, id), None)

    # -- keys ---------------------------------------------------------------------------

    def number(
        self, writes: Sequence[Write], grants: Sequence[Grant], links: Sequence[LinkChange] = ()
    ) -> None:
        """Give keys to every entity that is named; what is stored now gets its patient key."""
        if not writes and not grants and not links:
            return
        homes = {(write.type, write.id): _home(write) for write in writes}
        wanted = dict.fromkeys([*homes, *_named(writes), *_granted(grants), *_linked(links)])
        self._find([entity for entity in wanted if entity not in self.keys and entity not in self._absent])
        fresh = [entity for entity in wanted if entity not in self.keys]
        if self._last < 0:
            self._last = cast(int, self._db.rows("SELECT coalesce(max(key), 0) FROM entity")[0][0])
        for key, entity in enumerate(fresh, self._last + 1):
            self.keys[entity] = key
        self._absent.difference_update(fresh)
        self._last += len(fresh)
        self._db.insert("entity", [self._row(entity, homes) for entity in fresh])
        self._house([entity for entity in homes if self.keys[entity] <= self._last - len(fresh)], homes)

    def _find(self, unknown: Sequence[Entity]) -> None:
        """Take over the keys that entities have already."""
        if not unknown:
            return
        found = self._db.lookup(
            "SELECT e.type, e.id, e.key FROM wanted w CROSS JOIN entity e"
            " WHERE e.id = w.c1 AND e.type = w.c0",
            ("int", "text"),
            [(TYPE_NUMBERS[type], id) for type, id in unknown],
        )
        stored = {(type, id): key for type, id, key in found}
        for entity in unknown:
            key = stored.get((TYPE_NUMBERS[entity[0]], entity[1]))
            if key is not None:
                self.keys[entity] = key

    def _row(self, entity: Entity, homes: Mapping[Entity, Entity | None]) -> Row:
        home = homes.get(entity)
        patient_key = self.keys[home] if home is not None else 0
        return (self.keys[entity], TYPE_NUMBERS[entity[0]], entity[1], patient_key)

    def _house(self, entities: Sequence[Entity], homes: Mapping[Entity, Entity | None]) -> None:
        """Entities that were referenced before they were stored learn whose they are."""
        for entity in entities:
            home, state = homes[entity], self._states.get(entity)
            if home is not None and (state is None or state.patient_key == 0):
                self._db.run(
                    "UPDATE entity SET patient_key = ? WHERE key = ?", (self.keys[home], self.keys[entity])
                )


def _home(write: Write) -> Entity | None:
    """The Patient whose range a resource lies in."""
    if write.ownership.kind == OwnerKind.PERSON:
        return ("Patient", write.ownership.persons[0])
    return None


def _named(writes: Sequence[Write]) -> list[Entity]:
    """Owners, and targets of references."""
    named: list[Entity] = []
    for write in writes:
        for person in write.ownership.persons:
            named.append(("Patient", person))
        for found in (write.adds, write.removes):
            if found is not None and found.references:
                named += [(type, id) for _, type, id in found.references]
            if found is not None and found.relations:
                named += [(type, id) for _, type, id, _ in found.relations]
    return named


def _granted(grants: Sequence[Grant]) -> Iterable[Entity]:
    for grant in grants:
        named = (*grant.add, *grant.remove, *grant.deny, *grant.lift)
        yield from (("Patient", person) for person in named)


def _linked(links: Sequence[LinkChange]) -> Iterable[Entity]:
    for link in links:
        yield from (("Patient", link.one), ("Patient", link.other))


def keys_of(db: Database, entities: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The keys of (type, id) pairs; what was never stored or referenced has none."""
    found = db.lookup(
        "SELECT e.type, e.id, e.key FROM wanted w CROSS JOIN entity e WHERE e.id = w.c1 AND e.type = w.c0",
        ("int", "text"),
        sorted((TYPE_NUMBERS[type], id) for type, id in entities),
    )
    return {(TYPE_NAMES[type], id): key for type, id, key in found}
