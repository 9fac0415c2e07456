"""The page on identity numbers is true: each way to write one, its normal form, its mask, what it says."""

import re
from pathlib import Path
from string import ascii_uppercase

import pytest

from kintung.definitions import naming_systems
from kintung.identity.identifiers import hkid_check_digit, mask, normalise, parse
from kintung.identity.identifiers.documents import DOCUMENTS

PAGE = (Path(__file__).resolve().parents[2] / "docs/reference/identifiers.md").read_text()
ROWS = re.findall(r"^\| `([a-z-]+)` \| (.+) \| `(.+)` \| `(.+)` \| (.+) \|$", PAGE, re.MULTILINE)
URIS = {system.id: (*system.uris, *(f"{p}HKG" for p in system.prefixes))[0] for system in naming_systems()}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_row_is_what_the_code_does(row: tuple[str, ...]) -> None:
    document, ways, normal, masked, says = row
    uri = URIS[document]
    for written in re.findall("`([^`]+)`", ways):
        number = parse(uri, written)
        assert normalise(uri, written) == number.normal == normal
        assert mask(uri, written) == masked
        born = f"born {number.birth_date}" if number.birth_date else None
        assert (", ".join(filter(None, (born, number.sex, number.region))) or "–") == says


def test_the_letters_that_pass_for_others_are_as_many_as_the_page_says() -> None:
    """Slips of one letter, and two letters that changed places; the digits are proved where the rules are."""
    pairs = [(a, b) for a in ascii_uppercase for b in ascii_uppercase if a != b]
    slips = sum(hkid_check_digit(f"{a}123456") != hkid_check_digit(f"{b}123456") for a, b in pairs)
    swaps = sum(hkid_check_digit(f"{a}{b}123456") != hkid_check_digit(f"{b}{a}123456") for a, b in pairs)
    assert re.findall(r"^\| .*letters?.* \| (\d+) of (\d+) \| – \|$", PAGE, re.MULTILINE) == [
        (str(caught), str(len(pairs))) for caught in (slips, swaps)
    ]
    assert f"so {len(pairs) - slips} of the {len(pairs)} ways" in PAGE


def test_every_document_has_a_row() -> None:
    assert {row[0] for row in ROWS} == DOCUMENTS.keys()
