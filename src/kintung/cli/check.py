"""kintung check: prove the record sound; exits 1 and names what is broken."""

import argparse
from pathlib import Path

from kintung.app import default_url, open_node, system
from kintung.cli.console import say

MOST_FINDINGS = 100


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:  # pyright: ignore[reportPrivateUsage]
    parser = commands.add_parser("check", help="prove the record sound", description=__doc__)
    parser.add_argument("--database", default=default_url(), metavar="URL")
    parser.add_argument("--keys", type=Path, metavar="FILE")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    count = 0
    with open_node(options.database, keys=options.keys) as node:
        for finding in node.store.check(system("check")):
            count += 1
            if count <= MOST_FINDINGS:
                say(f"{finding.proof}: {finding.where}: {finding.message}")
    if count > MOST_FINDINGS:
        say(f"and {count - MOST_FINDINGS:,} more")
    say("The record is sound." if count == 0 else f"{count:,} things are broken.")
    return 0 if count == 0 else 1
