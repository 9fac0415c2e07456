"""Two worlds that differ only in what one reader cannot see, and callers in them."""

import asyncio
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import httpx
import msgspec

from kintung.app import Node, open_node
from kintung.clock import SeededEntropy, SetClock
from kintung.consent import Access, Right
from kintung.errors import Deleted, Duplicate, NotFound
from kintung.store.links import LinkChange, LinkKind
from kintung.store.port import Unit
from kintung.store.reader import Reader
from kintung.store.writes import AuditRecord, Idempotency, Job, Outcome, Prepared, Relabel
from kintung.web.app import create_app
from kintung.web.fhir.asynchronous_work import Work
from kintung.web.fhir.interactions import REGISTRY
from kintung.web.site import Site, WebSettings
from tests.leaks import population
from tests.leaks.population import (
    CLINIC,
    DOUBLES,
    HIDDEN_PERSONS,
    KEYS,
    LABELLED_PERSONS,
    SCOPE,
    SECRET,
    VISIBLE_PERSONS,
    Event,
    Why,
)
from tests.records import observation
from tests.stores import HOUR, SECOND, START, Record

BASE = "http://record.example/fhir"
MINUTE = 60 * SECOND
OPENING = START + 30 * HOUR
"""When the reader's requests begin: later than every event of both worlds."""
CLIENT = "r"
_CURSOR = re.compile(rb"(?<![A-Za-z])(?:_cursor|after)=([A-Za-z0-9_-]+)")


@dataclass(frozen=True)
class Profile:
    """A reader: what it sees, and so what one world has and the other has not."""

    name: str
    hides: tuple[Why, ...]
    reader: Callable[[Node], Reader]
    more_persons: int = 0
    """Persons in the scope beside those of the tests: many make the store walk first."""


def _of_scope(node: Node) -> Reader:
    return Reader("r", node.store.scope(SCOPE), frozenset({CLINIC}), hidden=frozenset({SECRET}))


def _of_all_but_the_label(node: Node) -> Reader:
    return Reader("r", persons=True, organisations=True, hidden=frozenset({SECRET}))


def _of_everything(node: Node) -> Reader:
    return Reader.everything("r")


FEW = Profile("few persons", ("person", "organisation", "label"), _of_scope)
MANY = Profile("many persons", FEW.hides, _of_scope, more_persons=300)
UNLABELLED = Profile("all but a label", ("label",), _of_all_but_the_label)
PROFILES = (FEW, MANY, UNLABELLED)


