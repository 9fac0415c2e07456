"""Clients that other people wrote, each through a day with a node that is really started.

The programs are those of the page that tells how to connect a client; this runs them.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.javascript import ABSENT, CLIENTS, NODE, are_installed, packages
from tests.server.started import Started, started

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "how-to" / "connect-a-client.md").read_text()
DEMO = "http://127.0.0.1:8080/fhir"
STEPS = ["create", "read", "transaction", "search", "chain", "page", "patch", "history", "delete"]


def programs(language: str) -> dict[str, str]:
    """The programs of the page in a language, by the client that they use."""
    found = re.findall(rf"^## \w+: ([^\n]+)\n(?:(?!^## ).)*?^```{language}\n(.*?)^```", PAGE, re.M | re.S)
    return dict(found)


PRINTED = re.findall(r"^<!-- printed by .*? -->\n```text\n(.*?)^```", PAGE, re.M | re.S)[0]
PYTHON, JAVASCRIPT = programs("python"), programs("js")


def run(command: list[str], folder: Path) -> str:
    """What a program prints."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def the_day_is_on_record(server: Started) -> None:
    """Look at what the program did without the client it used."""
    patient = httpx.get(f"{server.base}/Patient").json()["entry"][0]["resource"]
    assert (patient["birthDate"], patient["meta"]["versionId"]) == ("1954-07-02", "2")
    assert patient["managingOrganization"]["reference"].startswith("Organization/")
    history = httpx.get(f"{server.base}/Observation/_history").json()["entry"]
    assert [entry["request"]["method"] for entry in history] == ["DELETE", "POST", "POST", "POST"]


def test_the_page_has_the_programs_and_what_they_print() -> None:
    assert sorted(PYTHON) == ["fhirclient", "fhirpy"]
    assert sorted(JAVASCRIPT) == ["fhir-kit-client", "the SMART client"]
    assert [line.partition(":")[0] for line in PRINTED.splitlines()] == STEPS
    assert len(re.findall(r"^```(?:python|js)$", PAGE, re.M)) == len(PYTHON) + len(JAVASCRIPT)
    assert PAGE.count(DEMO) == len(PYTHON) + len(JAVASCRIPT)


@pytest.mark.parametrize("client", PYTHON)
def test_a_python_client_spends_its_day(tmp_path: Path, client: str) -> None:
    with started(f"sqlite:///{tmp_path}/record.db", workers=2) as server:
        program = PYTHON[client].replace(DEMO, server.base)
        command = [sys.executable, "-W", "error", "-c", program]
        assert run(command, tmp_path) == PRINTED
        the_day_is_on_record(server)
        assert run(command, tmp_path) == PRINTED  # as it does for who tries it again


@pytest.mark.skipif(not are_installed(), reason=ABSENT)
@pytest.mark.parametrize("client", JAVASCRIPT)
def test_a_javascript_client_spends_its_day(tmp_path: Path, client: str) -> None:
    with started(f"sqlite:///{tmp_path}/record.db", workers=2) as server:
        program = JAVASCRIPT[client].replace(DEMO, server.base)
        # Given on the command line, a program finds its packages from the folder it runs in.
        command = [str(NODE), "--input-type=module", "--eval", program]
        assert run(command, CLIENTS) == PRINTED
        the_day_is_on_record(server)
        assert run(command, CLIENTS) == PRINTED


REFUSED = {
    "count": "not-supported",  # sends a parameter of its own, _totalMethod
    "elements excluded": "not-supported",  # sends _elements=-name
    "get_or_create": "not-supported",  # sends criteria in the address of a create
    "patch with a part": "structure",  # is no patch of R4
    "where with $gt": 400,  # writes the value as FHIR had it before R4, with a sign for the prefix
    "read of nothing": 404,
    "kit: read of nothing": 404,
    "smart: read of nothing": 404,
}
"""Calls that are not those of R4, and some that are answered as R4 has it; the page tells of them."""


def outcomes(command: list[str], folder: Path) -> dict[str, str | int]:
    return json.loads(run(command, folder))


@pytest.mark.parametrize(("client", "calls"), [("fhirpy", 23), ("fhirclient", 10)])
def test_the_other_calls_of_python_clients_are_answered_as_the_page_says(
    tmp_path: Path, client: str, calls: int
) -> None:
    with started(f"sqlite:///{tmp_path}/record.db") as server:
        program = str(CLIENTS / f"calls_of_{client}.py")
        found = outcomes([sys.executable, "-W", "error", program, server.base], tmp_path)
    assert len(found) == calls
    assert found == {call: REFUSED.get(call, "done") for call in found}


@pytest.mark.skipif(not are_installed(), reason=ABSENT)
def test_the_other_calls_of_javascript_clients_are_answered_as_the_page_says(tmp_path: Path) -> None:
    with started(f"sqlite:///{tmp_path}/record.db") as server:
        found = outcomes([str(NODE), str(CLIENTS / "calls.js"), server.base], CLIENTS)
    assert len(found) == 22
    assert found == {call: REFUSED.get(call, "done") for call in found}


def test_the_lock_names_no_registry() -> None:
    text = (CLIENTS / "package-lock.json").read_text()
    assert re.findall(r'"resolved": "[a-z+]+:[^"]*"', text) == []
    locked = json.loads(text)["packages"]
    assert {f"node_modules/{name}" for name in packages()} <= set(locked)
    assert {
        name for name, found in locked.items() if "version" in found and "integrity" not in found
    } == set()


def test_the_clients_may_be_used_with_a_work_under_apache_2() -> None:
    locked = json.loads((CLIENTS / "package-lock.json").read_text())["packages"]
    licences = {name: found.get("license") for name, found in locked.items() if "version" in found}
    # It is under MIT, and says so in a form of before there were codes for licences.
    assert licences.pop("node_modules/base-64") is None
    assert set(licences.values()) <= {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"}
