"""Cold start of ``kintung serve``, and what a worker holds after metadata and ten validated writes."""

import compileall
import socket
import subprocess
import tempfile
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import median

import msgspec

import kintung
from bench import population
from bench.figures import Figure, Size, short
from bench.machine import children_cpu, memory
from bench.processes import Server, command, serving
from bench.wrk import HOST

CODED = {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]}
OF = {"reference": "Patient/p1"}
TEN: tuple[dict[str, object], ...] = (
    {"resourceType": "Patient", "name": [{"family": "Chan"}]},
    {"resourceType": "Observation", "status": "final", "code": CODED, "subject": OF},
    {"resourceType": "Condition", "code": CODED, "subject": OF},
    {"resourceType": "Procedure", "status": "completed", "code": CODED, "subject": OF},
    {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": CODED,
        "patient": OF,
        "occurrenceString": "x",
    },
    {"resourceType": "AllergyIntolerance", "code": CODED, "patient": OF},
    {"resourceType": "DiagnosticReport", "status": "final", "code": CODED, "subject": OF},
    {"resourceType": "ServiceRequest", "status": "active", "intent": "order", "code": CODED, "subject": OF},
    {"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}, "subject": OF},
    {"resourceType": "Organization", "name": "Clinic"},
)
"""A valid resource of ten types."""


def measure(size: Size) -> list[Figure]:
    population.FOLDER.mkdir(parents=True, exist_ok=True)
    # What pip does when it installs; the first start of an editable tree would pay for it.
    compileall.compile_dir(Path(kintung.__file__).parent, quiet=2)
    times = 3 if size is Size.QUICK else 9
    with tempfile.TemporaryDirectory(dir=population.FOLDER) as folder:
        url = f"sqlite:///{Path(folder).resolve()}/x.db"
        with serving(url, workers=1):
            pass  # the database is there: a cold start is of the program, not of an empty record
        used = children_cpu()
        starts = [_start(url) for _ in range(times)]
        cpu = (children_cpu() - used) / times
        with serving(url, workers=1) as server:
            _use(server)
            (worker,) = server.workers()[-1:]
            rss, pss = (held / 2**20 for held in memory(worker))
            parent = memory(server.pid)[1] / 2**20
    return [
        Figure(
            "kintung serve to its first /healthz",
            f"median {short(median(starts))} ({short(min(starts))}–{short(max(starts))} of {times})",
            f"{short(cpu)} of processor with its stop",
            "≤ 1.0 s",
            median(starts) <= 1.0,
        ),
        Figure(
            "a worker after metadata and ten types",
            f"RSS {rss:,.0f} MiB, PSS {pss:,.0f} MiB",
            f"the process above it {parent:,.0f} MiB PSS",
            "≤ 150 MB",
            rss * 2**20 <= 150e6,
        ),
    ]


def _start(url: str) -> float:
    """Seconds from the start of the process to its first good answer."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen(
        command("serve", "--unprotected", "--port", str(port), "--database", url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _is_well(port):
            assert process.poll() is None, "the server ended"
            assert time.perf_counter() - began < 60, "the server does not start"
            time.sleep(0.002)
        return time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(30)


def _is_well(port: int) -> bool:
    connection = HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _use(server: Server) -> None:
    assert server.ask("GET", "/fhir/metadata")[0] == 200
    for resource in TEN:
        status, answer = server.ask(
            "POST", f"/fhir/{resource['resourceType']}", msgspec.json.encode(resource)
        )
        assert status == 201, (resource, answer)
    assert server.ask("POST", "/fhir/Patient", b'{"resourceType":"Patient","madeUp":1}')[0] in (400, 422)
