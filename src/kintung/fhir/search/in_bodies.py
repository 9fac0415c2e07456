"""What only the text of a resource answers: ``_text``, ``_content``, ``:text`` of tokens, ``near``.

No text stands in the index but what a string parameter asks for, so a store reads the bodies
of those that the rest of a search finds, in its order, and asks here. See ADR 0016.
"""

from dataclasses import dataclass
from typing import Any

from kintung.fhir.search.narrative import content, narrative
from kintung.fhir.search.near import Near, is_near
from kintung.fhir.search.token_text import token_text
from kintung.fhir.search.words import Prose, Said


@dataclass(frozen=True, slots=True)
class InBody:
    """One such parameter; any of the values must hold. ``code`` is its name, without ``:text``."""

    code: str
    values: tuple[Said | Near, ...]

    def holds(self, resource: dict[str, Any]) -> bool:
        """Does a resource, as ``kintung.fhir.json.parse`` gives it, meet it?"""
        places = [value for value in self.values if isinstance(value, Near)]
        if places:
            return any(is_near(place, resource) for place in places)
        prose = Prose(self._texts(resource))
        return any(prose.says(value) for value in self.values if not isinstance(value, Near))

    def _texts(self, resource: dict[str, Any]) -> list[str]:
        match self.code:
            case "_text":
                return list(narrative(resource))
            case "_content":
                return list(content(resource))
            case _:
                return list(token_text(resource, self.code))
