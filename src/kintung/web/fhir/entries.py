"""The entries of a transaction that write: each read by itself, refused or understood.

Source: http://hl7.org/fhir/R4/http.html#trules.
"""

from typing import NamedTuple

from kintung.consent import Right
from kintung.errors import Forbidden, NotSupported
from kintung.fhir.splice import Links
from kintung.store.port import View
from kintung.web.fhir.create import create_step
from kintung.web.fhir.delete import conditional_delete_step, delete_step
from kintung.web.fhir.deposit import Step, Target
from kintung.web.fhir.patch import conditional_patch_step, patch_step
from kintung.web.fhir.references import Reference, references_in
from kintung.web.fhir.registry import TYPES
from kintung.web.fhir.request import Request
from kintung.web.fhir.update import conditional_update_step, update_step
from kintung.web.site import Site

_STEPS = {
    ("DELETE", True): delete_step,
    ("DELETE", False): conditional_delete_step,
    ("POST", False): create_step,
    ("PUT", True): update_step,
    ("PUT", False): conditional_update_step,
    ("PATCH", True): patch_step,
    ("PATCH", False): conditional_patch_step,
}
"""How a step is read, by method and whether the address has an id."""

OF_THE_BUNDLE = ("urn:uuid:", "urn:oid:")
"""How a link begins that can lead to nothing but an entry of its Bundle."""


class Planned(NamedTuple):
    """An entry that writes. ``references`` are those that may have to change."""

    number: int
    request: Request
    step: Step
    full_url: str | None
    references: list[Reference]
    is_patched: bool = False

    def on(self, view: View, target: Target) -> "Planned":
        """The entry as it is on the state it will change.

        A patched resource was stored before: only what can mean nothing but an entry of the
        Bundle is a link to one.
        """
        if self.step.become is None:
            return self
        step = self.step.on(view, target)
        urns = [each for each in _references_as_sent(step) if each.text.startswith(OF_THE_BUNDLE)]
        return self._replace(step=step, references=urns, is_patched=True)

    def links(self, links: Links) -> Links:
        """Those of the transaction's links that this entry may have."""
        return links.of_urns if self.is_patched else links


def plan(site: Site, number: int, request: Request, full_url: str | None) -> Planned:
    """Read an entry that writes; ``number`` is its place.

    Raises:
        BadInput: it cannot be understood, or is nothing a transaction does.
        Forbidden: the caller lacks a right it takes.
    """
    type, slash, id = request.path.partition("/")
    step_of = _STEPS.get((request.method, slash != ""))
    if step_of is None or type not in TYPES or "/" in id or "$" in id or id.startswith("_"):
        raise NotSupported(
            "A transaction takes create, update, patch, delete and reads, "
            f"not {request.method} {request.path}.",
            path="request.url",
        )
    for right in (Right.DEPOSIT, *((Right.VIEW,) if request.method == "PATCH" else ())):
        if right not in request.access.rights:
            raise Forbidden(f"This needs the right to {right}, which you do not have here.")
    placed = request.placed({"type": type, "id": id})
    step = step_of(site, placed)
    return Planned(number, placed, step, full_url, _references_as_sent(step))


def _references_as_sent(step: Step) -> list[Reference]:
    if not step.resource or step.type == "Bundle":
        return []
    found = references_in(step.resource, step.raw)
    sent = {id(own.holder): own.text for own in step.own}
    return [Reference(holder, sent.get(id(holder), text)) for holder, text in found] if sent else found
