"""Doing what an interaction of the registry says, within its right, its policy and the audit."""

from kintung.consent import Access
from kintung.errors import Deleted, Forbidden, NotFound
from kintung.store.writes import AuditRecord
from kintung.web.fhir.answer import Answer, refusal
from kintung.web.fhir.audit import audit_record
from kintung.web.fhir.registry import Interaction, Reads
from kintung.web.fhir.request import Request
from kintung.web.site import Site


def require_right(access: Access, interaction: Interaction) -> None:
    """Refuse a caller without the rights an interaction asks for, before anything is looked at."""
    for right in (interaction.right, interaction.also):
        if right is not None and right not in access.rights:
            raise Forbidden(f"This needs the right to {right}, which you do not have here.")


def disclose(
    site: Site, interaction: Interaction, action: Reads, request: Request
) -> tuple[Answer, AuditRecord]:
    """Answer from one view, and what is to be on record before the answer leaves.

    That there is nothing to see is an answer; what cannot be understood raises BadInput.
    """
    try:
        with site.store.lookup() if action.by_id else site.store.view() as view:
            answer = action.answer(site, request, view)
    except (NotFound, Deleted) as error:
        answer = refusal(error)
    return answer, audit_record(request, interaction.name, answer.status, answer.patient_keys, answer.about)
