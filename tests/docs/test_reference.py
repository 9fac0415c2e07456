"""The API pages: one for each entry of the registry, with every status it may answer."""

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from kintung.web.fhir.interactions import INTERACTIONS
from kintung.web.fhir.openapi import document
from kintung.web.fhir.registry import Interaction
from tests.docs.test_pages import PARTS, ROOT
from tests.server.api import BASE, require_documented

API = ROOT / "docs" / "reference" / "api"
PAGES = {page.stem: page for folder in ("interaction", "operation") for page in (API / folder).glob("*.md")}
OFFERED = json.loads(document(INTERACTIONS, "http://record.example/fhir"))
NO_METHOD = 405
"""The status of an address that has no such interaction."""


def name(interaction: Interaction) -> str:
    return interaction.name


def sections(page: Path) -> dict[str, str]:
    """The text below each heading of a page."""
    _, *pieces = re.split(r"^## (.+)\n", page.read_text(), flags=re.MULTILINE)
    return dict(zip(pieces[::2], pieces[1::2], strict=True))


def test_every_interaction_has_its_page_and_no_other_has() -> None:
    assert set(PAGES) == {interaction.name for interaction in INTERACTIONS}


def test_the_index_lists_every_page() -> None:
    listed = re.findall(r"\]\(((?:interaction|operation)/\S+\.md)\)", (API / "index.md").read_text())
    assert sorted(listed) == sorted(str(page.relative_to(API)) for page in PAGES.values())


@pytest.mark.parametrize("interaction", INTERACTIONS, ids=name)
def test_the_statuses_of_a_page_are_those_of_the_openapi_document(interaction: Interaction) -> None:
    table = sections(PAGES[interaction.name])["Statuses"]
    answers = re.findall(r"^\| (.+?) \|", table, re.MULTILINE)
    shown = {int(status) for answer in answers for status in re.findall(r"\b[1-5]\d\d\b", answer)}
    offered = OFFERED["paths"][interaction.path or "/"][interaction.method.lower()]["responses"]
    assert shown == {int(status) for status in offered} - {NO_METHOD}


@pytest.mark.parametrize("interaction", INTERACTIONS, ids=name)
def test_a_page_has_all_its_parts_and_shows_a_request_that_succeeds(interaction: Interaction) -> None:
    found = sections(PAGES[interaction.name])
    example = "Examples" if "Examples" in found else "Example"
    assert list(found) == ["Request", example, "Statuses", "Not supported", "Limits"]
    # One that fails is given a better request in docs/reference/api/parts.
    assert re.findall(r"^HTTP/1.1 (\d)", found[example], re.MULTILINE)[0] == "2"
    assert all(found.values())


def answered(status: int, method: str = "GET", path: str = "Patient/1") -> httpx.Response:
    return httpx.Response(status, request=httpx.Request(method, f"{BASE}/{path}"))


def test_an_answer_that_no_page_tells_of_is_found() -> None:
    require_documented("GET", answered(404))
    require_documented("GET", answered(412, path="nowhere/at/all"))
    with pytest.raises(AssertionError, match="412 of read is not in OpenAPI"):
        require_documented("GET", answered(412))


def test_an_entry_of_a_batch_that_no_page_tells_of_is_found() -> None:
    entry = {"request": {"method": "GET", "url": "Patient/1?_format=json"}}
    batch = {"resourceType": "Bundle", "type": "batch-response", "entry": [{"response": {"status": "412"}}]}
    answer = httpx.Response(200, json=batch, request=httpx.Request("POST", BASE))
    with pytest.raises(AssertionError, match="412 of read is not in OpenAPI"):
        require_documented("POST", answer, json.dumps({"entry": [entry]}).encode())


def test_every_parameter_has_words() -> None:
    without = {
        f"{page.name}: {row}"
        for page in PAGES.values()
        for row in re.findall(
            r"^\| (.+?) \| (?:address|parameters|header) \| .+? \|  \|$", page.read_text(), re.M
        )
    }
    assert without == set(), (
        f"say what it does in {PARTS.relative_to(ROOT)}/parameters.md, then make generate"
    )


def test_what_is_written_by_hand_is_of_an_interaction() -> None:
    written = {
        heading
        for part in PARTS.glob("*.md")
        if part.name != "parameters.md"
        for heading in re.findall(r"^#{1,2} (\S+)$", part.read_text(), re.MULTILINE)
    }
    assert written - {interaction.name for interaction in INTERACTIONS} == set()


def test_the_pages_are_as_they_are_made() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "write_api_reference.py"), "--check"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, f"{made.stderr}run make generate"
