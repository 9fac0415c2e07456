"""Write ``docs/reference/errors.md`` from the error tree in ``kintung.errors``."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from kintung import errors

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "errors.md"
HEAD = """# Errors

Every refusal is a FHIR `OperationOutcome`. Its `issue.code` is the code below, `issue.details.text` says what
is wrong and what to do, and `issue.expression` is the FHIRPath of the element at fault when there is one.
Inside the program each is a class of `kintung.errors`; the indentation shows which error is a kind of which.

<!-- Written by scripts/write_error_reference.py; `make generate` writes it anew. -->

| class | `issue.code` | means |
| --- | --- | --- |
"""


def main() -> None:
    """Write the page, or with ``--check`` exit 1 when it is not what the code says."""
    page = HEAD + "".join(_rows(errors.KintungError, 0))
    if "--check" not in sys.argv:
        PAGE.write_text(page)
    elif not PAGE.exists() or PAGE.read_text() != page:
        sys.exit(f"{PAGE.name} is not what kintung.errors says: run make generate")


def _rows(error: type[errors.KintungError], depth: int) -> Iterator[str]:
    indent = "&emsp;" * depth
    yield f"| {indent}`{error.__name__}` | `{error.issue}` | {_meaning(error)} |\n"
    for kind in error.__subclasses__():
        yield from _rows(kind, depth + 1)


def _meaning(error: type[errors.KintungError]) -> str:
    """Return the words beside ``error`` in the tree drawn at the top of its module."""
    if error is errors.KintungError:
        return "the base of all"
    drawn = re.search(rf"─ {error.__name__} +(.+)", errors.__doc__ or "")
    if drawn is None:
        sys.exit(f"{error.__name__} is missing from the tree drawn at the top of kintung/errors.py")
    return drawn[1].strip().replace("``", "`")


if __name__ == "__main__":
    main()
