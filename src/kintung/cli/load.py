"""Load Bundles (.json), NDJSON (.ndjson: a resource or a Bundle a line), either gzipped, or folders.

Transactions and batches are done, any other resource is stored under its id. May be stopped
and repeated: what was loaded in the last seven days is not loaded again. A refused item is
counted by its reason and stops nothing; the exit code is then 1.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from kintung.cli.arguments import Commands, add_base_url, number_between
from kintung.cli.console import Progress, say
from kintung.cli.database import add_database, opened
from kintung.cli.loading import Loader, Tally, files_of, items

SHOWN_REASONS = 20
MOST_PROCESSES = 64
SMALL_BYTES = 1024 * 1024
"""Files up to this size together are prepared in this process: starting others costs more."""


def add_to(commands: Commands) -> None:
    parser = commands.add_parser("load", help="load Bundles and NDJSON", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file or folder to load")
    add_database(parser)
    parser.add_argument(
        "--processes",
        type=number_between(0, MOST_PROCESSES),
        metavar="N",
        help="how many processes prepare, beside the one that commits; 0 does all in that one;"
        " default: one for each processor, none for less than 1 MB",
    )
    add_base_url(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    files = files_of(options.paths)
    processes: int | None = options.processes
    if processes is None and sum(file.stat().st_size for file in files) <= SMALL_BYTES:
        processes = 0
    with opened(options) as node:
        tally = load_files(Loader(node, options.database, options.keys, processes, options.base_url), files)
    return 1 if tally.refused else 0


def load_files(loader: Loader, files: Sequence[Path]) -> Tally:
    """Load with progress, and report what was done; also when it is stopped."""
    tally = Tally()
    progress = Progress("resources", lambda: tally.resources)
    try:
        with progress:
            loader.load(items(files), tally)
    finally:
        _report(tally, progress.seconds)
    return tally


def _report(tally: Tally, seconds: float) -> None:
    """Counts, rate, and refusals by reason with the place of the first of each."""
    rate = tally.resources / max(seconds, 0.001)
    say(f"{tally.items:,} items, {tally.resources:,} resources in {seconds:.1f} s ({rate:,.0f}/s)")
    if tally.replayed:
        say(f"{tally.replayed:,} items were loaded before")
    for reason, count in tally.refused.most_common(SHOWN_REASONS):
        say(f"{count:,} refused: {reason} (first: {tally.first_refused[reason]})")
    others = len(tally.refused) - SHOWN_REASONS
    if others > 0:
        say(f"and {others:,} other reasons")
