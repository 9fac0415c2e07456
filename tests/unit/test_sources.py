"""Rules about the source that neither ruff nor the import contracts can say."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src" / "kintung"
MODULES = sorted(SRC.rglob("*.py"))
CLOCK = SRC / "clock.py"
SEEDED = SRC / "synth/chance.py"
"""Gives generators that depend on a seed alone."""

CHANCE_MODULES = {"random", "secrets", "uuid"}
CLOCK_AND_CHANCE = {
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
    *("time.time", "time.time_ns", "time.gmtime", "time.localtime", "time.ctime"),
    *("os.urandom", "os.getrandom", "uuid4", "uuid.uuid4", "uuid1", "uuid.uuid1"),
    *("AESGCM.generate_key", "Ed25519PrivateKey.generate", "Fernet.generate_key"),
}
IN_SQL = re.compile(
    r"\b(now\(\)|current_timestamp|current_date|clock_timestamp|statement_timestamp"
    r"|julianday\('now|strftime\([^)]*'now|random\(\)|randomblob|gen_random)",
    re.IGNORECASE,
)
MAKES_SYSTEM = {SRC / "app.py"}
NEVER_NAMES_SYSTEM = ("web", "consent")
SUBSCRIPTIONS = "kintung.subscriptions"
PURE_OF_SUBSCRIPTIONS = {"Allowed", "BACKPORT", "PROFILE", "require_acceptable", "status_parameters"}
"""What requests may take of the package that holds a System: values, and functions of what they are given."""


def clock_and_chance(tree: ast.Module) -> Iterator[str]:
    """Where a module asks the machine for the time or for chance, in Python or in SQL."""
    documentation = _docstrings(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found = [name.name for name in names if name.name.split(".")[0] in CHANCE_MODULES]
            case ast.ImportFrom(module=module, names=names):
                imported = {f"{module}.{name.name}" for name in names}
                found = [module] if module in CHANCE_MODULES else sorted(imported & CLOCK_AND_CHANCE)
            case ast.Attribute():
                dotted = ".".join(ast.unparse(node).split(".")[-2:])
                found = [dotted] if dotted in CLOCK_AND_CHANCE else []
            case ast.Constant(value=str(text)) if id(node) not in documentation:
                found = [hit[1] for hit in IN_SQL.finditer(text)]
            case _:
                continue
        yield from (f"line {node.lineno}: {what}" for what in found)


def _docstrings(tree: ast.Module) -> set[int]:
    """The string constants that are statements of their own."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def made(tree: ast.Module, name: str) -> list[int]:
    """Lines that call ``name``."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name
    ]


def named(tree: ast.Module, name: str) -> list[int]:
    """Lines that import ``name`` or reach it as an attribute."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and name in {alias.name for alias in node.names})
        or (isinstance(node, ast.Attribute) and node.attr == name)
    ]


def taken(tree: ast.Module, package: str) -> set[str]:
    """What a module imports from a package; the package's name when it imports it whole."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found |= {each.name for each in names if f"{each.name}.".startswith(f"{package}.")}
            case ast.ImportFrom(module=str(module), names=names) if f"{module}.".startswith(f"{package}."):
                found |= {each.name for each in names}
            case ast.ImportFrom(module=str(module), names=names):
                found |= {package for each in names if f"{module}.{each.name}" == package}
            case _:
                continue
    return found


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def where(path: Path) -> str:
    return str(path.relative_to(SRC))


@pytest.mark.parametrize("path", [path for path in MODULES if path not in (CLOCK, SEEDED)], ids=where)
def test_time_and_chance_come_in_through_the_clock_module(path: Path) -> None:
    assert list(clock_and_chance(parsed(path))) == []


def test_synthetic_people_come_of_a_seed_alone() -> None:
    (taken_of_chance,) = clock_and_chance(parsed(SEEDED))
    assert taken_of_chance.endswith(": random")
    assert taken(parsed(SEEDED), "random") == {"Random"}
    assert "Random()" not in SEEDED.read_text()


def test_the_capability_to_bypass_a_reader_is_made_only_in_app() -> None:
    assert {where(path): lines for path in MODULES if (lines := made(parsed(path), "System"))}.keys() <= {
        where(path) for path in MAKES_SYSTEM
    }


@pytest.mark.parametrize("package", NEVER_NAMES_SYSTEM)
def test_the_capability_to_bypass_a_reader_is_never_named(package: str) -> None:
    modules = (SRC / package).rglob("*.py")
    assert {where(path): lines for path in modules if (lines := named(parsed(path), "System"))} == {}


def test_requests_take_of_subscriptions_only_what_is_pure() -> None:
    found = {name for path in (SRC / "web").rglob("*.py") for name in taken(parsed(path), SUBSCRIPTIONS)}
    assert found == PURE_OF_SUBSCRIPTIONS


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("from kintung.subscriptions import Service as S", {"Service"}),
        ("from kintung.subscriptions.follower import Follower", {"Follower"}),
        ("from kintung import subscriptions", {SUBSCRIPTIONS}),
        ("import kintung.subscriptions", {SUBSCRIPTIONS}),
        ("from kintung.subscriptions_of_another import x", set()),
    ],
)
def test_what_is_taken_of_a_package_is_found(planted: str, found: set[str]) -> None:
    assert taken(ast.parse(planted), SUBSCRIPTIONS) == found


@pytest.mark.parametrize(
    "planted",
    [
        "import random",
        "import secrets as s",
        "from uuid import uuid4",
        "from time import time",
        "from datetime import datetime\nat = datetime.now()",
        "import datetime\nat = datetime.datetime.now(datetime.UTC)",
        "import os\nkey = os.urandom(32)",
        "key = AESGCM.generate_key(bit_length=256)",
        'db.execute("UPDATE job SET due = now()")',
        "db.execute(f\"INSERT INTO t VALUES (strftime('%s', 'now'), {x})\")",
    ],
)
def test_planted_time_and_chance_are_found(planted: str) -> None:
    assert len(list(clock_and_chance(ast.parse(planted)))) == 1


@pytest.mark.parametrize(
    "innocent",
    [
        "import time\nstarted = time.monotonic()",
        '"""Never calls now() or random()."""',
        "from datetime import datetime\nat = datetime.fromtimestamp(0, UTC)",
        "at = clock.now_micros()",
        'text = "known_now()"',
    ],
)
def test_innocent_code_is_left_alone(innocent: str) -> None:
    assert list(clock_and_chance(ast.parse(innocent))) == []


def test_planted_capabilities_are_found() -> None:
    assert made(ast.parse("store.check(port.System('x'))"), "System") == [1]
    assert named(ast.parse("from kintung.store.port import System"), "System") == [1]
    assert named(ast.parse("port.System"), "System") == [1]
