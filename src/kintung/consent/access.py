"""What one caller may do: decided once, at the start of a request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kintung.store.reader import Reader


class Right(StrEnum):
    """Rights that are given apart."""

    VIEW = "view"
    DEPOSIT = "deposit"
    EXPORT = "export"
    EMERGENCY = "emergency"
    PLACE = "place"
    """To choose the id of a resource by PUT: for loaders and partner feeds."""
    STEWARD = "steward"
    """To decide which records are of one person."""
    MATCH = "match"
    """To ask whether a person is known here: ``$match`` and ``$ihe-pix``."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """What who does not know a person may learn by ``$match``: that one is certain and the only one.

    Attributes:
        among: who is looked among; it serves nothing else.
        is_told_id: the id of the record is told. Without it, across a border, there is yes or no.
    """

    among: Reader
    is_told_id: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """Who asks, for whom and why, and what follows from it.

    Attributes:
        actor: stable id of the person or program that asks.
        organisation: id of the Organization it asks for; what it deposits of nobody's is theirs.
        purpose: code of HL7 v3 PurposeOfUse, "" when none was stated.
        reader: what it may see.
        client: whose idempotency keys these are.
        grant: what the access rests on, for the audit.
        stranger: what it may learn by ``$match`` of persons whom ``reader`` does not see; None: nothing.
    """

    actor: str
    organisation: str
    purpose: str
    reader: Reader
    rights: frozenset[Right]
    client: str
    grant: str = ""
    stranger: Stranger | None = None

    @property
    def sight(self) -> Reader:
        """What criteria may match and answers may show: nothing without the right to view."""
        return self.reader if Right.VIEW in self.rights else Reader.nothing(self.reader.name)


Gate = Callable[[Mapping[bytes, bytes]], Access]
"""Turns the headers of a request (names in lower case, as ASGI gives them) into an Access."""

_UNPROTECTED = Access(
    actor="unprotected",
    organisation="",
    purpose="",
    reader=Reader.everything(),
    rights=frozenset({Right.VIEW, Right.DEPOSIT, Right.PLACE, Right.MATCH, Right.STEWARD}),
    client="unprotected",
)


def unprotected(_headers: Mapping[bytes, bytes]) -> Access:
    """The gate of a node with sign-in switched off: whoever asks may see, deposit and link all."""
    return _UNPROTECTED
