"""B2: broken resources of every type, sent to a started server, are refused or stored, and no more."""

from collections import Counter
from pathlib import Path

import httpx

from kintung.fhir.structure.definitions import definitions
from tests import scale
from tests.generators.structures import broken, resource
from tests.server.api import outcome
from tests.server.started import started

EACH = scale.counts(2, 40)
"""Broken resources of each type."""
FHIR = {"content-type": "application/fhir+json"}


def test_no_broken_resource_makes_it_fail(tmp_path: Path) -> None:
    random = scale.seeded("broken resources over HTTP")
    statuses: Counter[int] = Counter()
    with (
        started(f"sqlite:///{tmp_path}/record.db") as server,
        httpx.Client(base_url=f"{server.base}/", timeout=60, headers=FHIR) as client,
    ):
        for type in definitions().resources:
            for _ in range(EACH):
                raw = broken(resource(type, random, fullness=0.1), random)
                judged = client.post(f"{type}/$validate", content=raw)
                assert judged.status_code == 200, (type, raw[:2_000], judged.text)
                sent = client.post(type, content=raw)
                statuses[sent.status_code] += 1
                assert sent.status_code in (201, 400, 413, 422), (type, raw[:2_000], sent.text)
                if sent.status_code != 201:
                    assert outcome(sent)[2], (type, raw[:2_000], sent.text)
    print(dict(statuses))
    assert statuses[201] < statuses.total() / 3
    assert statuses[400] > statuses.total() / 3
