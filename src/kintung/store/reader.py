"""Who may see what: the Reader every read of the store takes.

A Reader is a value. ``kintung.consent`` makes it from who asks, for whom and why; the
store compiles it into every alias of every query, before order and limit. Nothing is
filtered after a query ran. Source: design principle "consent inside the query"; ADR 0006.
"""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Scope:
    """A stored set of persons (source Patients) and the epoch at which it was read.

    ``number`` names the set in the store; ``epoch`` grows with each change of the set,
    and a write prepared under an older epoch is refused.
    """

    number: int
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Reader:
    """What one caller may see.

    Attributes:
        name: stable name of the caller and its right; a cursor of another name is refused.
        persons: ``True`` every person's data, ``False`` nobody's, or the Scope of persons.
        organisations: ``True`` what any organisation owns, or the ids of Organizations
            whose own (nobody's) data is seen.
        public: sees what is public (directory, conformance).
        hidden: security labels (codes) whose resources this reader never sees.

    A resource is visible when none of its labels is hidden and every owner of it is
    visible: all persons of a resource with several, the depositing organisation of one
    that is nobody's.
    """

    name: str
    persons: bool | Scope = False
    organisations: bool | frozenset[str] = frozenset()
    public: bool = True
    hidden: frozenset[str] = frozenset()

    @classmethod
    def everything(cls, name: str = "all") -> Self:
        """A Reader who may see all that is stored."""
        return cls(name, persons=True, organisations=True)

    @classmethod
    def nothing(cls, name: str = "none") -> Self:
        """A Reader who may see nothing, not even what is public."""
        return cls(name, public=False)

    @property
    def sees_all(self) -> bool:
        return self.persons is True and self.organisations is True and self.public and not self.hidden

    @property
    def sees_nothing(self) -> bool:
        return self.persons is False and not self.organisations and not self.public
