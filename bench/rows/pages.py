"""Pages as a browser asks for them: a person found as one types, and a record of a thousand resources.

All are of one record: a copy of the one that ``match`` asks, with one person more, who has the thousand.
Of some of its people what one may know is typed sign by sign, and after each sign the form is sent and the
page it leads to is fetched, as the script of the page does: a name in characters or in letters, a name and
a year, a birth date, a number.
"""

import random
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import median
from typing import Any

import httpx

from bench import population
from bench.figures import Figure, Size, Times, short
from bench.processes import serving
from bench.rows import match
from bench.wrk import HOST
from kintung.app import open_node
from kintung.identity.names import is_han

TYPED = 0.1
"""Goal for one sign, by the clock."""
READ = 0.15
"""Goal for the page of a record."""
TEXTS, FEWER = 60, 20
"""People of whom one types, on each of the two pages."""
RESOURCES = 1_000
ROUNDS = 40


def measure(size: Size) -> list[Figure]:
    made, queries = match.record(size)
    with population.copied(made) as folder:
        url = population.url(folder)
        with open_node(url) as node:
            resources = list(_resources(random.Random(1)))
            assert len(resources) == RESOURCES
            population.commit(node, resources)
        with serving(url) as server, httpx.Client(base_url=f"http://{HOST}:{server.port}") as client:
            figures = [
                _finding(client, "/find", queries[:TEXTS]),
                _finding(client, "/steward/find", queries[:FEWER]),
            ]
            return [*figures, *_reading(client, queries)]


def _finding(client: httpx.Client, path: str, queries: list[match.Query]) -> Figure:
    texts = [text for each in queries for text in _texts(each.patient)]
    form = re.search(r'name="token" value="([^"]+)"', client.get(path).text)
    assert form is not None
    timed = [(_typed(client, path, form[1], sign), sign) for text in texts for sign in _signs(text)]
    times = Times.of([seconds for seconds, _ in timed])
    slowest = ", ".join(f"{sign} {short(seconds)}" for seconds, sign in sorted(timed, reverse=True)[:3])
    return Figure(
        f"{path}, as one types",
        str(times),
        f"{len(timed)} signs of {len(texts)} texts, one client; slowest: {slowest}",
        f"p99 ≤ {short(TYPED)}",
        times.p99 <= TYPED,
    )


def _texts(patient: dict[str, Any]) -> Iterator[str]:
    """What one may type of a person, each kind once."""
    year = patient.get("birthDate", "")[:4]
    for name in patient.get("name", ()):
        text = " ".join((name.get("family", ""), *name.get("given", ())))
        yield "".join(text.split()) if is_han(text[0]) else text
        yield f"{text} {year}"
    if patient.get("birthDate"):
        yield patient["birthDate"]
    yield from (each["value"] for each in patient.get("identifier", ())[-1:])


def _signs(text: str) -> Iterator[str]:
    """What stands in the box after each sign, from the least that the script sends on."""
    least = 1 if is_han(text[0]) else 2
    for end in range(least, len(text) + 1):
        if not text[:end].endswith(" "):
            yield text[:end]


def _typed(client: httpx.Client, path: str, token: str, text: str) -> float:
    began = time.perf_counter()
    answer = client.post(path, data={"token": token, "typed": text})
    page = client.get(answer.headers["location"])
    taken = time.perf_counter() - began
    assert page.status_code == 200, page.text
    return taken


def _reading(client: httpx.Client, queries: list[match.Query]) -> list[Figure]:
    """Each page asked for by one client, time after time; of the people of the record each of some once."""
    one = ["/record/one"] * ROUNDS
    today = datetime.now(UTC).date()
    return [
        _page(client, f"the record of {RESOURCES:,} resources", one),
        _page(client, "  as at a day", [f"{path}?as-at={today}" for path in one]),
        _page(client, "  its timeline", [f"{path}/timeline" for path in one]),
        _page(client, "  one thing of it", [f"{path}/Observation/r1" for path in one]),
        _page(client, "  as PDF", [f"{path}/summary.pdf" for path in one], goal=None),
        _page(client, "the records of others", [f"/record/{each.id}" for each in queries[:ROUNDS]]),
        _page(client, "the pairs that wait", ["/steward"] * ROUNDS),
        _page(client, "the first page", ["/"] * ROUNDS),
        _page(client, "the seed map", ["/seeds"] * ROUNDS),
        _page(client, "the API page", ["/api"] * ROUNDS),
    ]


