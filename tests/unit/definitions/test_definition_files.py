"""The definition files: written in YAML, compiled without loss, refused when misread."""

import subprocess
import sys

import pytest

from scripts.compile_definitions import DEFINITIONS, FOLDERS, Refused, compiled, parse
from scripts.document_definitions import PAGE, page


@pytest.mark.parametrize("folder", FOLDERS)
def test_compiled_file_is_what_the_yaml_says(folder):
    assert (DEFINITIONS / f"compiled/{folder}.json").read_bytes() == compiled(folder), (
        "run scripts/compile_definitions.py"
    )


def test_every_folder_of_definitions_is_compiled():
    assert {path.parent.name for path in DEFINITIONS.glob("*/*.yaml")} == set(FOLDERS)


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2",
        "a: {b: 1, b: 2}",
        "a: [",
        "no: 1",
        "1: a",
        "a: 1.5",
        "a: !!python/name:os.system",
        "a: 1\n---\nb: 2",
    ],
)
def test_yaml_that_could_be_misread_is_refused(text):
    with pytest.raises(Refused):
        parse(text)


def test_node_does_not_read_yaml():
    """Importing PyYAML costs more than all definitions together."""
    program = "import sys, kintung.definitions; sys.exit('yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_page_on_definitions_is_up_to_date():
    text = PAGE.read_text("utf-8")
    assert page(text) == text, "run scripts/document_definitions.py"
