"""The summary of a record as a PDF: what it says, in glyphs that are there, and what is refused."""

import re
import sys
from collections.abc import Iterator
from html import unescape

import httpx
import pytest

from kintung.documents import FAMILIES, Script, fonts
from kintung.store.links import LinkChange, LinkKind
from kintung.store.memory import MemoryStore
from kintung.store.writes import Prepared
from kintung.web.limits import Limits
from kintung.web.pages.language import Language
from kintung.web.pages.record import document
from kintung.web.site import WebSettings
from tests.documents import NO_INK, Document
from tests.server.api import Api
from tests.server.api import api as opened
from tests.server.test_record_pages import RECORD, measured, of, pressure, said
from tests.server.test_record_pages import get as asked

PDF = "/record/p1/summary.pdf"
RARE = "𠮷𨋢㗎"
"""Characters that Hong Kong has and other places hardly do; two of them beyond the first 65,536."""
HOSTILE = (
    '#import "@preview/x:1.0.0": *',
    "#panic() #read(\"/etc/passwd\")",
    "$x^2$ *b* _i_ `raw` ```code``` \\ @ref <label> ~ -- --- ... // /* = H",
    "]#text[ }#{ \"]} \\u{41} &amp; <b>",
    "A" * 200,
    "甲" * 200,
    f"{RARE} 陳大文 陈大文",
    "\u202eevil\u202c \u2066turned\u2069 tab\there\nline",
    "private \ue123 and unassigned \U00012ff5",
    "葛\U000e0100 e\u0301\u0302 A\u200dB \u200b",
)  # fmt: skip


@pytest.fixture
def api() -> Iterator[Api]:
    """One person of two records, with charts; and one whose every name is an attack."""
    with opened() as found:
        found.store(*RECORD)
        found.prepared(
            Prepared(links=(LinkChange("p1", "p2", LinkKind.CERTAIN, "rule", "number same", 900),))
        )
        names = [{"text": text} for text in HOSTILE]
        found.store({"resourceType": "Patient", "id": "h", "name": names, "birthDate": "1950"})
        found.store(*(of("Condition", f"hc{n}", "h", code={"text": text}) for n, text in enumerate(HOSTILE)))
        yield found


def get(api: Api, path: str, lang: str = "en") -> httpx.Response:
    return asked(api, path, "", lang)


def pdf(api: Api, path: str = PDF, lang: str = "en") -> Document:
    answer = get(api, path, lang)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), answer.text
    return Document(answer.content)


# --- What it says ---------------------------------------------------------------------


@pytest.mark.parametrize("lang", Language)
def test_it_says_what_the_page_says(api: Api, lang: Language) -> None:
    page, paper = get(api, "/record/p1", lang), pdf(api, lang=lang)
    told = "".join(said(page).split())
    for words in ("陳大文", "CHAN,TaiMan", "陈大文", "A123***(*)", "Penicillin", "Hypertension", "Pneumonia",
                  "Metformin500mg", "Twiceaday", "Influenza", "138/86", "152", "ClinicofShaTin",
                  "HospitalofFutian", "4.4–7.5%", "100mg/dL", "5spoons", "170cm"):  # fmt: skip
        assert words in told, words
        assert words in paper.squeezed, words
    for heading in re.findall(r"<h[23][^>]*>(.*?)</h[23]>", page.text):
        words = "".join(unescape(re.sub(r"<[^>]*>", "", heading)).split())
        assert words in paper.squeezed, words
    assert "Mistaken" not in paper.text
    assert "何伯" not in paper.text


def test_what_is_high_is_said_before_its_number_and_what_marks_mean_before_the_charts(api: Api) -> None:
    paper = pdf(api).in_a_line.replace("\u00a0", " ")
    assert "4 October 2021 high 152 high 94" in paper
    assert "Results In a chart, a filled mark is outside the reference range. Blood pressure" in paper
    assert re.search("Kept by (Hong Kong, Clinic of Sha Tin|Mainland, Hospital of Futian)", paper)


def test_what_the_patient_measured_is_marked_as_such(api: Api) -> None:
    by = [{"reference": "Patient/p1"}]
    api.store(pressure("home", "2022-03-02", 130, 80) | {"performer": by})
    assert "2 March 2022 130 80 By the patient" in pdf(api).in_a_line


@pytest.mark.parametrize("lang", [Language.HONG_KONG, Language.MAINLAND])
def test_signs_between_chinese_words_are_as_wide_as_they(api: Api, lang: Language) -> None:
    for id in ("n1", "n2"):
        api.store({"resourceType": "Patient", "id": id, "name": [{"text": "何伯"}]})
    api.prepared(Prepared(links=(LinkChange("n1", "n2", LinkKind.MERGED, "somebody", "why", expected=0),)))
    paper = pdf(api, "/record/n1/summary.pdf", lang).in_a_line
    assert "，2022年10月19日" in paper
    assert re.findall(r"[\u4e00-\u9fff][,:;(]", paper) == []


