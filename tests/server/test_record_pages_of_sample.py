"""The record of people of the sample: a Chinese page of it reads as Chinese."""

import gzip
import json
import re
from collections.abc import Iterator
from html import unescape

import pytest

from kintung.sample import sample_bundles
from tests.server.api import Api
from tests.server.api import api as opened

ROOT = "http://record.example"
PEOPLE = (5, 6, 20)
"""Lines of the sample: a family, one of Hong Kong and one of Shenzhen."""


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    lines = gzip.decompress(sample_bundles().read_bytes()).splitlines()
    with opened() as found:
        for place in (0, *PEOPLE):
            answer = found.post("", json.loads(lines[place]))
            assert answer.status_code == 200, answer.text
        yield found


def pages(api: Api, language: str) -> Iterator[tuple[str, str]]:
    """The pages of every person, by address: the record, and what happened of each kind."""
    found = api.get("Patient?_count=50").json()["entry"]
    ids = [entry["resource"]["id"] for entry in found]
    assert len(ids) >= len(PEOPLE)
    for id in ids:
        for path in (f"/record/{id}", f"/record/{id}/timeline", f"/record/{id}/timeline?kind=results"):
            answer = api.get(f"{ROOT}{path}", headers={"accept-language": language})
            assert answer.status_code == 200, answer.text
            yield path, answer.text


@pytest.mark.parametrize("language", ["zh-Hant-HK", "zh-Hans-CN"])
def test_nothing_of_it_stands_in_english_on_a_chinese_page(api: Api, language: str) -> None:
    seen = 0
    for path, text in pages(api, language):
        seen += "Synthetic" not in text
        english = {unescape(each) for each in re.findall(r'<span lang="en">(.*?)</span>', text)}
        assert english == set(), path
    assert seen > len(PEOPLE)


def test_mainland_readers_get_the_words_of_the_mainland(api: Api) -> None:
    shown = {
        language: "".join(text for _, text in pages(api, language)).replace("\u00a0", " ")
        for language in ("zh-Hant-HK", "zh-Hans-CN", "en")
    }
    for words in (
        ("二型糖尿病", "2型糖尿病", "Diabetes mellitus type 2"),
        ("覆診", "复诊", "Follow-up encounter"),
        ("二甲雙胍 500 mg", "二甲双胍 500 mg", "metformin 500 mg"),
        ("模擬海港健康中心", "模拟海港健康中心", "Synthetic Harbour Health Centre"),
        ("肌酸酐", "肌酐", "Creatinine"),
        ("µmol/L", "µmol/L", "µmol/L"),
    ):
        assert [word in text for word, text in zip(words, shown.values(), strict=True)] == [True] * 3, words
