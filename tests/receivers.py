"""A receiver of notifications: an HTTP server on loopback that keeps what comes, and answers as told."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Got(NamedTuple):
    """One request that came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[BaseHTTPRequestHandler, Got], None]


def answering(status: int, **headers: str) -> Answer:
    """An answer without a body."""

    def answer(handler: BaseHTTPRequestHandler, _got: Got) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


class Receiver:
    """What came so far; ``answer`` may be changed while it listens."""

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self._got: list[Got] = []
        self._came = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                got = Got(self.command, self.path, dict(self.headers), body)
                receiver.keep(got)
                receiver.answer(self, got)

            do_GET = do_PUT = do_POST

            def log_message(self, format: str, *args: object) -> None:
                """Nothing is said."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_port
        self.origin = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def keep(self, got: Got) -> None:
        with self._came:
            self._got.append(got)
            self._came.notify_all()

    @property
    def got(self) -> list[Got]:
        """All that came, in order."""
        with self._came:
            return list(self._got)

    def wait(self, enough: Callable[[list[Got]], bool], seconds: float = 60) -> list[Got]:
        """All that came, once it is enough."""
        with self._came:
            assert self._came.wait_for(lambda: enough(self._got), seconds), f"only {len(self._got)} came"
            return list(self._got)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def receiver(answer: Answer | None = None, *, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver that answers 200 unless told otherwise, over ``tls`` where that is given."""
    listening = Receiver(answer or answering(200), tls)
    try:
        yield listening
    finally:
        listening.close()
