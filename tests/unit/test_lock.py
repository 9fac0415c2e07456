"""requirements.lock pins what pyproject.toml asks for, by hash and without addresses."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
PINNED = dict(re.findall(r"^([a-z0-9.-]+)(?:\[[a-z,]+\])?==(\S+)", LOCK, re.MULTILINE))


def asked_for() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["dev"]]


@pytest.mark.parametrize("line", asked_for())
def test_each_dependency_is_pinned_to_a_permitted_version(line: str) -> None:
    asked = Requirement(line)
    pinned = PINNED.get(canonicalize_name(asked.name))
    assert pinned is not None, f"run make lock: {asked.name} is missing"
    assert asked.specifier.contains(pinned), f"run make lock: {asked.name} {pinned} is not {asked.specifier}"


def test_each_pin_has_a_hash() -> None:
    entries = re.split(r"^(?=[a-z])", LOCK, flags=re.MULTILINE)[1:]
    assert len(entries) == len(PINNED)
    assert [entry.split("==")[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_no_address_is_recorded() -> None:
    assert re.findall(r"https?:|file:|--\w*index|--find-links|@ ", LOCK) == []
