"""S2: who may not see a value does not learn it by halving, however the question is put.

The attacker knows what the record may hold and asks, of one half of what is left after the
other, whether the hidden value lies there. Who sees everything finds each value that way: so
the questions tell something where something may be told.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import log2
from typing import Any

import httpx
import pytest

from kintung.store.reader import Reader
from tests import scale
from tests.leaks.readers import READER, given_a_reader_of
from tests.postgres_cluster import Cluster
from tests.records import observation, patient
from tests.server.api import ALL_RIGHTS, Api, api, persona
from tests.stores import ADAPTERS

ROUNDS = scale.counts(normal=1, long=8)
"""Hidden values of each kind, on each adapter."""
CASES = tuple(f"case-{number}" for number in range(16))
FAMILIES = tuple(f"{first}{last}" for first in ("Bo", "Ka", "Lo", "Mi") for last in ("ng", "rn", "st", "tt"))
FIRST_DAY = date(1950, 1, 1)
ALL_SEEING = "all-seeing"


@dataclass(frozen=True)
class Secret:
    """Something hidden, one of ``size`` values in an order; ``below`` asks for those before a place."""

    name: str
    type: str
    size: int
    below: Callable[[int], str]
    resource: Callable[[int], dict[str, Any]]


def _measured(value: int) -> dict[str, Any]:
    unit = {"unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}
    return _of_h("case-0") | {"valueQuantity": {"value": value, **unit}}


def _of_h(code: str) -> dict[str, Any]:
    return observation("x", "h", code) | {"performer": [{"reference": "Patient/a"}]}


def _person(family: str, day: int) -> dict[str, Any]:
    born = (FIRST_DAY + timedelta(days=day)).isoformat()
    link = {"other": {"reference": "Patient/a"}, "type": "seealso"}
    return patient("h", family, birthDate=born, link=[link])


SECRETS = (
    Secret("a number", "Observation", 1024, lambda n: f"value-quantity=lt{n}", _measured),
    Secret(
        "a date",
        "Patient",
        1024,
        lambda n: f"birthdate=lt{FIRST_DAY + timedelta(days=n)}",
        lambda n: _person("Bong", n),
    ),
    Secret("a code", "Observation", 16, lambda n: f"code={','.join(CASES[:n])}", lambda n: _of_h(CASES[n])),
    Secret(
        "a name",
        "Patient",
        16,
        lambda n: f"family={','.join(FAMILIES[:n])}",
        lambda n: _person(FAMILIES[n], 0),
    ),
)

Ask = Callable[[Api, str, Secret, str], httpx.Response]
"""Puts a criterion about the secret, as somebody."""


def _search(more: str) -> Ask:
    return lambda node, who, secret, asked: node.get(f"{secret.type}?{asked}&{more}", persona=who)


def _forward(node: Api, who: str, secret: Secret, asked: str) -> httpx.Response:
    """From what is in sight to what it leads to."""
    link = "DiagnosticReport?result" if secret.type == "Observation" else "Observation?performer:Patient"
    return node.get(f"{link}.{asked}", persona=who)


def _back(node: Api, who: str, secret: Secret, asked: str) -> httpx.Response:
    """From a person in sight to what leads to it."""
    link = "Observation:performer" if secret.type == "Observation" else "Patient:link"
    return node.get(f"Patient?_has:{link}:{asked}", persona=who)


def _create(node: Api, who: str, secret: Secret, asked: str) -> httpx.Response:
    return node.post(secret.type, _new(secret), persona=who, headers={"if-none-exist": asked})


def _conditional_reference(node: Api, who: str, secret: Secret, asked: str) -> httpx.Response:
    """A resource that is to refer to what meets the criterion."""
    report = {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "x"}}
    link = {"reference": f"{secret.type}?{asked}"}
    named = {"result": [link]} if secret.type == "Observation" else {"performer": [], "subject": link}
    resource = {k: v for k, v in (report | named).items() if v}
    entry = {"resource": resource, "request": {"method": "POST", "url": "DiagnosticReport"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    return node.post("", bundle, persona=who)


def _compartment(node: Api, who: str, secret: Secret, asked: str) -> httpx.Response:
    return node.get(f"Patient/h/{secret.type}?{asked}&_total=accurate", persona=who)


def _new(secret: Secret) -> dict[str, Any]:
    """A resource of the attacker's own that meets no criterion."""
    if secret.type == "Patient":
        return {"resourceType": "Patient", "active": True}
    return {k: v for k, v in observation("", "a", "else").items() if k != "id"}


