"""The page on the width of search has a row for every cell that is drawn, each often enough."""

import re

from tests.docs.test_pages import ROOT
from tests.generators.searches import CELLS, table
from tests.stores import ADAPTERS

PAGE = (ROOT / "docs" / "reference" / "search-coverage.md").read_text()
ENOUGH = 20
"""Searches of a cell, by each store and by the oracle."""
ROW = r"^\| (\w+) \| (\S*) \| (\S*) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$"


def rows(text: str) -> dict[tuple[str, ...], list[int]]:
    """Kind, modifier and prefix of each row, and its counts."""
    found = re.findall(ROW, text, re.MULTILINE)
    return {tuple(row[:3]): [int(count.replace(",", "")) for count in row[3:]] for row in found}


def test_the_page_has_the_cells_that_are_drawn_and_no_other() -> None:
    assert list(rows(PAGE)) == list(rows(table({}, {}, ADAPTERS)))
    assert len(rows(PAGE)) == len(CELLS)


def test_each_cell_was_drawn_often_enough() -> None:
    assert {cell: counts for cell, counts in rows(PAGE).items() if min(counts) < ENOUGH} == {}
