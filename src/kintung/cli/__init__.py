"""The command ``kintung``: one module for each command, imported when it is called."""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from types import FrameType
from typing import NoReturn

from kintung.errors import KintungError

COMMANDS = (
    "demo",
    "serve",
    "load",
    "export",
    "check",
    "unsent",
    "rekey",
    "systems",
    "names",
    "synth",
    "link",
)

DESCRIPTION = "A FHIR R4 record for primary care: serve it, fill it, take it out, prove it sound."
EXIT_CODES = """\
kintung COMMAND --help tells the options of a command.

exit codes:
  0         done; a node that serves was stopped
  1         refused, failed, or broken things were found: a line says what
  2         the command line cannot be understood
  130, 143  stopped half-way by Ctrl-C or by SIGTERM
  141       nobody reads what it prints any more
"""

_STOPPING = (signal.SIGTERM, signal.SIGINT)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One clear line instead of the usage and a line."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Print the version; asked for only here, since the package has to be looked up."""
        from importlib.metadata import version  # noqa: PLC0415

        sys.stdout.write(f"kintung {version('kintung')}, FHIR 4.0.1\n")
        parser.exit()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; an error is one clear line on standard error, and an exit code of EXIT_CODES."""
    for number in _STOPPING:
        signal.signal(number, _stop)
    parser = _Parser(
        prog="kintung",
        description=DESCRIPTION,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and end")
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
        reason = str(error)
    except BrokenPipeError:
        return 141  # who read our output has gone; nothing is left to tell
    except OSError as error:
        reason = error.strerror or str(error)
        reason += f": {error.filename}" if error.filename else ""
    print(f"kintung {options.command}: {reason}", file=sys.stderr)  # noqa: T201 - this is a command
    return 1


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    """Leave by way of every ``finally``, so that a node is closed and a demo's folder removed.

    Impatient ones are not heard any more: they would break off the leaving.
    """
    for each in _STOPPING:
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)
