"""What the HTTP edge is given: a node, and the settings it is served under."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from kintung.clock import Clock, Entropy
from kintung.documents import Press
from kintung.fhir.search import OtherForms
from kintung.identity.feed import Feed
from kintung.store.port import Store
from kintung.store.scribe import Scribe
from kintung.subscriptions import Allowed
from kintung.web.about import About
from kintung.web.cursor import Cursors
from kintung.web.limits import LIMITS, Limits
from kintung.web.sealed import Sealed
from kintung.web.throttle import Throttle


def civil_day(micros: int, offset_minutes: int) -> date:
    """The day of an instant, in a zone so many minutes east of UTC."""
    minutes = micros // 60_000_000 + offset_minutes
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)).date()


class Node(Protocol):
    """A node as the edge knows it; ``kintung.app`` makes it."""

    @property
    def store(self) -> Store: ...
    @property
    def scribe(self) -> Scribe: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def entropy(self) -> Entropy: ...
    @property
    def feed(self) -> Feed: ...
    @property
    def other_forms(self) -> OtherForms: ...
    @property
    def cursor_key(self) -> bytes:
        """32 bytes, the same in every worker of the node."""
        ...

    @property
    def asynchronous_key(self) -> bytes:
        """32 bytes, the same in every worker of the node."""
        ...


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How a node is served.

    ``base_url`` is the absolute address of the FHIR API without a slash at its end
    (``https://record.example.hk/fhir``); "" takes it from the Host of each request.
    ``delete_at_most`` is how many resources one conditional delete may delete. Pages of
    ``allow_origins`` may read answers in a browser.
    ``about`` is what its pages say of the node. ``fonts`` is a folder of fonts for documents, besides those
    of the system.
    ``notified`` is where Subscriptions may be sent: nowhere, unless an operator says so. None where
    records are brought as they are: a Subscription is kept like any resource, and nobody is told.
    """

    base_url: str = ""
    delete_at_most: int = 1
    allow_origins: tuple[str, ...] = ()
    limits: Limits = field(default=LIMITS)
    notified: Allowed | None = field(default=Allowed())
    about: About = field(default=About())
    fonts: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """What every interaction works with."""

    store: Store
    scribe: Scribe
    clock: Clock
    entropy: Entropy
    feed: Feed
    other_forms: OtherForms
    cursors: Cursors
    sealed: Sealed
    settings: WebSettings
    matching: Throttle
    """Of who asks within its reach."""
    matching_of_strangers: Throttle
    press: Press

    @property
    def offset_minutes(self) -> int:
        """Zone of dates without one, minutes east of UTC."""
        return self.scribe.offset_minutes

    @property
    def today(self) -> date:
        """The civil day in that zone."""
        return civil_day(self.clock.now_micros(), self.offset_minutes)

    @property
    def demo_day(self) -> str:
        """The day a demo is as at, as FHIR writes it; "" where the node is none."""
        return self.today.isoformat() if self.settings.about.demo is not None else ""

    @property
    def limits(self) -> Limits:
        return self.settings.limits

    @classmethod
    def of(cls, node: Node, settings: WebSettings) -> "Site":
        limits = settings.limits
        return cls(
            node.store,
            node.scribe,
            node.clock,
            node.entropy,
            node.feed,
            node.other_forms,
            Cursors(node.cursor_key, node.entropy),
            Sealed(node.asynchronous_key, node.entropy),
            settings,
            Throttle(limits.match_each, limits.match_seconds, node.clock),
            Throttle(limits.match_stranger_each, limits.match_seconds, node.clock),
            Press(settings.fonts, limits.seconds, limits.documents),
        )
