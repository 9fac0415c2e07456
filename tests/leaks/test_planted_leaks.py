"""Q2: every leak that is planted is found by a test that knows nothing of it."""

import inspect
import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import FunctionType, ModuleType
from typing import Any

import pytest

from tests import scale
from tests.leaks import test_cursors, test_histories, test_linked, test_moving, test_ownership, test_strangers
from tests.leaks.plants import LEAKS, Leak, planted
from tests.leaks.templates import TEMPLATES
from tests.leaks.twins import in_turn
from tests.leaks.worlds import FEW, MANY, UNLABELLED, Pair
from tests.server.api import api as opened

pytestmark = pytest.mark.drill

Check = Callable[[], None]


@pytest.fixture(scope="module")
def pairs(quick_folder: Path) -> list[Pair]:
    """Worlds built before any leak is planted."""
    return [
        Pair.built(quick_folder / f"drill {profile.name}", profile) for profile in (FEW, UNLABELLED, MANY)
    ]


def suite(pairs: list[Pair], folder: Path) -> Iterator[tuple[str, Check]]:
    """The tests of leaks by name: S1 in the worlds, then the cases of S4, S5, S9 and S15."""
    for pair in pairs:
        yield from _worlds(pair, folder)
    for module in (test_cursors, test_histories, test_ownership, test_moving, test_linked, test_strangers):
        for name, test, arguments in _cases(module):
            yield name, _case(test, arguments, folder)


def _worlds(pair: Pair, folder: Path) -> Iterator[tuple[str, Check]]:
    templates = list(TEMPLATES)
    Random(scale.seed()).shuffle(templates)
    with pair.copies(folder / "copies") as worlds:
        for template, count in in_turn(worlds, templates, str(scale.seed()), 1):

            def check(found: int = sum(not each.is_failure for each in count.differences)) -> None:
                assert not found

            yield f"S1 {pair.profile.name}: {template.name}", check


def _cases(module: ModuleType) -> Iterator[tuple[str, FunctionType, dict[str, Any]]]:
    """The tests of a module with the arguments each is given, but those that need a server of their own."""
    for name, test in inspect.getmembers(module, inspect.isfunction):
        if not name.startswith("test_") or "request" in inspect.signature(test).parameters:
            continue
        sets: list[list[dict[str, Any]]] = []
        for mark in getattr(test, "pytestmark", ()):
            names = mark.args[0] if isinstance(mark.args[0], tuple) else (mark.args[0],)
            sets.append([dict(zip(names, _values(names, given), strict=True)) for given in mark.args[1]])
        for given in itertools.product(*sets):
            arguments = {name: value for each in given for name, value in each.items()}
            yield f"{module.__name__.rpartition('.')[2]}: {name[5:]}", test, arguments


def _values(names: tuple[str, ...], given: Any) -> tuple[Any, ...]:
    return tuple(given) if len(names) > 1 else (given,)


def _case(test: FunctionType, arguments: dict[str, Any], folder: Path) -> Check:
    wanted = inspect.signature(test).parameters

    def check() -> None:
        with ExitStack() as stack:
            own = Path(stack.enter_context(TemporaryDirectory(dir=folder)))
            fixtures: dict[str, Any] = {"folder": own} if "folder" in wanted else {}
            if "api" in wanted:
                fixtures["api"] = stack.enter_context(opened(f"sqlite:///{own}/record.db"))
            test(**fixtures, **arguments)

    return check


def finder(pairs: list[Pair], folder: Path) -> str:
    """The first test that fails, or after which another client's own request does; "" when none does."""
    last = "before the first"
    try:
        for name, check in suite(pairs, folder):
            last = name
            check()
    except AssertionError:
        return last
    return ""


def crashes(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The failures of the node that were logged: a leak that crashes is caught by nothing but chance."""
    return [record.getMessage() for record in caplog.records if record.name == "kintung.web"]


def test_without_a_leak_nothing_is_found(
    pairs: list[Pair], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert finder(pairs, folder) == ""
    assert crashes(caplog) == []


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.name)
def test_a_planted_leak_is_found(
    pairs: list[Pair],
    folder: Path,
    leak: Leak,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with planted(leak):
        found = finder(pairs, folder)
    with capsys.disabled():
        print(f"\n{leak.name:45} {found or 'NOT FOUND'}", end="")
    assert crashes(caplog) == []
    assert found
