"""kintung check and kintung export on both databases: exit codes, and what they refuse."""

import re
import subprocess
from pathlib import Path

import apsw
import psycopg
import pytest

from tests.cli.conftest import Run
from tests.commands import KINTUNG, done, environment, kintung
from tests.databases import KINDS, fresh
from tests.records import patient
from tests.synthea import exported


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return fresh(request.param, tmp_path, request)


def load_one(run: Run, folder: Path) -> None:
    file = folder / "one.json"
    file.write_text(str(patient("one", "Chan")).replace("'", '"'))
    done(run("load", file))


def test_a_sound_record(run: Run, tmp_path: Path) -> None:
    load_one(run, tmp_path)
    assert done(run("check")) == "The record is sound.\n"


MEDDLED = (
    "UPDATE ix_string SET folded = 'cheung', exact = 'Cheung' WHERE folded = 'chan'",
    "UPDATE version SET at = at + 1",
)


def meddle(url: str) -> None:
    """Change tables past the node."""
    if url.startswith("sqlite:///"):
        sqlite = apsw.Connection(url.removeprefix("sqlite:///"))
        for statement in MEDDLED:
            sqlite.execute(statement)
        sqlite.close()
        return
    with psycopg.connect(url) as postgres:
        for statement in MEDDLED:
            postgres.execute(statement.encode())


def test_a_record_that_was_meddled_with(run: Run, url: str, tmp_path: Path) -> None:
    load_one(run, tmp_path)
    meddle(url)
    finished = run("check")
    assert (finished.returncode, finished.stderr) == (1, "")
    *findings, last = finished.stdout.splitlines()
    assert len(findings) >= 2
    assert all(
        re.match(r"(index|versions|chain|ownership|schema|bodies|entities): ", each) for each in findings
    )
    assert last == f"{len(findings)} things are broken."
    assert "Chan" not in finished.stdout
    assert "heung" not in finished.stdout


def test_what_is_not_there_is_not_sound(url: str, tmp_path: Path) -> None:
    absent, said = f"{url}-absent", r"there is no database .*record\.db-absent\."
    if url.startswith("postgresql:"):
        absent, said = (
            url.replace("/fresh_", "/absent_"),
            r"The database cannot be reached\. .+",
        )
    for command, arguments in (("check", ()), ("export", (tmp_path / "out",))):
        finished = kintung(tmp_path, command, *arguments, "--database", absent)
        assert (finished.returncode, finished.stdout) == (1, "")
        assert re.search(rf"^kintung {command}: {said}\n\Z", finished.stderr, re.MULTILINE)
    assert not (tmp_path / "record.db-absent").exists()
    assert not (tmp_path / "out").exists()


def test_an_export_is_for_its_owner_alone(run: Run, tmp_path: Path) -> None:
    load_one(run, tmp_path)
    said = done(run("export", tmp_path / "a" / "b"))
    assert said == f"1 resources of 1 types written to {tmp_path}/a/b\n"
    file = tmp_path / "a" / "b" / "Patient.ndjson"
    assert file.stat().st_mode & 0o077 == 0
    assert [each["id"] for each in exported(tmp_path / "a" / "b")] == ["one"]


def test_an_export_is_not_mixed_with_another(run: Run, tmp_path: Path) -> None:
    load_one(run, tmp_path)
    done(run("export", tmp_path / "out"))
    again = run("export", tmp_path / "out")
    assert (again.returncode, again.stdout) == (1, "")
    assert re.fullmatch(r"kintung export: .*out is not empty; name another folder\.\n", again.stderr)


def test_an_export_that_is_broken_off_says_so(run: Run, tmp_path: Path, url: str) -> None:
    """A full disk, played by a limit on the size of a file."""
    long = '{"resourceType":"Basic","code":{"text":"%s"}}\n' % ("long" * 200_000)
    (tmp_path / "long.ndjson").write_text(long * 3)
    done(run("load", tmp_path / "long.ndjson"))
    line = f"ulimit -f 2048 && exec '{KINTUNG}' export '{tmp_path}/out' --database '{url}'"
    finished = subprocess.run(
        ["sh", "-c", line], env=environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert (finished.returncode, finished.stderr) == (1, "kintung export: File too large\n")
    assert finished.stdout == f"The export in {tmp_path}/out is not whole; remove it.\n"


def test_a_record_is_opened_with_its_own_keys_alone(run: Run, tmp_path: Path) -> None:
    load_one(run, tmp_path)
    for command, arguments in (
        ("check", ()),
        ("load", (tmp_path / "one.json",)),
        ("export", (tmp_path / "out",)),
    ):
        finished = run(command, *arguments, "--keys", tmp_path / "other.keys")
        assert (finished.returncode, finished.stdout) == (1, "")
        assert re.fullmatch(rf"kintung {command}: .* made with keys [0-9a-f]{{12}}, .*\n", finished.stderr)
    assert done(run("check")) == "The record is sound.\n"


def test_a_key_store_that_is_none_is_said(run: Run, tmp_path: Path) -> None:
    load_one(run, tmp_path)
    (tmp_path / "letter").write_text("a letter, longer than the header of a database; " * 40)
    finished = run("check", "--keys", tmp_path / "letter")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert re.fullmatch(r"kintung check: .*letter cannot be opened as a key store: .*\n", finished.stderr)
    assert (tmp_path / "letter").read_text().startswith("a letter")
