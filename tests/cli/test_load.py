"""kintung load: what it reads, what it says, what it refuses."""

import gzip
import json
import os
import pty
import re
import signal
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from select import select
from typing import Any

import pytest

from kintung.app import open_node
from kintung.cli.load import load_files
from kintung.cli.loading import Loader
from tests.cli.conftest import Run
from tests.commands import (
    KINTUNG,
    SECONDS,
    complaints,
    done,
    environment,
    kintung,
    serving,
    sqlite_url,
    started,
    until_group_is_gone,
)
from tests.databases import looking
from tests.people import CARDS, with_card
from tests.records import binary, observation, patient
from tests.synthea import exported, first
from tests.waiting import until

Resource = dict[str, Any]


def text(*resources: Resource) -> str:
    return "".join(json.dumps(resource) + "\n" for resource in resources)


def stored(run: Run, folder: Path) -> dict[str, Resource]:
    """What the database holds, by address."""
    done(run("export", folder))
    return {f"{each['resourceType']}/{each['id']}": each for each in exported(folder)}


def bundle(type: str, *entries: Resource) -> Resource:
    return {"resourceType": "Bundle", "type": type, "entry": list(entries)}


def post(resource: Resource, name: str) -> Resource:
    kind = resource["resourceType"]
    return {"fullUrl": name, "resource": resource, "request": {"method": "POST", "url": kind}}


def put(resource: Resource) -> Resource:
    address = f"{resource['resourceType']}/{resource['id']}"
    return {"resource": resource, "request": {"method": "PUT", "url": address}}


def counted(said: str) -> tuple[int, int]:
    """Items and resources of the first line of a report."""
    found = re.match(r"([\d,]+) items, ([\d,]+) resources in \d+\.\d s \([\d,]+/s\)\n", said)
    assert found is not None, said
    return int(found[1].replace(",", "")), int(found[2].replace(",", ""))


