"""Calls of fhirclient beyond those of the page: one JSON object, each call and "done" or the refusal."""

import json
import sys
from collections.abc import Callable
from typing import Any

import requests
from fhirclient import client
from fhirclient.models.bundle import Bundle
from fhirclient.models.fhirreference import FHIRReference
from fhirclient.models.fhirsearch import FHIRSearch
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRNotFoundException

found: dict[str, str | int] = {}


def call(name: str, work: Callable[[], Any]) -> None:
    try:
        found[name] = "done" if work() else "nothing came"
    except (FHIRNotFoundException, requests.HTTPError) as refused:
        response: Any = refused.response
        found[name] = response.status_code


server: Any = client.FHIRClient({"app_id": "example", "api_base": sys.argv[1]}).server
created: Any = Patient({"name": [{"family": "Chan"}], "gender": "female"}).create(server)
patient: Any = Patient.read(created["id"], server)
weight: Any = Observation({"status": "final", "code": {"text": "weight"}})
weight.subject = FHIRReference({"reference": patient.relativePath()})
weight.create(server)


def update() -> bool:
    patient.active = True
    return patient.update(server)["meta"]["versionId"] == "2"


def included() -> list[str]:
    search: Any = FHIRSearch(Observation).include("subject")
    return [each.resource_type for each in search.perform_resources_iter(server)]


def where(criteria: dict[str, Any]) -> list[Any]:
    return list(Patient.where(criteria).perform_resources_iter(server))


def batch() -> list[str]:
    asked = {"request": {"method": "GET", "url": patient.relativePath()}}
    answered: Any = Bundle({"type": "batch", "entry": [asked]}).create(server)
    return [entry["response"]["status"] for entry in answered["entry"]]


call("prepare", server.prepare)
call("capabilityStatement", lambda: server.capabilityStatement.fhirVersion == "4.0.1")
call("update", update)
call("where", lambda: where({"name": {"$exact": "Chan"}, "gender": {"$or": ["female", "other"]}}))
call("where with $gt", lambda: where({"_lastUpdated": {"$gt": "2020"}}))
call("where with a prefix", lambda: where({"_lastUpdated": "gt2020"}))
call("include", lambda: included() == ["Observation", "Patient"])
call("vread", lambda: Patient.read_from(f"{patient.relativePath()}/_history/1", server))
call("batch", lambda: batch() == ["200 OK"])
call("read of nothing", lambda: Patient.read("nobody", server))

print(json.dumps(found))
