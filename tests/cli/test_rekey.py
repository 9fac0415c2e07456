"""kintung rekey: by itself, beside a served node, and where it is refused."""

import json
import re
import threading
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Run
from tests.commands import done, kintung, serving
from tests.databases import KINDS, fresh
from tests.records import patient

HKID = "https://kintung.org/fhir/sid/hkid"


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return fresh(request.param, tmp_path, request)


def numbered(id: str, value: str) -> dict[str, object]:
    return patient(id, identifier=[{"system": HKID, "value": value}])


def load(run: Run, folder: Path, count: int) -> None:
    file = folder / "people.ndjson"
    people = (numbered(f"p{number}", f"QZ{number:06}") for number in range(count))
    file.write_text("".join(json.dumps(person) + "\n" for person in people))
    done(run("load", file))


def test_it_says_how_many_and_the_record_is_sound(run: Run, tmp_path: Path) -> None:
    load(run, tmp_path, 3)
    for _ in range(2):
        said = "The numbers of 3 resources are hashed under a new secret; the old one is destroyed.\n"
        assert done(run("rekey")) == said
        assert done(run("check")) == "The record is sound.\n"


def test_beside_a_served_node_what_is_written_is_found_and_nothing_is_lost(
    run: Run, tmp_path: Path, url: str
) -> None:
    """Sixteen conditional creates of one number make one person, before, while and after it changes."""
    load(run, tmp_path, 50)
    acknowledged: list[str] = []
    refused: list[str] = []
    with serving(tmp_path, url, "--workers", "2") as served:
        ended = threading.Event()

        def write(client_number: int) -> None:
            with httpx.Client(base_url=f"{served.base}/", timeout=60) as client:
                turn = 0
                while not ended.is_set():
                    turn += 1
                    value = f"QZ9{client_number}{turn:04}"
                    body = numbered("", value)
                    del body["id"]
                    for _ in range(2):  # the second finds the first
                        header = {"If-None-Exist": f"identifier={HKID}|{value}"}
                        answer = client.post("Patient", json=body, headers=header)
                        if answer.status_code == 503:
                            break
                        (acknowledged if answer.status_code in (200, 201) else refused).append(value)

        clients = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for each in clients:
            each.start()
        for _ in range(3):
            done(run("rekey"))
        ended.set()
        for each in clients:
            each.join()
        with httpx.Client(base_url=f"{served.base}/", timeout=60) as client:
            for value in (*dict.fromkeys(acknowledged), "QZ000007"):
                found = client.get("Patient", params={"identifier": f"{HKID}|{value}", "_total": "accurate"})
                assert found.json()["total"] == 1, value
    assert refused == []
    assert len(acknowledged) > 0
    assert done(run("check")) == "The record is sound.\n"


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    finished = kintung(tmp_path, "rekey", "--database", f"sqlite:///{tmp_path}/absent.db")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert re.fullmatch(r"kintung rekey: there is no database .*absent\.db\.\n", finished.stderr)
    assert not (tmp_path / "absent.db").exists()


def test_keys_of_before_are_refused(run: Run, tmp_path: Path, url: str) -> None:
    """Whoever brings back an old key store is told, before a search finds nobody."""
    load(run, tmp_path, 1)
    (keys,) = [*tmp_path.glob("*.keys"), *(tmp_path / "data").rglob("*.keys")]
    old = tmp_path / "old.keys"
    old.write_bytes(keys.read_bytes())
    for log in keys.parent.glob(f"{keys.name}-wal"):
        (tmp_path / "old.keys-wal").write_bytes(log.read_bytes())
    done(run("rekey"))
    finished = run("check", "--keys", old)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert re.fullmatch(r"kintung check: .* made with vault [0-9a-f]{12}, .*\n", finished.stderr)
