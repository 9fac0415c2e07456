"""Which records are of one person: how right, beside plain Splink; the row ``batch`` is of the cost."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import linking
from bench.figures import Figure, Size
from bench.linking import Quality

PEOPLE = {Size.QUICK: 2_000, Size.NORMAL: 20_000, Size.LONG: 100_000}
"""Each with three records."""
NUMBERS = frozenset(
    {"family-card", "identifier-typo", "old-record-number", "permit-reissued", "identifier-absent"}
)
"""Corruptions of identity numbers."""


def measure(size: Size) -> list[Figure]:
    count = PEOPLE[size]
    found = _right_numbers(count)
    for rates in (0.5, 1.0, 2.0):
        found += _quality(count, rates)
    for number in (1, 2, 3):
        found.append(_febrl(number))
    return found


def _right_numbers(count: int) -> list[Figure]:
    with _folder() as folder:
        truth = linking.write(folder, count, 1.0, without=NUMBERS)
        links, _ = linking.apart(linking.ours, folder)
    held = linking.quality(links, truth)
    what = f"{count:,} people, numbers not corrupted: false certain links"
    return [Figure(what, f"{held.certain_false} of {held.certain:,}", "", "0", held.certain_false == 0)]


def _quality(count: int, rates: float) -> list[Figure]:
    with _folder() as folder:
        truth = linking.write(folder, count, rates)
        links, cost = linking.apart(linking.ours, folder)
        trusting, _ = linking.apart(linking.ours, folder, "one")
        latin, of_latin = linking.apart(linking.plain, folder, False)
        characters, of_folded = linking.apart(linking.plain, folder, True)
    held, one = linking.quality(links, truth), linking.quality(trusting, truth)
    head = f"{count:,} people, {rates:g} x the rates"
    return [
        _false(head, held),
        Figure(
            f"{head}: recall, certain and probable", f"{held.recall:.4f}", "", "0.97", held.recall >= 0.97
        ),
        Figure(
            f"{head}: probable, of records",
            f"{held.probable / held.records:.2%}",
            f"{one.probable / one.records:.2%} when one counter is enough",
            "3 %",
            held.probable <= 0.03 * held.records,
        ),
        Figure(
            f"{head}: probable that are true",
            f"{held.probable_true / max(1, held.probable):.1%}",
            "",
            "50 %",
            2 * held.probable_true >= held.probable,
        ),
        Figure(
            f"{head}: F1",
            f"{held.f1:.4f}",
            f"plain Splink {linking.best(latin, truth)[0]:.4f} Latin, "
            f"{linking.best(characters, truth)[0]:.4f} with folded names",
        ),
        Figure(
            f"{head}: batch",
            f"{cost.seconds:.0f} s, {cost.memory:,.0f} MB",
            f"plain Splink {of_latin.seconds:.0f} s, {of_latin.memory:,.0f} MB Latin; "
            f"{of_folded.seconds:.0f} s, {of_folded.memory:,.0f} MB folded",
        ),
    ]


def _false(head: str, held: Quality) -> Figure:
    share = held.certain_false / max(1, held.certain)
    measured = f"{held.certain_false} of {held.certain:,}"
    return Figure(f"{head}: false certain links", measured, "", "1e-5 of certain", share <= 1e-5)


def _febrl(number: int) -> Figure:
    rows = list(linking.febrl(number))
    truth = {row["rec_id"]: row["rec_id"].split("-")[1] for row in rows}
    f1, _ = linking.best(linking.febrl_ours(rows), truth)
    pairs, _ = linking.apart(linking.febrl_plain, rows)
    beside, _ = linking.best(pairs, truth)
    return Figure(
        f"FEBRL {number}: F1", f"{f1:.4f}", f"plain Splink {beside:.4f}", "not less", f1 >= beside - 0.005
    )


@contextmanager
def _folder() -> Generator[Path]:
    with TemporaryDirectory() as folder:
        yield Path(folder)
