"""Serve a throw-away node with synthetic people until stopped (Ctrl-C); nothing of it is kept."""

import argparse
import tempfile
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kintung.app import Node, open_node, system
from kintung.cli.arguments import Commands, add_fonts, add_notified
from kintung.cli.console import say
from kintung.cli.load import load_files
from kintung.cli.loading import Loader, files_of
from kintung.cli.serve import HOST, Served, add_port, serve
from kintung.cli.systems import lines
from kintung.cli.worth_opening import worth_opening
from kintung.clock import ShiftedClock, SystemClock
from kintung.fhir.json import parse
from kintung.fhir.search import OFFSET_MINUTES
from kintung.identity.identifiers import normalise
from kintung.sample import sample_bundles
from kintung.web.about import About, Demo
from kintung.web.site import civil_day

EARLIEST, LATEST = date(1970, 1, 2), date(2199, 12, 31)
HKID = "https://kintung.org/fhir/sid/hkid"


def add_to(commands: Commands) -> None:
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
    parser.add_argument(
        "--as-at",
        type=_day,
        metavar="DAY",
        help="let it be this day (2022-04-01) in the demo; what its people have on record later stays there",
    )
    add_notified(parser)
    add_fonts(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    others = files_of(options.load)
    ahead = _ahead(options.as_at)
    clock = ShiftedClock(ahead) if ahead else None
    with tempfile.TemporaryDirectory(prefix="kintung-demo-") as folder:
        url = f"sqlite:///{folder}/demo.db"
        with open_node(url, clock=clock) as node:
            load_files(Loader(node, url, None, processes=0), [sample_bundles(), _systems(Path(folder))])
            examples = _examples(node)
            people = worth_opening(node)
            if others:
                load_files(Loader(node, url, None), others)

        def show(base: str) -> None:
            say(f"Begin at {base.removesuffix('fhir')}")
            say("Synthetic people; nothing is kept when it stops (Ctrl-C). Try:")
            for example in examples:
                say(f"curl -s '{base}/{example}'")

        served = Served(
            url,
            notify_origins=tuple(options.notify_origin),
            notify_networks=tuple(options.notify_network),
            fonts=options.fonts,
            about=About(demo=Demo(people)),
            clock_ahead_micros=ahead,
        )
        serve(served, HOST, options.port, 1, show)
    return 0


def _day(text: str) -> date:
    """A type of argument: a civil day from the epoch of clocks on."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if EARLIEST <= found <= LATEST and text == found.isoformat():
        return found
    raise argparse.ArgumentTypeError(f"{text!r} is not a day from {EARLIEST} to {LATEST}, such as 2022-04-01")


def _ahead(as_at: date | None) -> int:
    """By how many microseconds the clock of a demo goes ahead, so that it is a day at this time of day."""
    if as_at is None:
        return 0
    today = civil_day(SystemClock().now_micros(), OFFSET_MINUTES)
    return (as_at - today) // timedelta(microseconds=1)


def _systems(folder: Path) -> Path:
    """A file with the identifier systems of the node: public resources of every record."""
    file = folder / "naming-systems.ndjson"
    file.write_text("\n".join(lines()), "utf-8")
    return file


def _examples(node: Node) -> list[str]:
    """Six addresses that work: what is offered, a read, a search, a history, a chain, records of one card.

    They are of somebody who has Observations, is known to several systems by one card, and has a name in
    characters.
    """
    exported = node.store.export
    observations = (parse(version.body) for version in exported(system("demo"), ("Observation",)))
    observed = {str(observation["subject"]["reference"]) for observation in observations}
    patients = [parse(version.body) for version in exported(system("demo"), ("Patient",))]
    seen = Counter(map(_card, patients))
    patient = next(
        patient
        for patient in patients
        if f"Patient/{patient['id']}" in observed
        and len(patient["name"]) > 1
        and _card(patient)
        and seen[_card(patient)] > 1
    )
    family = quote(str(patient["name"][-1]["family"]))
    return [
        "metadata",
        f"Patient/{patient['id']}",
        f"Observation?patient={patient['id']}&_sort=-date&_count=5",
        f"Patient/{patient['id']}/_history",
        f"Observation?subject:Patient.family={family}&_count=5",
        f"Patient?identifier={HKID}%7C{_card(patient)}",
    ]


def _card(patient: dict[str, Any]) -> str:
    """The number of a Hong Kong identity card in normal form; empty where there is none on record."""
    of_cards = (normalise(HKID, each["value"]) for each in patient["identifier"] if each["system"] == HKID)
    return next(of_cards, "")
