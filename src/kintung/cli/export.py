"""kintung export: every current resource as NDJSON, one file a type."""

import argparse
import os
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from kintung.app import default_url, open_node, system
from kintung.cli.console import Progress, say


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:  # pyright: ignore[reportPrivateUsage]
    parser = commands.add_parser("export", help="write NDJSON by type", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--database", default=default_url(), metavar="URL")
    parser.add_argument("--keys", type=Path, metavar="FILE")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    progress = Progress("resources")
    with open_node(options.database, keys=options.keys) as node, ExitStack() as files:
        opened: dict[str, BinaryIO] = {}
        for version in node.store.export(system("export")):
            file = opened.get(version.type)
            if file is None:
                file = opened[version.type] = files.enter_context(_private(folder / f"{version.type}.ndjson"))
            file.write(version.body)
            file.write(b"\n")
            count += 1
            progress.show(count)
    progress.end()
    say(f"{count:,} resources of {len(opened)} types written to {folder}")
    return 0


def _private(path: Path) -> BinaryIO:
    """A new file that only its owner may read: an export is a record in clear."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
