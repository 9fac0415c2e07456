"""Numbers that the pages give are those of the code."""

import re
from pathlib import Path

from tests.leaks.plants import LEAKS
from tests.leaks.templates import TEMPLATES

ROOT = Path(__file__).resolve().parents[2]
THREATS = (ROOT / "docs" / "explanation" / "threat-model.md").read_text()


def test_the_threat_model_counts_templates_and_leaks() -> None:
    assert re.findall(r"^- (\d+) templates ask", THREATS, re.MULTILINE) == [str(len(TEMPLATES))]
    assert re.findall(r"Leaks are planted in the product, (\d+) of them", THREATS) == [str(len(LEAKS))]
