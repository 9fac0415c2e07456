"""capabilities: GET /metadata, written from the registry and the search parameters.

Source: http://hl7.org/fhir/R4/http.html#capabilities and capabilitystatement.html.
"""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import msgspec

from kintung.definitions import topics
from kintung.fhir.search import common, compartment_types, includes_of, parameters, revincludes_of
from kintung.identity.name_search import is_found_in_any_form
from kintung.subscriptions import BACKPORT, PROFILE
from kintung.web.fhir.headers import JSON_PATCH
from kintung.web.fhir.registry import RESOURCE_TYPES, Interaction

# The date of the statement is that of the interface it describes, changed with it by hand:
# a statement that changes with the clock could not be compared.
INTERFACE_DATE = "2026-11-22"

_MESSAGING = {
    "documentation": "By $process-message: Patients that are created, updated, deleted, or merged by the"
    " source that deposited both. Not offered: RelatedPersons, XML, and messages of other events.",
    "supportedMessage": [
        {
            "mode": "receiver",
            "definition": "https://profiles.ihe.net/ITI/PMIR/MessageDefinition/IHE.PMIR.MessageDefinition",
        }
    ],
}
"""http://hl7.org/fhir/R4/capabilitystatement-definitions.html#CapabilityStatement.messaging."""
_TOPIC = f"{BACKPORT}capabilitystatement-subscriptiontopic-canonical"
_SEARCH_KINDS = frozenset(
    ("number", "date", "string", "token", "reference", "quantity", "uri", "composite", "special")
)


def statement(
    interactions: Iterable[Interaction],
    base: str,
    *,
    deletes_several: bool = False,
    lists_origins: bool = False,
) -> bytes:
    """The CapabilityStatement of a node reached at ``base``.

    ``deletes_several``: a conditional delete may delete more than one resource. ``lists_origins``: pages
    of other origins may call it.
    """
    interactions = tuple(interactions)
    of_types = [code for each in interactions if "{type}" in each.path for code in each.codes]
    of_system = [code for each in interactions if "{type}" not in each.path for code in each.codes]
    rest = {
        "mode": "server",
        "documentation": "Every answer is what the consent the caller holds lets it see."
        " Searches, histories, $everything, $lastn and batches take Prefer: respond-async.",
        "security": {"cors": lists_origins},
        "resource": [
            _resource(type, of_types, interactions, "multiple" if deletes_several else "single")
            for type in RESOURCE_TYPES
        ],
        "interaction": [{"code": code} for code in of_system],
        "searchParam": [*_of_every_type(), {"name": "_list", "type": "string"}],
        "operation": _operations(interactions, ""),
        "compartment": [
            f"http://hl7.org/fhir/CompartmentDefinition/{type[0].lower()}{type[1:]}"
            for type in sorted(compartment_types())
        ],
    }
    return msgspec.json.encode(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": INTERFACE_DATE,
            "kind": "instance",
            "software": {"name": "Kintung", "version": version("kintung")},
            "implementation": {"description": "Kintung 健通", "url": base},
            "fhirVersion": "4.0.1",
            "format": ["json", "application/fhir+json"],
            "patchFormat": [JSON_PATCH.decode(), "application/fhir+json"],
            "rest": [rest],
            "messaging": [_MESSAGING],
        }
    )


def _resource(
    type: str, codes: Iterable[str], interactions: Iterable[Interaction], conditional_delete: str
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "type": type,
        "interaction": [{"code": code} for code in codes],
        "versioning": "versioned",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": conditional_delete,
        "referencePolicy": ["literal", "logical"],
        "searchInclude": ["*", *includes_of(type)],
        "searchRevInclude": revincludes_of(type),
    }
    if type == "Subscription":
        described["extension"] = [{"url": _TOPIC, "valueCanonical": url} for url in topics()]
        described["supportedProfile"] = [PROFILE]
    found = [_parameter(code, kind, url) | _found_by(type, code) for code, kind, url in _searched(type)]
    if found:
        described["searchParam"] = found
    operations = _operations(interactions, type)
    if operations:
        described["operation"] = operations
    return described


def _of_every_type() -> list[dict[str, str]]:
    """What the whole system is searched by; ``_list`` is declared beside it, as no definition has it."""
    return [_parameter(code, kind, url) for code, kind, url in _searched("Basic") if code in common()]


def _searched(type: str) -> list[tuple[str, str, str]]:
    return [
        (code, parameter.kind, parameter.url)
        for code, parameter in sorted(parameters(type).items())
        if parameter.kind in _SEARCH_KINDS
    ]


def _found_by(type: str, code: str) -> dict[str, str]:
    return {"documentation": _ANY_FORM} if is_found_in_any_form(type, code) else {}


_ANY_FORM = "Finds a name in its other scripts, spellings and orders as well; with :exact as it is written."


def _parameter(code: str, kind: str, url: str) -> dict[str, str]:
    return {"name": code, "definition": url, "type": kind} if url else {"name": code, "type": kind}


def _operations(interactions: Iterable[Interaction], type: str) -> list[dict[str, str]]:
    """The operations of a type, or of the system, each once however it is asked."""
    found = [
        (each.path.rpartition("$")[2], each.operation.format(type=type))
        for each in interactions
        if each.operation and ("{type}" in each.path) == bool(type) and (not each.types or type in each.types)
    ]
    return [{"name": name, "definition": definition} for name, definition in dict.fromkeys(found)]
