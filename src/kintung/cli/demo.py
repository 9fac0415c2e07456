"""kintung demo: a throw-away node with synthetic people, served until stopped."""

import argparse
import tempfile
from pathlib import Path
from urllib.parse import quote

from kintung.app import Node, open_node, system
from kintung.cli.console import Progress, say
from kintung.cli.load import report
from kintung.cli.loading import Loader, Tally
from kintung.cli.serve import Served, serve
from kintung.cli.sources import items
from kintung.fhir.json import parse
from kintung.sample import sample_bundles

HOST = "127.0.0.1"


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:  # pyright: ignore[reportPrivateUsage]
    parser = commands.add_parser("demo", help="serve synthetic people", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one")
    parser.add_argument(
        "--load", type=Path, action="append", default=[], metavar="PATH", help="load these too"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="kintung-demo-") as folder:
        url = f"sqlite:///{folder}/demo.db"
        with open_node(url) as node:
            _load(node, url, [sample_bundles()], processes=0)
            if options.load:
                _load(node, url, options.load, processes=None)
            examples = _examples(node)
        say("Synthetic people; nothing is kept when it stops (Ctrl-C). Try:")

        def show(port: int) -> None:
            for example in examples:
                say(f"curl -s 'http://{HOST}:{port}/fhir/{example}'")

        serve(Served(url), HOST, options.port, 1, show)
    return 0


def _load(node: Node, url: str, paths: list[Path], processes: int | None) -> None:
    tally = Tally()
    progress = Progress("resources")
    Loader(node, url, None, processes).load(items(paths), tally, progress.show)
    progress.end()
    report(tally, progress.seconds)


def _examples(node: Node) -> list[str]:
    """Five addresses that work: what is offered, a read, a search, a history, a chain."""
    patient = parse(next(node.store.export(system("demo"), ("Patient",))).body)
    family = quote(str(patient["name"][-1]["family"]))
    return [
        "metadata",
        f"Patient/{patient['id']}",
        f"Observation?patient={patient['id']}&_sort=-date&_count=5",
        f"Patient/{patient['id']}/_history",
        f"Observation?subject:Patient.family={family}&_count=5",
    ]
