"""What a thousand planted persons leave on the disk: numbers and notes nowhere, names in the index only.

A node is loaded and served as it is in earnest; every number is then searched for in each
way a caller may send it. The database, its log of writes, the keys, everything printed, the
temporary files and the log of sealed versions are read to the last byte.
"""

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests import scale
from tests.commands import SECONDS, base_of, ended, kill_group, started
from tests.databases import KINDS, looking
from tests.leaks.traces import (
    Needle,
    Needles,
    Person,
    encodings,
    people,
    resources,
    searches,
    searches_of_type,
)
from tests.postgres_cluster import Cluster
from tests.records import observation

PERSONS = 500
"""Each with two numbers, three names, three notes."""
TABLES = {
    "sqlite": "SELECT name FROM sqlite_schema WHERE type = 'table'",
    "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}
ON_PAPER = 5
"""Planted people who are handed over as PDFs."""


@dataclass(frozen=True)
class Left:
    """What was found after the node had stopped, and while it ran.

    ``files`` are those of the node and of the database server, and all that was printed;
    ``tables`` what the tables hold. Each tells the needles found in it.
    """

    planted: Counter[str]
    files: dict[str, set[Needle]]
    tables: dict[str, set[Needle]]
    size: int

    def where(self, kind: str, among: dict[str, set[Needle]]) -> dict[str, int]:
        """In what something of a kind was found, and how many different texts."""
        counts = {name: sum(needle.kind == kind for needle in found) for name, found in among.items()}
        return {name: count for name, count in counts.items() if count}


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
    files, printed = _loaded(home, folders, source, url)
    files |= _read(folders, "after load")
    process = started(home, "serve", "--unprotected", "--port", "0", "--database", url)
    try:
        with httpx.Client(base_url=f"{base_of(process)}/", timeout=SECONDS) as client:
            for person in planted:
                _ask_for(client, person)
            for person in planted[:ON_PAPER]:
                document = client.get(str(client.base_url.join(f"/record/{person.id}/summary.pdf")))
                assert document.status_code == 200
        files |= _read(folders, "while served")
        _, out, err = ended(process, signal.SIGTERM)
    finally:
        kill_group(process)
    files |= _read(folders, "after") | {"printed": (printed + out + err).encode()}
    all_of_them = {needle for person in planted for needle in person.needles()}
    needles = Needles(all_of_them)
    found: dict[bytes, set[Needle]] = {}
    for data in (*files.values(), *(tables := _tables(url, kind)).values()):
        if data not in found:
            found[data] = needles.found(data)
    return Left(
        Counter(needle.kind for needle in all_of_them),
        {name: found[data] for name, data in files.items()},
        {name: found[data] for name, data in tables.items()},
        sum(len(data) for data in files.values()),
    )


def _loaded(home: Path, folders: list[Path], source: Path, url: str) -> tuple[dict[str, bytes], str]:
    """The files beside the database while it was loaded, each as it was last, and what was printed."""
    files: dict[str, bytes] = {}
    process = started(home, "load", source, "--database", url)
    try:
        while process.poll() is None:
            beside = [home, *(path for folder in folders for path in folder.rglob("pgsql_tmp"))]
            files |= _read(beside, "during load", but=_holds_tables)
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        out, err = process.communicate()
    finally:
        kill_group(process)
    assert process.returncode == 0, (out, err)
    assert files, "it was over before anything was looked at"
    return files, out + err


def _ask_for(client: httpx.Client, person: Person) -> None:
    """Search for a person in every way a number can be sent, well and badly."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    for value in searches_of_type(person):
        found = client.get(f"Patient?identifier:of-type={quote(value)}")
        assert [entry["resource"]["id"] for entry in found.json()["entry"]] == [person.id], value
    beside = f"component-code-value-quantity={quote(next(searches(person)))}$1"
    assert len(client.get(f"Observation?{beside}").json()["entry"]) == 1
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
                by_search = observation("o", person.id, performer=[{"reference": f"Patient?{asked}"}])
                assert client.put("Observation/o", json=by_search).status_code == 400
                kind = {"content-type": "application/fhir+json"}
                assert client.post("Patient", content=value.encode(), headers=kind).status_code == 400
            case 2:
                for headers in ({"prefer": "respond-async"}, {"prefer": "respond-async", **form}):
                    _ask_later(client, asked, headers)
                entry = {"request": {"method": "DELETE", "url": f"Basic?{asked}"}}
                bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
                assert client.post("", json=bundle, headers={"idempotency-key": value}).status_code == 200
            case _:
                wrong = {"resourceType": "Patient", "identifier": value}
                assert client.put(f"Patient?{asked}", json=wrong).status_code == 400


def _ask_later(client: httpx.Client, asked: str, headers: dict[str, str]) -> None:
    """Let a search be answered later, and leave its answer there for as long as there is room."""
    if "content-type" in headers:
        later = client.post("Patient/_search", content=asked, headers=headers)
    else:
        later = client.get(f"Patient?{asked}", headers=headers)
    assert later.status_code in (202, 429)


def _read(
    folders: list[Path], when: str, but: Callable[[str], bool] = lambda _name: False
) -> dict[str, bytes]:
    """Every file below the folders, also those of a database at work, but the names left out."""
    files: dict[str, bytes] = {}
    for folder in folders:
        for path in folder.rglob("*"):
            try:
                if path.is_file() and not path.is_symlink() and not but(str(path)):
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
    """A value as bytes. Integers are left out: an instant holds any seven digits some day."""
    if isinstance(value, int):
        return b""
    return value if isinstance(value, bytes) else str(value).encode()


def test_numbers_and_notes_are_nowhere(left: Left, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        kinds = ", ".join(f"{count} {kind}s" for kind, count in sorted(left.planted.items()))
        print(f"\nlooked for {kinds} in {len(left.files)} files of {left.size / 1e6:.0f} MB")
    assert left.planted["number"] >= 990, "two persons may have drawn one number"
    for kind in ("number", "note"):
        assert left.where(kind, left.files | left.tables) == {}, kind


@pytest.mark.parametrize("kind", ["name", "remark"])
def test_what_is_searched_for_as_text_is_in_the_index_only(left: Left, kind: str) -> None:
    """Whoever has the database without its keys can read the names people are searched by.

    Remarks stand in ``Observation.valueString``, which has a search parameter as names have.
    """
    assert left.where(kind, left.tables) == {"ix_string": left.planted[kind]}
    outside = {name: found for name, found in left.files.items() if not _holds_tables(name)}
    assert any("keys" in name for name in outside)
    assert left.where(kind, outside) == {}
    assert left.where(kind, left.files) != {}, "the search is not blind"


def _holds_tables(name: str) -> bool:
    """Files in which a database keeps its tables and their log of writes."""
    return name.endswith(("record.db", "record.db-wal")) or "data/base/" in name or "data/pg_wal/" in name


@pytest.mark.parametrize("stored", sorted(encodings("A1234563")), ids=repr)
def test_what_stands_in_a_file_is_found(stored: bytes) -> None:
    needles = Needles([Needle("number", "A1234563")])
    assert needles.found(bytes(99) + b"\xff\x00" + stored + bytes(70)) == {Needle("number", "A1234563")}
    assert needles.found(b"A123456 3" + bytes(70)) == set()
