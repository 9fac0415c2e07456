"""See to it that the tests find the JavaScript clients they drive: ``make clients``.

Nothing happens when they are there. Where they cannot be had, one line says so; the tests that
need them are then skipped, counted and named at the end of the run.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.javascript import ABSENT, are_installed, install, packages


def main() -> None:
    """Install the clients when they are missing; exit 0 also when they cannot be had."""
    if are_installed():
        return
    print(f"make: installing the JavaScript clients {', '.join(packages())}", file=sys.stderr)
    try:
        install()
    except RuntimeError as error:
        print(f"make: {ABSENT} ({error})", file=sys.stderr)


if __name__ == "__main__":
    main()
