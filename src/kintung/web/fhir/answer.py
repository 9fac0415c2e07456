"""An answer as the interactions give it: a plain value, no server.

Source: http://hl7.org/fhir/R4/http.html: ETag and Last-Modified tell a version, Location its address.
"""

from typing import NamedTuple

from kintung.errors import BadInput, Issue, KintungError
from kintung.web.fhir.headers import PLAIN, etag, last_modified
from kintung.web.outcomes import Headers, headers_of, outcome, status_of


class Answer(NamedTuple):
    """What goes back.

    ``patient_keys`` are of the persons whose data ``body`` shows, for the audit. ``at`` is the
    instant of the one version the answer is about, in UTC microseconds, 0 for any other answer.
    ``refused`` is the first thing wrong where the request was refused. ``about`` is the key of the
    Patient whose whole person, of several source Patients, was asked for; 0 for any other. ``opened`` is
    that of the Patient whose record was opened to be read, as a page.
    """

    status: int
    headers: Headers
    body: bytes = b""
    patient_keys: tuple[int, ...] = ()
    at: int = 0
    refused: Issue | None = None
    about: int = 0
    opened: int = 0


def refusal(error: KintungError, about: str = "") -> Answer:
    """The answer to a request that is refused.

    ``about`` is the type of resource it was about, for a fault of what was sent that has no
    place of its own.
    """
    place = about if isinstance(error, BadInput) else ""
    fields = (*PLAIN, *headers_of(error))
    return Answer(status_of(error), fields, outcome(error.issues, place), refused=error.issues[0])


def versioned(version_id: int, at: int) -> Headers:
    """The header fields of an answer that is one version of a resource."""
    return (*PLAIN, (b"etag", etag(version_id)), (b"last-modified", last_modified(at)))


def location(base: str, type: str, id: str, version_id: int) -> tuple[bytes, bytes]:
    """The header field that gives the address of a version."""
    return b"location", f"{base}/{type}/{id}/_history/{version_id}".encode()
