"""From the queue to the subscriber: authorised, on record, sent; or tried again, or given up.

Nothing is decided when a notice is queued. At each attempt the version is read as the Reader of who
deposited the subscription, as of now; the disclosure is on record before it leaves.
"""

import logging
import threading
from dataclasses import replace
from typing import NamedTuple

from kintung.clock import uuid_of
from kintung.consent import Access, standing
from kintung.errors import Deleted, NotFound, RuleFailed, ValueInvalid
from kintung.fhir.json import parse
from kintung.fhir.search import extract
from kintung.store.matching import indexed
from kintung.store.notices import ACTIVE, FAILING, REQUESTED, Notice, Subscriber, Taken
from kintung.store.port import View
from kintung.store.reader import Reader, Scope
from kintung.store.versions import Version
from kintung.store.waiting import settle
from kintung.store.writes import AuditRecord
from kintung.subscriptions.notifications import Event, Kind, Message, Notification, State, linkage, message
from kintung.subscriptions.outbound import Answered, Outbound, Undelivered
from kintung.subscriptions.schedule import GIVEN_UP_AFTER, HANDSHAKE_GIVEN_UP_AFTER, SECOND, pause_after
from kintung.subscriptions.standing import LINK, Subscriptions, Told, last_of, version_of
from kintung.subscriptions.subscription import Content, Subscription

LEASE = 60_000_000
"""Microseconds after which a notice is taken again from who died with it; longer than any exchange."""
RECORD_SECONDS = 10.0
_NOT_ITS_FAULT = frozenset((401, 403, 408, 425, 429))
"""Statuses of 400 to 499 that say nothing of the one notification that was sent."""

_log = logging.getLogger(__name__)


class Tried(NamedTuple):
    """What came of an attempt: "" when it arrived, else why not.

    ``all_of_it`` tells a receiver that cannot be reached from one that does not want this
    notification; ``asked`` is its Retry-After in microseconds.
    """

    error: str = ""
    all_of_it: bool = False
    asked: int = 0


class Seen(NamedTuple):
    """A change as a reader may be told of it, by ``scope``; ``body`` is b"" for a deletion."""

    body: bytes
    patient_keys: tuple[int, ...]
    scope: Scope


def _scope_of(reader: Reader) -> Scope:
    """What the sight of a reader rests on, for the audit; 0 for none."""
    return reader.persons if isinstance(reader.persons, Scope) else Scope(0)


