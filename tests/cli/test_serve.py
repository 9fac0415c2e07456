"""kintung serve: what it refuses to serve, and how it ends."""

import os
import re
import select
import signal
import socket
from contextlib import ExitStack
from pathlib import Path

import apsw
import httpx
import psycopg
import pytest

from tests.commands import (
    SECONDS,
    complaints,
    ended,
    group,
    kintung,
    serving,
    sqlite_url,
    until_group_is_gone,
    worker_of,
)
from tests.databases import KINDS, fresh
from tests.postgres_cluster import Cluster
from tests.records import patient


def refused(tmp_path: Path, *arguments: str, command: str = "serve") -> str:
    """The one line a command gives as reason."""
    finished = kintung(tmp_path, command, *arguments)
    assert (finished.returncode, finished.stdout) == (1, "")
    said = re.fullmatch(rf"kintung {command}: ([^\n]+)\n", finished.stderr)
    assert said is not None, finished.stderr
    return said[1]


def test_without_sign_in_it_must_be_told(tmp_path: Path, url: str) -> None:
    said = refused(tmp_path, "--database", url)
    assert said == "sign-in does not exist yet; give --unprotected to serve this machine only."
    assert not (tmp_path / "record.db").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "record.example", "", "127.0.0.1.example"])
def test_unprotected_is_for_this_machine_only(tmp_path: Path, url: str, host: str) -> None:
    said = refused(tmp_path, "--unprotected", "--host", host, "--database", url)
    assert said == f"--unprotected is for this machine only; {host} can be reached from others."


@pytest.mark.parametrize("host", ["localhost", "::1", "127.0.0.2"])
def test_loopback_has_several_names(tmp_path: Path, url: str, host: str) -> None:
    with serving(tmp_path, url, "--host", host) as served:
        assert httpx.get(f"{served.base}/metadata").status_code == 200


