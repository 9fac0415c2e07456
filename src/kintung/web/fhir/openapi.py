"""The OpenAPI document: GET /openapi.json, written from the registry.

OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1.html). It says what HTTP shows: addresses,
parameters, statuses, media types. What a resource must be is said by its FHIR definition,
of which only ``resourceType`` is repeated here.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, get_args

import msgspec

from kintung.fhir.references import ID
from kintung.fhir.search import compartment_types, parameters
from kintung.fhir.subset import Summary
from kintung.web.fhir.headers import JSON_PATCH
from kintung.web.fhir.operation import Input, inputs_of
from kintung.web.fhir.registry import RESOURCE_TYPES, Carries, Interaction, Later, Reads, Recordless, Writes
from kintung.web.outcomes import STATUS

_FHIR = "application/fhir+json"
_FORM = "application/x-www-form-urlencoded"
_OUTCOME = {"$ref": "#/components/schemas/OperationOutcome"}
_RESOURCE = {"$ref": "#/components/schemas/Resource"}
_ANYTHING = {"type": "object"}
_BUNDLE = {"$ref": "#/components/schemas/Bundle"}

_PARTS = {
    "type": {"type": "string", "enum": list(RESOURCE_TYPES)},
    "member": {"type": "string", "enum": list(RESOURCE_TYPES)},
    "id": {"type": "string", "pattern": f"^{ID}$"},
    "version": {"type": "string", "pattern": "^[1-9][0-9]{0,17}$"},
}
_OF_COMPARTMENTS = {"type": {"type": "string", "enum": sorted(compartment_types())}}
_REFUSED = sorted({status for status in STATUS.values() if status != 500})
_OF_WRITES, _OF_BODIES, _OF_DELETIONS = frozenset({409, 412, 422}), frozenset({415}), frozenset({410})
"""Refusals that meet only what writes, what has a body, and what names one resource."""
_PREFIX = "^(eq|ne|gt|lt|ge|le|sa|eb|ap)?"


def _form(simplest: str, always: dict[str, Any], example: str) -> dict[str, Any]:
    """A value: ``simplest`` is how to write one, ``always`` is true of all that are accepted."""
    either = [{"pattern": simplest}, always]
    return {"type": "string", "anyOf": either, "examples": [example]}


_SOMETHING = {"minLength": 1}
_OF_TYPE: dict[str, dict[str, Any]] = {
    "boolean": {"type": "boolean"},
    "code": {"type": "string", "minLength": 1},
    "date": {"type": "string", "format": "date"},
    "instant": {"type": "string", "format": "date-time"},
    "integer": {"type": "integer", "minimum": 0},
    "positiveInt": {"type": "integer", "minimum": 1},
    "string": {"type": "string", "minLength": 1},
    "uri": {"type": "string", "minLength": 1},
}
"""How a value of an operation's parameter is written, by its type."""
_FORMS: dict[str, dict[str, Any]] = {
    "number": _form(
        _PREFIX + r"-?[0-9]{1,20}(\.[0-9]{1,10})?(e-?[0-9]{1,2})?$", {"pattern": "[0-9]"}, "gt0.8"
    ),
    "date": _form(
        _PREFIX + r"[12][0-9]{3}(-(0[1-9]|1[0-2])(-(0[1-9]|1[0-9]|2[0-8]))?)?$",
        {"pattern": "[0-9]{4}"},
        "ge2022-10-19",
    ),
    "string": {"type": "string", "minLength": 1, "examples": ["陳"]},
    "token": _form(r"^([^|\\,$]{0,60}\|)?[^|\\,$]{1,60}$", _SOMETHING, "http://loinc.org|8310-5"),
    "reference": _form(f"^{ID}$", _SOMETHING, "example"),
    "quantity": _form(
        _PREFIX + r"-?[0-9]{1,20}(\.[0-9]{1,10})?(\|[^|\\,$]{0,60}\|[^|\\,$]{1,20})?$",
        {"pattern": "[0-9]"},
        "5.4|http://unitsofmeasure.org|mg",
    ),
    "uri": {"type": "string", "minLength": 1, "examples": ["http://example.org/x"]},
    "special": _form(
        r"^-?[0-8]?[0-9](\.[0-9]{1,10})?\|-?1?[0-7]?[0-9](\.[0-9]{1,10})?\|[0-9]{1,4}(\|(km|m))?$",
        {"pattern": "[0-9]"},
        "22.28|114.16|5|km",
    ),
    "composite": _form(r"^[a-z]{1,20}\$[1-9][0-9]{0,9}$", {"pattern": r"\$"}, "8480-6$gt140"),
}
"""How a value of each kind of search parameter is written."""
_ANSWERED_HOW: dict[str, dict[str, Any]] = {
    "_count": {"type": "integer", "minimum": 0},
    "_total": {"type": "string", "enum": ["none", "estimate", "accurate"]},
    "_sort": {"type": "string", "minLength": 1},
    "_contained": {"type": "string", "enum": ["false"]},
}
_SUMMARIES = list(get_args(Summary))
_PART: dict[str, dict[str, Any]] = {
    "_summary": {"type": "string", "enum": _SUMMARIES},
    "_elements": {"type": "string", "minLength": 1, "examples": ["status,subject"]},
}
_INCLUDED: dict[str, Any] = {
    "type": "string",
    "anyOf": [
        {"enum": ["*", "Observation:subject", "Observation:subject:Patient", "Patient:organization"]},
        {"pattern": r"^(\*|[A-Za-z]+:[^:]+(:[A-Za-z]+)?)$"},
    ],
    "examples": ["Observation:subject"],
}
_INCLUDES = dict.fromkeys(("_include", "_include:iterate", "_revinclude", "_revinclude:iterate"), _INCLUDED)
"""In an address each may stand several times."""
_JSON_PATCH: dict[str, Any] = {
    "schema": {"type": "array", "items": {"type": "object"}},
    "example": [{"op": "replace", "path": "/birthDate", "value": "1954-07-02"}],
}
_FHIRPATH_PATCH: dict[str, Any] = {
    "schema": _RESOURCE,
    "example": {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "operation",
                "part": [
                    {"name": "type", "valueCode": "replace"},
                    {"name": "path", "valueString": "Patient.birthDate"},
                    {"name": "value", "valueDate": "1954-07-02"},
                ],
            }
        ],
    },
}
_WISHES = ["return=representation", "return=OperationOutcome"]
"""``return=minimal`` too, after which there is no body: no document can say that a body depends on it."""
_OF_AN_INSTANCE = ("read", "history-instance", "update", "delete")
_BUNDLES = {"process-message": "message"}
"""Operations that are sent a Bundle, and its type."""
_SUBJECTS = ("patient", "subject", "category", "code")
"""Of $lastn: a search of Observations by one of the first two and one of the others."""
_ANY_SEARCH = ("_id", "_lastUpdated", "_sort")
_OF_TYPES = ("", "/{type}/{id}", "/{type}/{id}/*")
"""Where several types are searched at once."""
_TYPES: dict[str, Any] = {"type": "string", "minLength": 1, "examples": ["Observation,Encounter"]}
_EXAMPLE = {
    "resourceType": "Patient",
    "id": "example",
    "name": [{"text": "陳大文"}],
    "gender": "male",
    "birthDate": "1954-07-01",
}


