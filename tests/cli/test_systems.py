"""kintung systems: NDJSON that kintung load takes, and the demo has it."""

import json
from pathlib import Path

import httpx

from kintung.definitions import naming_systems
from tests.cli.conftest import Run
from tests.commands import demo, done, kintung

VAULTED = "https://kintung.org/fhir/StructureDefinition/naming-system-vaulted"


def test_what_it_prints_is_loaded_and_comes_out_again(run: Run, tmp_path: Path) -> None:
    printed = done(kintung(tmp_path, "systems"))
    assert [json.loads(line)["id"] for line in printed.splitlines()] == [s.id for s in naming_systems()]
    vaulted = done(kintung(tmp_path, "systems", "--vaulted")).splitlines()
    assert [json.loads(line)["id"] for line in vaulted] == [s.id for s in naming_systems() if s.vaulted]
    (tmp_path / "systems.ndjson").write_text(printed)
    done(run("load", tmp_path / "systems.ndjson"))
    done(run("export", tmp_path / "out"))
    stored = [json.loads(line) for line in (tmp_path / "out/NamingSystem.ndjson").read_text().splitlines()]
    sent = {each["id"]: each for each in map(json.loads, printed.splitlines())}
    assert {each["id"]: {k: v for k, v in each.items() if k != "meta"} for each in stored} == sent


def test_the_demo_has_them(tmp_path: Path) -> None:
    with demo(tmp_path) as shown:
        asked = {"value": "https://kintung.org/fhir/sid/hkid"}
        (entry,) = httpx.get(f"{shown.base}/NamingSystem", params=asked).json()["entry"]
        assert entry["resource"]["id"] == "hkid"
        assert {"url": VAULTED, "valueBoolean": True} in entry["resource"]["extension"]