def test_each_page_says_whose_it_is_which_of_how_many_of_which_day_and_when_it_was_made(api: Api) -> None:
    pages = [" ".join(page.extract_text().split()) for page in pdf(api).reader.pages]
    assert len(pages) == 2
    for number, text in enumerate(pages, 1):
        assert "陳大文 · CHAN, Tai Man · born 2 March 1950" in text
        assert f"Page {number} of 2" in text
        assert "As it is known on 19 October 2022. Made 19 October 2022 08:00." in text


def test_it_speaks_of_a_day_as_the_page_does(api: Api) -> None:
    paper = pdf(api, f"{PDF}?as-at=2022-10-18").in_a_line
    assert "As it was known on 18 October 2022. What came later is not shown." in paper
    assert "Nothing was known of this person on that day" in paper
    assert "Hypertension" not in paper
    for wrong, why in (("yesterday", "This is not a day."), ("2022-10-20", "This day is still to come.")):
        answer = get(api, f"{PDF}?as-at={wrong}")
        assert answer.status_code == 400
        assert why in said(answer), "the form that asks for another"
        assert f'action="{PDF}"' in answer.text


def test_a_chart_on_paper_is_that_of_the_page(api: Api) -> None:
    """Its lines are drawn and its words are text, in both; who cannot see it is told what it shows."""
    chart = re.search(r"<svg.*?</svg>", get(api, "/record/p1").text)
    assert chart is not None
    words = [unescape(text) for text in re.findall(r"<text[^>]*>(.*?)</text>", chart[0])]
    assert "Systolic 138" in words
    paper = pdf(api)
    assert {"".join(text.split()) for text in words if "".join(text.split()) not in paper.squeezed} == set()
    assert paper.descriptions()[0].startswith(
        "Blood pressure: 2 values from 4\u00a0October 2021 to 17\u00a0January 2022"
    )


def test_much_is_left_in_the_record_and_the_paper_says_so(api: Api) -> None:
    api.store(
        *(of("Condition", f"m{n}", code={"text": f"Problem {n}"}) for n in range(document.MOST_LINES + 2))
    )
    api.store(*(pressure(f"l{n}", f"2022-03-{n + 1:02d}", 120 + n, 80) for n in range(20)))
    text = pdf(api).in_a_line
    assert "3 more are in the record." in text
    assert f"{22 - document.MOST_VALUES} older values are in the record." in text


def test_it_is_made_for_who_listens_to_it_too(api: Api) -> None:
    """PDF/UA-1: tagged, with a title and a language that a reader is told."""
    told = {
        "en": ("en-HK", "Summary of the record: 陳大文"),
        "zh-HK": ("zh-HK", "紀錄摘要：陳大文"),
        "zh-CN": ("zh-CN", "记录摘要：陳大文"),
    }
    for lang, (tag, title) in told.items():
        paper = pdf(api, lang=lang)
        assert paper.root["/Lang"] == tag
        assert paper.root["/MarkInfo"]["/Marked"]
        assert paper.root["/ViewerPreferences"]["/DisplayDocTitle"]
        assert "/StructTreeRoot" in paper.root
        assert paper.reader.metadata is not None
        assert paper.reader.metadata.title == title
        assert "<pdfuaid:part>1</pdfuaid:part>" in paper.root["/Metadata"].get_object().get_data().decode()


def test_what_is_recorded_in_the_other_script_is_read_out_in_its_own_language(api: Api) -> None:
    assert pdf(api, lang="en").tongues() == {"zh-HK"}
    assert pdf(api, lang="zh-HK").tongues() >= {"en-HK"}
    api.store({"resourceType": "Patient", "id": "ho", "name": [{"text": "何伯"}]})
    assert pdf(api, "/record/ho/summary.pdf", "zh-HK").tongues() == set()


def test_the_same_is_made_of_the_same(api: Api) -> None:
    assert get(api, PDF).content == get(api, PDF).content


def test_whose_paper_was_made_was_opened(api: Api) -> None:
    """As by the page: it is among the recent people of who made it."""
    get(api, PDF)
    store = api.node.store
    assert isinstance(store, MemoryStore)
    told = store._state.audit[-1].record
    assert (told.operation, told.opened) == ("record-pdf", store._state.patient_keys["p1"])


def test_its_file_is_named_after_nobody_and_kept_nowhere(api: Api) -> None:
    headers = get(api, PDF).headers
    assert headers["content-disposition"] == 'inline; filename="summary-2022-10-19.pdf"'
    assert headers["cache-control"] == "no-store"
    assert headers["content-language"] == "en"
    assert "default-src 'none'" in headers["content-security-policy"]


# --- Glyphs ---------------------------------------------------------------------------


@pytest.mark.parametrize(("lang", "font"), [("zh-HK", "NotoSansCJKhk"), ("zh-CN", "NotoSansCJKsc"),
                                            ("en", "NotoSansCJKhk")])  # fmt: skip