def document(interactions: Sequence[Interaction], base: str) -> bytes:
    """The document of a node reached at ``base``.

    The parameters of a type are those of its search by POST, whose address names the type and
    nothing else; its search by GET takes the same.
    """
    paths: dict[str, Any] = {}
    for interaction in interactions:
        paths.setdefault(interaction.path or "/", {})[interaction.method.lower()] = _operation(interaction)
    paths |= _of_binaries(interactions)
    search = next((each for each in interactions if each.name == "search-type-post"), None)
    if search is not None:
        paths |= {f"/{type}/_search": {"post": _search_of(type, search)} for type in RESOURCE_TYPES}
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Kintung 健通",
                "version": version("kintung"),
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": base}],
            "paths": paths,
            "components": {"schemas": _schemas() | _FORMS, "responses": _shared_responses()},
        }
    )


def _operation(interaction: Interaction) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": interaction.name,
        "summary": interaction.description,
        "parameters": [
            *_path_parameters(interaction),
            *_query_parameters(interaction),
            *_header_parameters(interaction),
        ],
        "responses": _responses(interaction),
    }
    if interaction.method in ("POST", "PUT", "PATCH"):
        described["requestBody"] = _body(interaction)
    return described


def _path_parameters(interaction: Interaction) -> list[dict[str, Any]]:
    schemas = _PARTS | _OF_COMPARTMENTS if interaction.name.startswith("search-compartment") else _PARTS
    if interaction.types:
        schemas = schemas | {"type": {"type": "string", "enum": list(interaction.types)}}
    return [
        {"name": part.strip("{}"), "in": "path", "required": True, "schema": schemas[part.strip("{}")]}
        for part in interaction.path.split("/")
        if part.startswith("{")
    ]


