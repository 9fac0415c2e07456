"""All entries of the registry, and the two that describe the others."""

from functools import cache

import msgspec

from kintung.consent import Policy
from kintung.web.fhir import carry, create, delete, history, read, search, update, validate, vread
from kintung.web.fhir.capabilities import statement
from kintung.web.fhir.exchange import Answer, Request
from kintung.web.fhir.headers import PLAIN
from kintung.web.fhir.openapi import document
from kintung.web.fhir.registry import Entry, Registry, Say, searched_by
from kintung.web.outcomes import Headers
from kintung.web.site import Site

_BASE = b"base:of-this-node"
"""Stands for the address of the node: callers choose it, and the rest is made once."""
_JSON: Headers = [(b"content-type", b"application/json"), *PLAIN[1:]]


def _metadata(_site: Site, request: Request) -> Answer:
    return Answer(200, PLAIN, _statement().replace(_BASE, _in_json(request.base)))


def _openapi(_site: Site, request: Request) -> Answer:
    return Answer(200, _JSON, _document().replace(_BASE, _in_json(request.base)))


def _in_json(base: str) -> bytes:
    return msgspec.json.encode(base)[1:-1]


@cache
def _statement() -> bytes:
    return statement(ENTRIES, _BASE.decode())


@cache
def _document() -> bytes:
    return document(ENTRIES, _BASE.decode())


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "capabilities",
        "GET",
        "/metadata",
        Say(_metadata),
        None,
        Policy.OPEN,
        "What this node offers, as a CapabilityStatement.",
    ),
    Entry(
        "openapi",
        "GET",
        "/openapi.json",
        Say(_openapi),
        None,
        Policy.OPEN,
        "What this node offers, as an OpenAPI document.",
    ),
    read.ENTRY,
    vread.ENTRY,
    create.ENTRY,
    *update.ENTRIES,
    *delete.ENTRIES,
    *history.ENTRIES,
    *search.ENTRIES,
    carry.ENTRY,
    *validate.ENTRIES,
)

REGISTRY = Registry(ENTRIES, searched_by())