class Heard(NamedTuple):
    """An answer in every byte, but for the text of a cursor, of which the length is kept."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Asked(NamedTuple):
    """A request, as it is shown when its two answers differ."""

    method: str
    path: str
    body: bytes | None
    headers: tuple[tuple[str, str], ...]


class World:
    """A node with its API in this process; ``is_full`` when it has what is hidden, too."""

    def __init__(self, node: Node, clock: SetClock, profile: Profile, draw: Random, *, is_full: bool) -> None:
        self.node = node
        self.clock = clock
        self.profile = profile
        self.is_full = is_full
        self.record = Record(node.store, node.scribe, clock)
        self._draw = draw
        self._done = 0
        self._stored: set[str] = set()

    def build(self) -> None:
        """Let everything happen; in the full world the hidden events come in between."""
        whys: tuple[Why, ...] = ("person", "organisation", "label")
        seen = [
            event for why in ("", *whys) if why not in self.profile.hides for event in population.events(why)
        ]
        hidden = (
            [event for why in self.profile.hides for event in population.events(why)] if self.is_full else []
        )
        persons = (
            *VISIBLE_PERSONS,
            *LABELLED_PERSONS,
            *(f"more{n}" for n in range(self.profile.more_persons)),
        )
        self.record.grant(SCOPE, *(person for person in persons if person != "a2"))
        self._link()
        if self.is_full:
            self.record.grant(SCOPE + 1, *DOUBLES.values())
        at, step = START, 0
        for event in population.merged(seen, hidden, self._draw):
            is_hidden = event.why in self.profile.hides
            # What both worlds have happens at the same instants, the rest somewhere between.
            step = step + 1 if is_hidden else 0
            at = at if is_hidden else at + 3 * MINUTE
            self._set(at + step * SECOND // 7)
            self.happen(event)
        for number in range(len(KEYS) if self.is_full else 0):
            self._receipt(number)
        for place, person in enumerate((*VISIBLE_PERSONS, *HIDDEN_PERSONS, *LABELLED_PERSONS)):
            self._set(START + 29 * HOUR + place * MINUTE)
            self._open(person)
        self._set(OPENING)

    def _open(self, person: str, actor: str = CLIENT) -> None:
        """Somebody opens the record of a person, where there is one: the reader once saw all of them."""
        with self.node.store.view() as view:
            try:
                keys = view.read(Reader.everything(), "Patient", person).patient_keys
            except (Deleted, NotFound):
                return
        audit = AuditRecord(actor, CLINIC, "TREAT", "record", "GET /record", 200, "", keys, opened=keys[0])
        self.node.store.record(audit).result()

    def happen(self, event: Event) -> None:
        match event.verb:
            case "put":
                full = event.instead if self.is_full and "person" in self.profile.hides else None
                self.record.put(full or event.what, organisation=event.organisation)
            case "delete":
                self.record.delete(event.what)
            case "label":
                self.record.label(*event.what)

    def _link(self) -> None:
        """``a`` and ``a2`` are one person, of whom ``a`` is granted; no link leads to the hidden."""
        self._say(("a", "a2", LinkKind.CERTAIN))
        if self._has("person"):
            self._say(
                ("h", "h2", LinkKind.CERTAIN), ("a", "h", LinkKind.PROBABLE), ("b", "h3", LinkKind.APART)
            )
        if self._has("label"):
            self._say(("b", "a5", LinkKind.CERTAIN))

    def _has(self, why: Why) -> bool:
        """Does what is hidden from some readers for this reason happen here?"""
        return self.is_full or why not in self.profile.hides

    def _say(self, *said: tuple[str, str, LinkKind], score: int = 0) -> None:
        changes = tuple(LinkChange(one, other, kind, "test", score=score) for one, other, kind in said)
        self.node.store.commit(Unit(Reader.everything(), lambda _: Prepared(links=changes)))

    def meanwhile(self) -> None:
        """What others do between two requests of the reader; nothing of it is for the reader."""
        if not self.is_full:
            return
        for _ in range(self._draw.randrange(3)):
            self._done += 1
            self._draw.choice(self._of_others())(self._done)

    def _of_others(self) -> Sequence[Callable[[int], None]]:
        always = (self._receipt, self._audited, self._opened, self._queued, self._labelled)
        if "person" not in self.profile.hides:
            return always
        return (*always, self._written, self._written, self._granted, self._linked)

    def _written(self, number: int) -> None:
        double = self._draw.choice(population.HIDDEN_PERSONS)
        id = f"{double}-later{number % 5}"
        if number % 3 == 0 and id in self._stored:
            self.record.delete(f"Observation/{id}")
            self._stored.discard(id)
        else:
            code = self._draw.choice(population.CASES)
            self.record.put(observation(id, double, code, **_day(self._draw)))
            self._stored.add(id)

    def _linked(self, number: int) -> None:
        """A rule finds the reader's person like a hidden one, and links hidden ones or does not."""
        among = LinkKind.CERTAIN if number % 2 else LinkKind.NOTHING
        self._say(("a", "h", LinkKind.PROBABLE), ("h2", "h3", among), score=number)

    def _granted(self, number: int) -> None:
        self.record.grant(SCOPE + 1 + number % 3, "h", "h2", remove=["h3"])

    def _queued(self, number: int) -> None:
        self.record.queue(Job("notify", b"h", self.clock.now_micros()))

    def _audited(self, number: int) -> None:
        self.node.store.record(
            AuditRecord("other", "elsewhere", "TREAT", "read", "GET Patient/h", 200)
        ).result()

    def _opened(self, number: int) -> None:
        """Another opens records that the reader sees, and of those it does not."""
        self._open((*VISIBLE_PERSONS, *HIDDEN_PERSONS)[number % 6], "other")

    def _receipt(self, number: int) -> None:
        """Another client uses a key the reader uses as well."""
        key = Idempotency("other", KEYS[number % len(KEYS)], bytes(32))
        try:
            self.node.store.commit(Unit(Reader.everything(), lambda _: Prepared((), (Outcome(200),)), key))
        except Duplicate as error:
            raise AssertionError("a key of one client is taken for another") from error

    def _labelled(self, number: int) -> None:
        """A resource of a person the reader sees, behind the label as soon as it is there."""
        hidden = observation(f"x-later{number}", "a", self._draw.choice(population.CASES), **_day(self._draw))
        step = self.record.putting(hidden)
        relabel = Relabel("Observation", hidden["id"], frozenset({SECRET}))
        self.node.store.commit(
            Unit(
                Reader.everything(),
                lambda view: Prepared((step(view),), (Outcome(201, write=0),), relabels=(relabel,)),
            )
        )

    def _set(self, at: int) -> None:
        self.clock.jump(at - self.clock.now_micros())

    def at_request(self, number: int) -> None:
        """Set the clock to where it stands for a request, whatever others did before."""
        self._set(OPENING + number * MINUTE)


def _day(draw: Random) -> dict[str, Any]:
    return {"effectiveDateTime": draw.choice(population.DAYS), "valueString": draw.choice(population.REMARKS)}


