"""The fonts of this machine: which there are, and which characters each has.

One family is chosen by region, for a character has another shape in Hong Kong than on the mainland; what it
lacks is taken of any other. Files are looked for once in the life of a process.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

Script = Literal["hong-kong", "mainland"]
"""Whose shapes of the characters."""

FAMILIES: Mapping[Script, tuple[str, ...]] = {
    "hong-kong": ("Noto Sans CJK HK", "Noto Sans HK", "Source Han Sans HC", "Source Han Sans HK"),
    "mainland": ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN"),
}
"""Families with the shapes of a region, the likeliest first: one design by the names it is packed under."""
_NEEDED = ("typst", "fontTools")
_REGULAR = 400


class Face(NamedTuple):
    """A font of a file; ``place`` is which of it where the file holds several."""

    family: str
    weight: int
    is_upright: bool
    path: str
    place: int


class Chosen(NamedTuple):
    """Families in the order they are asked for a character, the folders of their files, and what has none."""

    families: tuple[str, ...]
    folders: tuple[str, ...]
    lacking: frozenset[str]


@cache
def faces(folder: str = "") -> tuple[Face, ...]:
    """The fonts of the system, and of a folder: none where the programs of the extra are not installed."""
    if any(find_spec(name) is None for name in _NEEDED):
        return ()
    from typst import Fonts  # noqa: PLC0415 - of an extra, and 84 MB

    found = Fonts(True, False, [folder] if folder else [])
    return tuple(
        Face(each.family, each.weight, each.style == "normal", each.path, each.index)
        for each in found.fonts()
        if each.path
    )


def family(script: Script, folder: str = "") -> str:
    """The family of a region that is installed, "" where none is."""
    installed = {face.family for face in faces(folder)}
    return next((name for name in FAMILIES[script] if name in installed), "")


def chosen(characters: Iterable[str], script: Script, folder: str = "", *, is_alone: bool = False) -> Chosen:
    """The fonts that show these characters, that of the region first.

    Args:
        is_alone: take no other than that of the region.
    """
    first = family(script, folder)
    taken = [first]
    left = {each for each in characters if ord(each) not in _covered(first, folder)}
    for other in () if is_alone else _others(first, folder):
        if not left:
            break
        covered = _covered(other, folder)
        has = {each for each in left if ord(each) in covered}
        if has:
            taken.append(other)
            left -= has
    files = {face.path for face in faces(folder) if face.family in taken}
    folders = sorted({str(Path(path).parent) for path in files})
    return Chosen(tuple(taken), tuple(folders), frozenset(left))


@cache
def _others(first: str, folder: str) -> Sequence[str]:
    """The other families, those alike before those that are not: sans before serif, none of one width."""
    names = {face.family for face in faces(folder)} - {first}
    return sorted(names, key=lambda name: ("Mono" in name, "Serif" in name, "Sans" not in name, name))


@cache
def _covered(family: str, folder: str) -> frozenset[int]:
    """The characters of a family, of the upright face of usual weight."""
    of_family = [face for face in faces(folder) if face.family == family]
    if not of_family:
        return frozenset()
    face = min(of_family, key=lambda face: (not face.is_upright, abs(face.weight - _REGULAR), face.path))
    return _characters(face.path, face.place)


@cache
def _characters(path: str, place: int) -> frozenset[int]:
    """The characters of a font; none of a file that cannot be read."""
    from fontTools.ttLib import (  # noqa: PLC0415 - of an extra  # pyright: ignore[reportMissingTypeStubs]
        TTFont,
        TTLibError,
    )

    try:
        with TTFont(path, fontNumber=place, lazy=True) as font:
            return frozenset(font.getBestCmap() or ())
    except (TTLibError, OSError, KeyError, ValueError):
        return frozenset()
