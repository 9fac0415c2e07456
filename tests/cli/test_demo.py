"""kintung demo: it serves synthetic people, its examples work, and nothing of it is left."""

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from kintung.identity.names import SYSTEMS, folded, surname_spellings
from tests import synthea
from tests.commands import complaints, demo, ended, kill_group, kintung, started, until_group_is_gone
from tests.records import patient
from tests.scale import counts


def leftovers(home: Path) -> list[str]:
    """What is left in the temporary and the data folder."""
    return [path.name for folder in ("temporary", "data") for path in (home / folder).iterdir()]


def run_in_shell(line: str) -> dict[str, Any]:
    """The answer to an example, run as it is printed."""
    said = subprocess.run(["sh", "-c", line], capture_output=True, check=False, timeout=60)
    assert (said.returncode, said.stderr) == (0, b""), line
    return msgspec.json.decode(said.stdout)


def is_named(surname: str, patient: dict[str, Any]) -> bool:
    """Whether somebody has a surname in any of its forms."""
    families = {folded(name["family"]).lower() for name in patient["name"]}
    spelled = {spelling for system in SYSTEMS for spelling in surname_spellings(surname, system)}
    return bool(families & {folded(surname), *spelled})


def added(bundles: int, folder: Path) -> tuple[Path, int]:
    """The published folder of Synthea patients in a long run, else a folder of some; its resources."""
    if bundles == synthea.BUNDLES:
        return synthea.whole_file().parent, synthea.ENTRIES
    folder.mkdir()
    synthea.first(bundles, folder)
    return folder, sum(synthea.sizes(bundles))


def test_a_folder_of_patients_is_added_to_the_sample(tmp_path: Path) -> None:
    """All of it is loaded, the sample stands beside it, and the six examples answer."""
    bundles = counts(2, synthea.BUNDLES)
    folder, resources = added(bundles, tmp_path / "patients")
    with demo(tmp_path, "--load", folder) as shown:
        loads = [line for line in shown.lines if " resources in " in line]
        sample, own = (int(line.split()[2].replace(",", "")) for line in loads)
        assert loads[1].startswith(f"{bundles:,} items, {resources:,} resources in ")
        assert own == resources
        assert [run_in_shell(line)["resourceType"] for line in shown.examples] == [
            "CapabilityStatement",
            "Patient",
            "Bundle",
            "Bundle",
            "Bundle",
            "Bundle",
        ]
        everything = run_in_shell(f"curl -s '{shown.base}/_history?_count=1'")
        assert everything["total"] == sample + own


def test_the_six_examples_work(tmp_path: Path) -> None:
    with demo(tmp_path) as shown:
        metadata, read, search, history, chain, card = (run_in_shell(line) for line in shown.examples)
        assert metadata["resourceType"] == "CapabilityStatement"
        assert metadata["fhirVersion"] == "4.0.1"
        assert read["resourceType"] == "Patient"
        assert "HTEST" in str(read["meta"])
        assert (search["resourceType"], search["type"]) == ("Bundle", "searchset")
        subjects = {entry["resource"]["subject"]["reference"] for entry in search["entry"]}
        assert subjects == {f"Patient/{read['id']}"}
        assert history["type"] == "history"
        assert history["entry"][0]["resource"] == read
        for entry in chain["entry"]:
            subject = run_in_shell(f"curl -s '{shown.base}/{entry['resource']['subject']['reference']}'")
            assert is_named(read["name"][-1]["family"], subject)
        assert chain["entry"]
        seen_by = {entry["resource"]["managingOrganization"]["reference"] for entry in card["entry"]}
        assert len(seen_by) > 1, "a person of the demo is known to several systems"
        code, out, err = ended(shown.process, signal.SIGTERM)
        assert (code, out, complaints(err)) == (0, "", "")
        until_group_is_gone(shown.process)
    assert leftovers(tmp_path) == []


def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    with demo(tmp_path) as shown:
        os.killpg(shown.process.pid, signal.SIGINT)
        code, out, err = ended(shown.process)
        assert (code, out, complaints(err)) == (0, "", "")
        until_group_is_gone(shown.process)
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopping_it_while_it_loads_leaves_nothing(tmp_path: Path, number: int, code: int) -> None:
    (tmp_path / "many.ndjson").write_text(
        "".join(f'{{"resourceType":"Basic","id":"b{n}","code":{{"text":"b"}}}}\n' for n in range(40_000))
    )
    process = started(tmp_path, "demo", "--port", "0", "--load", tmp_path / "many.ndjson")
    try:
        assert process.stdout is not None
        assert re.match(r"\d+ items, [\d,]+ resources in ", process.stdout.readline())
        os.killpg(process.pid, number)
        assert ended(process)[0] == code
        until_group_is_gone(process)
    finally:
        kill_group(process)
    assert leftovers(tmp_path) == []


def test_records_of_ones_own_are_added(tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    file.write_bytes(msgspec.json.encode(patient("my-own")))
    with demo(tmp_path, "--load", file) as shown:
        assert "1 items, 1 resources in " in "\n".join(shown.lines)
        assert run_in_shell(f"curl -s '{shown.base}/Patient/my-own'")["id"] == "my-own"


def test_a_mistyped_file_is_said_before_anything_is_done(tmp_path: Path) -> None:
    finished = kintung(tmp_path, "demo", "--load", tmp_path / "absent.json")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert re.fullmatch(r"kintung demo: there is no file or folder .*absent\.json\.\n", finished.stderr)
    assert leftovers(tmp_path) == []


def test_a_demo_is_as_at_a_day(tmp_path: Path) -> None:
    """Its pages say which day it is, and what was loaded was stored then."""
    with demo(tmp_path, "--as-at", "2022-04-01") as shown:
        page = httpx.get(shown.base.removesuffix("fhir"), headers={"accept-language": "en"})
        assert (
            'Demo with synthetic people, as at <wbr><span class="phrase">1\u00a0April 2022</span>'
            in page.text
        )
        read = run_in_shell(shown.examples[1])
        assert read["meta"]["lastUpdated"][:10] in ("2022-03-31", "2022-04-01")  # in UTC
        created = httpx.post(f"{shown.base}/Basic", json={"resourceType": "Basic", "code": {"text": "b"}})
        assert created.json()["meta"]["lastUpdated"] >= read["meta"]["lastUpdated"]
        assert created.json()["meta"]["lastUpdated"] < "2022-04-02"


@pytest.mark.parametrize("day", ["2022-04-31", "20220401", "1969-01-01", "yesterday", "9999-12-31"])
def test_a_day_that_is_none_is_refused(tmp_path: Path, day: str) -> None:
    finished = kintung(tmp_path, "demo", "--as-at", day)
    assert finished.returncode == 2
    assert "is not a day from 1970-01-02 to 2199-12-31" in finished.stderr
