"""From the log to the queue: who is to be told of each entry.

One process of a node follows, by a lease. It reads on from where the log was followed and queues
what that piece of it leads to, in the transaction that moves the cursor. Subscriptions are entries
of the log like any other: from the one on by which it was deposited, a subscription is told. What was
said of pairs of Patients is followed beside the log, each thing before what was written after it; of what
was said at the instant of the deposit, which a clock put back makes of two commits, it may be told.
"""

from collections import deque
from collections.abc import Iterator, Mapping

from kintung.definitions import Trigger
from kintung.errors import KintungError, RuleFailed
from kintung.fhir.json import parse
from kintung.fhir.search import extract
from kintung.store.links import Turned
from kintung.store.matching import Indexed, indexed
from kintung.store.notices import BY_NODE, Advance, Notice
from kintung.store.versions import LogEntry, Method
from kintung.subscriptions.filters import Change, wants
from kintung.subscriptions.standing import LINK, READER, Subscriptions, Told, last_of, version_of
from kintung.subscriptions.subscription import Subscription, is_asking

PAGE = 500
"""Entries of the log taken at once."""
SAVE_EVERY = 5_000
"""Entries after which the cursor is stored though nothing was queued: so many are read again at most."""
LEASE = 10_000_000
"""Microseconds after which another process goes on for one that died."""

_TRIGGERS: Mapping[Method, Trigger] = {
    Method.CREATE: "create",
    Method.UPDATE: "update",
    Method.DELETE: "delete",
}
_NOBODYS = "Nobody's right stands behind this Subscription: send it to the node again, as requested."


class _Said:
    """What was said of pairs, from where it was followed, as far as it may be told of yet."""

    def __init__(self, told: Told, after: int) -> None:
        """Ask before the log is read: at its end all of it was said to who is in force by then."""
        self._told = told
        self.now = after
        self._rows = self._more()

    def before(self, at: int | None) -> Iterator[Turned]:
        """What was said before an instant; with None what was said when this was made."""
        while self._rows and (at is None or self._rows[0].at < at):
            row = self._rows.popleft()
            self.now = row.number
            yield row
            if not self._rows and at is not None:
                self._rows = self._more()

    def _more(self) -> deque[Turned]:
        return deque(self._told.store.turned(self._told.system, self.now, PAGE))


