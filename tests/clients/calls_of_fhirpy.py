"""Calls of fhirpy beyond those of the page: one JSON object, each call and "done" or how it is refused."""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

from fhirpy import AsyncFHIRClient, SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome
from fhirpy.base.searchset import Raw

found: dict[str, str] = {}


def call(name: str, work: Callable[[], Any]) -> None:
    try:
        found[name] = "done" if work() else "nothing came"
    except OperationOutcome as refused:
        found[name] = refused.resource["issue"][0]["code"]


async def counted() -> list[str]:
    """The ids of what the asynchronous client finds."""
    client: Any = AsyncFHIRClient(sys.argv[1])
    return [each.id async for each in client.resources("Patient").search(family="Chan")]


client: Any = SyncFHIRClient(sys.argv[1])
lenient: Any = SyncFHIRClient(sys.argv[1], extra_headers={"Prefer": "handling=lenient"})


def numbered(number: str) -> Any:
    return client.resource("Patient", identifier=[{"system": "http://example.org/mrn", "value": number}])


def types(search: Any) -> set[str]:
    """The types of what a search gives, matches or not."""
    return {entry.resource.resourceType for entry in search.fetch_raw().entry}


clinic = client.resource("Organization", name="Harbour Clinic")
clinic.save()
patient = client.resource("Patient", name=[{"family": "Chan"}], gender="male")
patient["managingOrganization"] = clinic.to_reference()
patient.save()
weight = client.resource("Observation", status="final", subject=patient.to_reference())
weight["code"] = {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}
weight["effectiveDateTime"] = "2022-10-19"
weight.save()
patients, observations = client.resources("Patient"), client.resources("Observation")
seven = patients.search(identifier="http://example.org/mrn|7")

call("is_valid", patient.is_valid)
call("refresh", patient.refresh)
call("update", patient.update)
call("get", lambda: patients.search(family="Chan").get().id == patient.id)
call("first", lambda: patients.first().id == patient.id)
call("conditional update", lambda: seven.update(numbered("7")))
call("conditional delete", seven.delete)
call("has", lambda: len(patients.has("Observation", "patient", code="29463-7").fetch()) == 1)
call(
    "prefix and missing",
    lambda: len(observations.search(date__ge="2022", performer__missing=True).fetch()) == 1,
)
call("sort and limit", lambda: patients.sort("-_lastUpdated", "family").limit(1).fetch())
call("as written", lambda: patients.search(Raw(name="Chan")).fetch())
with_patient = observations.include("Observation", "subject")
with_clinic = with_patient.include("Patient", "organization", iterate=True)
call("include", lambda: types(with_patient) == {"Observation", "Patient"})
call("include iterated", lambda: types(with_clinic) == {"Observation", "Patient", "Organization"})
call("revinclude", lambda: types(patients.revinclude("Observation", "subject")) == {"Observation", "Patient"})
call("history", lambda: patient.execute("_history", "get")["total"] == 2)
call("elements", lambda: "gender" not in patients.search(family="Chan").elements("name").first())
call("elements excluded", lambda: patients.elements("name", exclude=True).fetch())
call("everything", lambda: len(patient.execute("$everything", "get")["entry"]) == 3)
call("count, leniently", lambda: lenient.resources("Patient").count() == 1)
call("count", patients.count)
call("get_or_create", lambda: seven.get_or_create(numbered("7")))
call("patch with a part", lambda: patient.patch(birthDate="1954-07-01"))

call("asynchronously", lambda: asyncio.run(counted()) == [patient.id])

print(json.dumps(found))
