"""Every official R4 example of a person, on the pages of a record: no fault, and each says something."""

import gzip
import json
import re
from collections.abc import Iterator
from html import unescape

from kintung.fhir.search.compartments import members
from kintung.web.pages.record.kinds import LEFT_OUT
from tests.documents import Document
from tests.server.api import Api
from tests.server.api import api as opened
from tests.shared_data import shared

ROOT = "http://record.example"


def pages(api: Api, path: str) -> str:
    answer = api.get(f"{ROOT}{path}", headers={"accept-language": "en"})
    assert answer.status_code == 200, (path, answer.text)
    return answer.text


def test_the_record_of_every_patient_of_the_examples_is_shown() -> None:
    with gzip.open(shared("fhir-r4-examples/examples.ndjson.gz"), "rt", encoding="utf-8") as lines:
        examples = [json.loads(line) for line in lines]
    with opened() as api:
        stored: set[str] = set()
        for example in examples:
            name = f"{example['resourceType']}/{example['id']}"
            if api.put(name, example).status_code in (200, 201):
                stored.add(name)
        patients = sorted(name.partition("/")[2] for name in stored if name.startswith("Patient/"))
        assert len(patients) > 10
        opened_of: set[str] = set()
        for id in patients:
            for path in (f"/record/{id}", f"/record/{id}/timeline", f"/record/{id}/timeline?kind=results"):
                opened_of |= set(re.findall(rf'href="(/record/{id}/[A-Z]\w+/[^"?]+)"', pages(api, path)))
            paper = api.get(f"{ROOT}/record/{id}/summary.pdf", headers={"accept-language": "zh-HK"})
            assert paper.status_code == 200, id
            assert [each for each in Document(paper.content).drawn() if each.glyph == 0] == [], id
        assert len(opened_of) > 40
        for path in opened_of:
            heading = re.search(r"<h1>(.*?)</h1>", pages(api, path))
            assert heading is not None
            assert unescape(heading[1]), path


def test_every_example_of_a_person_has_a_page_of_its_own() -> None:
    with gzip.open(shared("fhir-r4-examples/examples.ndjson.gz"), "rt", encoding="utf-8") as lines:
        examples = [json.loads(line) for line in lines]
    with opened() as api:
        api.store({"resourceType": "Patient", "id": "example"})
        shown: set[str] = set()
        for example in examples:
            name = f"{example['resourceType']}/{example['id']}"
            if name != "Patient/example" and api.put(name, example).status_code in (200, 201):
                answer = api.get(f"{ROOT}/record/example/{name}", headers={"accept-language": "zh-CN"})
                assert answer.status_code in (200, 404), (name, answer.text)
                shown |= {name} if answer.status_code == 200 else set()
        assert len(shown) > 80
        led = set(linked(api, "/record/example/timeline?kind=everything"))
        unreached = {name.partition("/")[0] for name in shown - led}
        assert unreached.intersection(members("Patient")) <= set(LEFT_OUT)
        assert len({name.partition("/")[0] for name in led}) > 35


def linked(api: Api, path: str) -> Iterator[str]:
    """What the pages of a timeline lead to, by type and id."""
    while path:
        text = pages(api, path)
        yield from re.findall(r'href="/record/example/([A-Z]\w+/[^"?]+)"', text)
        further = re.search(r'href="([^"]*)" rel="next"', text)
        path = unescape(further[1]) if further else ""
