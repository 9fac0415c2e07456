"""Characters that old Hong Kong records hold in the private use area."""

from functools import cache

from kintung.identity.names import from_private_use
from kintung.synth.chance import Chance
from kintung.synth.corruptions.registered import Corrupt, registered_in
from kintung.synth.draft import Draft
from kintung.synth.names import Han

CORRUPTIONS: dict[str, Corrupt] = {}
_corruption = registered_in(CORRUPTIONS)


@_corruption("private-use")
def private_use(draft: Draft, _chance: Chance) -> bool:
    if draft.han is None or draft.system.country != "HK":
        return False
    replaced = Han(*(part.translate(_private_use()) for part in draft.han))
    changed = replaced != draft.han
    draft.han = replaced
    return changed


@cache
def _private_use() -> dict[int, str]:
    """Characters that old Hong Kong records hold in the private use area, and where."""
    found: dict[int, str] = {}
    for point in range(0xE000, 0xF849):
        meant = from_private_use(chr(point)).text
        if meant != chr(point) and len(meant) == 1:
            found.setdefault(ord(meant), chr(point))
    return found