def _query_parameters(interaction: Interaction) -> list[dict[str, Any]]:
    text = {"type": "string", "minLength": 1}
    count = _query("_count", {"type": "integer", "minimum": 0})
    part = [_query(name, schema) for name, schema in _PART.items()]
    if interaction.name.startswith("history"):
        instant = {"type": "string", "format": "date-time"}
        order = {"type": "string", "enum": ["_lastUpdated", "-_lastUpdated"]}
        return [count, _query("_since", instant), _query("_at", instant), _query("_sort", order), *part]
    if interaction.name.startswith("search"):
        total = _query("_total", {"type": "string", "enum": ["none", "estimate", "accurate"]})
        includes = [_query(name, {"type": "array", "items": schema}) for name, schema in _INCLUDES.items()]
        contained = _query("_contained", _ANSWERED_HOW["_contained"])
        is_of_types = interaction.path.removesuffix("/_search") in _OF_TYPES
        types = [_query("_type", _TYPES)] if is_of_types else []
        own = [*types, count, total, contained]
        return [*own, *(_query(name, text) for name in _ANY_SEARCH), *includes, *part]
    if interaction.name in ("read", "vread"):
        of_one = [summary for summary in _SUMMARIES if summary != "count"]
        return [_query("_summary", {"type": "string", "enum": of_one}), part[1]]
    if interaction.types:
        subject = _SUBJECTS if interaction.name.startswith("lastn") else ()
        own = [
            _query(each.name, _OF_TYPE[each.type]) for each in _inputs(interaction) if each.type != "Resource"
        ]
        return own + [_query(name, text) for name in subject]
    if interaction.name == "capabilities":
        return [_query("mode", {"type": "string", "enum": ["full", "normative"]})]
    return [_query("_id", text)] if interaction.name.startswith("conditional") else []


def _inputs(interaction: Interaction) -> list[Input]:
    """What an operation takes, of whatever type it is asked."""
    found = {
        each.name: each
        for type in interaction.types
        for each in inputs_of(interaction.operation.format(type=type)).values()
    }
    return list(found.values())


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


def _header_parameters(interaction: Interaction) -> list[dict[str, Any]]:
    names: list[tuple[str, dict[str, Any]]] = []
    held = {"type": "string", "pattern": r'^(W/"[0-9]{1,18}"|[0-9]{1,18})$'}
    etags = {"type": "string", "pattern": r'^W/"[0-9]{1,18}"$'}
    if interaction.name in ("read", "vread"):
        # Any text: RFC 9110 has a date that cannot be read passed over, not refused.
        names += [("If-None-Match", held), ("If-Modified-Since", {"type": "string"})]
    if interaction.method in ("PUT", "PATCH", "DELETE"):
        names.append(("If-Match", etags))
    if interaction.name == "create":
        names.append(("If-None-Exist", {"type": "string", "pattern": r"^[!-~]{1,100}$"}))
    if isinstance(interaction.action, Writes | Carries):
        names.append(("Idempotency-Key", {"type": "string", "pattern": r"^[!-~]([ -~]{0,126}[!-~])?$"}))
        # Any text: RFC 7240 has preferences that are not known passed over, not refused.
        names.append(("Prefer", {"type": "string", "examples": _WISHES}))
    elif interaction.may_be_later:
        names.append(("Prefer", {"type": "string"}))
    return [{"name": name, "in": "header", "schema": schema} for name, schema in names]


