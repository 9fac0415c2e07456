"""What of a request is put on record."""

from kintung.errors import Conflict, Deleted, Forbidden, NotFound, RuleFailed
from kintung.store.port import AuditRecord
from kintung.store.reader import Scope
from kintung.web.fhir.request import Request

TELLING = (Conflict, Deleted, Forbidden, NotFound, RuleFailed)
"""Refusals that say something of the record or of the caller: they are audited like answers."""


def audit_record(
    request: Request, operation: str, status: int, patient_keys: tuple[int, ...] = (), about: int = 0
) -> AuditRecord:
    """The record of one request; ``about`` is the key of the Patient whose whole person it asked for."""
    access = request.access
    persons = access.reader.persons
    scope = persons if isinstance(persons, Scope) else Scope(0)
    return AuditRecord(
        access.actor,
        access.organisation,
        access.purpose,
        operation,
        request.described,
        status,
        access.grant,
        patient_keys,
        scope.number,
        scope.epoch,
        about,
    )
