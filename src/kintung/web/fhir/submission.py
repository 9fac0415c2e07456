"""One write as a unit of its own: what it commits, and the answer to it.

Source: http://hl7.org/fhir/R4/http.html#create, #update and #delete; section 3.1.0.1.9 says
what an answer shows.
"""

from hashlib import sha256

from kintung.consent import Right
from kintung.errors import Issue, NotFound
from kintung.fhir.json import parse
from kintung.fhir.splice import Links
from kintung.identity.identifiers import PEOPLE, warnings
from kintung.store.port import Unit, View
from kintung.store.writes import Done, Idempotency, Prepared, Receipt
from kintung.web.fhir.answer import Answer, location, versioned
from kintung.web.fhir.audit import audit_record
from kintung.web.fhir.deposit import Step, Target, find, links_of, write
from kintung.web.fhir.headers import PLAIN, PRECONDITIONS, etag, idempotency_key
from kintung.web.fhir.references import refuse_conditional
from kintung.web.fhir.registry import Submission
from kintung.web.fhir.request import Request
from kintung.web.outcomes import all_well
from kintung.web.site import Site


def submission(
    site: Site,
    request: Request,
    operation: str,
    step: Step,
) -> Submission:
    """The unit that does one step, and the answer to it.

    Raises:
        NotSupported: the resource has a conditional reference, which only a transaction resolves.
    """
    access = request.access
    if step.resource:
        refuse_conditional(step.raw, step.resource)

    def prepare(view: View) -> Prepared:
        target = find(view, access, step)
        done = step.on(view, target)
        references = Links(own={text: local for _, text, local in done.own}) if done.own else None
        effect = write(site, view, access, done, target, references)
        outcome = effect.outcome
        shown = keys_shown(view, request, done, target)
        if effect.write is None and done.verb == "PATCH":  # what is there is the answer
            shown = view.read(access.sight, *outcome[1:3]).patient_keys
        writes = (effect.write,) if effect.write is not None else ()
        return Prepared(
            writes,
            (outcome._replace(write=0) if writes else outcome,),
            audit_record(request, operation, outcome.status, shown),
            links=links_of(site, view, access, [(target, done)] if writes else []),
        )

    unit = Unit(access.reader, prepare, idempotency_of(request))

    def answered(receipt: Receipt) -> Answer:
        return answer(site, request, receipt.done[0])

    return Submission(unit, answered)


def answer(site: Site, request: Request, done: Done) -> Answer:
    """The answer to one write; a replay is rendered again from the version it names."""
    status, type, id, version_id, at = done
    if status == 204:
        headers = (*PLAIN[1:], (b"etag", etag(version_id))) if version_id else PLAIN[1:]
        return Answer(204, headers, at=at if version_id else 0)
    if not at:  # nothing was written: a conditional create found it, a patch changed nothing
        return _found(site, request, done)
    headers = versioned(version_id, at)
    if status == 201:
        headers = (*headers, location(request.base, type, id, version_id))
    if request.prefer.returns == "OperationOutcome":
        return Answer(
            status, headers, all_well("The resource is stored.", _doubts(site, request, done)), at=at
        )
    if not shows_body(request):
        return Answer(status, headers, at=at)
    try:
        with site.store.lookup() as view:
            version = view.vread(request.access.sight, type, id, version_id)
    except NotFound:
        return Answer(status, headers, at=at)
    return Answer(status, headers, version.body, version.patient_keys, at)


def _doubts(site: Site, request: Request, done: Done) -> list[Issue]:
    """Warnings of what was stored: of what was sent, or for a patch of the version it made, if seen."""
    if done.type not in PEOPLE:
        return []
    resource = request.resource
    if request.method == "PATCH":
        if Right.VIEW not in request.access.rights:
            return []
        try:
            with site.store.lookup() as view:
                resource = parse(view.vread(request.access.sight, done.type, done.id, done.version_id).body)
        except NotFound:
            return []
    return warnings(parse(request.body) if resource is None else resource, site.today)


def _found(site: Site, request: Request, done: Done) -> Answer:
    """The answer where nothing was to be written: the version that was found, as it is."""
    with site.store.view() as view:
        version = view.vread(request.access.sight, done.type, done.id, done.version_id)
    headers = versioned(version.version_id, version.at)
    if request.method == "POST":
        headers = (*headers, location(request.base, *version[:3]))
    if request.prefer.returns == "OperationOutcome":
        return Answer(done.status, headers, all_well("The resource is there already."), at=version.at)
    if not shows_body(request):
        return Answer(done.status, headers, at=version.at)
    return Answer(done.status, headers, version.body, version.patient_keys, version.at)


def keys_shown(view: View, request: Request, step: Step, target: Target) -> tuple[int, ...]:
    """Keys of the persons whose data the answer shows though nothing of theirs is written.

    ``step`` is as it is on the state: one that is still a patch has nothing to write.
    """
    if (target.matched is None and step.verb != "PATCH") or not shows_body(request):
        return ()
    id = target.matched.id if target.matched is not None else target.id
    return view.read(request.access.sight, target.type, id).patient_keys


def shows_body(request: Request) -> bool:
    """Whether the answer to a write shows the resource: by default it does, to who may view."""
    return Right.VIEW in request.access.rights and request.prefer.returns in (None, "representation")


def idempotency_of(request: Request) -> Idempotency | None:
    """The idempotency key of a request, with the digest of what it must come with again."""
    key = idempotency_key(request.headers.get(b"idempotency-key"))
    if key is None:
        return None
    digest = sha256()
    said = (request.method.encode(), request.path.encode(), request.query.encode())
    for field in (*said, *(request.headers.get(name) for name in PRECONDITIONS), request.body):
        digest.update(b"-" if field is None else b"%d:%s" % (len(field), field))
    # No key has a line end: that of a part is none a client can give.
    name = f"{key}\n{request.part}" if request.part else key
    return Idempotency(request.access.client, name, digest.digest())
