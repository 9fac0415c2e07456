"""Write every current resource as NDJSON, one file a type, into an empty or new folder.

The files hold the record in clear; only their owner may read them.
"""

import argparse
import os
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from kintung.app import Node, system
from kintung.cli.arguments import Commands
from kintung.cli.console import Progress, say
from kintung.cli.database import add_database, opened
from kintung.errors import BadInput


def add_to(commands: Commands) -> None:
    parser = commands.add_parser("export", help="write NDJSON by type", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="to write into; made if it is not there")
    add_database(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    folder: Path = options.folder
    written = Counter[str]()
    with opened(options, present=True) as node, Progress("resources", written.total):
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            # Files of types that are gone by now would be taken for a part of this export.
            raise BadInput(f"{folder} is not empty; name another folder.")
        try:
            _write(node, folder, written)
        except BaseException:
            say(f"The export in {folder} is not whole; remove it.")
            raise
    say(f"{written.total():,} resources of {len(written)} types written to {folder}")
    return 0


def _write(node: Node, folder: Path, written: Counter[str]) -> None:
    """Write every current resource into the folder, counting them by type."""
    with ExitStack() as files:
        of_type: dict[str, BinaryIO] = {}
        for version in node.store.export(system("export")):
            file = of_type.get(version.type)
            if file is None:
                file = files.enter_context(_private(folder / f"{version.type}.ndjson"))
                of_type[version.type] = file
            file.write(version.body)
            file.write(b"\n")
            written[version.type] += 1


def _private(path: Path) -> BinaryIO:
    """A new file that only its owner may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
