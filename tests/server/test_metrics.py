"""/metrics: behind the gate, and the same from whichever worker answers."""

import os
import re
import signal
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from kintung.web.counts import Counts
from tests.commands import serving, worker_of
from tests.server.api import Api, outcome
from tests.waiting import until

NOTHING = "Patient/none"


def figures(text: str) -> dict[str, int]:
    """Names with labels, and their values."""
    return {name: int(value) for name, value in re.findall(r"^(kintung_\S+) (\d+)$", text, re.MULTILINE)}


READ = 'kintung_requests_total{interaction="read",status="404"}'


def test_who_is_not_let_in_sees_no_figures(tmp_path: Path) -> None:
    with serving(tmp_path, f"sqlite:///{tmp_path}/record.db") as served, served.client() as client:
        address = f"{served.root}/metrics"
        for headers in ({"Host": "elsewhere.example"}, {"Origin": "http://elsewhere.example"}):
            refused = client.get(address, headers=headers)
            assert outcome(refused) == (403, "forbidden", next(iter(headers)))
            assert "kintung_" not in refused.text
        assert client.get(address).status_code == 200


def test_a_worker_by_itself_counts_its_own(api: Api) -> None:
    for _ in range(3):
        api.get(NOTHING)
    api.get("Parrot")
    found = figures(api.get("http://record.example/metrics").text)
    assert found == {
        "kintung_workers": 1,
        "kintung_requests_in_flight": 0,
        READ: 3,
        'kintung_requests_total{interaction="",status="404"}': 1,
        "kintung_asynchronous_waiting": 0,
        "kintung_subscriptions": 0,
        "kintung_notifications_waiting": 0,
        "kintung_notifications_dead": 0,
    }


def test_all_workers_count_together_and_no_total_falls(tmp_path: Path) -> None:
    with (
        serving(tmp_path, f"sqlite:///{tmp_path}/record.db", "--workers", "2") as served,
        ExitStack() as stack,
    ):
        clients: dict[int, httpx.Client] = {}
        while len(clients) < 2:
            client = stack.enter_context(served.client())
            clients.setdefault(worker_of(served, client), client)
        for times, client in enumerate(clients.values(), start=2):
            for _ in range(times):
                assert client.get(NOTHING).status_code == 404
        shown = [figures(client.get(f"{served.root}/metrics").text) for client in clients.values()]
        assert [found[READ] for found in shown] == [5, 5]
        assert [found["kintung_workers"] for found in shown] == [2, 2]

        killed, left = clients
        os.kill(killed, signal.SIGKILL)

        def workers() -> float:
            return figures(clients[left].get(f"{served.root}/metrics").text)["kintung_workers"]

        def succeeded() -> bool:
            # Who reaches the one that was killed is cut off, while it goes.
            with served.client() as client, suppress(httpx.TransportError, OSError):
                return worker_of(served, client) not in (killed, left)
            return False

        until(succeeded, "its successor")
        until(lambda: workers() == 2, "the killed worker to be missed")
        # What the killed worker had answered is still counted, and its successor counts on.
        before = figures(clients[left].get(f"{served.root}/metrics").text)[READ]
        assert before >= 5
        clients[left].get(NOTHING)
        assert figures(clients[left].get(f"{served.root}/metrics").text)[READ] == before + 1


def test_a_row_of_a_process_that_ended_is_counted_on(tmp_path: Path) -> None:
    file = tmp_path / "counts"
    child = os.fork()
    if not child:
        counts = Counts(["read"], file)
        counts.in_flight(3)
        counts.answered("read", 200)
        os._exit(0)
    os.waitpid(child, 0)
    counts = Counts(["read"], file)
    counts.answered("read", 200)
    assert counts.gathered() == (1, 0, {("read", 200): 2})


@pytest.mark.parametrize("status", [200, 204, 404, 599])
def test_every_status_has_its_place(status: int) -> None:
    counts = Counts(["", "read"])
    counts.answered("", status)
    counts.answered("read", status)
    counts.in_flight(7)
    assert counts.gathered() == (1, 7, {("", status): 1, ("read", status): 1})
