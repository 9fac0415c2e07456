"""The database a command works on: its options, and opening it."""

import argparse
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

from kintung.app import Node, default_url, open_node, sqlite_path
from kintung.errors import BadInput


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
        help="the key store, when it is not where it was made (beside a SQLite file)",
    )


def opened(options: argparse.Namespace, *, present: bool = False) -> AbstractContextManager[Node]:
    """The node on the database of the options.

    Args:
        present: a SQLite file must be there already; a mistyped name makes no empty record.

    Raises:
        BadInput: the URL is of no database, or the file is not there.
        Unavailable: the database cannot be opened.
    """
    url: str = options.database
    require_lasting(url)
    if present and url.startswith("sqlite:///") and not sqlite_path(url).exists():
        raise BadInput(f"there is no database {sqlite_path(url)}.")
    return open_node(url, keys=options.keys)


def require_lasting(url: str) -> None:
    """Refuse a record that would be gone with this process."""
    if urlsplit(url).scheme == "memory":
        raise BadInput("memory: is gone when the command ends; use sqlite:///file.db or postgresql://...")
