"""The README shows what ``kintung demo`` prints."""

import re
from pathlib import Path

from tests.commands import demo, ended
from tests.docs.test_pages import ROOT

README = ROOT / "README.md"


def shape(line: str) -> str:
    """A line without what differs from run to run: ports, ids, family names, cards, times."""
    line = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", line)
    line = re.sub(r"(Patient/|patient=)[A-Za-z0-9]{22}\b", r"\1ID", line)
    line = re.sub(r"family=[^&']+", "family=NAME", line)
    line = re.sub(r"QZ[0-9]{6}[0-9A]", "CARD", line)
    return re.sub(r"in [\d.,]+ s \([\d,]+/s\)", "in TIME", line)


def test_the_demo_prints_what_the_readme_shows(tmp_path: Path) -> None:
    block = re.search(
        r"<!-- demo: .*? -->\n```text\n(.*?)\n```\n<!-- /demo -->", README.read_text(), re.DOTALL
    )
    assert block is not None
    with demo(tmp_path) as shown:
        printed = [shape(line) for line in shown.lines]
        shown.process.terminate()
        assert ended(shown.process)[0] == 0
    assert [shape(line) for line in block[1].splitlines()] == printed
    assert "127.0.0.1:8080" in block[1]
