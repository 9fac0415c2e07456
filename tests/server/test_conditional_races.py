"""D9 on the real server: 32 clients of two workers want the same thing by the same criterion.

Each round has a criterion of its own. However the tries fall together, the answers must be
those of some order of them, and the history of the resource must tell the same.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from kintung.store.versions import Method
from tests.commands import Served, complaints, done, kintung, serving, worker_of
from tests.databases import KINDS, fresh, looking
from tests.records import Resource
from tests.scale import counts

CLIENTS = 32
SYSTEM = "http://example.org/ids"


class Node(NamedTuple):
    """A served node, and the connections that race, some to each of its workers."""

    url: str
    home: Path
    clients: list[httpx.Client]

    def race(self, send: Callable[[httpx.Client, int], httpx.Response]) -> list[httpx.Response]:
        """The answers to one request of every client, sent at once; ``send`` takes the number of each."""
        start = threading.Barrier(CLIENTS)

        def run(number: int) -> httpx.Response:
            start.wait(60)
            return send(self.clients[number], number)

        with ThreadPoolExecutor(CLIENTS) as threads:
            return list(threads.map(run, range(CLIENTS)))

    def create(self, identifier: str) -> str:
        """A Patient with an identifier; its id."""
        answer = self.clients[0].post("Patient", json=person(identifier, "first"))
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def history(self, id: str) -> list[Resource]:
        """The entries of a Patient's history, oldest first."""
        bundle = self.clients[0].get(f"Patient/{id}/_history", params={"_count": 1000}).json()
        assert bundle["total"] == len(bundle["entry"])
        return bundle["entry"][::-1]

    def found(self, type: str, identifier: str) -> list[str]:
        """Ids of what has an identifier now."""
        answer = (
            self.clients[0].get(type, params={"identifier": f"{SYSTEM}|{identifier}", "_count": 1000}).json()
        )
        return [entry["resource"]["id"] for entry in answer.get("entry", [])]


@pytest.fixture(scope="module", params=KINDS)
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    home = tmp_path_factory.mktemp(f"races-{request.param}")
    url = fresh(request.param, home, request)
    with serving(home, url, "--workers", "2") as served:
        clients = connected(served)
        yield Node(url, home, clients)
        for client in clients:
            client.close()
    checked = kintung(home, "check", "--database", url)
    assert "sound" in done(checked)
    assert complaints(checked.stderr) == ""


def connected(served: Served) -> list[httpx.Client]:
    """As many connections as race, not all to one worker."""
    clients: list[httpx.Client] = []
    workers = Counter[int]()
    while len(clients) < CLIENTS:
        client = served.client()
        worker = worker_of(served, client)
        if workers[worker] < CLIENTS * 3 // 4:
            workers[worker] += 1
            clients.append(client)
        else:
            client.close()
    assert len(workers) == 2
    return clients


def person(identifier: str, family: str) -> Resource:
    return {
        "resourceType": "Patient",
        "identifier": [{"system": SYSTEM, "value": identifier}],
        "name": [{"family": family}],
    }


def note(identifier: str) -> Resource:
    """What a transaction creates beside the raced one: as many are there as transactions were done."""
    return {
        "resourceType": "Basic",
        "identifier": [{"system": SYSTEM, "value": identifier}],
        "code": {"text": "beside"},
    }


def criterion(identifier: str) -> str:
    return f"Patient?identifier={SYSTEM}|{identifier}"


# -- the tries, alone and in a transaction ------------------------------------------------------


class Told(NamedTuple):
    """What one try was told: its status, and the version it wrote or found; 0 when it names none."""

    status: int
    id: str
    version_id: int


