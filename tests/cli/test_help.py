"""What the command says of itself, and how it refuses what it cannot understand."""

import re
import subprocess
from importlib.metadata import version

import pytest

from kintung.cli import COMMANDS
from tests.commands import KINTUNG


def asked(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([KINTUNG, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_help_lists_every_command() -> None:
    said = asked("--help")
    assert said.returncode == 0
    for command in COMMANDS:
        assert re.search(rf"^ +{command} +\w", said.stdout, re.MULTILINE)


def test_the_version_is_that_of_the_package() -> None:
    said = asked("--version")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == f"kintung {version('kintung')}, FHIR 4.0.1\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_tells_each_option(command: str) -> None:
    said = asked(command, "--help")
    assert said.returncode == 0
    options = re.findall(r"^  (--[a-z-]+)(?: \w+)?(?:  +(\S.*))?$", said.stdout, re.MULTILINE)
    assert [name for name, _ in options]
    lines = said.stdout.splitlines()
    for name, told in options:
        place = next(n for n, line in enumerate(lines) if line.startswith(f"  {name}"))
        assert told or re.match(r" {20,}\S", lines[place + 1]), f"{name} is not told"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("dance",),
        ("load",),
        ("export",),
        ("serve", "--port", "99999", "--unprotected"),
        ("serve", "--port", "http", "--unprotected"),
        ("serve", "--workers", "0", "--unprotected"),
        ("serve", "--fonts", "no-such-folder", "--unprotected"),
        ("serve", "--delete-at-most", "1001", "--unprotected"),
        ("serve", "--allow-origin", "*", "--unprotected"),
        ("serve", "--allow-origin", "https://app.example/", "--unprotected"),
        ("demo", "--port", "-1"),
        ("load", "x.json", "--procesess", "2"),
        ("load", "x.json", "--processes", "-1"),
        ("load", "x.json", "--processes", "many"),
    ],
)
def test_a_mistake_in_the_command_line_is_one_line(arguments: tuple[str, ...]) -> None:
    said = asked(*arguments)
    assert (said.returncode, said.stdout) == (2, "")
    assert re.fullmatch(r"kintung[^\n]*: [^\n]+; see kintung[^\n]* --help\n", said.stderr)
