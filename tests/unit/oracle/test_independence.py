"""The oracle shares no code with what it judges, not even through a module of the tests."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ORACLE = sorted((ROOT / "tests" / "oracle").glob("*.py"))


def test_the_oracle_imports_nothing_of_the_product() -> None:
    """Given every import of the oracle and of the test modules it leads to, when read, then none is ours."""
    waiting, reached = list(ORACLE), set[Path]()
    imported: dict[str, Path] = {}
    while waiting:
        file = waiting.pop()
        if file not in reached:
            reached.add(file)
            for name in imports(file):
                imported.setdefault(name, file)
                waiting += files_of(name)

    assert {file.name for file in ORACLE} >= {"corpus.py", "counts.py", "search.py", "tables.py", "values.py"}
    assert ROOT / "tests" / "shared_data.py" in reached
    assert {name: file.name for name, file in imported.items() if name.partition(".")[0] == "kintung"} == {}


def imports(file: Path) -> Iterator[str]:
    """The dotted names a file imports anywhere in it, names taken from modules among them."""
    package = file.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *filter(None, [node.module])))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def files_of(name: str) -> list[Path]:
    """The files of this repository that an import of a dotted name runs."""
    parts = name.split(".")
    places = [ROOT.joinpath(*parts[:end]) for end in range(1, len(parts) + 1)]
    candidates = [place / "__init__.py" for place in places] + [place.with_suffix(".py") for place in places]
    return [file for file in candidates if file.is_file() and parts[0] == "tests"]