WAYS: dict[str, Ask] = {
    "a total": _search("_total=accurate"),
    "a count": _search("_summary=count"),
    "an order": _search("_sort=_lastUpdated&_elements=id"),
    "what it leads to": _search("_include=*"),
    "a chain": _forward,
    "_has": _back,
    "a conditional create": _create,
    "a conditional reference": _conditional_reference,
    "a compartment": _compartment,
}


def heard(answer: httpx.Response) -> object:
    """What of an answer may tell one half from the other; ids and instants differ anyway."""
    body = json.loads(answer.content or b"{}")
    if body.get("resourceType") == "OperationOutcome":
        return answer.status_code, [issue["details"]["text"] for issue in body["issue"]]
    return answer.status_code, body.get("total"), len(body.get("entry", ()))


def left_after(halving: Callable[[int], object], size: int) -> Sequence[int]:
    """What may still be the value, when every question that tells has been asked."""
    below_none, below_all = halving(0), halving(size)
    low, high = 0, size
    while high - low > 1 and below_none != below_all:
        middle = (low + high) // 2
        told = halving(middle)
        if told not in (below_none, below_all):
            break
        low, high = (low, middle) if told == below_all else (middle, high)
    return range(low, high)


@pytest.fixture(params=ADAPTERS)
def node(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: Cluster
) -> Iterator[Api]:
    urls = {
        "memory": lambda: "memory:",
        "sqlite": lambda: f"sqlite:///{tmp_path_factory.mktemp('bisection')}/record.db",
        "postgres": postgres.fresh_database,
    }
    with api(urls[request.param]()) as found:
        yield found


def given_a_secret(node: Api, secret: Secret, value: int) -> None:
    """Among what the attacker sees are links to what it does not see, and the other way round."""
    result = {"subject": {"reference": "Patient/a"}, "result": [{"reference": "Observation/x"}]}
    report = {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "code": {"text": "x"}}
    node.store(patient("a"), patient("h", "Zz", birthDate="1949-01-01"), secret.resource(value))
    node.store(report | result, observation("s", "a") | {"performer": [{"reference": "Patient/h"}]})
    given_a_reader_of(node, "a")
    node.personas[ALL_SEEING] = persona(ALL_SEEING, Reader.everything(ALL_SEEING), *ALL_RIGHTS)


@pytest.mark.parametrize("secret", SECRETS, ids=[secret.name for secret in SECRETS])
def test_halving_tells_nothing_of_the_hidden(node: Api, secret: Secret) -> None:
    rng = scale.seeded(f"bisection {secret.name}")
    questions = 0

    def asking(ask: Ask, who: str) -> Callable[[int], object]:
        def below(place: int) -> object:
            nonlocal questions
            questions += 1
            return heard(ask(node, who, secret, secret.below(place) if place else "_id=never"))

        return below

    for _ in range(ROUNDS):
        value = rng.randrange(secret.size)
        given_a_secret(node, secret, value)
        for way, ask in WAYS.items():
            hidden = left_after(asking(ask, READER), secret.size)
            assert len(hidden) == secret.size, f"{way}: {log2(secret.size / len(hidden)):g} bits"
            found = left_after(asking(ask, ALL_SEEING), secret.size)
            assert list(found) == [value], f"{way} tells nothing of what is in sight either"
    print(f"\n{questions} questions in {len(WAYS)} ways: 0 of {log2(secret.size):g} bits")
