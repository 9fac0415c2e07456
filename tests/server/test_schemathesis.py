"""B1: Schemathesis on the node's own OpenAPI document.

All its checks but one: ``positive_data_acceptance`` asks that whatever the document allows is
accepted, and the document says of a resource only that it has a type; its FHIR definition
says the rest.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx

from kintung.web.fhir.registry import RESOURCE_TYPES
from tests import scale
from tests.records import patient
from tests.server.started import started

CASES = scale.counts(25, 1_000)
"""Generated cases for each operation, besides those of the coverage phase."""
SEARCHED = scale.seeded("searched types").sample(RESOURCE_TYPES, scale.counts(3, 30))
"""Types whose search parameters are tried; the others have the same kinds."""


def test_the_api_is_what_its_document_says(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    with started(f"sqlite:///{tmp_path}/record.db") as server:
        stored = httpx.put(f"{server.base}/Patient/example", json=patient("example"))
        assert stored.status_code == 201
        command = [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{server.base}/openapi.json",
            *("--include-path-regex", f"^/(?![A-Z])|^/({'|'.join(SEARCHED)})/_search$"),
            *("--exclude-checks", "positive_data_acceptance"),
            *("--max-examples", str(CASES), "--seed", str(scale.seed())),
            *("--generation-database", "none", "--no-color", "--request-timeout", "15"),
            *("--report", "json", "--report-json-path", str(report)),
        ]
        run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert run.returncode == 0, run.stdout[-6_000:]
        metrics = httpx.get(server.base.removesuffix("fhir") + "metrics").text
    assert json.loads(report.read_text())
    statuses = {int(status) for status in re.findall(r'status="(\d+)"', metrics)}
    assert max(statuses) < 500
    answered = sum(int(count) for count in re.findall(r"^kintung_requests_total.* (\d+)$", metrics, re.M))
    print(f"{answered} requests, statuses {sorted(statuses)}")
    assert answered > CASES * 19
