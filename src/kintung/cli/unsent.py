"""List the notifications to subscribers that were given up, and send them again.

A notification is given up after four days of attempts. What is sent again is tried for as long.
"""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime

from kintung.app import system
from kintung.cli.arguments import Commands
from kintung.cli.console import say
from kintung.cli.database import add_database, opened
from kintung.store.notices import Dead

MOST_SHOWN = 1_000


def add_to(commands: Commands) -> None:
    parser = commands.add_parser(
        "unsent", help="show what could not be told to subscribers", description=__doc__
    )
    add_database(parser)
    parser.add_argument(
        "--replay",
        type=_numbers,
        metavar="all|NUMBER,...",
        help="send these again: the numbers that the list begins its lines with, or all of them",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    with opened(options, present=True) as node:
        notices = node.store.notices
        if options.replay is not None:
            numbers: Sequence[int] | None = options.replay or None
            count = notices.replay(system("unsent"), numbers)
            say(f"{count:,} will be sent again.")
            return 0
        dead = notices.dead(system("unsent"), MOST_SHOWN)
        for each in dead:
            say(_line(each))
        tally = notices.tally()
    if tally.dead > len(dead):
        say(f"and {tally.dead - len(dead):,} more")
    say(f"{tally.dead:,} given up, {tally.waiting:,} waiting, {tally.subscribers:,} subscriptions in force.")
    return 0


def _line(dead: Dead) -> str:
    """Ids and statuses: nothing of a person."""
    notice = dead.notice
    since = datetime.fromtimestamp(dead.queued // 1_000_000, UTC)
    version = f"{notice.type}/{notice.id}/_history/{notice.version_id}"
    tried = f"{dead.attempts} attempts since {since:%Y-%m-%dT%H:%M:%SZ}"
    return f"{dead.number}  Subscription/{notice.subscription}  {version}  {tried}: {dead.error}"


def _numbers(text: str) -> list[int]:
    """The numbers of a list; none for all."""
    if text == "all":
        return []
    pieces = text.split(",")
    if all(piece.isascii() and piece.isdigit() and len(piece) <= 18 for piece in pieces):
        return [int(piece) for piece in pieces]
    raise argparse.ArgumentTypeError(f"{text!r} is neither all nor numbers with commas between")
