"""Make synthetic people of Hong Kong, Macao and Guangdong, as several systems write them down.

Writes Patient.ndjson, and truth.ndjson beside it: who each Patient is, and what went wrong. The same
seed gives the same bytes.
"""

import argparse
import math
from contextlib import ExitStack
from pathlib import Path

import msgspec

from kintung.cli.arguments import Commands, number_between
from kintung.cli.console import Progress, say
from kintung.errors import BadInput
from kintung.synth import MOST_APPEARANCES, MOST_PEOPLE, MOST_RATES, appearances, people, seeded

SEED = 20221019


def add_to(commands: Commands) -> None:
    parser = commands.add_parser("synth", help="make synthetic people", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="to write into; made if it is not there")
    parser.add_argument(
        "--people",
        type=number_between(1, MOST_PEOPLE),
        default=1_000,
        metavar="N",
        help="how many (default: 1000)",
    )
    parser.add_argument(
        "--seed", type=number_between(0, 2**63 - 1), default=SEED, metavar="S", help=f"default: {SEED}"
    )
    parser.add_argument(
        "--rates",
        type=_rates,
        default=1.0,
        metavar="R",
        help="what the rates of corruption are multiplied by, such as 0, 0.5 or 2 (default: 1)",
    )
    parser.add_argument(
        "--appearances",
        type=number_between(1, MOST_APPEARANCES),
        default=3,
        metavar="K",
        help="how many Patients each person is (default: 3)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        # People of another seed would be taken for these.
        raise BadInput(f"{folder} is not empty; name another folder.")
    try:
        _write(folder, options)
    except BaseException:
        say(f"What was made in {folder} is not whole; remove it.")
        raise
    patients = options.people * options.appearances
    say(f"{options.people:,} people, {patients:,} Patients written to {folder}")
    return 0


def _write(folder: Path, options: argparse.Namespace) -> None:
    encode = msgspec.json.Encoder().encode_into
    chance = seeded(f"appearances of {options.seed}")
    done = 0
    buffer = bytearray()
    with ExitStack() as files, Progress("people", lambda: done):
        patients = files.enter_context((folder / "Patient.ndjson").open("xb"))
        truth = files.enter_context((folder / "truth.ndjson").open("xb"))
        for person in people(options.seed, options.people):
            for appearance in appearances(person, chance, count=options.appearances, rates=options.rates):
                for file, line in ((patients, appearance.patient), (truth, appearance.truth())):
                    encode(line, buffer)
                    buffer += b"\n"
                    file.write(buffer)
            done += 1


def _rates(text: str) -> float:
    try:
        rates = float(text)
    except ValueError:
        rates = math.nan
    if not 0 <= rates <= MOST_RATES:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to {MOST_RATES}")
    return rates
