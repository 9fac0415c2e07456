"""The pages are true: links lead somewhere, commands exist, decisions are listed."""

import importlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ADR = ROOT / "docs" / "adr"
PARTS = ROOT / "docs" / "reference" / "api" / "parts"
"""What generated pages are made of; they are pages themselves nowhere."""
PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")} - {*PARTS.glob("*.md")})
ADR_PARTS = ["Context", "Decision", "Consequences"]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def links(page: Path) -> Iterator[str]:
    """Every link of a page that leads to a place in the repository."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(page: Path) -> set[str]:
    """The fragments a reader of a page may jump to, as forges make them from headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path) -> list[str]:
    """Links of a page that lead nowhere."""
    wrong: list[str] = []
    for link in links(page):
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (fragment and fragment not in anchors(target)):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Here\n[a](page.md#here) [b](gone.md) [c](#there) [d](https://example.org)\n")
    assert broken(page) == ["gone.md", "#there"]


def test_every_page_is_reached_from_the_first() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        waiting += [
            (page.parent / link.partition("#")[0]).resolve() for link in links(page) if link[0] != "#"
        ]
    assert [name(page) for page in PAGES if page not in reached] == []


def code_names() -> list[str]:
    """The names in code that the glossary gives."""
    text = (ROOT / "docs" / "glossary.md").read_text()
    return re.findall(r"\| `((?:[a-z_]+\.)+\w+)` \|$", text, re.MULTILINE)


def test_every_name_of_the_glossary_is_in_the_code() -> None:
    names = code_names()
    assert len(names) > 20
    for name in names:
        module, _, member = f"kintung.{name}".rpartition(".")
        assert hasattr(importlib.import_module(module), member), name


def targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([.a-z][a-z.-]*):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_make_target_named_exists(page: Path) -> None:
    named = set(
        re.findall(r"(?:^|`)(?:KINTUNG_SEED=\d+ )?make ([.a-z][a-z-]*)", page.read_text(), re.MULTILINE)
    )
    assert named - targets() == set()


def test_the_readme_names_the_two_commands() -> None:
    assert re.findall(r"^```sh\nmake (\S+)\n```$", (ROOT / "README.md").read_text(), re.MULTILINE) == [
        "demo",
        "test",
    ]


def test_help_lists_every_target_that_has_a_word_of_help() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split()[0] for line in shown.splitlines() if line.startswith("  ")} == targets()


def test_every_generator_exists_and_checks() -> None:
    scripts = re.findall(r'^\t"(scripts/\S+\.py)', (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert len(scripts) > 1
    assert [script for script in scripts if "--check" not in (ROOT / script).read_text()] == []


@pytest.mark.parametrize("page", sorted(ADR.glob("0*.md")), ids=name)
def test_every_decision_is_listed_and_has_its_parts(page: Path) -> None:
    text = page.read_text()
    number, title = page.name[:4], text.splitlines()[0].removeprefix("# ")
    assert title.startswith(f"{number} ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ADR_PARTS
    assert re.search(r"^Status: (in force|superseded by \[)", text, re.MULTILINE)
    assert f"[{number}]({page.name})" in (ADR / "index.md").read_text()


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(page.name[:4]) for page in sorted(ADR.glob("0*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_decisions_named_in_the_code_exist() -> None:
    named = {
        number
        for source in (ROOT / "src").rglob("*.py")
        for number in re.findall(r"\bADR (\d{4})\b", source.read_text())
    }
    assert named - {page.name[:4] for page in ADR.glob("0*.md")} == set()
