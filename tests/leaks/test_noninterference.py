"""S1, S6: what is hidden from a reader changes no answer to it, in any byte.

Each run prints two numbers for its pairs of answers: how many differ when the reader's
predicate is on (none may), and for the templates the least share that differs when it is off.
A template of which fewer than 30 % differ then is blind, and fails.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random
from typing import get_args

import pytest

from kintung.consent import Policy, Right
from kintung.errors import BadInput
from kintung.fhir.search import Criterion, parameters, parse_query, resource_types
from kintung.fhir.search.atoms import Kind
from kintung.fhir.search.criteria import Modifier
from kintung.fhir.search.in_bodies import InBody
from kintung.fhir.search.values import Prefix
from kintung.web.fhir.interactions import REGISTRY
from kintung.web.pages.pages import PAGES
from tests import scale
from tests.leaks.templates import CHAINS, SORTS, TEMPLATES, Cell, Template
from tests.leaks.twins import Count, Difference, apart, in_turn
from tests.leaks.worlds import FEW, MANY, UNLABELLED, Pair, Profile, World, fresh

DRAW = str(scale.seed())
LEAST_SHARE = 0.3
LEAST_TEMPLATES = 60
RECORDED = [template for template in TEMPLATES if not template.is_open]


@pytest.fixture(scope="module")
def few_persons(quick_folder: Path) -> Pair:
    return Pair.built(quick_folder / "few", FEW)


# --- Is everything asked? ---------------------------------------------------------------


def test_every_interaction_has_a_template() -> None:
    """S17: an interaction, or a page for viewers, that no template asks is not known to be safe."""
    asked = {name for template in TEMPLATES for name in template.interactions}
    assert asked == {each.name for each in REGISTRY.interactions}
    viewed = {page.name for page in PAGES.pages if page.right is Right.VIEW}
    assert {name for template in TEMPLATES for name in template.pages} == viewed
    assert len(RECORDED) >= LEAST_TEMPLATES
    are_open = {each.name for each in REGISTRY.interactions if each.policy is Policy.OPEN}
    assert {name for template in TEMPLATES if template.is_open for name in template.interactions} == are_open


def test_every_page_that_shows_the_record_to_who_may_view_has_a_template() -> None:
    """Those of stewards are asked in ``test_strangers`` and, by everyone, in ``test_steward_pages``."""
    asked = {name for template in TEMPLATES for name in template.pages}
    assert asked == {
        page.name for page in PAGES.pages if page.policy is Policy.DISCLOSES and page.right is Right.VIEW
    }


def offered() -> Iterator[Cell]:
    """Every form of search the grammar takes, found by asking it."""
    for kind in get_args(Kind):
        type, code = next(_parameters_of(kind))
        for prefix in ("", *get_args(Prefix)):
            found = _criterion(type, code, f"{prefix}{_SOME.get(kind, '1')}")
            if found is not None and (not prefix or getattr(found.values[0], "prefix", "") == prefix):
                yield Cell(
                    kind, "", "" if prefix == "eq" and not hasattr(found.values[0], "prefix") else prefix
                )
        for modifier in (*get_args(Modifier), *_OTHER_MODIFIERS):
            value = "true" if modifier == "missing" else _SOME.get(kind, "1")
            if _criterion(type, f"{code}:{modifier}", value) is not None:
                yield Cell(kind, modifier)
    if _criterion("Patient", "identifier:of-type", "system|code|1") is not None:
        yield Cell("token", "of-type")


_SOME = {"date": "2022", "composite": "1$1", "special": "1|1"}
_OTHER_MODIFIERS = ("text", "in", "not-in", "below", "above", "identifier", "Patient")
"""But ``:of-type``, which takes a form of its own, of parameters that read identifiers."""


def _parameters_of(kind: Kind) -> Iterator[tuple[str, str]]:
    """Parameters of a kind that may lead to a Patient, where they lead anywhere."""
    for type in sorted(resource_types()):
        for code, parameter in parameters(type).items():
            leads = not parameter.targets or "Patient" in parameter.targets
            is_own = (parameter.answered == "bodies") == (kind == "special")
            if parameter.kind == kind and parameter.stored is None and leads and is_own:
                yield type, code


def _criterion(type: str, name: str, value: str) -> Criterion | InBody | None:
    try:
        query = parse_query(type, [(name, value)], now_micros=0)
    except BadInput:
        return None
    (found,) = (*query.criteria, *query.in_bodies)
    assert isinstance(found, Criterion | InBody)
    return found


def test_every_form_of_search_has_a_template() -> None:
    asked = {cell for template in TEMPLATES for cell in template.cells}
    assert asked == set(offered())


def test_every_kind_of_parameter_is_chained_to_and_sorted_by() -> None:
    kinds = {cell.kind for cell in offered()} - {"special"}  # read in each text
    assert kinds <= {chain.partition(":")[0] for chain in CHAINS}
    assert kinds - set(SORTS) == {"composite"}


# --- Is every answer the same? ----------------------------------------------------------


def test_what_is_hidden_changes_no_answer(
    few_persons: Pair, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each template in two worlds of its own, with the predicate and without."""
    pairs = scale.counts(8, 40)
    on = dict(apart(few_persons, folder / "on", TEMPLATES, DRAW, pairs))
    off = dict(apart(few_persons, folder / "off", TEMPLATES, DRAW, pairs, sees_all=True))
    _report(capsys, "apart on sqlite", FEW, on.values(), {t.name: c for t, c in off.items() if not t.is_open})
    assert _differences(on.values()) == [], _shown(on.values())
    assert _differences(count for template, count in off.items() if template.is_open) == []
    assert [t.name for t, count in off.items() if not t.is_open and count.share < LEAST_SHARE] == []


