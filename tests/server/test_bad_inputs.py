"""B2, B4, B5, B7, B10: whatever is sent to a node, it answers, soon, and holds no more memory."""

from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from tests import scale
from tests.databases import KINDS, fresh
from tests.generators import bad_inputs, requests
from tests.server.started import Started, started

INPUTS = scale.counts(normal=2_500, long=25_000)
"""To each database."""
WARMED = INPUTS // 5
"""Inputs after which what the node needs for its work is there."""
MOST_GROWTH = 200 * 1024 * 1024
MOST_SECONDS = 5.0
"""After which a client gives up: that is a failure."""


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    with started(fresh(request.param, tmp_path_factory.mktemp("bad"), request)) as found:
        yield found


def ask(client: httpx.Client, base: str, call: requests.Call) -> httpx.Response:
    named = {name for name, _ in call.headers}
    own = () if call.body is None or "content-type" in named else (("content-type", "application/fhir+json"),)
    headers = [(name.encode(), value.encode("latin-1")) for name, value in (*own, *call.headers)]
    url = f"{base}/{quote(call.path, safe=':/?&=%$*._-~!()+,;@')}".removesuffix("/")
    return client.request(call.method, url, content=call.body, headers=headers)


def test_bad_inputs_are_answered(server: Started) -> None:
    """Given what no client means, when it is sent, then none ends in 5xx, none takes long, memory stays."""
    rng = scale.seeded("bad inputs")
    statuses: Counter[int] = Counter()
    forms: Counter[str] = Counter()
    warmed = 0
    with httpx.Client(timeout=MOST_SECONDS) as client:
        for number in range(INPUTS):
            if number == WARMED:
                warmed = server.resident_bytes()
            call = bad_inputs.call(rng) if rng.random() < 0.9 else requests.call(rng)
            answer = ask(client, server.base, call)
            assert answer.status_code < 500, (number, call, answer.text)
            if answer.status_code >= 400 and answer.content:
                assert answer.json()["resourceType"] == "OperationOutcome", (number, call)
            statuses[answer.status_code] += 1
            forms[call.form] += 1
        assert client.get(f"{server.base}/Patient", params={"_count": "1"}).status_code == 200
    grown = server.resident_bytes() - warmed
    print(f"\n{INPUTS:,} inputs, 5xx: 0, memory {grown / 1e6:+.1f} MB\n{sorted(statuses.items())}\n{forms}")
    assert grown < MOST_GROWTH
    assert sum(count for status, count in statuses.items() if status >= 400) > INPUTS // 2
    assert set(bad_inputs.FORMS) <= set(forms)
