"""Hash all identity numbers of the index again, under a new secret, and destroy the old one.

One commit, beside a served node: reading goes on, writing waits. Cut off, it is run again.
"""

import argparse

from kintung.app import system
from kintung.cli.arguments import Commands
from kintung.cli.console import Progress, say
from kintung.cli.database import add_database, opened


def add_to(commands: Commands) -> None:
    parser = commands.add_parser(
        "rekey", help="hash identity numbers under a new secret", description=__doc__
    )
    add_database(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    with opened(options, present=True) as node, Progress("hashing"):
        count = node.store.change_vault_secret(system("rekey"))
    if count is None:
        say("A change that was cut off is ended; the old secret is destroyed.")
    else:
        say(f"The numbers of {count:,} resources are hashed under a new secret; the old one is destroyed.")
    return 0
