"""The same requests in two worlds, and where the answers differ."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from random import Random

from tests.leaks.templates import Draw, Template
from tests.leaks.worlds import Asked, Caller, Heard, Pair, Profile, World, calling


@dataclass(frozen=True)
class Difference:
    """One request that was answered otherwise where something hidden was stored, or failed in both."""

    template: str
    asked: Asked | None
    bare: Heard | None
    full: Heard | None

    @property
    def is_failure(self) -> bool:
        """Whether the node failed in one world or both: a fault, which tells nothing of the hidden."""
        return any(heard is not None and heard.status >= 500 for heard in (self.bare, self.full))

    def __str__(self) -> str:
        return f"{self.template}\n  {self.asked}\n  bare {_shown(self.bare)}\n  full {_shown(self.full)}"


def _shown(heard: Heard | None) -> str:
    if heard is None:
        return "not asked"
    headers = {name.decode(): value.decode("latin-1") for name, value in heard.headers}
    return f"{heard.status} {headers} {heard.body.decode()[:1500]}"


@dataclass
class Count:
    """Pairs of answers to the requests of one template, and those that differ."""

    pairs: int = 0
    differences: list[Difference] = field(default_factory=list[Difference])

    @property
    def share(self) -> float:
        return len(self.differences) / self.pairs


def compared(
    template: Template, bare: Caller, full: Caller, draw: str, profile: Profile, pairs: int
) -> Count:
    """Ask a template in both worlds until there are ``pairs`` of answers."""
    begin = len(bare.heard)
    for caller in (bare, full):
        drawn = Draw(Random(f"{draw}:{template.name}"), profile)
        most = len(caller.heard) + pairs
        while len(caller.heard) < most:
            template.ask(caller, drawn)
    count = Count()
    asked = zip_longest(bare.asked[begin:], full.asked[begin:])
    heard = zip_longest(bare.heard[begin:], full.heard[begin:])
    for (of_bare, of_full), (in_bare, in_full) in zip(asked, heard, strict=True):
        count.pairs += 1
        if in_bare != in_full or of_bare != of_full or (in_bare and in_bare.status >= 500):
            count.differences.append(Difference(template.name, of_bare or of_full, in_bare, in_full))
    return count


def apart(
    pair: Pair, folder: Path, templates: Iterable[Template], draw: str, pairs: int, *, sees_all: bool = False
) -> Iterator[tuple[Template, Count]]:
    """Each template in two worlds of its own."""
    for template in templates:
        with (
            pair.copies(folder) as (bare, full),
            calling(bare, sees_all=sees_all) as in_bare,
            calling(full, sees_all=sees_all) as in_full,
        ):
            yield template, compared(template, in_bare, in_full, draw, pair.profile, pairs)


def in_turn(
    worlds: tuple[World, World],
    templates: Iterable[Template],
    draw: str,
    pairs: int,
    *,
    sees_all: bool = False,
) -> Iterator[tuple[Template, Count]]:
    """One template after the other in the same two worlds; each finds what those before it wrote."""
    bare, full = worlds
    with calling(bare, sees_all=sees_all) as in_bare, calling(full, sees_all=sees_all) as in_full:
        for template in templates:
            yield template, compared(template, in_bare, in_full, draw, bare.profile, pairs)
