"""All interactions, and the two that describe the others."""

from functools import cache

import msgspec

from kintung.consent import Policy
from kintung.errors import NotSupported, ValueInvalid
from kintung.web.fhir import (
    asynchronous,
    batch_or_transaction,
    compartment,
    create,
    delete,
    everything,
    history,
    ihe_pix,
    lastn,
    match,
    meta,
    meta_change,
    patch,
    process_message,
    read,
    search,
    subscription_status,
    update,
    validate,
    vread,
)
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.capabilities import statement
from kintung.web.fhir.headers import PLAIN
from kintung.web.fhir.openapi import document
from kintung.web.fhir.registry import Interaction, Recordless, Registry, searched_by
from kintung.web.fhir.request import HOW, Request, not_offered, refuse_parameters
from kintung.web.outcomes import Headers
from kintung.web.site import Site

_BASE = b"base:of-this-node"
"""Stands for the address of the node: callers choose it, and the rest is made once."""
_JSON: Headers = ((b"content-type", b"application/json"), *PLAIN[1:])


def _metadata(site: Site, request: Request) -> Answer:
    """The whole statement for every mode of it: all that is offered stands in it once.

    Raises:
        NotSupported: ``mode=terminology``: there is no terminology service; or another parameter.
    """
    for name, value in request.pairs:
        if name not in (*HOW, "mode"):
            raise not_offered(name)
        if name == "mode" and value == "terminology":
            raise NotSupported("This node is no terminology service; ask for mode=full.", path="mode")
        if name == "mode" and value not in ("full", "normative"):
            raise ValueInvalid("The mode is one of full, normative, terminology.", path="mode")
    settings = site.settings
    made = _statement(deletes_several=settings.delete_at_most > 1, lists_origins=bool(settings.allow_origins))
    return Answer(200, PLAIN, made.replace(_BASE, _in_json(request.base)))


def _openapi(_site: Site, request: Request) -> Answer:
    refuse_parameters(request)
    return Answer(200, _JSON, _document().replace(_BASE, _in_json(request.base)))


def _in_json(base: str) -> bytes:
    return msgspec.json.encode(base)[1:-1]


@cache
def _statement(*, deletes_several: bool, lists_origins: bool) -> bytes:
    return statement(
        INTERACTIONS, _BASE.decode(), deletes_several=deletes_several, lists_origins=lists_origins
    )


@cache
def _document() -> bytes:
    return document(INTERACTIONS, _BASE.decode())


INTERACTIONS: tuple[Interaction, ...] = (
    Interaction(
        "capabilities",
        "GET",
        "/metadata",
        Recordless(_metadata),
        None,
        Policy.OPEN,
        "What this node offers, as a CapabilityStatement.",
    ),
    Interaction(
        "openapi",
        "GET",
        "/openapi.json",
        Recordless(_openapi),
        None,
        Policy.OPEN,
        "What this node offers, as an OpenAPI document.",
    ),
    read.INTERACTION,
    vread.INTERACTION,
    create.INTERACTION,
    *update.INTERACTIONS,
    *patch.INTERACTIONS,
    *delete.INTERACTIONS,
    *history.INTERACTIONS,
    *search.INTERACTIONS,
    *compartment.INTERACTIONS,
    batch_or_transaction.INTERACTION,
    *validate.INTERACTIONS,
    *meta.INTERACTIONS,
    *meta_change.INTERACTIONS,
    *everything.INTERACTIONS,
    *lastn.INTERACTIONS,
    *match.INTERACTIONS,
    *ihe_pix.INTERACTIONS,
    process_message.INTERACTION,
    *subscription_status.INTERACTIONS,
    *asynchronous.INTERACTIONS,
)

REGISTRY = Registry(INTERACTIONS, searched_by())