def _body(interaction: Interaction) -> dict[str, Any]:
    if interaction.name.startswith("meta") or interaction.types:
        return _input_body(interaction)
    if interaction.path.endswith("_search"):
        form = {"type": "object", "additionalProperties": {"type": "string"}}
        return {"content": {_FORM: {"schema": form, "example": {"_count": "5"}}}}
    kind = "batch" if isinstance(interaction.action, Carries) else _BUNDLES.get(interaction.name)
    if kind is not None:
        example = {"resourceType": "Bundle", "type": kind}
        return {"required": True, "content": {_FHIR: {"schema": _BUNDLE, "example": example}}}
    if isinstance(interaction.action, Recordless):
        # Whatever is sent is answered: that it is no resource is a finding.
        return {"content": {_FHIR: {"schema": {}, "example": _EXAMPLE}}}
    if interaction.method == "PATCH":
        return {"required": True, "content": {JSON_PATCH.decode(): _JSON_PATCH, _FHIR: _FHIRPATH_PATCH}}
    return {"required": True, "content": {_FHIR: {"schema": _RESOURCE, "example": _EXAMPLE}}}


def _input_body(interaction: Interaction) -> dict[str, Any]:
    """By what only reads nothing need be sent; to $meta-add and $meta-delete a Meta."""
    tag = {"system": "http://example.org/tags", "code": "reviewed"}
    given = [{"name": "meta", "valueMeta": {"tag": [tag]}}]
    parameters = {"resourceType": "Parameters"}
    if any(each.type == "Resource" for each in _inputs(interaction)):
        return {"required": True, "content": {_FHIR: {"schema": _RESOURCE, "example": _EXAMPLE}}}
    if isinstance(interaction.action, Reads):
        return {"content": {_FHIR: {"schema": _RESOURCE, "example": parameters}}}
    example = {**parameters, "parameter": given}
    return {"required": True, "content": {_FHIR: {"schema": _RESOURCE, "example": example}}}


def _search_of(type: str, interaction: Interaction) -> dict[str, Any]:
    """The search of one type: every parameter it has, each in the form its kind is written in."""
    properties: dict[str, Any] = {
        code: dict(schema) for code, schema in {**_ANSWERED_HOW, **_INCLUDES, **_PART}.items()
    }
    for code, parameter in sorted(parameters(type).items()):
        if parameter.kind in _FORMS:
            properties[code] = {"$ref": f"#/components/schemas/{parameter.kind}"}
    form = {"type": "object", "properties": properties}
    return {
        "operationId": f"{interaction.name}-{type}",
        "summary": interaction.description,
        "requestBody": {"content": {_FORM: {"schema": form, "example": {"_count": "5"}}}},
        "responses": _responses(interaction),
    }


def _shared_responses() -> dict[str, Any]:
    """Each refusal the table of errors has, by its status."""
    return {str(status): _answer(_OUTCOME) for status in _REFUSED}


def _responses(interaction: Interaction) -> dict[str, Any]:
    """What may come back: the good answers, and each refusal."""
    answers: dict[str, Any] = {str(status): _answer(schema) for status, schema in _good(interaction)}
    if interaction.name in ("read", "vread"):
        answers["200"]["content"]["*/*"] = {"schema": {}}  # of a Binary, what it holds
    if interaction.name == "create":
        answers["201"]["links"] = {name: _link(name) for name in _OF_AN_INSTANCE}
    for status in _refusals(interaction):
        answers[str(status)] = {"$ref": f"#/components/responses/{status}"}
    return answers


