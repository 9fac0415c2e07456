"""kintung synth: the same bytes for a seed, the truth beside them, and nothing overwritten."""

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kintung.definitions.corruptions import corruptions
from kintung.fhir.json import parse
from kintung.fhir.structure import validate
from tests.commands import done, kintung, sqlite_url
from tests.scale import counts

PEOPLE = counts(200, 5_000)


def lines(path: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


def made(home: Path, name: str, *options: str) -> tuple[bytes, bytes]:
    folder = home / name
    done(kintung(home, "synth", folder, "--people", str(PEOPLE), *options))
    assert {path.name for path in folder.iterdir()} == {"Patient.ndjson", "truth.ndjson"}
    return (folder / "Patient.ndjson").read_bytes(), (folder / "truth.ndjson").read_bytes()


def test_a_seed_gives_the_same_bytes_in_any_process(tmp_path: Path):
    assert made(tmp_path, "a", "--seed", "7") == made(tmp_path, "b", "--seed", "7")
    assert made(tmp_path, "c", "--seed", "8") != made(tmp_path, "d", "--seed", "7")


def test_the_truth_of_every_patient_stands_in_its_line(tmp_path: Path):
    said = done(kintung(tmp_path, "synth", tmp_path / "made", "--people", str(PEOPLE), "--appearances", "2"))
    assert said == f"{PEOPLE:,} people, {2 * PEOPLE:,} Patients written to {tmp_path / 'made'}\n"
    patients, truth = lines(tmp_path / "made/Patient.ndjson"), lines(tmp_path / "made/truth.ndjson")
    assert [patient["id"] for patient in patients] == [told["id"] for told in truth]
    assert Counter(told["person"] for told in truth) == dict.fromkeys({told["person"] for told in truth}, 2)
    assert len({told["person"] for told in truth}) == PEOPLE
    assert all(set(told["corruptions"]) <= corruptions().keys() for told in truth)
    assert any(told["corruptions"] for told in truth)


def test_no_rates_no_corruption(tmp_path: Path):
    _, truth = made(tmp_path, "made", "--rates", "0")
    assert all(not msgspec.json.decode(line)["corruptions"] for line in truth.splitlines())


def test_higher_rates_more_corruption(tmp_path: Path):
    found = []
    for rates in ("0.5", "1", "2"):
        _, truth = made(tmp_path, rates, "--rates", rates)
        found.append(sum(len(msgspec.json.decode(line)["corruptions"]) for line in truth.splitlines()))
    assert found[0] * 1.5 < found[1] < found[2] / 1.5


def test_patients_are_valid_and_a_node_takes_them(tmp_path: Path):
    patients, _ = made(tmp_path, "made", "--rates", "2")
    assert [issue for line in patients.splitlines() for issue in validate(parse(line))] == []
    url = sqlite_url(tmp_path / "record.db")
    said = done(kintung(tmp_path, "load", tmp_path / "made/Patient.ndjson", "--database", url))
    assert f"{3 * PEOPLE:,} resources" in said


def test_a_folder_with_something_in_it_is_refused_and_left_alone(tmp_path: Path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made/mine.txt").write_text("mine")
    finished = kintung(tmp_path, "synth", tmp_path / "made")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == f"kintung synth: {tmp_path / 'made'} is not empty; name another folder.\n"
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    "options",
    [
        ("--people", "0"),
        ("--people", "1000001"),
        ("--rates", "-1"),
        ("--rates", "nan"),
        ("--rates", "101"),
        ("--rates", "many"),
        ("--appearances", "21"),
        ("--seed", "-1"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is(tmp_path: Path, options: tuple[str, str]):
    finished = kintung(tmp_path, "synth", tmp_path / "made", *options)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith(f"kintung synth: argument {options[0]}: ")
    assert not (tmp_path / "made").exists()
