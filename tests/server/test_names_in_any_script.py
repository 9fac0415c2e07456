"""Over HTTP a person is found by name in any script; what is changed is found by what is written."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.server.started import started

NAMES: dict[str, dict[str, Any]] = {
    "card": {"family": "陳", "given": ["大文"]},
    "permit": {"text": "陈大文"},
    "clinic": {"family": "CHAN", "given": ["Tai Man", "David"]},
    "other": {"family": "CHAN", "given": ["Tai Ming"]},
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    url = f"sqlite:///{tmp_path_factory.mktemp('names')}/record.db"
    with started(url) as server, httpx.Client(base_url=f"{server.base}/", timeout=60) as found:
        for id, name in NAMES.items():
            answer = found.put(f"Patient/{id}", json={"resourceType": "Patient", "id": id, "name": [name]})
            assert answer.status_code == 201, answer.text
        yield found


def ids(bundle: dict[str, Any]) -> list[str]:
    return [entry["resource"]["id"] for entry in bundle.get("entry", ())]


@pytest.mark.parametrize("name", ["Chan Tai Man", "TAI MAN CHAN", "陳大文", "陈大文"])
def test_a_person_is_found_page_by_page(client: httpx.Client, name: str):
    found: list[str] = []
    answer = client.get("Patient", params={"name": name, "_count": "1", "_total": "accurate"})
    assert answer.json()["total"] == 3
    for place in range(5):
        page = answer.json()
        found += ids(page)
        links = {link["relation"]: link["url"] for link in page["link"]}
        if place == 0:
            assert httpx.URL(links["self"]).params["name"] == name, "the search as it was sent"
        if "next" not in links:
            break
        answer = client.get(links["next"])
    assert sorted(found) == ["card", "clinic", "permit"]


def test_a_form_asks_the_same(client: httpx.Client):
    assert sorted(ids(client.post("Patient/_search", data={"name": "Chen Dawen"}).json())) == [
        "card",
        "permit",
    ]


def test_what_is_changed_is_found_by_what_is_written(client: httpx.Client):
    assert client.delete("Patient", params={"name": "Chen Dawen"}).status_code in (204, 404)
    assert client.get("Patient/card").status_code == 200
    assert client.get("Patient/permit").status_code == 200
    made = client.post(
        "Patient",
        json={"resourceType": "Patient", "name": [{"family": "Chen", "given": ["Dawen"]}]},
        headers={"if-none-exist": "name=Chen Dawen"},
    )
    assert made.status_code == 201, made.text
    again = client.delete(f"Patient/{made.headers['location'].rpartition('/Patient/')[2].partition('/')[0]}")
    assert again.status_code in (200, 204)
