"""One write: what it brings, what it finds, what becomes of it.

A single interaction, an entry of a batch and an entry of a transaction are the same
:class:`Step`. Carrying it out has two halves, both inside ``prepare``: :func:`find` says
which resource a step means on the state it will change, :func:`write` makes the new version.
A transaction puts the resolution of references between the two; what is one step alone is a
unit of ``kintung.web.fhir.submission``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from kintung.consent import Access, Right, kept
from kintung.errors import (
    Conflict,
    Forbidden,
    MultipleMatches,
    NotFound,
    NotSupported,
    RuleFailed,
    StructureInvalid,
    ValueInvalid,
    VersionConflict,
)
from kintung.fhir.json import parse
from kintung.fhir.search import Query, parse_query
from kintung.fhir.structure import require_valid
from kintung.fhir.subset import is_subsetted
from kintung.identity.feed import Patient
from kintung.identity.replacement import Writer, newly_said
from kintung.store.in_bodies import refuse_in_bodies
from kintung.store.links import LinkChange
from kintung.store.port import View
from kintung.store.versions import Current, Match, Ownership
from kintung.store.writes import Outcome, Write
from kintung.subscriptions import require_acceptable
from kintung.web.fhir.headers import names_version, versions_named
from kintung.web.fhir.references import OwnReference, make_local
from kintung.web.fhir.request import HOW, OF_PAGES, Pairs, Request
from kintung.web.site import Site

Verb = Literal["POST", "PUT", "PATCH", "DELETE"]


class Step(NamedTuple):
    """One thing to write.

    Attributes:
        id: of the resource; for a new one the id it will have, "" where criteria decide.
        fresh: the id a conditional update gives when nothing matches.
        raw, resource: the body as sent and parsed; b"" and {} for a deletion.
        criteria: of a conditional interaction.
        if_match: versions the resource must be at.
        own: references under the node's own address; in ``resource`` they are local already.
        become: of a step that says what to write only on the state it will change: the step it is
            there, or this one where there is nothing to write.
    """

    verb: Verb
    type: str
    id: str
    raw: bytes = b""
    resource: dict[str, Any] | None = None
    criteria: Query | None = None
    if_match: tuple[str, ...] | None = None
    fresh: str = ""
    own: tuple[OwnReference, ...] = ()
    become: "Callable[[View, Target], Step] | None" = None

    def on(self, view: View, target: "Target") -> "Step":
        """The step as it is on the state it will change; raises what ``become`` raises."""
        return self if self.become is None else self.become(view, target)


class Target(NamedTuple):
    """The resource a step means.

    ``current`` is its state, None when the id is free. ``matched`` is set when the step writes
    nothing because a conditional create found what it would have created.
    """

    type: str
    id: str
    current: Current | None = None
    matched: Match | None = None


class Effect(NamedTuple):
    """What a step does: a write, or nothing. ``outcome.write`` is left to the caller."""

    write: Write | None
    outcome: Outcome


# --- What a request brings ------------------------------------------------------------


class Accepted(NamedTuple):
    """A body, understood: the resource, and which of its references were made local."""

    resource: dict[str, Any]
    own: tuple[OwnReference, ...]


def accepted(site: Site, request: Request) -> Accepted:
    """The body as a resource of the type the address names.

    Raises:
        BadInput: not JSON, not of this type, or not what the definition of its type allows.
    """
    resource = request.resource
    if resource is None:
        resource = parse(request.body, site.limits.json)
    if resource.get("resourceType") != request.type:
        raise StructureInvalid(
            f"This address takes a resource of type {request.type}.", path=f"{request.type}.resourceType"
        )
    return Accepted(resource, accepted_text(resource, request.body, request.base))


def accepted_text(resource: dict[str, Any], raw: bytes, base: str) -> tuple[OwnReference, ...]:
    """Which references of a parsed resource are the node's own, made local; it is valid with that.

    Raises:
        BadInput: it is not what the definition of its type allows.
        RuleFailed: it has the tag of a part (http://hl7.org/fhir/R4/search.html#summary).
    """
    own = make_local(resource, raw, base)  # before: of what is local the type is judged
    require_valid(resource)
    if is_subsetted(resource):
        raise RuleFailed(
            "The resource is tagged SUBSETTED: it is a part, and would take the place of the whole. "
            "Read it without _summary and _elements, and send that.",
            path=f"{resource['resourceType']}.meta.tag",
        )
    return own


def criteria_of(site: Site, request: Request, pairs: Pairs, where: str, type: str = "") -> Query:
    """Criteria that select among the request's type: all understood, and at least one of them.

    Raises:
        NotSupported: a parameter says how a search is answered, or cannot decide a write.
        BadInput: a parameter is not understood, or there is none.
    """
    for name, _ in pairs:
        if name.partition(":")[0] in OF_PAGES:
            raise NotSupported(
                "Criteria say what is meant, not how a search is answered; leave it out.", path=name[:64]
            )
    query = parse_query(
        type or request.type,
        pairs,
        now_micros=site.clock.now_micros(),
        offset_minutes=site.offset_minutes,
        limits=site.limits.search,
        ignore=HOW,
        base=request.base or None,
    )
    refuse_in_bodies(query)
    if not query.criteria:
        raise ValueInvalid("A conditional interaction needs at least one search parameter.", path=where)
    return query


def if_match(request: Request) -> tuple[str, ...] | None:
    """The versions the request's If-Match names."""
    return versions_named(request.headers.get(b"if-match"), "If-Match")


# --- On the state it will change ------------------------------------------------------


def find(view: View, access: Access, step: Step) -> Target:
    """Which resource a step means, with every precondition tested.

    Raises:
        NotFound: there is none to the caller's knowledge, and it may not place ids.
        VersionConflict: it is not at a version of ``if_match``.
        MultipleMatches: the criteria match several.
        Forbidden, ValueInvalid: a conditional update names an id it may not.
    """
    if step.criteria is None:
        current = None if step.verb == "POST" else view.current(access.reader, step.type, step.id)
        target = Target(step.type, step.id, current)
    else:
        target = _find_by_criteria(view, access, step)
    if step.verb == "PUT":
        _require_place(access, step, target)
    _require_version(step, target.current)
    return target


def _find_by_criteria(view: View, access: Access, step: Step) -> Target:
    assert step.criteria is not None
    matches = view.match(access.sight, step.criteria, 2)
    if len(matches) > 1:
        raise MultipleMatches("The criteria match more than one resource; make them stricter.")
    named = (step.resource or {}).get("id")
    if step.verb == "POST":
        return Target(step.type, step.id, matched=matches[0] if matches else None)
    if not matches:
        return _find_free(view, access, step, named or step.fresh)
    if step.verb == "PUT" and named not in (None, matches[0].id):
        raise ValueInvalid(
            f"The criteria match {step.type}/{matches[0].id}, and the resource has another id.",
            path=f"{step.type}.id",
        )
    return Target(step.type, matches[0].id, view.current(access.reader, step.type, matches[0].id))


def _find_free(view: View, access: Access, step: Step, id: str) -> Target:
    """Nothing matches: a deletion has nothing to do, an update creates under an id not in use."""
    if step.verb == "DELETE" or id == step.fresh:
        return Target(step.type, id)
    current = view.current(access.reader, step.type, id) if Right.PLACE in access.rights else None
    if current is not None and not current.deleted:
        raise Conflict(
            f"The criteria match nothing, and {step.type}/{id} exists; update it by its id.",
            path=f"{step.type}.id",
        )
    return Target(step.type, id, current)


def _require_place(access: Access, step: Step, target: Target) -> None:
    """An id is the server's to give, and what was deleted its to keep deleted."""
    if target.current is not None and not target.current.deleted:
        return
    if Right.PLACE in access.rights or target.id == step.fresh:
        return
    if step.criteria is not None:
        raise Forbidden("You may not choose the id of a new resource; leave it out.", path=f"{step.type}.id")
    raise NotFound(f"{step.type}/{step.id} is not known.")


def _require_version(step: Step, current: Current | None) -> None:
    if step.if_match is None:
        return
    if current is None or current.deleted or not names_version(step.if_match, current.version_id):
        raise VersionConflict(
            "The resource is not at the version If-Match names; read it again and repeat the change.",
            path="If-Match",
        )


def write(
    site: Site,
    view: View,
    access: Access,
    step: Step,
    target: Target,
    references: Mapping[str, str] | None = None,
    written: Mapping[tuple[str, str], Ownership] | None = None,
) -> Effect:
    """The effect of a step on its target; ``references`` and ``written`` as ``Scribe.put`` takes them."""
    type, id, current, matched = target
    if matched is not None:
        return Effect(None, Outcome(200, type, matched.id, matched.version_id))
    if step.verb == "PATCH":  # it came to nothing
        assert current is not None
        return Effect(None, Outcome(200, type, id, current.version_id))
    if step.verb == "DELETE":
        if current is None or current.deleted:
            return Effect(None, Outcome(204, type, id))
        return Effect(
            site.scribe.delete(view, access.reader, type=type, id=id, current=current), Outcome(204, type, id)
        )
    put = site.scribe.put(
        view,
        access.reader,
        type=type,
        id=id,
        raw=step.raw,
        resource=step.resource or {},
        current=current,
        organisation=access.organisation,
        references=references,
        written=written,
    )
    if type == "Subscription":
        put = _by_right_of(site, access, put, step.resource or {})
    is_new = current is None or current.deleted
    return Effect(put, Outcome(201 if is_new else 200, type, id))


def links_of(
    site: Site, view: View, access: Access, written: Sequence[tuple[Target, Step]]
) -> tuple[LinkChange, ...]:
    """What is said of pairs of Patients because of what a unit writes: see ``kintung.identity.feed``.

    Raises:
        RuleFailed: a Patient is said to be replaced by another as it may not be.
    """
    found = {
        target.id: (target, None if step.verb == "DELETE" else step.resource)
        for target, step in written
        if target.type == "Patient"
    }
    if not found:
        return ()
    resources = {id: resource for id, (_, resource) in found.items()}
    writer = Writer(access.reader, access.organisation)
    patients: list[Patient] = []
    for id, (target, resource) in found.items():
        replaced_by = newly_said(view, writer, id, target.current, resources)
        patients.append(Patient(id, resource, target.current is None, replaced_by))
    return site.feed.links(view, patients)


def _by_right_of(site: Site, access: Access, put: Write, resource: Mapping[str, Any]) -> Write:
    """A Subscription that can be served, with the access by which others will be told of things.

    Where records are brought as they are, it is kept as it is and served by nobody's right.

    Raises:
        RuleFailed: it asks for what this node does not offer.
    """
    notified = site.settings.notified
    if notified is None:
        return put
    require_acceptable(
        resource,
        notified,
        now_micros=site.clock.now_micros(),
        offset_minutes=site.offset_minutes,
        base=site.settings.base_url,
    )
    return put._replace(access=kept(access))