class Try(NamedTuple):
    """An interaction by criterion. ``alone`` sends it as it is, else inside a transaction Bundle."""

    method: str
    alone: bool
    if_match: str = ""

    def send(self, client: httpx.Client, identifier: str, family: str) -> Told:
        if self.alone:
            answer = client.request(
                self.method,
                "Patient" if self.method == "POST" else criterion(identifier),
                json=None if self.method == "DELETE" else person(identifier, family),
                headers=self._headers(identifier),
            )
            return told(answer.status_code, answer.headers.get("location", ""), answer)
        answer = client.post("", json=self._bundle(identifier, family))
        if answer.status_code != 200:
            return told(answer.status_code, "", answer)
        raced = answer.json()["entry"][0]["response"]
        return told(int(raced["status"][:3]), raced.get("location", ""), answer, raced.get("etag", ""))

    def _headers(self, identifier: str) -> dict[str, str]:
        if self.method == "POST":
            return {"If-None-Exist": criterion(identifier).partition("?")[2]}
        return {"If-Match": self.if_match} if self.if_match else {}

    def _bundle(self, identifier: str, family: str) -> Resource:
        request = {"method": self.method, "url": criterion(identifier)}
        if self.method == "POST":
            request = {
                "method": "POST",
                "url": "Patient",
                "ifNoneExist": criterion(identifier).partition("?")[2],
            }
        if self.if_match:
            request["ifMatch"] = self.if_match
        raced: dict[str, Any] = {"request": request}
        if self.method != "DELETE":
            raced["resource"] = person(identifier, family)
        beside = {"request": {"method": "POST", "url": "Basic"}, "resource": note(identifier)}
        return {"resourceType": "Bundle", "type": "transaction", "entry": [raced, beside]}


def told(status: int, location: str, answer: httpx.Response, etag: str = "") -> Told:
    assert status in (200, 201, 204, 412), answer.text
    if location:
        _, id, _, version_id = location.split("/")[-4:]
        return Told(status, id, int(version_id))
    etag = etag or answer.headers.get("etag", "")
    id = answer.json().get("id", "") if status == 200 and answer.content else ""
    return Told(status, id, int(etag.strip('W/"')) if etag else 0)


def raced(node: Node, tries: list[Try], identifier: str) -> list[Told]:
    """Every client makes a try on one criterion at once; the tries are dealt out in turn."""
    answers: list[Told | None] = [None] * CLIENTS

    def send(client: httpx.Client, number: int) -> Any:
        answers[number] = tries[number % len(tries)].send(client, identifier, f"f{number}")

    node.race(send)
    assert None not in answers
    return [answer for answer in answers if answer is not None]


ROUNDS = counts(1, 25)
WAYS = pytest.mark.parametrize("alone", [True, False], ids=["alone", "in a transaction"])


def beside(node: Node, identifier: str, alone: bool, done: int) -> None:
    """Each transaction that was done did both of its entries, and none that was refused did one."""
    assert len(node.found("Basic", identifier)) == (0 if alone else done)


@WAYS
def test_conditional_creates_make_one(node: Node, alone: bool) -> None:
    for turn in range(ROUNDS):
        identifier = f"create-{alone}-{turn}"
        answers = raced(node, [Try("POST", alone)], identifier)
        assert Counter(answer.status for answer in answers) == {201: 1, 200: CLIENTS - 1}
        [id] = node.found("Patient", identifier)
        assert {answer.id for answer in answers if answer.status == 201} == {id}
        assert len(node.history(id)) == 1
        beside(node, identifier, alone, CLIENTS)


@WAYS
def test_conditional_updates_make_one_and_lose_none(node: Node, alone: bool) -> None:
    """One creates, all others update what it made: 32 versions, each told to the one that wrote it."""
    for turn in range(ROUNDS):
        identifier = f"update-{alone}-{turn}"
        answers = raced(node, [Try("PUT", alone)], identifier)
        assert Counter(answer.status for answer in answers) == {201: 1, 200: CLIENTS - 1}
        [id] = node.found("Patient", identifier)
        families = [entry["resource"]["name"][0]["family"] for entry in node.history(id)]
        assert [families[answer.version_id - 1] for answer in answers] == [f"f{n}" for n in range(CLIENTS)]
        assert sorted(answer.version_id for answer in answers) == list(range(1, CLIENTS + 1))
        beside(node, identifier, alone, CLIENTS)


