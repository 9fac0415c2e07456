"""Reads and writes mixed, good and bad: the three adapters answer alike in every byte.

What each may say in its own way is the text of a cursor alone: it holds a position that only
its store understands.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import NamedTuple

import httpx
import pytest

from kintung.app import Node, open_node
from kintung.clock import SeededEntropy, SetClock
from kintung.consent import Access
from kintung.errors import NotFound
from kintung.store.reader import Reader
from kintung.web.app import create_app
from tests import scale
from tests.generators import requests
from tests.generators.requests import FORMS, Call
from tests.postgres_cluster import Cluster
from tests.property.store import given
from tests.server.api import ALL_RIGHTS, BASE, persona
from tests.stores import SECOND, START, Record

REQUESTS = scale.counts(normal=1_500, long=20_000)
"""Drawn; pages that follow a first one come on top."""
RUN = 500
"""Requests to one record: as it grows, the plain store is slower."""
PAGES = 3
"""Pages asked for of one search or history, at most."""
_CURSOR = re.compile(rb"_cursor=[A-Za-z0-9_-]+")


class Heard(NamedTuple):
    """An answer, but for the text of a cursor and the length it has."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass
class Side:
    """A node with one of the adapters, asked in this process by whoever ``access`` is."""

    node: Node
    clock: SetClock
    runner: asyncio.Runner
    access: Access
    client: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        # Ids the edge gives are drawn apart from the nonces of the store, of which each needs its own number.
        app = create_app(replace(self.node, entropy=SeededEntropy(7)), self._gate)
        # Whether an answer is worth compressing may hang on the length of a cursor.
        plain = {"accept-encoding": "identity"}
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), headers=plain)

    def _gate(self, _headers: Mapping[bytes, bytes]) -> Access:
        return self.access

    @property
    def record(self) -> Record:
        return Record(self.node.store, self.node.scribe, self.clock)

    def ask(self, call: Call, at: int) -> list[Heard]:
        """The answer, and those of the pages that follow."""
        self.clock.jump(at - self.clock.now_micros())
        headers = {"content-type": "application/fhir+json", **dict(call.headers)}
        url = f"{BASE}/{call.path}".rstrip("/")
        first = self.runner.run(self.client.request(call.method, url, content=call.body, headers=headers))
        answers = [first]
        while len(answers) < PAGES and (onward := _next(answers[-1])) is not None:
            answers.append(self.runner.run(self.client.get(onward)))
        return [_heard(answer) for answer in answers]


def _next(response: httpx.Response) -> str | None:
    if response.status_code != 200 or not response.content.startswith(b'{"resourceType":"Bundle"'):
        return None
    links: Sequence[Mapping[str, str]] = response.json().get("link", ())
    return next((link["url"] for link in links if link.get("relation") == "next"), None)


def _heard(response: httpx.Response) -> Heard:
    headers = tuple(sorted(field for field in response.headers.raw if field[0] != b"content-length"))
    return Heard(response.status_code, headers, _CURSOR.sub(b"_cursor=", response.content))


@contextmanager
def three(folder: Path, postgres: Cluster) -> Iterator[tuple[Side, ...]]:
    """A new record in each adapter, under the same clock and the same chance."""
    urls = {
        "memory": "memory:",
        "sqlite": f"sqlite:///{folder}/record.db",
        "postgres": postgres.fresh_database(),
    }
    with ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner())
        sides: list[Side] = []
        for name, url in urls.items():
            clock = SetClock(START, tick=0)
            opening = open_node(url, keys=folder / f"{name}.keys", clock=clock, entropy=SeededEntropy(1))
            node = stack.enter_context(opening)
            sides.append(Side(node, clock, runner, persona("all", Reader.everything(), *ALL_RIGHTS)))
        yield tuple(sides)
        for side in sides:
            runner.run(side.client.aclose())


def change_what_is_seen(rng: Random, sides: Sequence[Side]) -> None:
    """Who asks becomes another, persons enter or leave a scope, or a resource gets labels."""
    drawn = rng.getrandbits(64)
    for side in sides:
        again = Random(drawn)
        match again.choice(("reader", "grant", "label")):
            case "reader":
                reader = given.reader(again, side.node.store)
                side.access = persona("someone", reader, *ALL_RIGHTS, organisation=again.choice(("a", "b")))
            case "grant":
                side.record.grant(again.choice(given.SCOPES), *again.sample(given.PATIENTS, 2))
                side.access = persona("all", Reader.everything(), *ALL_RIGHTS)
            case _:
                with suppress(NotFound):  # nothing of that name may ever have been stored
                    side.record.label(given.name(again), *again.sample(given.LABELS, again.randint(0, 2)))


@pytest.mark.parametrize("run", range(REQUESTS // RUN))
def test_mixed_requests_are_answered_alike(run: int, tmp_path: Path, postgres: Cluster) -> None:
    """Given the same requests in the same order, when three adapters answer, then no byte differs."""
    rng = scale.seeded(f"requests {run}")
    asked: Counter[str] = Counter()
    statuses: Counter[int] = Counter()
    with three(tmp_path, postgres) as sides:
        for number in range(RUN):
            if rng.random() < 0.05:
                change_what_is_seen(rng, sides)
            call = requests.call(rng)
            expected, *others = (side.ask(call, START + (number + 1) * 7 * SECOND) for side in sides)
            for heard, side in zip(others, sides[1:], strict=True):
                assert heard == expected, f"{type(side.node.store).__name__}, request {number}: {call}"
            assert all(answer.status < 500 for answer in expected), f"request {number}: {call}: {expected}"
            asked[call.form] += 1
            statuses.update(answer.status for answer in expected)
    print(f"\n{asked}\n{sorted(statuses.items())}")
    assert asked.keys() == set(FORMS)
    good = sum(count for status, count in statuses.items() if status < 400)
    assert good > RUN * 2 // 5, "too little is understood"
