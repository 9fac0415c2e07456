"""What templates write with."""

import pytest

from kintung.web.pages.render import phrases


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("經同意互通", "經同意互通"),
        ("One record, shared by consent", "One record, shared by consent"),
        (
            "一份紀錄，經同意互通",
            '<span class="phrase">一份紀錄，</span><span class="phrase">經同意互通</span>',
        ),
        ("<b>，</b>", '<span class="phrase">&lt;b&gt;，</span><span class="phrase">&lt;/b&gt;</span>'),
        ("", ""),
    ],
)
def test_chinese_is_broken_after_a_comma_first(text: str, written: str) -> None:
    assert phrases(text) == written
