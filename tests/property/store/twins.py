"""The plain store and another, to which the same is done, under clocks that agree."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.stores import Adapter, Record, opened


class Twins:
    """What one part of a store is asked, asked of the same part of both: they must answer alike."""

    def __init__(self, plain: Record, other: Record, part: Callable[[Record], Any], *first: Any) -> None:
        """``first`` are arguments that every call by name begins with."""
        self._records = (plain, other)
        self._parts = (part(plain), part(other))
        self._first = first

    def __call__(self, name: str, *arguments: Any, **named: Any) -> Any:
        """What both answer to a call."""
        return self.alike(lambda part: getattr(part, name)(*self._first, *arguments, **named))

    def alike(self, ask: Callable[[Any], Any]) -> Any:
        """What both answer."""
        plain, other = map(ask, self._parts)
        assert plain == other
        return plain

    @property
    def now(self) -> int:
        return self._records[0].clock.now_micros()

    def pass_time(self, micros: int) -> None:
        for record in self._records:
            record.clock.jump(micros)


@contextmanager
def twins_of(
    adapter: Adapter,
    folder: Path,
    postgres_url: Callable[[], str],
    part: Callable[[Record], Any],
    *first: Any,
) -> Iterator[Twins]:
    """Two empty stores, the plain one and one of an adapter; ``folder`` is an empty one, for files."""
    plain, other = folder / "plain", folder / "other"
    plain.mkdir()
    other.mkdir()
    with (
        opened("memory", plain, postgres_url, tick=0) as memory,
        opened(adapter, other, postgres_url, tick=0) as database,
    ):
        yield Twins(memory, database, part, *first)
