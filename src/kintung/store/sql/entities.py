"""Keys of (type, id) pairs, and what the tables hold under them, for the time of one commit."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, cast

from kintung.store.port import Grant, OwnerKind, Write
from kintung.store.sql.database import Database, Row
from kintung.store.sql.names import TYPE_NUMBERS

Entity = tuple[str, str]
"""A resource type and id; ("", address) for what is elsewhere."""


class State(NamedTuple):
    """What the tables hold of an entity; ``version_id`` 0 when it was never stored."""

    key: int
    patient_key: int
    version_id: int
    labels: int


class Entities:
    """Finds and gives keys; remembers what the commit has done so far."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._last = -1
        """The last key given; -1 until it is asked for."""
        self._keys: dict[Entity, int] = {}
        self._states: dict[Entity, State] = {}

    def key(self, type: str, id: str) -> int:
        """The key of an entity that ``number`` was told of."""
        return self._keys[type, id]

    def patient_key(self, write: Write) -> int:
        """The key of the Patient whose range a resource lies in, 0 for nobody's."""
        home = _home(write)
        return self._keys[home] if home is not None else 0

    # -- states -------------------------------------------------------------------------

    def states(self, writes: Sequence[Write]) -> list[State | None]:
        """What is stored now of what each write is for; None for an id never heard of."""
        entities = [(write.type, write.id) for write in writes]
        unknown = [entity for entity in entities if entity not in self._states]
        if unknown:
            found = self._db.lookup(
                "SELECT w.c0, w.c1, e.key, e.patient_key, coalesce(r.version_id, 0), coalesce(r.labels, 0)"
                " FROM wanted w CROSS JOIN entity e LEFT JOIN resource r"
                " ON r.patient_key = e.patient_key AND r.type = e.type AND r.key = e.key"
                " WHERE e.id = w.c1 AND e.type = w.c0",
                ("int", "text"),
                [(TYPE_NUMBERS[type], id) for type, id in unknown],
            )
            stored = {(type, id): State(*state) for type, id, *state in found}
            for entity in unknown:
                state = stored.get((TYPE_NUMBERS[entity[0]], entity[1]))
                if state is not None:
                    self._states[entity] = state
                    self._keys[entity] = state.key
        return [self._states.get(entity) for entity in entities]

    def expect(self, writes: Sequence[Write]) -> None:
        """The writes are staged: who comes after them in this commit meets their versions."""
        for write, state in zip(writes, self.states(writes), strict=True):
            before = state or State(0, 0, 0, 0)
            self._states[write.type, write.id] = before._replace(version_id=write.expected + 1)

    def labels(self, write: Write) -> int:
        state = self._states.get((write.type, write.id))
        return state.labels if state is not None else 0

    def stored(self, write: Write, state: State) -> None:
        """The write is in the tables."""
        self._states[write.type, write.id] = state

    def forget(self, type: str, id: str) -> None:
        """Something else than a write changed it: ask the tables again."""
        self._states.pop((type, id), None)

    # -- keys ---------------------------------------------------------------------------

    def number(self, writes: Sequence[Write], grants: Sequence[Grant]) -> None:
        """Give keys to every entity that is named; what is stored now gets its patient key."""
        if not writes and not grants:
            return
        homes = {(write.type, write.id): _home(write) for write in writes}
        wanted = dict.fromkeys([*homes, *_named(writes), *_granted(grants)])
        self._find([entity for entity in wanted if entity not in self._keys])
        fresh = [entity for entity in wanted if entity not in self._keys]
        if self._last < 0:
            self._last = cast(int, self._db.rows("SELECT coalesce(max(key), 0) FROM entity")[0][0])
        for key, entity in enumerate(fresh, self._last + 1):
            self._keys[entity] = key
        self._last += len(fresh)
        self._db.insert("entity", [self._row(entity, homes) for entity in fresh])
        self._house([entity for entity in homes if self._keys[entity] <= self._last - len(fresh)], homes)

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
                self._keys[entity] = key

    def _row(self, entity: Entity, homes: Mapping[Entity, Entity | None]) -> Row:
        home = homes.get(entity)
        patient_key = self._keys[home] if home is not None else 0
        return (self._keys[entity], TYPE_NUMBERS[entity[0]], entity[1], patient_key)

    def _house(self, entities: Sequence[Entity], homes: Mapping[Entity, Entity | None]) -> None:
        """Entities that were referenced before they were stored learn whose they are."""
        for entity in entities:
            home, state = homes[entity], self._states.get(entity)
            if home is not None and (state is None or state.patient_key == 0):
                self._db.run(
                    "UPDATE entity SET patient_key = ? WHERE key = ?", (self._keys[home], self._keys[entity])
                )


def _home(write: Write) -> Entity | None:
    """The Patient whose range a resource lies in."""
    if write.ownership.kind == OwnerKind.PERSON:
        return ("Patient", write.ownership.persons[0])
    return None


def _named(writes: Sequence[Write]) -> Iterable[Entity]:
    """Owners, and targets of references."""
    for write in writes:
        yield from (("Patient", person) for person in write.ownership.persons)
        for found in (write.adds, write.removes):
            if found is not None:
                yield from ((type, id) for _, type, id in found.references)


def _granted(grants: Sequence[Grant]) -> Iterable[Entity]:
    for grant in grants:
        yield from (("Patient", person) for person in (*grant.add, *grant.remove))
