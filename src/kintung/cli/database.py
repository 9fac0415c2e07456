"""The database a command works on: its options, and opening it."""

import argparse
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from kintung.app import Node, default_url, open_node, sqlite_path
from kintung.errors import BadInput, Unavailable


def add_database(parser: argparse.ArgumentParser) -> None:
    """The options ``--database`` and ``--keys``."""
    parser.add_argument(
        "--database",
        default=default_url(),
        metavar="URL",
        help="sqlite:///file.db, sqlite:////absolute/file.db or postgresql://user@host/name;"
        " default: %(default)s",
    )
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="FILE",
        help="the key store, when it is not where it was made: beside a SQLite file,"
        " for PostgreSQL in the user's data folder",
    )


@contextmanager
def opened(options: argparse.Namespace, *, present: bool = False) -> Generator[Node]:
    """The node on the database of the options.

    Args:
        present: a SQLite file must be there already; a mistyped name makes no empty record.

    Raises:
        BadInput: the URL is of no database, or the file is not there.
        Unavailable: the database cannot be opened; the message says what its server said.
    """
    url: str = options.database
    require_lasting(url)
    if present and url.startswith("sqlite:///") and not sqlite_path(url).exists():
        raise BadInput(f"there is no database {sqlite_path(url)}.")
    with ExitStack() as stack:
        try:
            node = stack.enter_context(open_node(url, keys=options.keys))
        except Unavailable as error:
            raise _with_cause(error) from None
        yield node


def _with_cause(error: Unavailable) -> Unavailable:
    """The error with what the database server said: the one who runs the command may do something."""
    said = " ".join(str(error.__cause__ or "").split())
    return error if said in str(error) else Unavailable(f"{error} {said}")


def require_lasting(url: str) -> None:
    """Refuse a record that would be gone with this process."""
    if url.startswith("memory:"):
        raise BadInput("memory: is gone when the command ends; use sqlite:///file.db or postgresql://...")