def _refusals(interaction: Interaction) -> list[int]:
    """Statuses of refusals: those that may meet any request, and those by what the interaction does."""
    by_id = "{id}" in interaction.path and interaction.method in ("GET", "PATCH", "POST")
    other: frozenset[int] = frozenset()
    if isinstance(interaction.action, Reads | Recordless | Later):
        other |= _OF_WRITES
    if interaction.method in ("GET", "DELETE"):
        other |= _OF_BODIES
    is_carried = isinstance(interaction.action, Carries)
    if isinstance(interaction.action, Recordless | Later) or not (by_id or is_carried):
        other |= _OF_DELETIONS
    return [status for status in _REFUSED if status not in other]


def _of_binaries(interactions: Sequence[Interaction]) -> dict[str, Any]:
    """What is content for a Binary where it is a resource for other types: http://hl7.org/fhir/R4/binary.html#rest."""
    content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    context = {
        "name": "X-Security-Context",
        "in": "header",
        "schema": {"type": "string", "pattern": "^Patient/1$"},
    }
    paths: dict[str, Any] = {}
    for interaction in interactions:
        if interaction.name in ("create", "update"):
            described = _operation(interaction)
            described["operationId"] = f"{interaction.name}-Binary"
            described["requestBody"]["content"] |= content
            described["parameters"] = [each for each in described["parameters"] if each["name"] != "type"] + [
                context
            ]
            described["responses"].get("201", {}).pop("links", None)
            path = interaction.path.replace("{type}", "Binary")
            paths.setdefault(path, {})[interaction.method.lower()] = described
    return paths


def _link(name: str) -> dict[str, Any]:
    """How what was created leads to another operation on it."""
    return {
        "operationId": name,
        "parameters": {"type": "$request.path.type", "id": "$response.body#/id"},
    }


def _good(interaction: Interaction) -> list[tuple[int, dict[str, Any] | None]]:
    later: list[tuple[int, dict[str, Any] | None]] = [(202, None)] if interaction.may_be_later else []
    match interaction.action:
        case Recordless():
            return [(200, {"openapi": _ANYTHING, "capabilities": _RESOURCE}.get(interaction.name, _OUTCOME))]
        case Later():
            return [(202, None)] if interaction.method == "DELETE" else [(200, _BUNDLE), (202, None)]
        case Reads():
            many = interaction.types or interaction.name.startswith(("search", "history"))
            schema = _BUNDLE if many else _RESOURCE
            shows_one = "{id}" in interaction.path and schema is _RESOURCE
            return [(200, schema), *later, *([(304, None)] if shows_one else [])]
        case Carries():
            return [(200, _BUNDLE), *later]
        case Writes():
            if interaction.method == "DELETE":
                return [(204, None)]
            may_create = interaction.method != "PATCH" and not interaction.operation
            return [(200, _RESOURCE), *([(201, _RESOURCE)] if may_create else [])]


def _answer(schema: dict[str, Any] | None) -> dict[str, Any]:
    described: dict[str, Any] = {"description": "See the API pages."}
    if schema is _ANYTHING:
        described["content"] = {"application/json": {"schema": schema}}
    elif schema is not None:
        described["content"] = {_FHIR: {"schema": schema}}
    return described


def _schemas() -> dict[str, Any]:
    issue = {
        "type": "object",
        "required": ["severity", "code"],
        "properties": {
            "severity": {"enum": ["fatal", "error", "warning", "information"]},
            "code": {"type": "string"},
            "details": {"type": "object", "properties": {"text": {"type": "string"}}},
            "expression": {"type": "array", "items": {"type": "string"}},
        },
    }
    return {
        "Resource": {
            "type": "object",
            "required": ["resourceType"],
            "properties": {"resourceType": {"type": "string", "enum": list(RESOURCE_TYPES)}},
        },
        "Bundle": {
            "type": "object",
            "required": ["resourceType", "type"],
            "properties": {"resourceType": {"const": "Bundle"}, "type": {"type": "string"}},
        },
        "OperationOutcome": {
            "type": "object",
            "required": ["resourceType", "issue"],
            "properties": {
                "resourceType": {"const": "OperationOutcome"},
                "issue": {"type": "array", "minItems": 1, "items": issue},
            },
        },
    }
