"""Ask the generated searches with their full counts, and write ``docs/reference/search-coverage.md``.

It takes minutes and PostgreSQL, so ``make generate`` does not run it.
"""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from textwrap import fill

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "search-coverage.md"
SEED = 41152
TEST = "tests/property/test_generated_searches.py::test_every_store_and_the_oracle_answer_the_same"
HEAD = """# How widely searches were compared

Generated searches are asked of three stores and of an independent reading of the standard in plain Python
(`tests/oracle`, which imports nothing of the node); every answer must be the same, in the same order. In how
many searches each kind of parameter came with each modifier and prefix, in one run with the full counts:

<!-- Written by scripts/write_search_coverage.py, which runs the test anew. -->

"""


def main() -> None:
    """Write the page when the test has passed."""
    said = run()
    figures = re.search(r"^Of [\d,]+ resources .*$", said, re.MULTILINE)
    table = re.search(r"^\| parameter .*\n(\|.*\n)+", said, re.MULTILINE)
    if figures is None or table is None:
        sys.exit(f"the test printed no table:\n{said}")
    day = datetime.now(UTC).date()
    told = fill(f"Seed {SEED}, {day}. {figures[0]}", width=120, break_on_hyphens=False)
    PAGE.write_text(f"{HEAD}{told}\n\n{table[0]}")


def run() -> str:
    """What the test prints."""
    command = [sys.executable, "-m", "pytest", "-q", "-s", "--long", TEST]
    environment = os.environ | {"KINTUNG_SEED": str(SEED)}
    done = subprocess.run(command, check=False, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.stdout)
    return done.stdout


if __name__ == "__main__":
    main()
