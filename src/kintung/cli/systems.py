"""Print the identifier systems this node knows, as NamingSystem resources: a line each, NDJSON.

kintung load takes what it prints, and so do other servers. It needs no database.
"""

import argparse

import msgspec

from kintung.cli.arguments import Commands
from kintung.cli.console import say
from kintung.identity.identifiers import naming_system_resources


def add_to(commands: Commands) -> None:
    parser = commands.add_parser("systems", help="print identifier systems as FHIR", description=__doc__)
    parser.add_argument(
        "--vaulted", action="store_true", help="only those whose numbers are indexed as hashes"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    for line in lines(vaulted=options.vaulted):
        say(line)
    return 0


def lines(*, vaulted: bool = False) -> list[str]:
    """The resources as JSON, in the order of the definitions; of all systems, or the vaulted ones."""
    found = naming_system_resources()
    wanted = [resource for resource in found if not vaulted or resource["extension"][0]["valueBoolean"]]
    return [msgspec.json.encode(resource).decode() for resource in wanted]
