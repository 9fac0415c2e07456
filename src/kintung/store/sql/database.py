"""One connection to a database, as the shared code uses it. Statements use ``?`` for values."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from kintung.errors import BadInput, OutcomeUnknown, TimedOut

Row = tuple[Any, ...]


def outcome_unknown() -> OutcomeUnknown:
    """The connection or disk failed while a commit was made durable."""
    return OutcomeUnknown(
        "Whether this was stored is not known; send it again, with the same Idempotency-Key if it had one."
    )


def asked_too_long() -> TimedOut:
    """What a unit asks inside the commit lock took longer than all others may be kept waiting."""
    return TimedOut(
        "The conditions of this write take too long to check; nothing of it was stored. Narrow them."
    )


def reading_too_long() -> TimedOut:
    """A page of the node's own (an export, a follower) took longer than versions may be kept for it."""
    return TimedOut("A page of the record took too long to read; try again when the machine is less busy.")


def unreadable_address() -> BadInput:
    """The refusal of an address; which sign is wrong is not said, it may be one of the password."""
    return BadInput(
        "the address of the database cannot be understood; write postgresql://user@host/name,"
        " and / @ : % in a password as %2F %40 %3A %25."
    )


class Database(Protocol):
    """A connection in a transaction (or reading)."""

    dialect: str

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """Run a query and give all rows."""
        ...

    def run(self, statement: str, values: Sequence[object] = ()) -> None:
        """Run a statement that gives nothing."""
        ...

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Insert rows with every column in the order of the schema."""
        ...

    def remove(self, table: str, rows: Sequence[Row]) -> None:
        """Delete rows by every column of the primary key, in the order of the schema."""
        ...

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """A block inside a commit that only asks, and may take so many seconds.

        What was written before it stays. Raises TimedOut.
        """
        ...

    def lookup(self, statement: str, types: Sequence[str], rows: Iterable[Row]) -> list[Row]:
        """Run a query once for a set of values: ``statement`` joins the table ``wanted``.

        ``wanted`` has the columns ``c0``, ``c1`` ..., one for each of ``types`` (int, text, blob).
        """
        ...
