"""What a row of the benchmark gives: figures, each beside its limit and its goal, as text."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median


class Size(StrEnum):
    """How much is measured: a smoke test, an ordinary run, or also the rows of a million."""

    QUICK = "quick"
    NORMAL = "normal"
    LONG = "long"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes:
        what: was measured.
        measured: the figure with its unit.
        beside: what it is compared with, measured in the same run.
        goal: "" where none was set: then the line only informs.
        met: None without a goal.
    """

    what: str
    measured: str
    beside: str = ""
    goal: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        return {None: "", True: "met", False: "MISSED"}[self.met]


@dataclass(frozen=True, slots=True)
class Times:
    """Durations of one thing done many times, in seconds, ascending."""

    seconds: tuple[float, ...]

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Times":
        assert seconds, "nothing was measured"
        return cls(tuple(sorted(seconds)))

    def quantile(self, share: float) -> float:
        """The smallest duration that ``share`` of all do not exceed."""
        place = -(-share * len(self.seconds) // 1)
        return self.seconds[min(len(self.seconds) - 1, max(0, int(place) - 1))]

    @property
    def p50(self) -> float:
        return self.quantile(0.5)

    @property
    def p95(self) -> float:
        return self.quantile(0.95)

    @property
    def p99(self) -> float:
        return self.quantile(0.99)

    @property
    def worst(self) -> float:
        return self.seconds[-1]

    def __str__(self) -> str:
        return f"p50 {short(self.p50)}, p95 {short(self.p95)}, p99 {short(self.p99)}"


def short(seconds: float) -> str:
    """A duration with three digits and a fitting unit."""
    unit, size = next((pair for pair in _UNITS if seconds >= pair[1]), _UNITS[-1])
    value = seconds / size
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


_UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))


def spread(values: Sequence[float], unit: str) -> str:
    """The median, and least and most of several runs."""
    if len(values) == 1:
        return f"{values[0]:,.0f} {unit} (one run)"
    return f"{median(values):,.0f} {unit} ({min(values):,.0f}–{max(values):,.0f} of {len(values)})"


def table(figures: Sequence[Figure]) -> list[str]:
    """The figures as lines with aligned columns."""
    head = ("what", "measured", "beside it, same run", "goal", "")
    rows = [head, *((f.what, f.measured, f.beside, f.goal, f.verdict) for f in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return [lines[0], "  ".join("-" * width for width in widths if width), *lines[1:]]
