"""Serve a node over HTTP until stopped.

Until sign-in exists, a node can only be served --unprotected, and only to this machine.
"""

import argparse
import ipaddress
import os
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer
from msgspec import structs

from kintung.app import Settings, open_node, telling
from kintung.cli.arguments import Commands, add_base_url, add_fonts, add_notified, number_between, origin
from kintung.cli.console import say
from kintung.cli.database import add_database, opened
from kintung.cli.processes import end_with_parent, keep_what_is_loaded
from kintung.clock import ShiftedClock
from kintung.errors import BadInput, Unavailable
from kintung.subscriptions import allowed
from kintung.web.about import JURISDICTIONS, About
from kintung.web.app import AsgiApp, create_app
from kintung.web.fhir.asynchronous_work import answering_later
from kintung.web.fhir.interactions import REGISTRY
from kintung.web.fhir.serve import Scope, Send
from kintung.web.limits import Message, Receive
from kintung.web.site import Site, WebSettings
from kintung.web.this_machine import this_machine_and

HOST = "127.0.0.1"
MOST_WORKERS = 64
CONNECTIONS = 9
MOST_CONNECTIONS = 200
MOST_DELETED = 1_000

_SETTINGS = "KINTUNG_SERVED"
"""Environment variable by which the workers are told what to serve."""


