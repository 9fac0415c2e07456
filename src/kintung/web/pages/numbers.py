"""Identity numbers as pages show them: what document it is, and the number masked."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from kintung.definitions import naming_systems
from kintung.identity.identifiers import mask, normalise

LABELS = {system.id: system.label.en for system in naming_systems()}
"""Messages, by id of the naming system."""
SYSTEMS = {uri: system.id for system in naming_systems() for uri in system.uris}


class ShownNumber(NamedTuple):
    """``label`` is a message, or the system as it is written where it is not known here."""

    label: str
    masked: str


def shown_numbers(identifiers: Iterable[Mapping[str, Any]]) -> tuple[ShownNumber, ...]:
    """The numbers of identifiers, each document's number once."""
    found: dict[tuple[str, str], ShownNumber] = {}
    for identifier in identifiers:
        uri, value = identifier.get("system") or "", identifier.get("value") or ""
        document = SYSTEMS.get(uri, uri)
        if value:
            shown = ShownNumber(LABELS.get(document, document), mask(uri, value))
            found.setdefault((document, normalise(uri, value)), shown)
    return tuple(found.values())
