"""The command ``kintung``: one module for each command, imported when it is called."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from kintung.errors import KintungError

COMMANDS = ("demo", "serve", "load", "export", "check")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; an error is one clear line on standard error and exit code 1."""
    parser = argparse.ArgumentParser(prog="kintung", description=__doc__)
    chosen = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = list(sys.argv[1:] if arguments is None else arguments)
    # Only the module of the command asked for is imported; help needs them all.
    named = [name for name in COMMANDS if name in wanted[:1]] or COMMANDS
    for name in named:
        import_module(f"kintung.cli.{name}").add_to(chosen)
    options = parser.parse_args(wanted)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except KintungError as error:
        print(f"kintung {options.command}: {error}", file=sys.stderr)  # noqa: T201 - this is a command
        return 1
    except OSError as error:
        print(f"kintung {options.command}: {error.strerror}: {error.filename}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130
