"""kintung serve: a node over HTTP.

Until sign-in exists a node can only be served unprotected, and only to this machine.
"""

import argparse
import ipaddress
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from kintung.app import Settings, default_url, open_node
from kintung.cli.console import say
from kintung.consent import unprotected
from kintung.errors import BadInput, Unavailable
from kintung.web.app import AsgiApp, create_app
from kintung.web.site import WebSettings

_SETTINGS = "KINTUNG_SERVED"
"""Environment variable by which the workers are told what to serve."""


class Served(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a worker serves."""

    database: str
    keys: str | None = None
    base_url: str = ""
    offset_minutes: int = 480


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:  # pyright: ignore[reportPrivateUsage]
    parser = commands.add_parser("serve", help="serve a node over HTTP", description=__doc__)
    parser.add_argument("--database", default=default_url(), metavar="URL")
    parser.add_argument("--keys", type=Path, metavar="FILE")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--base-url", default="", metavar="URL", help="of the FHIR API, as clients know it")
    parser.add_argument("--unprotected", action="store_true", help="switch sign-in off; loopback only")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    require_protection(options.host, unprotected=options.unprotected)
    with open_node(options.database, keys=options.keys):
        pass  # a database that cannot be used is said here, once, and not by every worker
    keys = str(options.keys) if options.keys else None
    served = Served(options.database, keys, options.base_url)
    serve(served, options.host, options.port, options.workers)
    return 0


def require_protection(host: str, *, unprotected: bool) -> None:
    """Refuse to show a record to whoever asks.

    Raises:
        BadInput: sign-in is needed and does not exist yet, or it is switched off for an
            address other machines can reach.
    """
    if not unprotected:
        raise BadInput("sign-in does not exist yet; give --unprotected to serve this machine only.")
    if not _is_loopback(host):
        raise BadInput(f"--unprotected is for this machine only; {host} can be reached from others.")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def serve(
    served: Served, host: str, port: int, workers: int, ready: Callable[[int], None] | None = None
) -> None:
    """Serve until stopped; ``ready`` is called with the port once requests are taken.

    Raises:
        Unavailable: the port is taken.
    """
    port = _free_port(host, port)
    os.environ[_SETTINGS] = msgspec.json.encode(served).decode()
    server = Server(
        "kintung.cli.serve:application",
        address=host,
        port=port,
        workers=workers,
        interface=Interfaces.ASGI,
        factory=True,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=10,
    )

    def announce() -> None:
        say(f"FHIR R4 at http://{host}:{port}/fhir")
        if ready is not None:
            ready(port)

    server.on_startup(announce)
    server.serve()


def _free_port(host: str, port: int) -> int:
    """The port, or a free one for 0; said here because every worker would say it at length."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Unavailable(f"port {port} is taken; give another with --port.") from error
        return probe.getsockname()[1]


_open = ExitStack()


def application() -> AsgiApp:
    """The application of one worker: opens the node the environment names."""
    served = msgspec.json.decode(os.environ[_SETTINGS], type=Served)
    settings = Settings(offset_minutes=served.offset_minutes)
    keys = Path(served.keys) if served.keys else None
    node = _open.enter_context(open_node(served.database, keys=keys, settings=settings))
    return create_app(
        node,
        unprotected,
        settings=WebSettings(base_url=served.base_url, offset_minutes=served.offset_minutes),
    )