class Caller:
    """The reader in one world: asks, and remembers what it asked and heard."""

    def __init__(
        self, world: World, access: Callable[[], Access], client: httpx.AsyncClient, runner: asyncio.Runner
    ) -> None:
        self._world = world
        self._client = client
        self._runner = runner
        self.access = access
        self.asked: list[Asked] = []
        self.heard: list[Heard] = []

    def __call__(
        self, method: str, path: str, body: Any = None, *, form: str = "", **headers: str
    ) -> httpx.Response:
        """One request; ``path`` is under the base, ``if_match`` the header If-Match."""
        self._world.meanwhile()
        self._world.at_request(len(self.asked))
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        content = form.encode() if form else None
        if form:
            sent["content-type"] = "application/x-www-form-urlencoded"
        elif isinstance(body, bytes):
            content = body
        elif body is not None:
            sent["content-type"] = "application/fhir+json"
            content = msgspec.json.encode(body)
        url = path if path.startswith("http") else f"{BASE}/{path}".removesuffix("/")
        request = self._client.request(method, url, content=content, headers=sent)
        response = self._runner.run(request)
        self.asked.append(
            Asked(method, _CURSOR.sub(b"_cursor=", path.encode()).decode(), content, (*sent.items(),))
        )
        self.heard.append(heard(response))
        return response

    def answer_later(self) -> None:
        """Let the node do what is to be answered later."""
        work = Work(Site.of(self._world.node, WebSettings()), REGISTRY)
        while work.step():
            pass


def heard(response: httpx.Response) -> Heard:
    body = _CURSOR.sub(lambda found: b"_cursor=<%d>" % len(found[1]), response.content)
    return Heard(response.status_code, tuple(sorted(response.headers.raw)), body)


RIGHTS = frozenset({Right.VIEW, Right.DEPOSIT, Right.MATCH})


@contextmanager
def calling(world: World, *, sees_all: bool = False) -> Iterator[Caller]:
    """Call a world as its reader, or as one with the same rights who sees everything."""
    maker = _of_everything if sees_all else world.profile.reader

    def access() -> Access:
        return Access(CLIENT, CLINIC, "TREAT", maker(world.node), RIGHTS, CLIENT)

    with serving(world.node, lambda _headers: access()) as (client, runner):
        yield Caller(world, access, client, runner)


@contextmanager
def serving(
    node: Node, gate: Callable[[Mapping[bytes, bytes]], Access], settings: WebSettings | None = None
) -> Iterator[tuple[httpx.AsyncClient, asyncio.Runner]]:
    """The API of a node. Ids and nonces it gives are drawn apart from those of the store."""
    app = create_app(replace(node, entropy=SeededEntropy(7)), gate, settings=settings)
    with asyncio.Runner() as runner:
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), headers={"accept-encoding": "identity"}, timeout=60
        )
        try:
            yield client, runner
        finally:
            runner.run(client.aclose())
            runner.run(_shut_down(app))


async def _shut_down(app: Any) -> None:
    messages = iter(({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}))

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        assert "failed" not in message["type"], message

    await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)


# --- Opening --------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """Two worlds as they were built, to be opened again and again as copies (SQLite)."""

    folder: Path
    profile: Profile

    @classmethod
    def built(cls, folder: Path, profile: Profile) -> "Pair":
        for name, is_full in (("bare", False), ("full", True)):
            (folder / name).mkdir(parents=True)
            with opened_world(
                f"sqlite:///{folder / name}/record.db", profile, START, is_full=is_full
            ) as world:
                world.build()
        return cls(folder, profile)

    @contextmanager
    def copies(self, folder: Path) -> Iterator[tuple[World, World]]:
        """The bare and the full world, as they were built; what is done to them is not kept."""
        with ExitStack() as stack:
            worlds: list[World] = []
            for name, is_full in (("bare", False), ("full", True)):
                shutil.copytree(self.folder / name, folder / name)
                url = f"sqlite:///{folder / name}/record.db"
                opening = opened_world(url, self.profile, OPENING, is_full=is_full)
                worlds.append(stack.enter_context(opening))
            yield worlds[0], worlds[1]
        shutil.rmtree(folder)


@contextmanager
def fresh(urls: Sequence[str], folder: Path, profile: Profile) -> Iterator[tuple[World, World]]:
    """The bare and the full world, built anew in two empty databases."""
    with ExitStack() as stack:
        worlds: list[World] = []
        for url, is_full in zip(urls, (False, True), strict=True):
            keys = folder / f"{is_full}.keys"
            worlds.append(stack.enter_context(opened_world(url, profile, START, is_full=is_full, keys=keys)))
            worlds[-1].build()
        yield worlds[0], worlds[1]


@contextmanager
def opened_world(
    url: str, profile: Profile, at: int, *, is_full: bool, keys: Path | None = None
) -> Iterator[World]:
    clock = SetClock(at)
    with open_node(url, keys=keys, clock=clock, entropy=SeededEntropy(1)) as node:
        yield World(node, clock, profile, Random(f"{profile.name} {is_full}"), is_full=is_full)
