"""What it costs to link very many records at once, beside plain Splink on the same machine."""

from pathlib import Path
from tempfile import TemporaryDirectory

from bench import linking
from bench.figures import Figure, Size
from bench.linking import Cost

PEOPLE = {Size.QUICK: 2_000, Size.NORMAL: 50_000, Size.LONG: 333_334}
"""Each with three records."""
FEW_PAIRS = 2e6
"""For a second run of plain Splink, which is trained on so many pairs at most."""


def measure(size: Size) -> list[Figure]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        head = f"{len(linking.write(folder, PEOPLE[size], 1.0)):,} records"
        _, cost = linking.apart(linking.ours, folder)
        _, beside = linking.apart(linking.plain, folder, False)
        _, sparing = linking.apart(linking.plain, folder, False, FEW_PAIRS)
    return [
        Figure(
            f"{head}: time",
            _time(cost),
            f"plain Splink {_time(beside)}; trained on few pairs {_time(sparing)}",
            "0.5 x",
            cost.seconds <= beside.seconds / 2,
        ),
        Figure(
            f"{head}: memory",
            f"{cost.memory:,.0f} MB",
            f"plain Splink {beside.memory:,.0f} MB; trained on few pairs {sparing.memory:,.0f} MB",
            "0.5 x",
            cost.memory <= beside.memory / 2,
        ),
    ]


def _time(cost: Cost) -> str:
    return f"{cost.seconds:.0f} s ({cost.processor:.0f} s of processor)"
