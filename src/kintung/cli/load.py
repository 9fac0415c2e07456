"""kintung load: Bundles, NDJSON and folders of them, into a record."""

import argparse
from pathlib import Path

from kintung.app import default_url, open_node
from kintung.cli.console import Progress, say
from kintung.cli.loading import Loader, Tally
from kintung.cli.sources import items

MOST_REASONS = 20
SMALL_BYTES = 4 * 1024 * 1024
"""Files up to this size together are prepared in this process: starting others costs more."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:  # pyright: ignore[reportPrivateUsage]
    parser = commands.add_parser("load", help="load Bundles and NDJSON", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--database", default=default_url(), metavar="URL")
    parser.add_argument(
        "--keys", type=Path, metavar="FILE", help="the key store, when not at its usual place"
    )
    parser.add_argument("--processes", type=int, metavar="N", help="that prepare (default: one a processor)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    paths: list[Path] = options.paths
    processes: int | None = options.processes
    if processes is None and _size(paths) <= SMALL_BYTES:
        processes = 0
    tally = Tally()
    with open_node(options.database, keys=options.keys) as node:
        progress = Progress("resources")
        Loader(node, options.database, options.keys, processes).load(items(paths), tally, progress.show)
        progress.end()
    report(tally, progress.seconds)
    return 1 if tally.refused else 0


def report(tally: Tally, seconds: float) -> None:
    """Counts, rate, and refusals by reason with the place of the first of each."""
    rate = tally.resources / max(seconds, 0.001)
    say(f"{tally.items:,} items, {tally.resources:,} resources in {seconds:.1f} s ({rate:,.0f}/s)")
    if tally.replayed:
        say(f"{tally.replayed:,} items were loaded before")
    for reason, count in tally.refused.most_common(MOST_REASONS):
        say(f"{count:,} refused: {reason} (first: {tally.first_refused[reason]})")
    others = len(tally.refused) - MOST_REASONS
    if others > 0:
        say(f"and {others:,} other reasons")


def _size(paths: list[Path]) -> int:
    files = (file for path in paths for file in ([path] if path.is_file() else path.rglob("*")))
    return sum(file.stat().st_size for file in files if file.is_file())
