"""Any store, opened for a test, with the scribe that writes for it and the clock it goes by."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl

from kintung.app import open_node
from kintung.clock import SeededEntropy, SetClock
from kintung.fhir.json import parse
from kintung.fhir.search import OtherForms, Query, no_others, parse_query
from kintung.store.port import Store, Unit, View
from kintung.store.reader import Reader, Scope
from kintung.store.scribe import Scribe
from kintung.store.system import System
from kintung.store.versions import Ownership, Page, Paging, Version
from kintung.store.writes import Done, Grant, Idempotency, Job, Outcome, Prepared, Receipt, Relabel, Write

Adapter = Literal["memory", "sqlite", "postgres"]
ADAPTERS: tuple[Adapter, ...] = ("memory", "sqlite", "postgres")
"""Every adapter that keeps the port; memory is the reference."""

START = 1_666_137_600_000_000
"""Where the clock of a test starts: 2022-10-19T00:00:00Z in microseconds."""
SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR

ALL = Reader.everything()
NOBODY = Reader.nothing()
SYSTEM = System("test")

Resource = dict[str, Any]
Step = Callable[[View], Write]


@dataclass(frozen=True)
class Putting:
    """Puts a resource under its id; ``expected`` insists on the version it follows."""

    scribe: Scribe
    resource: Resource
    reader: Reader
    organisation: str
    expected: int | None = None

    def __call__(self, view: View, written: Mapping[tuple[str, str], Ownership] | None = None) -> Write:
        type, id = self.resource["resourceType"], self.resource["id"]
        raw = json.dumps(self.resource, ensure_ascii=False).encode()
        write = self.scribe.put(
            view,
            self.reader,
            type=type,
            id=id,
            raw=raw,
            resource=parse(raw),
            current=view.current(self.reader, type, id),
            organisation=self.organisation,
            written=written,
        )
        return write if self.expected is None else write._replace(expected=self.expected)


def in_order(view: View, steps: Iterable[Step]) -> tuple[Write, ...]:
    """What the steps write; each put knows whose the resources are that those before it wrote."""
    writes: list[Write] = []
    for step in steps:
        written = {(write.type, write.id): write.ownership for write in writes}
        writes.append(step(view, written) if isinstance(step, Putting) else step(view))
    return tuple(writes)


class Record:
    """A store with short verbs: given these resources, when that is written, then this is read.

    Searches find what is written as it is asked for, unless ``others`` says what else it may be.
    """

    def __init__(self, store: Store, scribe: Scribe, clock: SetClock) -> None:
        self.store = store
        self.scribe = scribe
        self.clock = clock
        self.others: OtherForms = no_others

    # -- writing ------------------------------------------------------------------------

    def put(self, resource: Resource, *, reader: Reader = ALL, organisation: str = "") -> Done:
        """Store a resource under its id: a create, an update, or an undelete."""
        return self.commit(self.putting(resource, reader, organisation), reader=reader).done[0]

    def delete(self, name: str, *, reader: Reader = ALL) -> Done:
        return self.commit(self.deleting(name, reader), reader=reader).done[0]

    def label(self, name: str, *labels: str) -> Receipt:
        type, id = name.split("/")
        relabel = Relabel(type, id, frozenset(labels))
        return self.store.commit(Unit(ALL, lambda _: Prepared(relabels=(relabel,))))

    def grant(self, scope: int, *add: str, remove: Iterable[str] = ()) -> Scope:
        """Change who is in a scope and give it with its new epoch."""
        grant = Grant(scope, add, tuple(remove))
        self.store.commit(Unit(ALL, lambda _: Prepared(grants=(grant,))))
        return self.store.scope(scope)

    def queue(self, *jobs: Job) -> Receipt:
        return self.store.commit(Unit(ALL, lambda _: Prepared(jobs=jobs)))

    def commit(self, *steps: Step, reader: Reader = ALL, idempotency: Idempotency | None = None) -> Receipt:
        return self.store.commit(self.unit(*steps, reader=reader, idempotency=idempotency))

    def unit(self, *steps: Step, reader: Reader = ALL, idempotency: Idempotency | None = None) -> Unit:
        """One atomic unit of several writes."""

        def prepare(view: View) -> Prepared:
            writes = in_order(view, steps)
            return Prepared(writes, tuple(Outcome(200, write=place) for place in range(len(writes))))

        return Unit(reader, prepare, idempotency)

    def putting(self, resource: Resource, reader: Reader = ALL, organisation: str = "") -> "Putting":
        return Putting(self.scribe, resource, reader, organisation)

    def putting_text(self, text: str) -> Step:
        """Put a resource as it is written, every digit kept."""
        raw = text.encode()
        parsed = parse(raw)

        def put(view: View) -> Write:
            type, id = parsed["resourceType"], parsed["id"]
            return self.scribe.put(view, ALL, type=type, id=id, raw=raw, resource=parsed, current=None)

        return put

    def deleting(self, name: str, reader: Reader = ALL) -> Step:
        type, id = name.split("/")

        def delete(view: View) -> Write:
            current = view.current(reader, type, id)
            assert current is not None, f"{name} is not there to delete"
            return self.scribe.delete(view, reader, type=type, id=id, current=current)

        return delete

    # -- reading ------------------------------------------------------------------------

    def query(self, search: str) -> Query:
        """Parse ``Observation?code=x&_sort=-date``; ``?_id=1`` searches all types."""
        type, _, pairs = search.partition("?")
        named = parse_qsl(pairs, keep_blank_values=True, strict_parsing=bool(pairs))
        return parse_query(type or None, named, now_micros=self.clock.now_micros(), others=self.others)

    def read(self, name: str, reader: Reader = ALL) -> Version:
        with self.store.view() as view:
            return view.read(reader, *name.split("/"))

    def search(self, search: str, reader: Reader = ALL, *, count: int = 1000, total: bool = False) -> Page:
        with self.store.view() as view:
            return view.search(reader, self.query(search), Paging(count, total=total))

    def found(self, search: str, reader: Reader = ALL) -> list[str]:
        """Names of all that is found, in order."""
        return names(self.search(search, reader))

    def pages(
        self, search: str, reader: Reader = ALL, *, count: int, between: Callable[[], object] = lambda: None
    ) -> Iterator[Page]:
        """Walk the pages of a search, each on a view of its own; ``between`` runs after each page."""
        query = self.query(search)

        def ask(paging: Paging) -> Page:
            with self.store.view() as view:
                return view.search(reader, query, paging)

        for page in walk(ask, Paging(count, total=True)):
            yield page
            if page.next is not None:
                between()

    def history(
        self,
        name: str = "",
        reader: Reader = ALL,
        *,
        since: int | None = None,
        at: tuple[int, int] | None = None,
        oldest_first: bool = False,
    ) -> list[str]:
        """Names with versions, ``Patient/1/2``, of a whole history, newest first."""
        type, _, id = name.partition("/")
        with self.store.view() as view:
            page = view.history(
                reader,
                type or None,
                id or None,
                since=since,
                at=at,
                oldest_first=oldest_first,
                paging=Paging(1000, total=True),
            )
        assert page.total == len(page.entries)
        return [f"{version.type}/{version.id}/{version.version_id}" for version in page.entries]


def walk(ask: Callable[[Paging], Page], paging: Paging) -> Iterator[Page]:
    """Every page of a search or a history, from the one asked for to the last."""
    while True:
        page = ask(paging)
        yield page
        if page.next is None:
            return
        paging = replace(paging, sequence=page.sequence, after=page.next)


def names(page: Page) -> list[str]:
    """``Patient/1`` of each entry of a page."""
    return [f"{version.type}/{version.id}" for version in page.entries]


def content(version: Version) -> Resource:
    """The resource as it was put: without the meta members the server sets."""
    resource: Resource = json.loads(version.body)
    meta = {
        name: value for name, value in resource["meta"].items() if name not in ("versionId", "lastUpdated")
    }
    return {name: value for name, value in resource.items() if name != "meta"} | (
        {"meta": meta} if meta else {}
    )


def together(*calls: Callable[[], object]) -> list[Any]:
    """Call all of them at once from threads of their own; give what each returned or raised."""
    answers: list[Any] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def run(place: int, call: Callable[[], object]) -> None:
        start.wait(30)
        try:
            answers[place] = call()
        except Exception as error:  # noqa: BLE001 - the answer of a thread
            answers[place] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a call did not come back"
    return answers


@contextmanager
def opened(
    adapter: Adapter, folder: Path, postgres_url: Callable[[], str], *, tick: int = 1
) -> Iterator[Record]:
    """Open an empty store whose clock stands at ``START`` and moves ``tick`` at each reading.

    Args:
        folder: an empty one, for files.
        postgres_url: asked for the URL of a new database, only when one is needed.
    """
    urls = {
        "memory": lambda: "memory:",
        "sqlite": lambda: f"sqlite:///{folder}/record.db",
        "postgres": postgres_url,
    }
    clock = SetClock(START, tick=tick)
    with open_node(urls[adapter](), keys=folder / "keys.db", clock=clock, entropy=SeededEntropy(1)) as node:
        yield Record(node.store, node.scribe, clock)
