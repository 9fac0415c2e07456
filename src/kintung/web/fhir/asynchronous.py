"""Asynchronous requests: kick-off by ``Prefer: respond-async``, GET and DELETE /_async/{id}.

Source: http://hl7.org/fhir/R4/async.html, with the answer in the form that R5 settled: a batch-response
of one entry (http://hl7.org/fhir/R5/async-bundle.html). What is asked is read at once, so that what cannot
be understood is refused at once; it is done later, by ``kintung.web.fhir.asynchronous_work``. ADR 0021.
"""

from contextlib import suppress
from typing import NoReturn, cast

import msgspec

from kintung.consent import Access, Policy, kept, of_now
from kintung.errors import NotFound, Throttled
from kintung.store.asynchronous import Wanted
from kintung.store.port import View
from kintung.store.writes import AuditRecord
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.audit import audit_record
from kintung.web.fhir.batch_or_transaction import is_batch
from kintung.web.fhir.headers import PLAIN, PRECONDITIONS, without_respond_async
from kintung.web.fhir.registry import Interaction, Later, Reads
from kintung.web.fhir.request import Request, refuse_parameters
from kintung.web.outcomes import Headers
from kintung.web.sealed import Sealed
from kintung.web.site import Site

PATH = "_async"
_KEPT_FIELDS = (b"content-type", b"idempotency-key", *PRECONDITIONS)
_APPLIED: Headers = ((b"preference-applied", b"respond-async"),)
_RETRY: Headers = ((b"retry-after", b"1"),)
_GONE = "There is no such request: it was never made, it was cancelled, or its answer has expired."


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """A request as it is kept, but for its access."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[bytes, bytes], ...]
    base: str
    body: bytes


class Answered(msgspec.Struct, frozen=True, array_like=True):
    """An answer as it is kept: to whom it could be given, what was asked, and the Bundle."""

    access: Access
    described: str
    body: bytes
    patient_keys: tuple[int, ...]


class Sealing:
    """Seals what is kept of one asynchronous request, and opens it."""

    def __init__(self, sealed: Sealed, id: str) -> None:
        self._sealed = sealed
        self._id = id

    def access(self, access: Access) -> bytes:
        return self._sealed.seal(kept(access), f"access {self._id}")

    def open_access(self, blob: bytes) -> bytes:
        return self._sealed.open(blob, f"access {self._id}")

    def asked(self, asked: Asked) -> bytes:
        return self._sealed.seal(msgspec.msgpack.encode(asked), f"asked {self._id}")

    def open_asked(self, blob: bytes) -> Asked:
        return msgspec.msgpack.decode(self._sealed.open(blob, f"asked {self._id}"), type=Asked)

    def answered(self, answered: Answered) -> bytes:
        return self._sealed.seal(msgspec.msgpack.encode(answered), f"answered {self._id}")

    def open_answered(self, blob: bytes) -> Answered:
        return msgspec.msgpack.decode(self._sealed.open(blob, f"answered {self._id}"), type=Answered)


def kick_off(site: Site, interaction: Interaction, request: Request) -> Answer | None:
    """Accept a request that is to be answered later; None for what is answered at once all the same.

    Raises:
        BadInput: it cannot be understood.
        Throttled: the client has as many as it may.
    """
    if not _is_understood(site, interaction, request):
        return None
    id, access = site.entropy.new_id(), request.access
    sealing = Sealing(site.sealed, id)
    asked = Asked(
        request.method, request.path, request.query, _fields(request, id), request.base, request.body
    )
    wanted = Wanted(id, _owner(access), sealing.asked(asked), sealing.access(access))
    if not site.store.asynchronous.put(wanted, site.limits.asynchronous_each):
        raise Throttled(
            f"You have {site.limits.asynchronous_each} requests that are answered later; delete those whose"
            " answers you have."
        )
    place = (b"content-location", f"{request.base}/{PATH}/{id}".encode())
    return Answer(202, (*PLAIN, place, *_APPLIED))


def _fields(request: Request, id: str) -> tuple[tuple[bytes, bytes], ...]:
    """The header fields that say what is done. Begun again after a worker died, nothing is written twice."""
    fields = {name: request.headers[name] for name in _KEPT_FIELDS if name in request.headers}
    if request.method == "POST":
        fields.setdefault(b"idempotency-key", f"{PATH}/{id}".encode())
    wish = without_respond_async(request.headers.get(b"prefer"))
    if wish:
        fields[b"prefer"] = wish
    return tuple(fields.items())


def status(site: Site, request: Request) -> tuple[Answer, AuditRecord | None]:
    """How a request stands: 202, or the answer, where who asks may see what it was made for.

    Whose access is not that of the run any more gets none of it: it is done again, by the access of now.
    """
    refuse_parameters(request)
    requests, sealing = site.store.asynchronous, Sealing(site.sealed, request.id)
    found = requests.look(request.id, _owner(request.access))
    if found is None:
        raise NotFound(_GONE)
    if found.answer is None:
        return _not_yet(b"under way" if found.is_under_way else b"waiting"), None
    answered = sealing.open_answered(found.answer)
    access = of_now(request.access, site.store.scope)
    if answered.access != access:
        if not requests.again(request.id, _owner(access), sealing.access(access)):
            raise NotFound(_GONE)
        return _not_yet(b"waiting"), None
    record = audit_record(request, "async-status", 200, answered.patient_keys)
    said = msgspec.structs.replace(record, request=f"{record.request}\n{answered.described}")
    return Answer(200, PLAIN, answered.body, answered.patient_keys), said


def cancel(site: Site, request: Request) -> tuple[Answer, AuditRecord | None]:
    """Remove a request with its answer; what is under way is done, and its answer thrown away."""
    refuse_parameters(request)
    if not site.store.asynchronous.cancel(request.id, _owner(request.access)):
        raise NotFound(_GONE)
    return Answer(202, PLAIN), None


def _not_yet(progress: bytes) -> Answer:
    return Answer(202, (*PLAIN, (b"x-progress", progress), *_RETRY))


def _owner(access: Access) -> str:
    """Whose a request is: no other person, organisation or program finds it."""
    return "\n".join((access.client, access.organisation, access.actor))


class _Understood(Exception):
    """A request came as far as to ask the record."""


class _Unread:
    """A view that is not read: a request that asks it has been understood."""

    def __getattr__(self, name: str) -> NoReturn:
        raise _Understood(name)


def _is_understood(site: Site, interaction: Interaction, request: Request) -> bool:
    """Read a request as it is read when it is done; False when it is a transaction."""
    if not isinstance(interaction.action, Reads):
        return is_batch(site, request)
    with suppress(_Understood):
        interaction.action.answer(site, request, cast(View, _Unread()))
    return True


INTERACTIONS = (
    Interaction(
        "async-status",
        "GET",
        f"/{PATH}/{{id}}",
        Later(status),
        None,
        Policy.CARRIES,
        "How a request stands that is answered later, and its answer.",
    ),
    Interaction(
        "async-cancel",
        "DELETE",
        f"/{PATH}/{{id}}",
        Later(cancel),
        None,
        Policy.CARRIES,
        "Remove a request that is answered later, and its answer.",
    ),
)
