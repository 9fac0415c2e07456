"""What of a request is put on record."""

from kintung.errors import BadInput, Conflict, Deleted, Forbidden, KintungError, NotFound, RuleFailed
from kintung.identity.identifiers import PEOPLE
from kintung.store.reader import Scope
from kintung.store.writes import AuditRecord
from kintung.web.fhir.request import Request

TELLING = (Conflict, Deleted, Forbidden, NotFound, RuleFailed)
"""Refusals that say something of the record or of the caller: they are audited like answers."""

_OF_PEOPLE = (*(f"{type}." for type in sorted(PEOPLE)), "Bundle.entry[")


def is_on_record(error: KintungError, *, writes: bool) -> bool:
    """Whether a refusal is audited: one that tells something, and one of what was to be stored of a person.

    Where it was understood so far that the fault has a place in it: an impossible birth date, not a
    broken text.
    """
    if isinstance(error, TELLING):
        return True
    places = (issue.path or "" for issue in error.issues)
    return writes and isinstance(error, BadInput) and any(place.startswith(_OF_PEOPLE) for place in places)


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
