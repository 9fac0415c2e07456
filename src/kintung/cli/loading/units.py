"""One item to what the store or a batch does with it, the way a request goes."""

from hashlib import sha256
from typing import Any

import msgspec
from msgspec import structs

from kintung.app import Node
from kintung.cli.loading.sources import Item
from kintung.consent import Access, Right
from kintung.errors import NotFound
from kintung.fhir.json import parse
from kintung.store.port import Unit, View
from kintung.store.reader import Reader
from kintung.store.writes import AuditRecord, Idempotency, Prepared
from kintung.web.fhir.batch import Batch
from kintung.web.fhir.bundle import received
from kintung.web.fhir.create import create
from kintung.web.fhir.interactions import REGISTRY
from kintung.web.fhir.request import Request
from kintung.web.fhir.transaction import Transaction
from kintung.web.fhir.update import update
from kintung.web.site import Site, WebSettings

_ACCESS = Access(
    actor="load",
    organisation="",
    purpose="",
    reader=Reader.everything("load"),
    rights=frozenset({Right.DEPOSIT, Right.PLACE, Right.VIEW}),
    client="load",
)


def site_of(node: Node, base_url: str) -> Site:
    """What requests need of a node, for the items of a load."""
    return Site.of(node, WebSettings(base_url, notified=None))


def is_batch(item: Item) -> bool:
    """A batch has a unit for each of its entries; any other item has one."""
    return _bundle_type(item) == "batch"


def batch_of(site: Site, item: Item) -> Batch:
    """The batch of an item, to be done.

    Raises:
        BadInput: it is not what the definition of a Bundle allows.
    """
    return Batch(site, REGISTRY, _request(site, item), received(site, item.raw))


def unit_of(site: Site, item: Item) -> Unit:
    """The unit of an item: a transaction done, a resource stored under its id or a new one.

    Raises:
        KintungError: the item is refused whatever the record holds.
    """
    if item.fault is not None:
        raise item.fault
    request = _request(site, item)
    if _bundle_type(item) == "transaction":
        unit = Transaction(site, request, received(site, item.raw)).unit()
    else:
        resource = parse(item.raw)
        type, id = str(resource.get("resourceType")), str(resource.get("id") or "")
        method, path = ("PUT", f"{type}/{id}") if id else ("POST", type)
        one = structs.replace(request, method=method, path=path, resource=resource, type=type, id=id)
        unit = (update if id else create)(site, one).unit
    return Unit(unit.reader, unit.prepare, _idempotency(item))


def patient_of(item: Item) -> str | None:
    """The id of the Patient that an accepted item is, where it brings one."""
    head = _heads.decode(item.raw)
    return head.id or None if head.resource_type == "Patient" else None


def prepared_elsewhere(site: Site, item: Item) -> Unit:
    """The unit of an item that was prepared already: the item is read again only if it must be."""
    return Unit(_ACCESS.reader, lambda view: unit_of(site, item).prepare(view), _idempotency(item))


def refused(item: Item, status: int) -> AuditRecord:
    """What is on record of an item that was refused."""
    return AuditRecord(_ACCESS.actor, "", "", "load", f"{item.file} line {item.place}", status)


def earlier(item: Item) -> Unit:
    """A unit that is answered if the item was loaded before, and else refused."""
    return Unit(_ACCESS.reader, _refuse, _idempotency(item))


def _refuse(_view: View) -> Prepared:
    raise NotFound("It was not loaded before.")


def _request(site: Site, item: Item) -> Request:
    """The request of an item; its key is for the entries of a batch, each a unit of its own."""
    headers = {b"prefer": b"return=minimal", b"idempotency-key": item.key.encode()}
    return Request("POST", "", "", headers, _ACCESS, site.settings.base_url, item.raw)


def _idempotency(item: Item) -> Idempotency:
    return Idempotency(_ACCESS.client, item.key, sha256(item.raw).digest())


class _Head(msgspec.Struct, rename={"resource_type": "resourceType"}):
    resource_type: str = ""
    id: str = ""
    type: Any = ""


_heads = msgspec.json.Decoder(_Head)


def _bundle_type(item: Item) -> str:
    """The type of a Bundle, "" for anything else; what is wrong with it is said where it is parsed."""
    if b'"Bundle"' not in item.raw:
        return ""
    try:
        head = _heads.decode(item.raw)
    except (msgspec.DecodeError, RecursionError):
        return ""
    return str(head.type) if head.resource_type == "Bundle" else ""