def _page(client: httpx.Client, what: str, paths: list[str], goal: float | None = READ) -> Figure:
    taken: list[float] = []
    sizes: list[int] = []
    for path in paths:
        began = time.perf_counter()
        page = client.get(path)
        taken.append(time.perf_counter() - began)
        assert page.status_code == 200, page.text
        sizes.append(page.num_bytes_downloaded)
    times = Times.of(taken)
    beside = f"{median(sizes) / 1000:,.0f} kB sent"
    if goal is None:
        return Figure(what, str(times), beside)
    return Figure(what, str(times), beside, f"p50 ≤ {short(goal)}", times.p50 <= goal)


_LOINC = "http://loinc.org"
_UCUM = "http://unitsofmeasure.org"
_RESULTS = (
    ("4548-4", "%", "%", 5.0, 9.0),
    ("14749-6", "mmol/L", "mmol/L", 4.0, 9.0),
    ("33914-3", "mL/min/{1.73_m2}", "mL/min/1.73m2", 40.0, 100.0),
    ("14647-2", "mmol/L", "mmol/L", 3.0, 7.0),
    ("29463-7", "kg", "kg", 50.0, 80.0),
)
"""Code, unit in UCUM and as it is said, and the least and the most."""


def _resources(chance: random.Random) -> Iterator[dict[str, Any]]:
    """A Patient, and visits with what was measured, found, given and prescribed at them."""
    yield {
        "resourceType": "Patient",
        "id": "one",
        "name": [{"family": "陳", "given": ["大文"]}, {"family": "CHAN", "given": ["Tai Man"]}],
        "birthDate": "1950-03-02",
        "gender": "male",
    }
    for number in range(RESOURCES - 1):
        when = f"{2010 + number % 16}-{1 + number % 12:02}-{1 + number % 28:02}"
        made = _MADE[number % len(_MADE)]
        yield made(f"r{number}", {"reference": "Patient/one"}, when, number, chance)


def _pressure(id: str, patient: Any, when: str, _number: int, chance: random.Random) -> dict[str, Any]:
    def part(code: str, least: int, most: int) -> dict[str, Any]:
        quantity = {"value": chance.randint(least, most), "unit": "mmHg", "system": _UCUM, "code": "mm[Hg]"}
        return {"code": {"coding": [{"system": _LOINC, "code": code}]}, "valueQuantity": quantity}

    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"coding": [{"system": _LOINC, "code": "85354-9"}]},
        "subject": patient,
        "effectiveDateTime": when,
        "component": [part("8480-6", 110, 160), part("8462-4", 60, 100)],
    }


def _result(id: str, patient: Any, when: str, number: int, chance: random.Random) -> dict[str, Any]:
    code, ucum, unit, least, most = _RESULTS[number % len(_RESULTS)]
    value = round(chance.uniform(least, most), 1)
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"coding": [{"system": _LOINC, "code": code}]},
        "subject": patient,
        "effectiveDateTime": when,
        "valueQuantity": {"value": value, "unit": unit, "system": _UCUM, "code": ucum},
    }


def _visit(id: str, patient: Any, when: str, _number: int, _chance: random.Random) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": id,
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": patient,
        "period": {"start": when, "end": when},
    }


def _prescription(id: str, patient: Any, when: str, number: int, _chance: random.Random) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": id,
        "status": "active" if number % 9 == 0 else "completed",
        "intent": "order",
        "medicationCodeableConcept": {"text": f"metformin {250 * (1 + number % 4)} mg"},
        "subject": patient,
        "authoredOn": when,
    }


_MADE = (_pressure, _result, _result, _visit, _result, _pressure, _prescription, _visit)