class Follower:
    """Follows the log for one process; used on one thread."""

    def __init__(self, told: Told, subscriptions: Subscriptions, holder: str, lease: int = LEASE) -> None:
        """``holder`` names the process among those of the node."""
        self._told = told
        self._subscriptions = subscriptions
        self._holder = holder
        self._lease = lease
        self._renew_at = 0
        self._stored: int | None = None
        self._cursor = 0
        self._said_stored = self._said = 0
        self._in_force: frozenset[str] = frozenset()
        self._wanted: dict[str, tuple[int, Subscription]] = {}
        """Of those in force that can be understood: their version, and what they want."""

    @property
    def leads(self) -> bool:
        """Whether this process follows, as far as it knows."""
        return self._stored is not None

    def step(self) -> bool:
        """Follow a piece of the log, if this process may; whether there may be more at once.

        Raises:
            KintungError: the record could not be read or written; to be called again.
        """
        if not self._may_lead():
            return False
        expired = self._expired()
        told = self._told
        said = _Said(told, self._said)
        entries = told.store.follow(told.system, self._cursor, PAGE, opening=self._types())
        notices: list[Notice] = []
        begun: list[tuple[str, int, bytes]] = []
        now = self._cursor
        for entry in entries:
            for turned in said.before(entry.at):
                notices += self._of_link(turned)
            now = entry.sequence
            if entry.type == "Subscription":
                ended = self._deposited(entry, notices, begun)
                if ended or begun:  # from the next entry on others are told
                    expired += ended
                    break
            else:
                notices += self._notices(entry)
        if not entries:
            for turned in said.before(None):
                notices += self._of_link(turned)
        is_new = bool(entries) or said.now > self._said
        self._advance(Advance(self._stored or 0, now, notices, begun, expired, self._said_stored, said.now))
        return is_new

    def resign(self) -> None:
        """Let another process lead at once."""
        if self._stored is not None:
            self._stored = None
            self._told.store.notices.resign(self._told.system, self._holder)

    # -- who follows --------------------------------------------------------------------

    def _may_lead(self) -> bool:
        now = self._told.clock.now_micros()
        if self._stored is not None and now < self._renew_at:
            return True
        cursor = self._told.store.notices.lead(self._told.system, self._holder, self._lease)
        self._renew_at = now + self._lease // 3
        if cursor is None:
            self._stored = None
            return False
        if cursor != self._stored:
            self._stored = self._cursor = cursor
            self._said_stored = self._said = self._told.store.notices.followed(self._told.system)
        self._load()
        return True

    def _load(self) -> None:
        """Take over who is in force; a delivery may have ended some."""
        wanted: dict[str, tuple[int, Subscription]] = {}
        subscribers = self._told.store.notices.subscribers(self._told.system)
        self._in_force = frozenset(subscriber.id for subscriber in subscribers)
        for subscriber in subscribers:
            try:
                found = self._subscriptions.of(subscriber.id, subscriber.version_id)
            except KintungError:
                continue  # what is offered has changed: the delivery says so
            wanted[subscriber.id] = (subscriber.version_id, found)
        self._wanted = wanted

    def _advance(self, step: Advance) -> None:
        self._cursor, self._said = step.now, step.said_now
        queued = step.notices or step.begun or step.ended
        if not queued and max(step.now - step.was, step.said_now - step.said_was) < SAVE_EVERY:
            return
        if not self._told.store.notices.advance(self._told.system, self._holder, step):
            self._stored = None
            return
        self._stored, self._said_stored = step.now, step.said_now
        if step.begun or step.ended:
            self._load()

    # -- what an entry leads to ---------------------------------------------------------

    def _types(self) -> set[str]:
        return {"Subscription", *(wanted.filter.type for _, wanted in self._wanted.values())}

    def _expired(self) -> list[str]:
        """Subscriptions past their end; the record says that they are off."""
        now = self._told.clock.now_micros()
        over = [
            (id, version_id)
            for id, (version_id, wanted) in self._wanted.items()
            if wanted.end_micros is not None and wanted.end_micros <= now
        ]
        for id, version_id in over:
            self._subscriptions.say(id, version_id, "off")
        return [id for id, _ in over]

    def _deposited(
        self, entry: LogEntry, notices: list[Notice], begun: list[tuple[str, int, bytes]]
    ) -> list[str]:
        """A version of a Subscription: put it in force, or give the ids of what is in force no more."""
        in_force = [entry.id] if entry.id in self._in_force else []
        if entry.method is Method.LABEL:
            return []
        if entry.method is Method.DELETE:
            return in_force
        access = self._told.store.notices.access_of(self._told.system, entry.id, entry.version_id)
        if access == BY_NODE:
            return []
        resource = parse(entry.body)
        if not is_asking(resource):
            return in_force
        try:
            if access is None:
                raise RuleFailed(_NOBODYS)
            self._subscriptions.understood(resource, entry.at)
        except RuleFailed as refusal:
            self._subscriptions.say(entry.id, entry.version_id, "error", str(refusal))
            return in_force
        begun.append((entry.id, entry.version_id, access))
        notices.append(Notice(entry.id, 0, "Subscription", entry.id, entry.version_id, "create", entry.at))
        return []

    def _notices(self, entry: LogEntry) -> Iterator[Notice]:
        trigger = _TRIGGERS.get(entry.method)
        if trigger is None:
            return
        asking = [
            (id, wanted)
            for id, (_, wanted) in self._wanted.items()
            if wanted.filter.type == entry.type and trigger in wanted.triggers
        ]
        if not asking:
            return
        after = self._indexed(entry.type, entry.id, entry.at, entry.body) if entry.body else None
        before = self._before(entry) if any(wanted.topic for _, wanted in asking) else None
        for id, wanted in asking:
            if wanted.end_micros is not None and wanted.end_micros <= entry.at:
                continue
            change = Change(trigger, after, before if wanted.topic else None)
            if wants(wanted.filter, wanted.triggers, change):
                yield Notice(id, entry.sequence, entry.type, entry.id, entry.version_id, trigger, entry.at)

    def _of_link(self, turned: Turned) -> Iterator[Notice]:
        """Who is to be told that two Patients were linked, or are not any more."""
        if turned.was_linked == turned.is_linked:
            return
        trigger: Trigger = "link" if turned.is_linked else "unlink"
        asking = [
            (id, wanted)
            for id, (_, wanted) in self._wanted.items()
            if trigger in wanted.triggers and (wanted.end_micros is None or turned.at < wanted.end_micros)
        ]
        if not asking:
            return
        pair = (turned.one, turned.other)
        with self._told.store.lookup() as view:
            versions = [version for id in pair if (version := last_of(view, READER, id)) is not None]
        found = [
            self._indexed(*version[:2], version.at, version.body) for version in versions if version.body
        ]
        for id, wanted in asking:
            if any(wanted.filter.holds(each) for each in found):
                yield Notice(id, turned.number, LINK, "/".join(pair), turned.number, trigger, turned.at)

    def _before(self, entry: LogEntry) -> Indexed | None:
        """The version before the one of an entry, if that was no deletion."""
        if entry.method is Method.CREATE:
            return None
        with self._told.store.lookup() as view:
            version = version_of(view, READER, entry.type, entry.id, entry.version_id - 1)
        return self._indexed(entry.type, entry.id, version.at, version.body) if version else None

    def _indexed(self, type: str, id: str, at: int, body: bytes) -> Indexed:
        rows = extract(parse(body), offset_minutes=self._told.scribe.offset_minutes)
        return indexed(type, id, at, rows, self._told.scribe.vaulted)
