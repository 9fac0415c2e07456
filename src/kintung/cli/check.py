"""Prove the record sound: index equals re-extraction, versions without gaps, chain, ownership.

Prints what is broken and exits 1 when anything is.
"""

import argparse

from kintung.app import system
from kintung.cli.arguments import Commands
from kintung.cli.console import Progress, say
from kintung.cli.database import add_database, opened

MOST_FINDINGS = 100


def add_to(commands: Commands) -> None:
    parser = commands.add_parser("check", help="prove the record sound", description=__doc__)
    add_database(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    count = 0
    with opened(options, present=True) as node, Progress("checking"):
        for finding in node.store.check(system("check")):
            count += 1
            if count <= MOST_FINDINGS:
                say(f"{finding.proof}: {finding.where}: {finding.message}")
    if count > MOST_FINDINGS:
        say(f"and {count - MOST_FINDINGS:,} more")
    say("The record is sound." if count == 0 else f"{count:,} things are broken.")
    return 0 if count == 0 else 1
