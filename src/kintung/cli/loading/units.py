"""One item to one unit of work, the way a request goes."""

from hashlib import sha256

import msgspec

from kintung.app import Node
from kintung.cli.loading.sources import Item
from kintung.consent import Access, Right
from kintung.errors import NotFound
from kintung.fhir.json import parse
from kintung.store.port import Idempotency, Prepared, Unit, View
from kintung.store.reader import Reader
from kintung.web.fhir.bundle import received
from kintung.web.fhir.create import create
from kintung.web.fhir.request import Request
from kintung.web.fhir.transaction import Transaction
from kintung.web.fhir.update import update
from kintung.web.site import Site, WebSettings

ACCESS = Access(
    actor="load",
    organisation="",
    purpose="",
    reader=Reader.everything("load"),
    rights=frozenset({Right.DEPOSIT, Right.PLACE, Right.VIEW}),
    client="load",
)


def unit_of(site: Site, item: Item) -> Unit:
    """The unit of an item: a transaction done, a resource stored under its id or a new one."""
    if item.fault is not None:
        raise item.fault
    request = request_of(site, item)
    if kind_of(item) == "transaction":
        unit = Transaction(site, request, received(site, item.raw)).unit()
        return Unit(unit.reader, unit.prepare, idempotency_of(item))
    resource = parse(item.raw)
    request.resource = resource
    type, id = str(resource.get("resourceType")), str(resource.get("id") or "")
    request.method, request.path = ("PUT", f"{type}/{id}") if id else ("POST", type)
    request.place({"type": type, "id": id})
    unit = (update if id else create)(site, request).unit
    return Unit(unit.reader, unit.prepare, idempotency_of(item))


def request_of(site: Site, item: Item) -> Request:
    """The request of an item; its key is for the entries of a batch, each a unit of its own."""
    headers = {b"prefer": b"return=minimal", b"idempotency-key": item.key.encode()}
    return Request("POST", "", "", headers, ACCESS, site.settings.base_url, item.raw)


def idempotency_of(item: Item) -> Idempotency:
    return Idempotency(ACCESS.client, item.key, sha256(item.raw).digest())


def not_now(_view: View) -> Prepared:
    """``prepare`` of a unit that is to be answered only if it was committed before."""
    raise NotFound("It was not loaded before.")


def kind_of(item: Item) -> str:
    """The type of a Bundle, "" for anything else; what is wrong with it is said where it is parsed."""
    if b'"Bundle"' not in item.raw:
        return ""
    try:
        head = _heads.decode(item.raw)
    except (msgspec.DecodeError, RecursionError):
        return ""
    return head.type if head.resource_type == "Bundle" else ""


class Later:
    """``prepare`` of an item that another process prepared: reads it only when it must."""

    def __init__(self, site: Site, item: Item) -> None:
        self._site = site
        self._item = item

    def __call__(self, view: View) -> Prepared:
        return unit_of(self._site, self._item).prepare(view)


def site_of(node: Node, base_url: str) -> Site:
    return Site.of(node, WebSettings(base_url))


class _Head(msgspec.Struct, rename={"resource_type": "resourceType"}):
    resource_type: str = ""
    type: str = ""


_heads = msgspec.json.Decoder(_Head)
