"""Doing what an entry of the registry says, within its right, its policy and the audit."""

from kintung.consent import Access
from kintung.errors import Conflict, Deleted, Forbidden, NotFound, RuleFailed
from kintung.store.port import AuditRecord
from kintung.web.fhir.deposit import audit_record
from kintung.web.fhir.exchange import Answer, Request, refusal
from kintung.web.fhir.registry import Entry, Look
from kintung.web.site import Site

TELLING = (Conflict, Deleted, Forbidden, NotFound, RuleFailed)
"""Refusals that say something of the record or of the caller: they are audited like answers."""


def require_right(access: Access, entry: Entry) -> None:
    """Refuse a caller without the right an entry asks for, before anything is looked at."""
    if entry.right is not None and entry.right not in access.rights:
        raise Forbidden(f"This needs the right to {entry.right}, which you do not have here.")


def look(site: Site, entry: Entry, action: Look, request: Request) -> tuple[Answer, AuditRecord]:
    """Answer from one view, and what is to be on record before the answer leaves.

    That there is nothing to see is an answer; what cannot be understood raises BadInput.
    """
    try:
        with site.store.lookup() if action.by_id else site.store.view() as view:
            answer = action.answer(site, request, view)
    except (NotFound, Deleted) as error:
        answer = refusal(error)
    return answer, audit_record(request, entry.name, answer.status, answer.patient_keys)
