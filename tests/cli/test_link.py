"""``kintung link``: of files and of a node."""

from pathlib import Path

import msgspec

from tests.cli.conftest import Run
from tests.patients import name, number, patient

HKID = number("hkid", "A123456(3)")
CONTACT = {
    "telecom": [{"system": "phone", "value": "91234567"}],
    "address": [{"line": ["Flat A"], "district": "Sha Tin"}],
}
PATIENTS = [
    patient("card", name("冼", "大文"), name("SIN", "Tai Man"), identifier=[HKID], **CONTACT),
    patient("clinic", name("SIN", "Tai-man David"), identifier=[number("hkid", "a1234563")]),
    patient("hospital", name("冼", "大文"), **CONTACT),
    patient("other", name("陳", "美玲"), birthDate="1981-11-09", gender="female"),
]


def written(folder: Path) -> Path:
    path = folder / "Patient.ndjson"
    path.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in PATIENTS))
    return path


def test_links_of_files_are_written(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run("link", written(tmp_path), "--out", out, "--processes", "1")
    assert done.returncode == 0, done.stderr
    assert "1 certain links, 1 persons of several records; 1 probable" in done.stdout
    links = [msgspec.json.decode(line) for line in (out / "links.ndjson").read_bytes().splitlines()]
    assert [(link["one"], link["other"], link["result"]) for link in links] == [
        ("card", "clinic", "certain"),
        ("card", "hospital", "probable"),
    ]
    assert links[0]["levels"]["number"] == "same"
    persons = [msgspec.json.decode(line) for line in (out / "persons.ndjson").read_bytes().splitlines()]
    assert persons == [{"person": "card", "records": ["card", "clinic"]}]


def test_links_of_a_node_go_into_its_registry_once(run: Run, tmp_path: Path) -> None:
    assert run("load", written(tmp_path)).returncode == 0
    first = run("link", "--processes", "1")
    assert first.returncode == 0, first.stderr
    # The deposit linked what has the number; the batch adds what agrees without one.
    assert "1 certain links" in first.stdout
    assert "1 links said in the registry" in first.stdout
    again = run("link", "--processes", "1")
    assert (again.returncode, again.stdout) == (0, "no Patient was written since the last run\n")
    whole = run("link", "--processes", "1", "--since", "2000-01-01T00:00:00Z")
    assert "4 Patients" in whole.stdout
    assert "0 links said in the registry" in whole.stdout
    assert run("check").returncode == 0


def test_files_need_a_folder_that_is_empty(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path)
    assert "name a folder with --out" in run("link", path).stderr
    refused = run("link", path, "--out", tmp_path)
    assert (refused.returncode, "is not empty" in refused.stderr) == (1, True)
    assert "an instant is written" in run("link", "--since", "yesterday").stderr