Urls = Callable[[], tuple[str, str]]


@pytest.mark.parametrize(
    ("adapter", "profile"),
    [("memory", FEW), ("sqlite", MANY), ("sqlite", UNLABELLED), ("postgres", FEW), ("postgres", MANY)],
    ids=lambda value: value.name if isinstance(value, Profile) else value,
)
def test_what_is_hidden_changes_no_answer_of_a_long_session(
    adapter: str,
    profile: Profile,
    folder: Path,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """All templates one after the other in the same two worlds; each finds what was written before."""
    templates = list(TEMPLATES)
    Random(DRAW).shuffle(templates)
    with _built(adapter, profile, folder, request) as worlds:
        counts = [count for _, count in in_turn(worlds, templates, DRAW, scale.counts(1, 8))]
    _report(capsys, f"in turn on {adapter}", profile, counts)
    assert _differences(counts) == [], _shown(counts)


@pytest.mark.parametrize(
    ("adapter", "profile"),
    [("sqlite", MANY), ("sqlite", UNLABELLED), ("postgres", FEW), ("postgres", MANY)],
    ids=lambda value: value.name if isinstance(value, Profile) else value,
)
def test_without_the_predicate_the_hidden_shows(
    adapter: str,
    profile: Profile,
    folder: Path,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The templates are not blind for other readers and on PostgreSQL either.

    Each template has two worlds of its own on SQLite, and its own share in a long run. On
    PostgreSQL all have the same two, where what one wrote shows to the next: there all have a
    share together.
    """
    pairs = scale.counts(1, 40)
    if adapter == "sqlite":
        pair = Pair.built(folder / "built", profile)
        off = dict(apart(pair, folder / "off", RECORDED, DRAW, pairs, sees_all=True))
    else:
        with _built(adapter, profile, folder, request) as worlds:
            off = dict(in_turn(worlds, RECORDED, DRAW, pairs, sees_all=True))
    total, differ = sum(count.pairs for count in off.values()), len(_differences(off.values()))
    with capsys.disabled():
        print(
            f"\nwithout the predicate on {adapter}, reader of {profile.name}: "
            f"{differ} of {total} pairs differ ({differ / total:.0%})"
        )
    assert not [each for each in _differences(off.values()) if each.is_failure]
    assert differ / total >= LEAST_SHARE
    if scale.is_long() and adapter == "sqlite":
        assert [t.name for t, count in off.items() if count.share < LEAST_SHARE] == []


def _built(
    adapter: str, profile: Profile, folder: Path, request: pytest.FixtureRequest
) -> AbstractContextManager[tuple[World, World]]:
    if adapter == "postgres":
        cluster = request.getfixturevalue("postgres")
        return fresh((cluster.fresh_database(), cluster.fresh_database()), folder, profile)
    if adapter == "memory":
        return fresh(("memory:", "memory:"), folder, profile)
    return Pair.built(folder / "built", profile).copies(folder / "copied")


def _differences(counts: Iterable[Count]) -> list[Difference]:
    return list(itertools.chain.from_iterable(count.differences for count in counts))


def _shown(counts: Iterable[Count]) -> str:
    return "\n".join(str(difference) for difference in _differences(counts)[:5])


def _report(
    capsys: pytest.CaptureFixture[str],
    run: str,
    profile: Profile,
    counts: Iterable[Count],
    off: dict[str, Count] | None = None,
) -> None:
    counts = list(counts)
    line = (
        f"{run}, reader of {profile.name}: {len(counts)} templates, {sum(c.pairs for c in counts)} pairs, "
        f"{len(_differences(counts))} differ"
    )
    if off is not None:
        total, differ = sum(c.pairs for c in off.values()), len(_differences(off.values()))
        least = min(off, key=lambda name: off[name].share)
        line += (
            f"; without the predicate {differ} of {total} ({differ / total:.0%}), "
            f"least {off[least].share:.0%} ({least})"
        )
    with capsys.disabled():
        print(f"\n{line}")


def test_a_template_that_looks_at_nothing_is_found_blind(few_persons: Pair, folder: Path) -> None:
    blind = Template("blind", lambda ask, draw: ask("GET", "Patient/a"), ("read",))
    ((_, count),) = apart(few_persons, folder / "blind", [blind], DRAW, 3, sees_all=True)
    assert (count.pairs, count.share) == (3, 0)
