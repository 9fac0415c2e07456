"""The list of public figures is whole: sources, both scripts, nobody twice."""

import re

from tests.conformance.names.figures import figures

HAN = re.compile(r"[\u3400-\u9fff]{2,4}")
OFFICIAL = re.compile(r"[A-Z]{1,7}( [A-Z]{1,6})?( [A-Z][a-z]*([ -][A-Za-z][a-z]*)?)?")


def test_at_least_three_hundred_each_with_a_source():
    found = figures()
    pages = {source.id: source.page for source in found.sources}
    named = [figure for group in found.figures for figure in group.names]
    assert len(named) >= 300
    assert len({figure.han for figure in named}) == len(named)
    assert {group.source for group in found.figures} == set(pages)
    assert all(
        (figure.page or pages[group.source]).startswith("https://")
        for group in found.figures
        for figure in group.names
    )


def test_names_stand_in_both_scripts():
    for group in figures().figures:
        for figure in group.names:
            assert HAN.fullmatch(figure.han), figure
            assert OFFICIAL.fullmatch(figure.official), figure
