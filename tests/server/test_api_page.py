"""The pages of what programs may ask: whole, and every line of them works against the node that shows it."""

import html
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.fhir.search import parameters
from kintung.web.about import About, Demo, Invented
from kintung.web.fhir.interactions import INTERACTIONS
from kintung.web.fhir.registry import RESOURCE_TYPES
from kintung.web.pages.catalogues import messages
from kintung.web.pages.language import Language
from kintung.web.site import WebSettings
from tests.commands import demo
from tests.server.api import Api
from tests.server.api import api as opened
from tests.server.started import started

ROOT = "http://record.example"
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with opened() as found:
        yield found


def get(api: Api, path: str, language: str = "en") -> httpx.Response:
    return api.get(f"{ROOT}{path}", headers={"accept-language": language})


def lines(page: str) -> list[str]:
    """The lines for a shell that a page shows."""
    return [html.unescape(line) for line in re.findall(r"<pre[^>]*><code>(.+?)</code></pre>", unbroken(page))]


def unbroken(page: str) -> str:
    """A page without what says where its codes are broken."""
    return re.sub('<span class="phrase">([^<]*)</span>', r"\1", page.replace("<wbr>", ""))


def run(line: str) -> dict[str, Any]:
    """What a line prints, run as it stands."""
    said = subprocess.run(["sh", "-c", line], capture_output=True, check=False, timeout=60)
    assert (said.returncode, said.stderr) == (0, b""), line
    return json.loads(said.stdout)


def kinds(root: str) -> list[str]:
    """What each line of the page of a served node answers: a type of resource, or "openapi"."""
    page = httpx.get(f"{root}/api", headers={"accept-language": "en"})
    answers = [run(line) for line in lines(page.text)]
    return ["openapi" if "openapi" in answer else answer["resourceType"] for answer in answers]


GENERAL = ["CapabilityStatement", "openapi", "Bundle", "Bundle", "OperationOutcome", "Bundle", "Bundle"]


def test_every_line_works_on_an_empty_node(tmp_path: Path) -> None:
    with started(f"sqlite:///{tmp_path}/record.db") as served:
        root = served.base.removesuffix("/fhir")
        assert kinds(root) == GENERAL
        (line,) = lines(httpx.get(f"{root}/api/Observation").text)
        assert run(line)["type"] == "searchset"


def test_every_line_works_in_the_demo_and_finds_somebody(tmp_path: Path) -> None:
    with demo(tmp_path) as shown:
        root = shown.base.removesuffix("/fhir")
        assert kinds(root) == [*GENERAL[:2], "Patient", "Bundle", "Bundle", *GENERAL[2:]]
        of_person = lines(httpx.get(f"{root}/api").text)[2:5]
        person, everything, pressures = map(run, of_person)
        assert "HTEST" in str(person["meta"])
        assert len({each["resource"]["resourceType"] for each in everything["entry"]}) > 5
        assert len(pressures["entry"]) >= 3


@pytest.mark.parametrize("language", list(Language))
def test_every_interaction_is_listed_with_its_page_of_the_reference(api: Api, language: Language) -> None:
    page = html.unescape(unbroken(get(api, "/api", language).text))
    for interaction in INTERACTIONS:
        assert f"{interaction.method} /fhir{interaction.path}" in page
        assert messages(language).gettext(interaction.description) in page
    documents = set(re.findall(r"docs/reference/api/[\w/-]+\.md", page))
    assert {Path(each).stem for each in documents} == {interaction.name for interaction in INTERACTIONS}
    assert [each for each in documents if not (PROJECT / each).is_file()] == []


def test_every_type_is_listed_and_leads_to_what_it_is_searched_by(api: Api) -> None:
    page = get(api, "/api")
    listed = dict(re.findall(r'<a href="/api/(\w+)">\w+</a> <span class="count">(\d+)<', unbroken(page.text)))
    assert set(listed) == set(RESOURCE_TYPES)
    for type in ("Patient", "Observation", "List", "Binary"):
        shown = get(api, f"/api/{type}", Language.HONG_KONG)
        assert shown.status_code == 200
        found = re.findall(r'<th scope="row" role="rowheader"><code>([^<]+)</code>', shown.text)
        assert len(found) == int(listed[type])
        assert set(found) <= set(parameters(type))


@pytest.mark.parametrize("type", RESOURCE_TYPES)
def test_every_type_has_its_page(api: Api, type: str) -> None:
    assert get(api, f"/api/{type}").status_code == 200


@pytest.mark.parametrize("path", ["/api/Nothing", "/api/patient", "/api/", "/api/Patient/1", "/api/%00"])
def test_what_is_no_type_has_no_page(api: Api, path: str) -> None:
    assert get(api, path).status_code == 404


@given(st.text(min_size=1, max_size=20).filter(lambda text: text not in (".", "..")))
def test_whatever_type_is_asked_for_is_answered(type: str) -> None:
    with opened() as api:
        expected = 200 if type in RESOURCE_TYPES else 404
        assert get(api, f"/api/{quote(type, safe='')}").status_code == expected


def test_lines_are_of_the_address_that_the_operator_gave_and_safe_in_a_shell() -> None:
    base = "https://record.example.hk/it's/fhir"
    invented = Demo((Invented("p1'; echo no", "", "", ()),))
    with opened(settings=WebSettings(base, about=About(demo=invented))) as api:
        page = get(api, "/api")
        assert f"<code>{html.escape(base).replace('&#x27;', '&#39;')}</code>" in unbroken(page.text)
        for line in lines(page.text):
            told = subprocess.run(
                ["sh", "-c", line.replace("curl", "printf '%s\\n'", 1)],
                capture_output=True,
                check=True,
                text=True,
            )
            assert any(each.startswith(base) for each in told.stdout.splitlines())
            assert "no" not in told.stdout.splitlines()


def test_a_host_that_is_none_is_not_shown() -> None:
    with opened() as api:
        shown = api.get(f"{ROOT}/api", headers={"host": 'evil"><script>', "accept-language": "en"})
        assert "<script>" not in shown.text
        assert "http://localhost/fhir" in shown.text
