"""Serve a throw-away node with synthetic people until stopped (Ctrl-C); nothing of it is kept."""

import argparse
import tempfile
from pathlib import Path
from urllib.parse import quote

from kintung.app import Node, open_node, system
from kintung.cli.arguments import add_notified
from kintung.cli.console import say
from kintung.cli.load import load_files
from kintung.cli.loading import Loader, files_of
from kintung.cli.serve import HOST, Served, add_port, serve
from kintung.fhir.json import parse
from kintung.sample import sample_bundles


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:  # pyright: ignore[reportPrivateUsage]
    parser = commands.add_parser("demo", help="serve synthetic people", description=__doc__)
    add_port(parser)
    parser.add_argument(
        "--load",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="load this too, as kintung load takes it; may be given several times",
    )
    add_notified(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    others = files_of(options.load)
    with tempfile.TemporaryDirectory(prefix="kintung-demo-") as folder:
        url = f"sqlite:///{folder}/demo.db"
        with open_node(url) as node:
            load_files(Loader(node, url, None, processes=0), [sample_bundles()])
            if others:
                load_files(Loader(node, url, None), others)
            examples = _examples(node)

        def show(base: str) -> None:
            say("Synthetic people; nothing is kept when it stops (Ctrl-C). Try:")
            for example in examples:
                say(f"curl -s '{base}/{example}'")

        served = Served(
            url,
            notify_origins=tuple(options.notify_origin),
            notify_networks=tuple(options.notify_network),
        )
        serve(served, HOST, options.port, 1, show)
    return 0


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