class Delivery:
    """Delivers what is due; used by several threads, each with another subscription."""

    def __init__(self, told: Told, subscriptions: Subscriptions, outbound: Outbound) -> None:
        self._told = told
        self._notices = told.store.notices
        self._subscriptions = subscriptions
        self._outbound = outbound
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._spoken: dict[str, int] = {}
        """When each subscriber of a heartbeat was last told something, UTC microseconds."""

    def step(self) -> bool:
        """Deliver the next notice that is due; False when there is none now.

        Raises:
            KintungError: the record could not be read or written; the notice comes again.
        """
        with self._lock:
            taken = self._notices.take(self._told.system, LEASE, frozenset(self._busy))
            if taken is None:
                return False
            self._busy.add(taken.notice.subscription)
        try:
            self._deliver(taken)
        finally:
            self._busy.discard(taken.notice.subscription)
        return True

    def heartbeats(self) -> None:
        """Tell each subscriber who asked for it, and heard nothing for so long, that all is well."""
        now = self._told.clock.now_micros()
        for subscriber in self._notices.subscribers(self._told.system):
            wanted = self._wanted(subscriber)
            if not isinstance(wanted, Subscription) or not wanted.heartbeat_seconds:
                continue
            if subscriber.state == REQUESTED or not self._is_silent(subscriber.id, wanted, now):
                continue
            self._send(wanted, subscriber, self._message(wanted, subscriber, "heartbeat"))

    def _is_silent(self, id: str, wanted: Subscription, now: int) -> bool:
        """Whether a heartbeat is due; it is then this caller's to send."""
        with self._lock:
            if id in self._busy or now - self._spoken.setdefault(id, now) < wanted.heartbeat_seconds * SECOND:
                return False
            self._spoken[id] = now
            return True

    # -- one notice ---------------------------------------------------------------------

    def _deliver(self, taken: Taken) -> None:
        wanted = self._wanted(taken.subscriber)
        if not isinstance(wanted, Subscription):
            tried = Tried(wanted, all_of_it=True)
        elif taken.notice.sequence == 0:
            tried = self._shake_hands(taken, wanted)
        else:
            tried = self._tell(taken, wanted)
        if tried.error:
            self._not_now(taken, tried)
        else:
            self._arrived(taken)

    def _wanted(self, subscriber: Subscriber) -> Subscription | str:
        """What a subscriber wants, or why it cannot be served."""
        try:
            return self._subscriptions.of(subscriber.id, subscriber.version_id)
        except (RuleFailed, NotFound, Deleted) as refusal:
            return str(refusal)

    def _shake_hands(self, taken: Taken, wanted: Subscription) -> Tried:
        """The first word to a subscriber of a topic; R4's own form knows none."""
        if wanted.topic is not None:
            tried = self._send(wanted, taken.subscriber, self._message(wanted, taken.subscriber, "handshake"))
            if tried.error:
                return tried
        self._subscriptions.say(taken.subscriber.id, taken.subscriber.version_id, "active")
        self._notices.mark(self._told.system, taken.subscriber, ACTIVE)
        return Tried()

    def _tell(self, taken: Taken, wanted: Subscription) -> Tried:
        """Send what may be seen of a change; what may not be is not sent, and that is all."""
        access = standing(taken.subscriber.access)
        if self._seen(wanted, access, taken.notice) is None:
            return Tried()
        number = self._notices.give_number(self._told.system, taken) if wanted.topic is not None else 0
        # Again: giving the number took its time.
        seen = self._seen(wanted, access, taken.notice)
        if seen is None:
            return Tried()
        self._put_on_record(access, wanted, taken.notice, seen)
        subscriber = taken.subscriber._replace(events=max(number, taken.subscriber.events))
        notice = taken.notice
        event = Event(number, notice.trigger, notice.type, notice.id, notice.version_id, notice.at, seen.body)
        return self._send(wanted, subscriber, self._message(wanted, subscriber, "event-notification", event))

    def _seen(self, wanted: Subscription, access: Access, notice: Notice) -> Seen | None:
        """The change as the subscriber may see it now; None when it may not, or is there no more."""
        reader = self._reader(access)
        with self._told.store.view() as view:
            if notice.type == LINK:
                return self._seen_link(view, reader, wanted, notice)
            if notice.trigger == "delete":
                return self._seen_deleted(view, reader, notice)
            version = version_of(view, reader, notice.type, notice.id, notice.version_id)
            if version is None:
                return None
            if self._holds(wanted, version):
                return Seen(version.body, version.patient_keys, _scope_of(reader))
            before = version_of(view, reader, notice.type, notice.id, notice.version_id - 1)
        # It left the filter: only who may see what it was may know that it did.
        if before is None or not self._holds(wanted, before):
            return None
        return Seen(version.body, (*version.patient_keys, *before.patient_keys), _scope_of(reader))

    def _seen_link(self, view: View, reader: Reader, wanted: Subscription, notice: Notice) -> Seen | None:
        """A link of two Patients, or its end, while it is so: of those the reader sees now, or by it saw."""
        one, other = notice.id.split("/")
        link = view.link(reader, one, other)
        is_linked = notice.trigger == "link"
        if link is None:
            was_seen = not is_linked and (
                view.saw_through(reader, one, other) or view.saw_through(reader, other, one)
            )
        else:
            was_seen = link.is_linked == is_linked
        if not was_seen:
            return None
        versions = [version for id in (one, other) if (version := last_of(view, reader, id)) is not None]
        if not any(self._holds(wanted, version) for version in versions):
            return None
        keys = tuple(key for version in versions for key in version.patient_keys)
        return Seen(linkage(one, other, self._told.base, is_active=is_linked), keys, _scope_of(reader))

    def _seen_deleted(self, view: View, reader: Reader, notice: Notice) -> Seen | None:
        try:
            view.vread(reader, notice.type, notice.id, notice.version_id)
        except Deleted:
            before = version_of(view, reader, notice.type, notice.id, notice.version_id - 1)
            return Seen(b"", before.patient_keys, _scope_of(reader)) if before is not None else None
        except NotFound:
            pass
        return None

    def _holds(self, wanted: Subscription, version: Version) -> bool:
        rows = extract(parse(version.body), offset_minutes=self._told.scribe.offset_minutes)
        found = indexed(version.type, version.id, version.at, rows, self._told.scribe.vaulted)
        return wanted.filter.holds(found)

    def _reader(self, access: Access) -> Reader:
        """What an access may see now: the persons of its scope are those of this moment."""
        reader = access.sight
        if isinstance(reader.persons, Scope):
            return replace(reader, persons=self._told.store.scope(reader.persons.number))
        return reader

    def _put_on_record(self, access: Access, wanted: Subscription, notice: Notice, seen: Seen) -> None:
        """Raises Unavailable when it cannot be: nothing leaves then."""
        version = f"{notice.type}/{notice.id}/_history/{notice.version_id}"
        shown = wanted.content if wanted.topic is not None or seen.body else Content.EMPTY
        record = AuditRecord(
            access.actor,
            access.organisation,
            access.purpose,
            "notification",
            f"POST {wanted.target.origin} Subscription/{notice.subscription} {version} {shown}",
            200,
            access.grant,
            tuple(dict.fromkeys(seen.patient_keys)),
            seen.scope.number,
            seen.scope.epoch,
        )
        settle(self._told.store.record(record), RECORD_SECONDS)

    def _message(
        self, wanted: Subscription, subscriber: Subscriber, kind: Kind, event: Event | None = None
    ) -> Message:
        status = "requested" if subscriber.state == REQUESTED else "active"
        name = uuid_of(self._told.entropy.bytes(16))
        told = Notification(kind, name, self._told.clock.now_micros(), self._told.base, event)
        return message(wanted, State(subscriber.id, status, subscriber.events), told)

    def _send(self, wanted: Subscription, subscriber: Subscriber, sent: Message) -> Tried:
        try:
            answered = self._outbound.send(sent.method, sent.target, sent.headers, sent.body)
        except (ValueInvalid, Undelivered) as error:
            return Tried(str(error), all_of_it=True)
        if wanted.heartbeat_seconds:
            self._spoken[subscriber.id] = self._told.clock.now_micros()
        return _tried(answered)

    # -- what came of it ----------------------------------------------------------------

    def _arrived(self, taken: Taken) -> None:
        if taken.subscriber.state == FAILING and taken.notice.sequence:
            self._subscriptions.say(taken.subscriber.id, taken.subscriber.version_id, "active")
            self._notices.mark(self._told.system, taken.subscriber, ACTIVE)
        self._notices.done(self._told.system, taken)

    def _not_now(self, taken: Taken, tried: Tried) -> None:
        is_handshake = taken.notice.sequence == 0
        now = self._told.clock.now_micros()
        limit = HANDSHAKE_GIVEN_UP_AFTER if is_handshake else GIVEN_UP_AFTER
        pause = pause_after(now - taken.queued, given_up_after=limit, asked=tried.asked)
        _log.info("subscription %s: attempt %d failed", taken.notice.subscription, taken.attempts)
        if pause is not None:
            self._notices.later(self._told.system, taken, now + pause, tried.error, all_of_it=tried.all_of_it)
            return
        _log.warning("subscription %s: gave up after %d attempts", taken.notice.subscription, taken.attempts)
        self._subscriptions.say(taken.subscriber.id, taken.subscriber.version_id, "error", tried.error)
        if is_handshake:
            self._notices.end(self._told.system, taken.subscriber)
        else:
            self._notices.mark(self._told.system, taken.subscriber, FAILING)
            self._notices.bury(self._told.system, taken, tried.error)


def _tried(answered: Answered) -> Tried:
    """Any 2xx says that it arrived; a redirect is not followed, so it has not."""
    status = answered.status
    if 200 <= status < 300:
        return Tried()
    about_this = 400 <= status < 500 and status not in _NOT_ITS_FAULT
    asked = (answered.retry_after or 0) * SECOND
    return Tried(f"The receiver answered {status}.", all_of_it=not about_this, asked=asked)