class Served(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a worker serves."""

    database: str
    keys: str | None = None
    base_url: str = ""
    connections: int = CONNECTIONS
    delete_at_most: int = 1
    allow_origins: tuple[str, ...] = ()
    notify_origins: tuple[str, ...] = ()
    """Where Subscriptions may be sent; none switches them off."""
    notify_networks: tuple[str, ...] = ()
    told_as: str = ""
    """Address of the FHIR API that subscribers are told."""
    about: About = About()
    fonts: str = ""
    """Folder of fonts for documents, besides those of the system."""
    clock_ahead_micros: int = 0
    """Of the machine's clock; of a demo, to be as at another day."""
    counts: str | None = None
    """File in which the workers count together."""


def add_to(commands: Commands) -> None:
    parser = commands.add_parser("serve", help="serve a node over HTTP", description=__doc__)
    add_database(parser)
    parser.add_argument("--host", default=HOST, help="loopback address to listen on; default: %(default)s")
    add_port(parser)
    parser.add_argument(
        "--workers",
        type=number_between(1, MOST_WORKERS),
        default=1,
        metavar="N",
        help="how many processes serve; default: %(default)s",
    )
    parser.add_argument(
        "--connections",
        type=number_between(2, MOST_CONNECTIONS),
        default=CONNECTIONS,
        metavar="N",
        help="the most connections of each worker to a PostgreSQL server; default: %(default)s",
    )
    add_base_url(parser)
    add_notified(parser)
    parser.add_argument(
        "--delete-at-most",
        type=number_between(1, MOST_DELETED),
        default=1,
        metavar="N",
        help="how many resources one conditional delete may delete; default: %(default)s",
    )
    parser.add_argument(
        "--allow-origin",
        type=origin,
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let pages of this origin read answers in a browser; may be given several times",
    )
    parser.add_argument(
        "--jurisdiction",
        choices=JURISDICTIONS,
        default=JURISDICTIONS[0],
        help="whose record it is, as its pages say; default: %(default)s",
    )
    add_fonts(parser)
    parser.add_argument(
        "--unprotected", action="store_true", help="switch sign-in off; needed until it exists"
    )
    parser.set_defaults(run=run)


def add_port(parser: argparse.ArgumentParser) -> None:
    """The option ``--port``."""
    parser.add_argument(
        "--port",
        type=number_between(0, 65535),
        default=8080,
        help="to listen on; 0 takes a free one; default: %(default)s",
    )


def run(options: argparse.Namespace) -> int:
    host = loopback(options.host, unprotected=options.unprotected)
    with opened(options):
        pass  # a database that cannot be used is said here, once, and not by every worker
    keys = str(options.keys) if options.keys else None
    served = Served(
        options.database,
        keys,
        options.base_url,
        connections=options.connections,
        delete_at_most=options.delete_at_most,
        allow_origins=tuple(options.allow_origin),
        notify_origins=tuple(options.notify_origin),
        notify_networks=tuple(options.notify_network),
        about=About(options.jurisdiction),
        fonts=options.fonts,
    )
    serve(served, host, options.port, options.workers)
    return 0


def loopback(host: str, *, unprotected: bool) -> str:
    """The address to listen on; refuses to show a record to whoever asks.

    Raises:
        BadInput: sign-in is needed and does not exist yet, or it is switched off for an
            address other machines can reach.
    """
    if not unprotected:
        raise BadInput("sign-in does not exist yet; give --unprotected to serve this machine only.")
    address = HOST if host == "localhost" else host
    try:
        if ipaddress.ip_address(address).is_loopback:
            return address
    except ValueError:
        pass
    raise BadInput(f"--unprotected is for this machine only; {host} can be reached from others.")


_MOST_DEATHS = 5
"""Deaths of one worker that are passed over between two that count."""


class _Server(MPServer):
    """Calls ``announce`` beside the workers once they are started, and is slow to give up.

    Granian ends when a worker dies within seconds of being replaced, so that what cannot start
    does not start for ever. But a request that takes too much memory is sent again at once, and
    must not end the node with its worker: only every sixth death begins those seconds.
    """

    announce: Callable[[], None]
    deaths: dict[int, int]
    """Of each worker, since the last that counted."""

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        super().startup(spawn_target, target_loader)  # pyright: ignore[reportUnknownMemberType]
        # After the workers were forked: a thread does not come along.
        threading.Thread(target=self.announce, name="kintung-announce", daemon=True).start()

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        # A signal to the whole group: workers that end by it may end before they are told to.
        for worker in self.wrks:
            worker.interrupt_by_parent = True
        super().signal_handler_interrupt(*args, **kwargs)  # pyright: ignore[reportUnknownMemberType]

    def shutdown(self, exit_code: int = 0) -> None:
        if self.interrupt_signal:
            self.interrupt_children.clear()  # pyright: ignore[reportUnknownMemberType]
        super().shutdown(exit_code)

    def _respawn_workers(
        self, workers: list[int], spawn_target: Any, target_loader: Any, delay: float = 0
    ) -> None:
        super()._respawn_workers(workers, spawn_target, target_loader, delay)  # pyright: ignore[reportUnknownMemberType]
        for worker in workers:
            deaths = self.deaths.get(worker, 0) + 1
            if deaths <= _MOST_DEATHS:
                self.respawned_wrks.pop(worker, None)  # pyright: ignore[reportUnknownMemberType]
            self.deaths[worker] = deaths % (_MOST_DEATHS + 1)


def serve(
    served: Served, host: str, port: int, workers: int, show: Callable[[str], None] | None = None
) -> None:
    """Serve until stopped. Says the address once requests are taken, then calls ``show`` with it.

    Raises:
        Unavailable: the port is taken.
    """
    port = _free_port(host, port)
    base = f"http://[{host}]:{port}/fhir" if ":" in host else f"http://{host}:{port}/fhir"

    def announce() -> None:
        _wait_for_worker(host, port)
        say(f"FHIR R4 at {base}")
        if show is not None:
            show(base)

    server = _Server(
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
        backpressure=4096,  # of connections: idle ones must not keep others waiting
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
    )
    server.announce = announce
    server.deaths = {}
    with TemporaryDirectory(prefix="kintung-") as folder:
        counted = structs.replace(
            served, counts=f"{folder}/counts", told_as=(served.base_url or base).rstrip("/")
        )
        os.environ[_SETTINGS] = msgspec.json.encode(counted).decode()
        server.serve()


def _wait_for_worker(host: str, port: int) -> None:
    """Return when a worker takes connections: each opens the port for itself when it is ready."""
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            threading.Event().wait(0.02)
        else:
            return


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


def application() -> AsgiApp:
    """The application of one worker: opens the node the environment names, closes it at the end."""
    end_with_parent()
    served = msgspec.json.decode(os.environ[_SETTINGS], type=Served)
    resources = ExitStack()
    node = resources.enter_context(
        open_node(
            served.database,
            keys=Path(served.keys) if served.keys else None,
            settings=Settings(connections=served.connections),
            clock=ShiftedClock(served.clock_ahead_micros) if served.clock_ahead_micros else None,
        )
    )
    notified = allowed(served.notify_origins, served.notify_networks)
    web_settings = WebSettings(
        served.base_url,
        served.delete_at_most,
        served.allow_origins,
        notified=notified,
        about=served.about,
        fonts=served.fonts,
    )
    counts = Path(served.counts) if served.counts else None
    gate = this_machine_and(served.allow_origins)
    app = create_app(node, gate, settings=web_settings, counts=counts)
    resources.enter_context(answering_later(Site.of(node, web_settings), REGISTRY))
    if notified.origins:
        resources.enter_context(telling(node, served.told_as, notified))
    keep_what_is_loaded()

    async def closing(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "lifespan.shutdown.complete":
                resources.close()
            await send(message)

        await app(scope, receive, answer)

    return closing
