"""D5: the disk under a served SQLite record is full; once there is room it goes on, without a restart.

While it is full nothing is stored, and no body leaves either: that it was read cannot be put on
record. The disk is a small tmpfs, which only the administrator may mount.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.commands import complaints, done, kintung, serving, sqlite_url
from tests.scale import is_long

DISK = 8 * 1024 * 1024
BALLAST = 4 * 1024 * 1024
BODY = "x" * 20_000
MOST_WRITES = 2 * DISK // len(BODY)


@contextmanager
def small_disk(at: Path) -> Iterator[Path]:
    at.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(at)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a full disk needs a small tmpfs, which may not be mounted here (run as root)")
    try:
        yield at
    finally:
        subprocess.run(["umount", str(at)], check=True)


def test_a_full_disk_is_survived_without_a_restart(tmp_path: Path) -> None:
    if not is_long():
        pytest.skip("a full disk is a matter of a long run (--long)")
    with small_disk(tmp_path / "disk") as disk:
        url = sqlite_url(disk / "record.db")
        (disk / "ballast").write_bytes(bytes(BALLAST))
        with serving(tmp_path, url, "--workers", "2") as served, served.client() as client:
            stored = fill(client)
            print(f"D5: {len(stored)} writes fit")
            for _ in range(20):
                assert write(client).status_code == 503
            assert client.get(f"Basic/{stored[0]}").status_code == 503
            assert client.get("metadata").status_code == 200
            (disk / "ballast").unlink()
            again = write(client)
            assert again.status_code == 201, again.text
            assert_there(client, [*stored, again.json()["id"]])
        checked = kintung(tmp_path, "check", "--database", url)
        assert "sound" in done(checked)
        assert complaints(checked.stderr) == ""


def write(client: httpx.Client) -> httpx.Response:
    narrative = f'<div xmlns="http://www.w3.org/1999/xhtml">{os.urandom(len(BODY) // 2).hex()}</div>'
    return client.post(
        "Basic",
        json={
            "resourceType": "Basic",
            "text": {"status": "generated", "div": narrative},
            "code": {"text": "x"},
        },
    )


def fill(client: httpx.Client) -> list[str]:
    """Write until the disk is full; ids of what is stored."""
    stored: list[str] = []
    for _ in range(MOST_WRITES):
        answer = write(client)
        if answer.status_code != 201:
            assert answer.status_code == 503, answer.text
            return stored
        stored.append(answer.json()["id"])
    raise AssertionError("the disk was never full")


def assert_there(client: httpx.Client, ids: list[str]) -> None:
    """All of them are read, and nothing that was refused is found."""
    for id in ids:
        assert client.get(f"Basic/{id}").status_code == 200
    assert client.get("Basic", params={"_total": "accurate", "_count": 0}).json()["total"] == len(ids)
