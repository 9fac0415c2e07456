"""What a thousand planted persons leave on the disk: numbers and notes nowhere, names in the index only.

A node is loaded and served as it is in earnest; every number is then searched for in each
way a caller may send it. The database, its log of writes, the keys, everything printed, the
temporary files and the log of sealed versions are read to the last byte.
"""

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests import scale
from tests.commands import SECONDS, base_of, done, ended, kill_group, kintung, started
from tests.databases import KINDS, looking
from tests.leaks.traces import Needles, Person, people, resources, searches
from tests.postgres_cluster import Cluster

PERSONS = 500
"""Each with two numbers, three names, three notes."""
TABLES = {
    "sqlite": "SELECT name FROM sqlite_schema WHERE type = 'table'",
    "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}


@dataclass(frozen=True)
class Left:
    """What is left after the node has stopped, and while it ran."""

    planted: list[Person]
    files: dict[str, bytes]
    """By where it was found: files of the node, and of the database server, by name."""
    tables: dict[str, bytes]
    """What each table holds, as bytes."""
    printed: str

    @property
    def numbers(self) -> Needles:
        return Needles({number.core for person in self.planted for number in person.numbers})

    @property
    def names(self) -> Needles:
        return Needles(name for person in self.planted for name in person.names)

    @property
    def notes(self) -> Needles:
        return Needles(note for person in self.planted for note in person.notes)

    @property
    def remarks(self) -> Needles:
        return Needles(person.remark for person in self.planted)


@pytest.fixture(scope="module", params=KINDS)
def left(request: pytest.FixtureRequest, quick_folder: Path) -> Iterator[Left]:
    home = quick_folder / f"traces {request.param}"
    home.mkdir()
    planted = people(PERSONS, scale.seeded("traces"))
    source = home.parent / f"planted {request.param}.ndjson"
    source.write_text("".join(json.dumps(each) + "\n" for person in planted for each in resources(person)))
    if request.param == "sqlite":
        url = f"sqlite:///{home}/record.db"
        yield _lived(home, [home], url, planted, source, request.param)
        return
    with Cluster() as cluster:
        url = cluster.fresh_database()
        yield _lived(home, [home, cluster.folder], url, planted, source, request.param)


def _lived(home: Path, folders: list[Path], url: str, planted: list[Person], source: Path, kind: str) -> Left:
    """Load, serve, ask, stop; and everything that can be read then or could be read before."""
    loaded = kintung(home, "load", source, "--database", url)
    printed = done(loaded) + loaded.stderr
    files = _read(folders, "after load")
    process = started(home, "serve", "--unprotected", "--port", "0", "--database", url)
    try:
        with httpx.Client(base_url=f"{base_of(process)}/", timeout=SECONDS) as client:
            for person in planted:
                _ask_for(client, person)
        files |= _read(folders, "while served")
        _, out, err = ended(process, signal.SIGTERM)
    finally:
        kill_group(process)
    files |= _read(folders, "after")
    return Left(planted, files, _tables(url, kind), printed + out + err)


def _ask_for(client: httpx.Client, person: Person) -> None:
    """Search for a person in every way a number can be sent, well and badly."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    for place, value in enumerate(searches(person)):
        asked = f"identifier={quote(value)}"
        found = client.get(f"Patient?{asked}")
        assert [entry["resource"]["id"] for entry in found.json()["entry"]] == [person.id], value
        match place:
            case 0:
                client.post("Patient/_search", content=asked, headers=form)
                new = {"resourceType": "Patient", "name": [{"family": person.names[0]}]}
                again = client.post("Patient", json=new, headers={"if-none-exist": asked})
                assert again.status_code == 200
                client.get(f"Observation?subject:Patient.{asked}")
            case 1:
                assert client.get(f"Patient/{quote(value)}").status_code == 404
                assert client.get(f"Patient?birthdate={quote(value)}").status_code == 400
                assert client.get(f"Patient?{quote(value)}=1").status_code == 400
                assert client.post("Patient", content=value.encode()).status_code == 400
            case 2:
                entry = {"request": {"method": "DELETE", "url": f"Basic?{asked}"}}
                bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
                assert client.post("", json=bundle, headers={"idempotency-key": value}).status_code == 200
            case _:
                wrong = {"resourceType": "Patient", "identifier": value}
                assert client.put(f"Patient?{asked}", json=wrong).status_code == 400


def _read(folders: list[Path], when: str) -> dict[str, bytes]:
    """Every file below the folders, also those of a database at work."""
    files: dict[str, bytes] = {}
    for folder in folders:
        for path in folder.rglob("*"):
            try:
                if path.is_file() and not path.is_symlink():
                    files[f"{when}: {path.relative_to(folder)}"] = path.read_bytes()
            except FileNotFoundError:
                continue  # a temporary file that is gone by now
    return files


def _tables(url: str, kind: str) -> dict[str, bytes]:
    """What every table holds; the sealed log of versions is one of them."""
    with looking(url) as rows:
        return {
            name: b"\n".join(_bytes(value) for row in rows(f"SELECT * FROM {name}") for value in row)
            for (name,) in rows(TABLES[kind])
        }


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _where(needles: Needles, haystacks: dict[str, bytes]) -> dict[str, int]:
    """In which haystacks something was found, and how many different texts."""
    distinct: dict[bytes, int] = {}
    counts: dict[str, int] = {}
    for name, data in haystacks.items():
        if data not in distinct:
            distinct[data] = len(needles.found(data))
        if distinct[data]:
            counts[name] = distinct[data]
    return counts


def test_numbers_are_nowhere(left: Left, capsys: pytest.CaptureFixture[str]) -> None:
    needles = left.numbers
    assert _where(needles, left.files | left.tables | {"printed": left.printed.encode()}) == {}
    with capsys.disabled():
        size = sum(len(data) for data in left.files.values())
        print(f"\n{len(needles.texts)} numbers in {len(left.files)} files of {size / 1e6:.0f} MB: 0 found")


def test_notes_are_nowhere(left: Left) -> None:
    assert _where(left.notes, left.files | left.tables | {"printed": left.printed.encode()}) == {}


def test_names_are_in_the_index_only(left: Left) -> None:
    """Whoever has the database without its keys can read the names people are searched by."""
    names = left.names
    assert _where(names, left.tables) == {"ix_string": len(names.texts)}
    outside = {name: data for name, data in left.files.items() if not _holds_tables(name)}
    assert any("keys" in name for name in outside)
    assert _where(names, outside | {"printed": left.printed.encode()}) == {}
    assert _where(names, left.files) != {}, "the search is not blind"


def test_text_that_is_searched_for_is_in_the_index_only(left: Left) -> None:
    """``Observation.valueString`` has a search parameter, and so its text is in the index."""
    remarks = left.remarks
    assert _where(remarks, left.tables) == {"ix_string": len(remarks.texts)}


def _holds_tables(name: str) -> bool:
    """Files in which a database keeps its tables and their log of writes."""
    return "record.db" in name or any(part in name for part in ("data/base/", "data/pg_wal/"))
