"""``make bench``: measure the rows named, or all, and keep what came out in ``bench/results``.

python -m bench [--quick | --long] [--busy] [ROW ...]
"""

import argparse
import gc
import signal
import sys
import time
import traceback
from datetime import UTC, datetime
from importlib import import_module

from bench import machine
from bench.figures import Figure, Size, table
from bench.watch import WATCH

ROWS = {
    "load": "loading Bundles from files into SQLite",
    "http": "loading and creating over HTTP",
    "reads": "read by id",
    "searches": "search, page of 20, by the size of the record",
    "consent": "search within what a reader may see",
    "hot": "a patient and an organisation with very much",
    "everything": "everything of a patient with 300 resources",
    "match": "whom somebody may be, over synthetic people",
    "pages": "finding a person and reading the record as pages",
    "mixed": "reads, searches, creates and Bundles at once",
    "language": "parsing, validation, extraction, sealing",
    "stalls": "the longest a commit waits",
    "starts": "cold start and memory",
    "linkage": "which records are of one person, beside plain Splink",
    "batch": "very many records linked at once, beside plain Splink",
}
RESULTS = machine.ROOT / "bench" / "results"


def main() -> int:
    # Leave by way of every ``finally``: what was started for a row ends with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="one short run of each")
    sizes.add_argument("--long", action="store_true", help="also with a million resources")
    parser.add_argument("--busy", action="store_true", help="others use the machine: see bench/watch.py")
    options = parser.parse_args()
    WATCH.is_busy = options.busy
    unknown = [name for name in options.rows if name not in ROWS]
    if unknown:
        parser.error(f"there is no row {', '.join(unknown)}; rows are {', '.join(ROWS)}")
    size = Size.QUICK if options.quick else Size.LONG if options.long else Size.NORMAL
    failed = [name for name in options.rows or ROWS if not _row(name, size)]
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _row(name: str, size: Size) -> bool:
    """Measure a row and write it down; what is wrong with it is written down too."""
    head = [f"{name}: {ROWS[name]}", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {size} run, seed 1"]
    if WATCH.is_busy:
        head.append("on a busy machine: searches inside this process are in processor time")
    head += machine.description()
    began = time.perf_counter()
    try:
        figures: list[Figure] = import_module(f"bench.rows.{name}").measure(size)
        lines = table(figures)
    except Exception:  # noqa: BLE001 - the other rows are measured all the same
        figures, lines = [], ["FAILED", *traceback.format_exc().splitlines()]
    gc.collect()
    head.append(f"took {time.perf_counter() - began:,.0f} s")
    text = "\n".join([*head, "", *lines, ""])
    print(text, flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-{name}{_SUFFIX[size]}.txt").write_text(text)
    return bool(figures)


_SUFFIX = {Size.QUICK: "-quick", Size.NORMAL: "", Size.LONG: "-long"}
"""Of the file: a short run never takes the place of a long one."""


if __name__ == "__main__":
    sys.exit(main())