def test_a_port_that_is_taken(tmp_path: Path, url: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        said = refused(tmp_path, "--unprotected", "--port", port, "--database", url)
    assert said == f"port {port} is taken; give another with --port."


def test_a_port_that_another_node_serves(tmp_path: Path, url: str) -> None:
    with serving(tmp_path, url) as served:
        port = served.root.rpartition(":")[2]
        other = sqlite_url(tmp_path / "other.db")
        assert "is taken" in refused(tmp_path, "--unprotected", "--port", port, "--database", other)


@pytest.mark.parametrize("command", ["serve", "check"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_database_of_another_schema(
    tmp_path: Path, kind: str, command: str, request: pytest.FixtureRequest
) -> None:
    url = fresh(kind, tmp_path, request)
    (tmp_path / "one.json").write_text('{"resourceType":"Basic","code":{"text":"one"}}')
    assert kintung(tmp_path, "load", tmp_path / "one.json", "--database", url).returncode == 0
    statement = "UPDATE node SET value = 'of the future' WHERE name = 'schema'"
    if kind == "sqlite":
        connection = apsw.Connection(str(tmp_path / "record.db"))
        connection.execute(statement)
        connection.close()
    else:
        with psycopg.connect(url) as connection:
            connection.execute(statement.encode())
    unprotected = ["--unprotected"] if command == "serve" else []
    said = refused(tmp_path, *unprotected, "--database", url, command=command)
    assert said.startswith("The database has a schema this version does not know (fingerprint of the futu")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("memory:", "memory: is gone when the command ends"),
        ("oracle://host/name", "oracle: is not a database"),
        ("record.db", "record.db: is not a database"),
        ("postgresql://nobody@127.0.0.1:1/none", "The database cannot be reached."),
        ("postgresql:///none?host=/nowhere", "The database cannot be reached."),
        ("postgresql://nobody:se/cret@127.0.0.1/none", "write postgresql://user@host/name"),
        ("postgresql://nobody:se%cret@127.0.0.1/none", "write postgresql://user@host/name"),
        ("sqlite:////proc/none/record.db", "No such file or directory"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "load", "export", "check"])
def test_a_database_that_cannot_be_used(tmp_path: Path, command: str, url: str, message: str) -> None:
    (tmp_path / "one.json").write_text('{"resourceType":"Basic","code":{"text":"one"}}')
    others = {"serve": ["--unprotected"], "load": [tmp_path / "one.json"], "export": [tmp_path / "out"]}
    arguments = [str(each) for each in others.get(command, [])]
    said = refused(tmp_path, *arguments, "--database", url, command=command)
    assert message in said or (url.startswith("sqlite") and "there is no database" in said)
    assert "cret" not in said, "a part of a password"


def test_a_file_that_is_no_database(tmp_path: Path, url: str) -> None:
    (tmp_path / "record.db").write_text("a letter, longer than the header of a database; " * 40)
    for command in ("serve", "check"):
        unprotected = ["--unprotected"] if command == "serve" else []
        assert "record.db" in refused(tmp_path, *unprotected, "--database", url, command=command)
    assert (tmp_path / "record.db").read_text().startswith("a letter")


@pytest.mark.parametrize("kind", KINDS)
def test_two_workers_serve_one_record(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> None:
    url = fresh(kind, tmp_path, request)
    with serving(tmp_path, url, "--workers", "2") as served, ExitStack() as connections:
        clients: dict[int, httpx.Client] = {}
        while len(clients) < 2:  # a connection stays with one worker, which one is chance
            client = connections.enter_context(served.client())
            clients.setdefault(worker_of(served, client), client)
        one, other = clients.values()
        for number in range(10):
            made = one.put(f"Patient/p{number}", json=patient(f"p{number}"))
            assert made.status_code == 201
            assert other.get(f"Patient/p{number}").content == made.content
        answer = other.put("Patient/p0", json=patient("p0", "Wong"), headers={"if-match": 'W/"1"'})
        assert answer.status_code == 200
        assert one.get("Patient/p0").headers["etag"] == 'W/"2"'


def test_the_files_of_a_record_are_for_their_owner_alone(tmp_path: Path, url: str) -> None:
    with serving(tmp_path, url) as served, served.client() as client:
        assert client.put("Patient/p", json=patient("p")).status_code == 201
        files = [path for path in tmp_path.iterdir() if path.is_file()]
        assert {"record.db", "record.db-wal", "record.db.keys", "record.db.keys-wal"} <= {
            f.name for f in files
        }
        assert [path.name for path in files if path.stat().st_mode & 0o077] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly(tmp_path: Path, url: str, number: int) -> None:
    """A signal to all, as Ctrl-C on a terminal or a service manager sends it: nothing is left."""
    with serving(tmp_path, url, "--workers", "2") as served, served.client() as client:
        for each in range(50):
            assert client.put(f"Patient/p{each}", json=patient(f"p{each}")).status_code == 201
        assert (tmp_path / "record.db-wal").stat().st_size > 0
        os.killpg(served.process.pid, number)
        code, out, err = ended(served.process)
        assert (code, out, complaints(err)) == (0, "", "")
        until_group_is_gone(served.process)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("data", "record.db", "record.db.keys", "record.db.lock", "temporary")
    ]  # fmt: skip
    assert list((tmp_path / "temporary").iterdir()) == []
    connection = apsw.Connection(str(tmp_path / "record.db"), flags=apsw.SQLITE_OPEN_READONLY)
    assert connection.execute("SELECT count(*) FROM log").fetchone() == (50,)
    connection.close()


def test_workers_do_not_outlive_the_one_that_started_them(tmp_path: Path, url: str) -> None:
    with serving(tmp_path, url, "--workers", "2") as served:
        served.process.kill()
        until_group_is_gone(served.process)


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path, url: str) -> None:
    with serving(tmp_path, url) as served:
        [worker] = set(group(served.process)) - {served.process.pid}
        with served.client() as client:
            assert client.put("Patient/p", json=patient("p")).status_code == 201
        ending = os.pidfd_open(worker)
        os.kill(worker, signal.SIGKILL)
        assert select.select([ending], [], [], SECONDS)[0], "until it has ended it may take a connection"
        os.close(ending)
        with httpx.Client(transport=httpx.HTTPTransport(retries=8), timeout=60) as client:
            assert client.get(f"{served.base}/Patient/p").status_code == 200
        assert worker not in group(served.process)


def test_postgres_that_goes_away_while_it_is_served(tmp_path: Path, own_postgres: Cluster) -> None:
    url, complaint = own_postgres.fresh_database(), "no connection to the database: .*"
    with serving(tmp_path, url, complaint=complaint) as served, served.client() as client:
        assert client.put("Patient/p", json=patient("p")).status_code == 201
        own_postgres.kill()
        answers = (client.put("Patient/q", json=patient("q")) for _ in range(1000))
        answer = next(answer for answer in answers if answer.status_code == 503)  # its sessions end last
        assert answer.json()["resourceType"] == "OperationOutcome"
        own_postgres.start()
        assert client.put("Patient/q", json=patient("q")).status_code == 201
        assert client.get("Patient/p").status_code == 200
