"""How a module of corruptions says what it has."""

from collections.abc import Callable

from kintung.synth.chance import Chance
from kintung.synth.draft import Draft

Corrupt = Callable[[Draft, Chance], bool]
"""Changes a draft, and says whether it could."""


def registered_in(corruptions: dict[str, Corrupt]) -> Callable[[str], Callable[[Corrupt], Corrupt]]:
    """A decorator that puts corruptions among those of a module, by id."""

    def named(id: str) -> Callable[[Corrupt], Corrupt]:
        def register(corrupt: Corrupt) -> Corrupt:
            corruptions[id] = corrupt
            return corrupt

        return register

    return named