@WAYS
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_of_those_that_name_a_version_one_wins(node: Node, method: str, alone: bool) -> None:
    """The others are refused, and of their transactions nothing is done."""
    for turn in range(ROUNDS):
        identifier = f"match-{method}-{alone}-{turn}"
        id = node.create(identifier)
        answers = raced(node, [Try(method, alone, 'W/"1"')], identifier)
        won = 200 if method == "PUT" else 204
        assert Counter(answer.status for answer in answers) == {won: 1, 412: CLIENTS - 1}
        assert [entry["request"]["method"] for entry in node.history(id)[1:]] == [method]
        assert node.found("Patient", identifier) == ([id] if method == "PUT" else [])
        beside(node, identifier, alone, 1)


@WAYS
def test_conditional_deletes_delete_once(node: Node, alone: bool) -> None:
    """All are told that it is gone, which is so; its history has one deletion."""
    for turn in range(ROUNDS):
        identifier = f"delete-{alone}-{turn}"
        id = node.create(identifier)
        answers = raced(node, [Try("DELETE", alone)], identifier)
        assert Counter(answer.status for answer in answers) == {204: CLIENTS}
        assert [entry["request"]["method"] for entry in node.history(id)] == ["POST", "DELETE"]
        assert node.found("Patient", identifier) == []
        beside(node, identifier, alone, CLIENTS)


def test_creates_updates_and_deletes_at_once_leave_at_most_one(node: Node) -> None:
    """In no place of the log are there two; each update is there, and each creation."""
    tries = [Try(method, alone) for method in ("POST", "PUT", "DELETE") for alone in (True, False)]
    dealt = [tries[number % len(tries)] for number in range(CLIENTS)]
    for turn in range(ROUNDS):
        identifier = f"all-{turn}"
        answers = raced(node, tries, identifier)
        made = {answer.id for answer in answers if answer.status == 201}
        changes = log_of(node, made)
        living = set[str]()
        for id, _, method in changes:
            if method == Method.DELETE:
                living.remove(id)
            else:
                living.add(id)
            assert len(living) == 1 or method == Method.DELETE
        assert node.found("Patient", identifier) == list(living)
        deletions = sum(method == Method.DELETE for *_, method in changes)
        puts = [answer for one, answer in zip(dealt, answers, strict=True) if one.method == "PUT"]
        posts = [answer for one, answer in zip(dealt, answers, strict=True) if one.method == "POST"]
        assert len(changes) - deletions == len(puts) + sum(answer.status == 201 for answer in posts)
        beside(node, identifier, False, sum(not one.alone for one in dealt))


def log_of(node: Node, ids: set[str]) -> list[tuple[str, int, Method]]:
    """Id, version and method of what was done to some resources, in the order of the log."""
    with looking(node.url) as look:
        rows = look(
            "SELECT e.id, l.version_id, l.method FROM log l JOIN entity e ON e.key = l.key ORDER BY l.seq"
        )
    return [(id, version_id, Method(method)) for id, version_id, method in rows if id in ids]


# -- patches -------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_criteria", [False, True], ids=["by id", "by criteria"])
def test_patches_sent_at_once_are_all_kept(node: Node, by_criteria: bool) -> None:
    """Given one version, when 32 clients add a name to it, then each is there, and no version is missing."""
    identifier = f"patched {by_criteria}"
    id = node.create(identifier)
    address = criterion(identifier) if by_criteria else f"Patient/{id}"

    def add(client: httpx.Client, number: int) -> httpx.Response:
        patch = [{"op": "add", "path": "/name/-", "value": {"family": f"n{number}"}}]
        return client.patch(address, json=patch, headers={"content-type": "application/json-patch+json"})

    answers = node.race(add)

    assert [answer.status_code for answer in answers] == [200] * CLIENTS, answers[0].text
    history = node.history(id)
    assert [entry["resource"]["meta"]["versionId"] for entry in history] == [
        str(version) for version in range(1, CLIENTS + 2)
    ]
    families = [name["family"] for name in history[-1]["resource"]["name"]]
    assert sorted(families) == sorted(["first", *(f"n{number}" for number in range(CLIENTS))])
