"""Find which Patients are of one person, in a whole node or in files of NDJSON, all at once.

Of a node what is found goes into its registry: certain links join at once, probable ones wait for a
steward, and what a steward decided stays. Of files it is written: links.ndjson has each pair with its
result, score and levels, persons.ndjson the ids of each person. Needs the extra "linkage".
"""

import argparse
import tempfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from gzip import GzipFile
from importlib.util import find_spec
from pathlib import Path

import msgspec

from kintung.app import judge, system
from kintung.cli.arguments import Commands, number_between
from kintung.cli.console import Progress, say
from kintung.cli.database import add_database, opened
from kintung.clock import SystemEntropy
from kintung.errors import BadInput, ValueInvalid
from kintung.identity.linkage.batch import Batch, Counts
from kintung.identity.linkage.following import Stretch, tell, unlinked
from kintung.identity.linkage.tables import instant
from kintung.identity.matching.levels import COMPARISONS

NEEDED = ("duckdb", "pyarrow", "splink")


def add_to(commands: Commands) -> None:
    parser = commands.add_parser("link", help="find which Patients are of one person", description=__doc__)
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="NDJSON, gzipped or not; none: the node"
    )
    add_database(parser)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where to write; needed with PATH")
    parser.add_argument(
        "--since",
        type=_instant,
        metavar="INSTANT",
        help="compare by names and dates only with Patients written at this instant or later;"
        " default, of a node: since the last run",
    )
    parser.add_argument(
        "--processes", type=number_between(1, 64), metavar="N", help="default: one a processor"
    )
    parser.add_argument(
        "--memory",
        type=number_between(128, 1_000_000),
        default=1024,
        metavar="MB",
        help="default: %(default)s",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise BadInput(f"{', '.join(missing)} is not installed; install kintung[linkage].")
    out: Path | None = options.out
    if options.paths and out is None:
        raise BadInput("of files the links are written: name a folder with --out.")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise BadInput(f"{out} is not empty; name another folder.")
    return _of_files(options) if options.paths else _of_node(options)


def _of_files(options: argparse.Namespace) -> int:
    with _batch(options) as batch:
        counts = _linked(batch, _lines(options.paths))
        _write(batch, options.out)
    return 1 if counts.refused else 0


def _of_node(options: argparse.Namespace) -> int:
    with opened(options, present=True) as node:
        asking = system("link")
        whole = options.since is not None
        stretch = Stretch(0, None) if whole else unlinked(node.store, asking)
        if stretch.patients is not None and not stretch.patients and options.out is None:
            say("no Patient was written since the last run")
            return 0
        with _batch(options, stretch.patients) as batch:
            _linked(batch, (version.body for version in node.store.export(asking, ("Patient",))))
            if options.out is not None:
                _write(batch, options.out)
            said = 0

            def count(changed: int) -> None:
                nonlocal said
                said = changed

            with Progress("links said", lambda: said):
                changed = tell(node.store, asking, stretch, batch, judge, said=count)
    say(f"{changed:,} links said in the registry")
    return 0


@contextmanager
def _batch(options: argparse.Namespace, new: frozenset[str] | None = None) -> Generator[Batch]:
    with tempfile.TemporaryDirectory(prefix="kintung-link-") as folder:
        batch = Batch(
            Path(folder),
            SystemEntropy().bytes(32),
            since=options.since or "",
            new=new,
            processes=options.processes,
            memory=options.memory,
        )
        with closing(batch):
            yield batch


def _linked(batch: Batch, lines: Iterable[bytes]) -> Counts:
    seen = 0

    def count(read: int) -> None:
        nonlocal seen
        seen = read

    with Progress("Patients", lambda: seen):
        counts = batch.run(lines, seen=count)
    results = batch.results()
    compared = f"{counts.by_number:,} pairs compared for a number, {counts.by_key:,} for more"
    say(f"{counts.records:,} Patients; {compared}")
    if counts.refused:
        say(f"{counts.refused:,} lines are no JSON and were passed over")
    persons = f"{results.persons:,} persons of several records"
    say(f"{results.certain:,} certain links, {persons}; {results.probable:,} probable")
    return counts


def _lines(paths: Iterable[Path]) -> Iterator[bytes]:
    for path in paths:
        with path.open("rb") as file:
            packed = file.peek(2)[:2] == b"\x1f\x8b"
            yield from GzipFile(fileobj=file) if packed else file


def _write(batch: Batch, folder: Path) -> None:
    encode = msgspec.json.encode
    with (folder / "links.ndjson").open("xb") as file:
        for link in batch.links():
            levels = zip((comparison.name for comparison in COMPARISONS), link.levels, strict=True)
            row = {
                "one": link.one,
                "other": link.other,
                "result": "certain" if link.is_certain else "probable",
                "score": round(link.score, 2),
                "levels": {name: level for name, level in levels if level},
            }
            file.write(encode(row) + b"\n")
    with (folder / "persons.ndjson").open("xb") as file:
        for person, records in batch.persons():
            file.write(encode({"person": person, "records": records}) + b"\n")


def _instant(text: str) -> str:
    try:
        instant(text)
    except ValueInvalid as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text
