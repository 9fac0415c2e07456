"""A source Patient as its steward sees it."""

from typing import Any, NamedTuple

from kintung.errors import Deleted, NotFound
from kintung.fhir.json import parse
from kintung.store.port import View
from kintung.store.reader import Reader
from kintung.store.versions import Version

Resource = dict[str, Any]


class Source(NamedTuple):
    """One source Patient: ``resource`` is None where it was deleted; ``keys`` are for the audit.

    ``keeper`` is the name of the organisation that keeps it, "" where it does not say.
    ``person`` are the ids of all source Patients of its person that the steward sees.
    """

    id: str
    resource: Resource | None
    at: int
    keys: tuple[int, ...]
    keeper: str
    person: tuple[str, ...]


def source(view: View, reader: Reader, id: str) -> Source:
    """The source Patient of an id; raises NotFound when it is absent or hidden."""
    try:
        return source_of(view, reader, view.read(reader, "Patient", id))
    except Deleted:
        return Source(id, None, 0, (), "", view.person(reader, id))


def source_of(view: View, reader: Reader, version: Version) -> Source:
    """The source Patient that a version is of."""
    resource, person = parse(version.body), view.person(reader, version.id)
    kept_by = keeper(view, reader, resource)
    return Source(version.id, resource, version.at, version.patient_keys, kept_by, person)


def keeper(view: View, reader: Reader, resource: Resource) -> str:
    """The name of the organisation that keeps a Patient; its id where its name is not to be seen."""
    match resource.get("managingOrganization"):
        case {"display": str(display)}:
            return display
        case {"reference": str(reference)}:
            return _organisation(view, reader, reference)
        case _:
            return ""


def _organisation(view: View, reader: Reader, reference: str) -> str:
    type, _, id = reference.partition("/")
    if type != "Organization" or not id or "/" in id:
        return reference
    try:
        name = parse(view.read(reader, type, id).body).get("name")
    except (Deleted, NotFound):
        return reference
    return name if isinstance(name, str) else reference