def test_every_kind_of_file_and_folders_of_them(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    (folder / "below").mkdir(parents=True)
    (folder / "single.json").write_text(text(patient("single")))
    (folder / "lines.ndjson").write_text(text(patient("one")) + "\n" + text(patient("two")))
    (folder / "below" / "packed.json.gz").write_bytes(gzip.compress(text(patient("packed")).encode()))
    (folder / "below" / "lines.ndjson.gz").write_bytes(gzip.compress(text(patient("three")).encode()))
    (folder / "notes.txt").write_text("not to be loaded")
    mother, child = (
        "urn:uuid:7a1b8a5e-0000-4000-8000-000000000001",
        "urn:uuid:7a1b8a5e-0000-4000-8000-000000000002",
    )
    sent = bundle(
        "transaction",
        post(patient("ignored"), mother),
        post({**observation("ignored", None), "subject": {"reference": mother}}, child),
    )
    (folder / "transaction.json").write_text(json.dumps(sent, indent=2))
    said = done(run("load", folder))
    assert counted(said) == (6, 7)
    found = stored(run, tmp_path / "out")
    assert {f"Patient/{id}" for id in ("single", "one", "two", "three", "packed")} < found.keys()
    [weight] = [each for each in found.values() if each["resourceType"] == "Observation"]
    assert weight["subject"]["reference"] in found


@pytest.mark.parametrize("processes", ["0", "1"])
def test_references_under_the_address_of_the_node_are_local(run: Run, tmp_path: Path, processes: str) -> None:
    base = "https://record.example/fhir"
    about = {"reference": f"{base}/Patient/p"}
    (tmp_path / "lines.ndjson").write_text(text(observation("o", None, subject=about)))
    sent = bundle("transaction", put(observation("t", None, subject=about)))
    (tmp_path / "bundle.json").write_text(json.dumps(sent))
    files = (tmp_path / "lines.ndjson", tmp_path / "bundle.json")
    done(run("load", *files, "--base-url", f"{base}/", "--processes", processes))
    found = stored(run, tmp_path / "out")
    assert [found[f"Observation/{id}"]["subject"]["reference"] for id in "ot"] == ["Patient/p"] * 2


def test_a_file_named_by_itself_and_a_resource_without_id(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "basic.json"
    file.write_text('{"resourceType":"Basic","code":{"text":"given an id"}}')
    assert counted(done(run("load", file))) == (1, 1)
    [found] = stored(run, tmp_path / "out").values()
    assert re.fullmatch(r"[A-Za-z0-9.-]{1,64}", found["id"])


def test_a_bundle_that_is_no_request_is_a_resource(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "collection.json"
    file.write_text(json.dumps({**bundle("collection", {"resource": patient("within")}), "id": "papers"}))
    assert counted(done(run("load", file))) == (1, 1)
    assert list(stored(run, tmp_path / "out")) == ["Bundle/papers"]


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_batch_is_done_entry_by_entry(run: Run, tmp_path: Path, processes: str) -> None:
    file = tmp_path / "batch.json"
    wrong = {**patient("wrong"), "gender": "no such gender"}
    posted = {
        "resource": {"resourceType": "Basic", "code": {"text": "new"}},
        "request": {"method": "POST", "url": "Basic"},
    }
    absent = {"request": {"method": "GET", "url": "Patient/absent"}}
    file.write_text(
        json.dumps(bundle("batch", put(patient("right")), put(wrong), put(patient("also")), posted, absent))
    )
    finished = run("load", file, "--processes", processes)
    assert finished.returncode == 1
    assert counted(finished.stdout) == (1, 3)
    assert "1 refused: code-invalid: " in finished.stdout or "1 refused: value: " in finished.stdout
    assert "(first: batch.json line 1, Bundle.entry[1].resource.gender)" in finished.stdout
    assert "1 refused: not-found: Patient/absent is not known. (first: batch.json line 1, " in finished.stdout
    again = run("load", file, "--processes", processes)
    assert counted(again.stdout) == (1, 3)
    found = stored(run, tmp_path / "out")
    assert sorted(address.partition("/")[0] for address in found) == ["Basic", "Patient", "Patient"]
    assert {each["meta"]["versionId"] for each in found.values()} == {"1"}


SECRETS = ("Wongplanted", "1949-07-31", "planted note", "A9876543")


def faulty_lines() -> Iterable[tuple[str, str]]:
    """Lines that are refused, with personal values in them, and the code of the reason."""
    person = patient("p", "Wongplanted", birthDate="1949-07-31", identifier=[{"value": "A9876543"}])
    weight = observation("o", "p")
    yield json.dumps(person)[:-20], "structure"
    yield json.dumps({**person, "gender": "planted note"}), "code-invalid"
    yield json.dumps({**person, "birthDate": "1949-07-31T"}), "value"
    yield json.dumps({**person, "noSuchElement": "Wongplanted"}), "structure"
    yield json.dumps({**person, "id": "planted note"}), "value"
    yield json.dumps({**person, "resourceType": "Wongplanted"}), "structure"
    yield json.dumps({**weight, "status": "Wongplanted"}), "code-invalid"
    yield json.dumps({**weight, "valueQuantity": {"value": "planted note"}}), "structure"
    yield json.dumps(person).replace('"Wongplanted"', '"Wongplanted\\ud800"'), "value"
    yield json.dumps(person)[:-1] + ',"gender":"male","gender":"planted note"}', "structure"
    yield '"Wongplanted"', "structure"
    yield "Wongplanted", "structure"
    for criteria in (
        "identifier=A9876543&noSuchParameter=1",
        "birthdate=planted note",
        "name:in=Wongplanted",
    ):
        match = {"resource": person, "request": {"method": "PUT", "url": f"Patient?{criteria}"}}
        yield json.dumps(bundle("transaction", match)), "not-supported|value"
        about = {**weight, "subject": {"reference": f"Patient?{criteria}"}}
        yield json.dumps(bundle("transaction", post(about, "urn:uuid:1"))), "not-supported|value"
    nobody = {**weight, "subject": {"reference": "Patient?identifier=A9876543"}}
    yield json.dumps(bundle("transaction", post(nobody, "urn:uuid:1"))), "not-found"
    strange = {"resource": person, "request": {"method": "POST", "url": "https://elsewhere/Wongplanted"}}
    yield json.dumps(bundle("transaction", strange)), "value|not-supported"


@pytest.mark.parametrize("processes", ["0", "2"])
def test_refused_lines_are_counted_by_reason_and_stop_nothing(
    run: Run, tmp_path: Path, processes: str
) -> None:
    faults = list(faulty_lines())
    file = tmp_path / "mixed.ndjson"
    lines = [text(patient("before")).strip()]
    for number, (line, _) in enumerate(faults):
        lines += [line, text(patient(f"after-{number}")).strip()]
    file.write_text("\n".join(lines), "utf-8")
    finished = run("load", file, "--processes", processes)
    assert (finished.returncode, complaints(finished.stderr)) == (1, "")
    assert counted(finished.stdout) == (len(lines), len(lines) - len(faults))
    refused = re.findall(
        r"^([\d,]+) refused: ([a-z-]+): .+\(first: mixed.ndjson line (\d+), .+\)$",
        finished.stdout,
        re.MULTILINE,
    )
    assert sum(int(count) for count, _, _ in refused) == len(faults), finished.stdout
    for _, code, line in refused:
        assert re.fullmatch(faults[int(line) // 2 - 1][1], code), (code, line)
    assert [secret for secret in SECRETS if secret in finished.stdout] == []
    assert len(stored(run, tmp_path / "out")) == len(lines) - len(faults)


def test_the_same_fault_at_many_places_is_one_reason(run: Run, tmp_path: Path) -> None:
    lines = [{**patient("p"), "name": [{}] * n + [{"family": 1}]} for n in range(1, 50)]
    cut = "".join(f'{{"resourceType":{" " * n}?\n' for n in range(50))
    (tmp_path / "wrong.ndjson").write_text(text(*lines) + cut)
    finished = run("load", tmp_path / "wrong.ndjson")
    assert counted(finished.stdout) == (99, 0)
    assert "50 refused: structure: The text is not JSON at line n, column n." in finished.stdout
    assert finished.stdout.count(" refused: ") == 2


def test_a_transaction_is_never_half_loaded(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "half.ndjson"
    wrong = {**patient("wrong"), "gender": 7}
    file.write_text(text(bundle("transaction", put(patient("right")), put(wrong)), patient("next")))
    assert run("load", file).returncode == 1
    assert list(stored(run, tmp_path / "out")) == ["Patient/next"]


def test_damaged_files_are_named_and_stop_nothing(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    whole = gzip.compress(
        text(*(patient(f"cut-{n}", family=os.urandom(20).hex()) for n in range(500))).encode()
    )
    (folder / "a-cut.ndjson.gz").write_bytes(whole[: len(whole) // 2])
    (folder / "b-false.json.gz").write_bytes(b"this is not gzip")
    (folder / "c-empty.json").write_bytes(b"")
    (folder / "d-flipped.ndjson.gz").write_bytes(whole[:-8] + bytes(8))
    (folder / "e-utf16.json").write_bytes(text(patient("wide")).encode("utf-16"))
    (folder / "z-good.json").write_text(text(patient("good")))
    finished = run("load", folder)
    assert (finished.returncode, complaints(finished.stderr)) == (1, "")
    for file in ("a-cut.ndjson.gz", "c-empty.json", "e-utf16.json"):
        assert f"(first: {file} line " in finished.stdout
    assert "3 refused: invalid: It cannot be unpacked further" in finished.stdout
    found = stored(run, tmp_path / "out")
    assert "Patient/good" in found
    assert 0 < sum(1 for address in found if address.startswith("Patient/cut-")) <= 500


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("absent.json",), r"there is no file or folder .*absent\.json\."),
        (("notes.txt",), r"notes\.txt is not one of \.json, \.ndjson, \.json\.gz, \.ndjson\.gz\."),
        (("empty",), r".*empty holds no \.json, .* file\."),
        (("good.json", "absent.json"), r"there is no file or folder .*absent\.json\."),
    ],
)
def test_paths_that_cannot_be_loaded_are_refused_before_anything_is(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "good.json").write_text(text(patient("good")))
    (tmp_path / "empty").mkdir()
    finished = run("load", *(tmp_path / name for name in arguments))
    assert (finished.returncode, finished.stdout) == (1, "")
    assert re.fullmatch(f"kintung load: {message}\n", finished.stderr)
    assert not (tmp_path / "record.db").exists()


def test_a_record_in_memory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(text(patient("good")))
    finished = kintung(tmp_path, "load", tmp_path / "good.json", "--database", "memory:")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert re.fullmatch(r"kintung load: memory: is gone when the command ends; .+\n", finished.stderr)


def test_export_and_load_give_the_same_resources(run: Run, tmp_path: Path) -> None:
    """Also of what is owned through another: its file is loaded after the other's."""
    (tmp_path / "scan.ndjson").write_text(
        text(patient("p"), observation("o", "p"), binary("scan", "Observation/o"))
    )
    done(run("load", tmp_path / "scan.ndjson", first(2, tmp_path)))
    before = stored(run, tmp_path / "first")
    assert len(before) > 200
    other = sqlite_url(tmp_path / "other.db")
    done(kintung(tmp_path, "load", tmp_path / "first", "--database", other))
    done(kintung(tmp_path, "export", tmp_path / "second", "--database", other))
    for file in (tmp_path / "first").iterdir():
        assert sorted(bodies(file)) == sorted(bodies(tmp_path / "second" / file.name)), file.name
    assert len(list((tmp_path / "first").iterdir())) == len(list((tmp_path / "second").iterdir()))
    done(kintung(tmp_path, "check", "--database", other))


@pytest.mark.parametrize("processes", ["1", "2"])
def test_patients_of_one_verified_number_are_one_person(
    run: Run, tmp_path: Path, url: str, processes: str
) -> None:
    """Whatever is loaded side by side, from files and within them."""
    bundled = bundle("transaction", *(put(with_card(f"t{n}")) for n in range(2)))
    (tmp_path / "bundle.json").write_text(json.dumps(bundled))
    (tmp_path / "more.ndjson").write_text(text(*(with_card(f"p{n}") for n in range(4))))
    (tmp_path / "other.ndjson").write_text(text(with_card("other", CARDS[1])))

    done(run("load", tmp_path, "--processes", processes))

    with looking(url) as ask:
        members = ask("SELECT e.id FROM member m JOIN entity e ON e.key = m.patient_key ORDER BY e.id")
    assert members == [("p0",), ("p1",), ("p2",), ("p3",), ("t0",), ("t1",)]
    done(run("check"))


def bodies(file: Path) -> list[str]:
    """The lines of an exported file without the instant of the version."""
    return re.sub(r',?"lastUpdated":"[^"]+"', "", file.read_text()).splitlines()


def test_keys_of_many_new_patients_are_one_commit_of_the_key_store(tmp_path: Path) -> None:
    """None is made for a Patient that is refused."""
    file = tmp_path / "patients.ndjson"
    file.write_text(text(*(patient(f"p{n}") for n in range(40)), patient("refused", gender="?")))
    with open_node(f"sqlite:///{tmp_path}/record.db") as node:
        keys: Any = node.store._keys  # type: ignore[attr-defined]
        commits: list[int] = []
        keys._db.set_commit_hook(lambda: bool(commits.append(1)))
        load_files(Loader(node, "", None, processes=0), [file])
        assert len(commits) == 1
        owners = {row[0] for row in keys._read.execute("SELECT owner FROM data_key")}
        assert "Patient/p39" in owners
        assert "Patient/refused" not in owners


def test_a_load_while_the_database_is_served_is_seen_at_once(run: Run, tmp_path: Path, url: str) -> None:
    (tmp_path / "good.json").write_text(text(patient("good")))
    with serving(tmp_path, url) as served, served.client() as client:
        assert client.get("Patient/good").status_code == 404
        done(run("load", tmp_path / "good.json"))
        assert client.get("Patient/good").status_code == 200


def test_progress_is_shown_on_a_terminal(tmp_path: Path, url: str) -> None:
    (tmp_path / "many.ndjson").write_text("".join(text(patient(f"p{n}")) for n in range(40_000)))
    terminal, other = pty.openpty()
    process = subprocess.Popen(
        [KINTUNG, "load", tmp_path / "many.ndjson", "--database", url],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=other,
        text=True,
    )
    os.close(other)
    shown = ""
    with suppress(OSError):  # how Linux says that nobody writes to a terminal any more
        while True:
            assert select([terminal], [], [], SECONDS)[0], "it neither writes nor ends"
            shown += os.read(terminal, 1024).decode()
            if re.search(r"resources: [\d,]+ \([\d,]+/s\)", shown):
                for _ in range(5):  # an impatient user, who must not break off what ends it
                    process.terminate()
    os.close(terminal)
    out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 143, (out, shown)
    assert shown.endswith("\x1b[2K"), "the line is taken away at the end"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_load_that_is_stopped_says_how_far_it_was_and_leaves_nothing(
    run: Run, tmp_path: Path, url: str, number: int, code: int
) -> None:
    """Ctrl-C goes to every process of a terminal's group; so does this."""
    (tmp_path / "many.ndjson").write_text("".join(text(patient(f"p{n}")) for n in range(40_000)))
    (tmp_path / "one.json").write_text(text(patient("one")))
    done(run("load", tmp_path / "one.json"))
    process = started(tmp_path, "load", tmp_path / "many.ndjson", "--database", url, "--processes", "2")
    with looking(url) as look:
        log = "SELECT count(*) FROM log"
        until(lambda: look(log)[0][0] >= 2 or process.poll() is not None, "the load to store something")
    os.killpg(process.pid, number)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, complaints(err)) == (code, "")
    assert 0 < counted(out)[1] < 40_000
    until_group_is_gone(process)
    assert list((tmp_path / "temporary").iterdir()) == []
