"""FHIR data that is too large for the repository, in ``../shared/data`` beside it, and the texts of documents
that the project cites, in ``../shared/seeds``.

Nothing under ``src/`` reads it. A test that asks for a file that is not there is
skipped, and the end of the run counts and names what was missing.
"""

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
ABSENT = "shared data absent: "


def shared(path: str) -> Path:
    """Return the file or folder ``path`` (such as ``"synthea-r4-100"``); skip when it is absent."""
    found = SHARED_DATA / path
    if not found.exists():
        pytest.skip(f"{ABSENT}../shared/data/{path}", allow_module_level=True)
    return found


def shared_document(number: str) -> str:
    """The text of the public document that is cited by a number; skip when it is absent."""
    found = next(iter((SHARED_DATA.parent / "seeds").glob(f"{number}_*.txt")), None)
    if found is None:
        pytest.skip(f"{ABSENT}../shared/seeds/{number}_*.txt")
    return found.read_text("utf-8")