@pytest.mark.parametrize("id", ["p1", "h"])
def test_every_character_is_a_glyph_that_is_there(api: Api, lang: str, font: str, id: str) -> None:
    paper = pdf(api, f"/record/{id}/summary.pdf", lang)
    drawn = list(paper.drawn())
    assert len(drawn) > 500
    assert [each for each in drawn if each.glyph == 0] == [], "glyph 0 is the empty box"
    assert [each for each in drawn if not each.outline and each.text.strip(NO_INK)] == []
    copied = "".join(each.text for each in drawn)
    assert set("".join(paper.text.split())) <= set(copied)
    for characters in ("陳大文", "陈大文", *((RARE,) if id == "h" else ())):
        shapes = {each.text: each.outline for each in drawn if each.text in characters}
        assert shapes.keys() == set(characters)
        assert len(set(shapes.values())) == len(characters), "each has a shape of its own"
    of_han = {each.font.partition("+")[2].partition("-")[0] for each in drawn if each.text >= "㐀"}
    assert of_han == {font}


def test_a_character_has_the_shape_of_the_region_of_the_language(api: Api) -> None:
    """骨, among others, is written otherwise on the mainland."""
    api.store(of("Condition", "bone", code={"text": "骨折"}))
    shapes = [
        {each.outline for each in pdf(api, lang=lang).drawn() if each.text == "骨"}
        for lang in ("zh-HK", "zh-CN")
    ]
    assert shapes[0]
    assert shapes[1]
    assert shapes[0].isdisjoint(shapes[1])


def test_a_character_that_no_font_has_is_written_by_its_number_and_the_paper_says_so(api: Api) -> None:
    text = pdf(api, "/record/h/summary.pdf").in_a_line
    assert "private [U+E123] and unassigned [U+12FF5]" in text
    assert "Characters that this node has no font for are written by their number" in text
    assert "by their number" not in pdf(api).in_a_line


# --- Nothing of a record acts ---------------------------------------------------------


@pytest.mark.parametrize("lang", Language)
def test_what_a_record_says_is_shown_and_never_read_as_typst(api: Api, lang: Language) -> None:
    paper = pdf(api, "/record/h/summary.pdf", lang)
    for text in HOSTILE[:7]:
        assert "".join(text.split()) in paper.squeezed, text
    assert "evil turned tab here line" in paper.in_a_line, "nothing turns the direction of what follows"
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", paper.text)


def test_a_long_name_stays_on_its_page(api: Api) -> None:
    lines = pdf(api, "/record/h/summary.pdf").text.splitlines()
    assert max(line.count("A") for line in lines) < 90
    assert max(line.count("甲") for line in lines) < 60
    assert sum(line.count("A") for line in lines) >= 400


# --- What is refused ------------------------------------------------------------------


@pytest.fixture
def without_typst(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As where the extra is not installed."""
    monkeypatch.setitem(sys.modules, "typst", None)
    fonts.faces.cache_clear()
    yield
    fonts.faces.cache_clear()


SAID = {
    "en": "No PDF is made here This node lacks the program or the fonts.",
    "zh-HK": "這裏不能製作 PDF 本節點欠缺所需的程式或字型。",
    "zh-CN": "此处不能制作 PDF 本节点缺少所需的程序或字体。",
}


@pytest.mark.usefixtures("without_typst")
@pytest.mark.parametrize("lang", SAID)
def test_without_the_extra_there_is_no_link_and_a_plain_refusal(api: Api, lang: str) -> None:
    assert "summary.pdf" not in get(api, "/record/p1", lang=lang).text
    for id in ("p1", "absent"):  # said before anything is read
        answer = get(api, f"/record/{id}/summary.pdf", lang=lang)
        assert answer.status_code == 503
        assert "retry-after" not in answer.headers
        assert SAID[lang] in said(answer)


def test_without_the_fonts_of_a_region_its_language_alone_is_refused(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    region: Script = "hong-kong"
    monkeypatch.setitem(FAMILIES, region, ("A font that nobody has",))  # type: ignore[arg-type]
    for lang, status in (("zh-HK", 503), ("en", 503), ("zh-CN", 200)):
        assert get(api, PDF, lang=lang).status_code == status
        assert ("summary.pdf" in get(api, "/record/p1", lang=lang).text) == (status == 200)


def test_the_page_leads_to_it_in_its_language_and_of_its_day(api: Api) -> None:
    page = get(api, "/record/p1?as-at=2022-10-19&lang=zh-Hans-CN")
    assert 'href="/record/p1/summary.pdf?as-at=2022-10-19&amp;lang=zh-Hans-CN"' in page.text


def test_what_would_be_too_much_at_once_is_refused() -> None:
    with opened(settings=WebSettings(limits=Limits(documents=0))) as api:
        api.store({"resourceType": "Patient", "id": "p1"})
        answer = get(api, PDF)
        assert answer.status_code == 503
        assert "Not possible at the moment" in said(answer)


def test_a_record_of_a_thousand_resources_is_made(api: Api) -> None:
    days = [f"{2015 + n // 336}-{n // 28 % 12 + 1:02d}-{n % 28 + 1:02d}" for n in range(1_000)]
    api.store(*(measured(f"w{n}", "29463-7", day, 60 + n % 9, "kg") for n, day in enumerate(days)))
    assert "Body weight" in pdf(api).text
