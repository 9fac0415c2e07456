"""Load over HTTP by wrk: many connections at little cost, each sending its next request at once.

wrk is one thread of C here; a client in Python would take from the server the processors
that are measured. ``python -m bench.wrk`` sees to it that it is there.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.figures import short

HOST = "127.0.0.1"
_SCRIPT = Path(__file__).with_name("requests.lua")
_INSTALL = (
    "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wrk"
)


class Load(msgspec.Struct, frozen=True):
    """What wrk saw; latencies in microseconds. ``refused`` answered with 400 or over."""

    requests: int
    micros: int
    refused: int
    broken: int
    p50: float
    p95: float
    p99: float
    worst: float

    @property
    def rate(self) -> float:
        """Requests answered in a second."""
        return self.requests / self.micros * 1e6

    @property
    def failed(self) -> int:
        return self.refused + self.broken

    def latency(self) -> str:
        p50, p95, p99 = (short(micros / 1e6) for micros in (self.p50, self.p95, self.p99))
        return f"p50 {p50}, p95 {p95}, p99 {p99}"

    def __str__(self) -> str:
        return f"{self.rate:,.0f}/s, {self.latency()}"


def get(path: str, *headers: str) -> bytes:
    """A GET request as it goes over the wire."""
    return _request("GET", path, b"", headers)


def post(path: str, body: bytes, *headers: str) -> bytes:
    return _request("POST", path, body, ("content-type: application/fhir+json", *headers))


def _request(method: str, path: str, body: bytes, headers: Sequence[str]) -> bytes:
    fields = [f"{method} {path} HTTP/1.1", f"host: {HOST}", *headers]
    if body:
        fields.append(f"content-length: {len(body)}")
    return "\r\n".join((*fields, "", "")).encode() + body


def load(port: int, requests: Sequence[bytes], *, connections: int, seconds: int, warm: int = 1) -> Load:
    """Send the requests in turn over so many connections; a warming run before is not counted."""
    with tempfile.NamedTemporaryFile() as file:
        for request in requests:
            file.write(b"%d\n" % len(request) + request)
        file.flush()
        if warm:
            _run(port, file.name, connections, warm)
        return _run(port, file.name, connections, seconds)


def _run(port: int, file: str, connections: int, seconds: int) -> Load:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(_SCRIPT)]
    done = subprocess.run(
        [*command, f"http://{HOST}:{port}/", "--", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout.strip().splitlines()[-1], type=Load)


def main() -> None:
    """Exit 0 with wrk in place, or 1 with one line on what to do."""
    if shutil.which("wrk") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("make: installing wrk", file=sys.stderr)
        subprocess.run(_INSTALL, shell=True, check=False, stdout=subprocess.DEVNULL)
    if shutil.which("wrk") is None:
        sys.exit("make: wrk is missing; install it (Debian: apt-get install wrk)")


if __name__ == "__main__":
    main()
