"""Bounds on everything a caller may send or hold, and the reading of a body within them."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from kintung.errors import BadInput, TimedOut, TooLong, Unavailable
from kintung.fhir.json import LIMITS as JSON_LIMITS
from kintung.fhir.json import Limits as JsonLimits
from kintung.fhir.search import SEARCH_LIMITS, SearchLimits
from kintung.web.outcomes import AddressTooLong, HeadersTooLong, MediaTypeRefused

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

_ENCODING = "Content-Encoding"
_GZIP = 16 + zlib.MAX_WBITS
MEMBERS = 4096
"""Members of one gzip: those who pack in parts make them of 64 kB and more."""
_WINDOW = 16 * 1024
"""Bytes inflated at once: what follows a member is copied, and must be little."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one worker allows; bytes, seconds and numbers of requests.

    ``in_flight`` requests are served at once, ``in_flight_each`` of them for one client;
    bodies being received together hold at most ``bodies`` bytes. ``seconds`` bounds the work
    of one answer, ``bundle_seconds`` that of a Bundle of requests, ``receive_seconds`` the
    arrival of one body. The answers to the entries of a Bundle have ``bundle_answer`` bytes. Of
    a body that is refused at most ``discarded`` bytes are taken in, for ``discard_seconds``, so
    that its sender comes to read the answer. A client has ``asynchronous_each`` requests that are
    answered later; their answers are kept for ``asynchronous_seconds``. A client asks ``$match`` and
    ``$ihe-pix`` ``match_each`` times in ``match_seconds``, one that asks of persons it may not see
    ``match_stranger_each`` times. So many ``documents`` are made at once.
    """

    json: JsonLimits = field(default=JSON_LIMITS)
    search: SearchLimits = field(default=SEARCH_LIMITS)
    address: int = 60_000
    form: int = 32_768
    headers: int = 65_536
    seconds: float = 10.0
    bundle_seconds: float = 60.0
    bundle_answer: int = 64 * 1024 * 1024
    receive_seconds: float = 30.0
    in_flight: int = 512
    in_flight_each: int = 256
    bodies: int = 256 * 1024 * 1024
    discarded: int = 256 * 1024 * 1024
    discard_seconds: float = 5.0
    threads: int = 8
    carriers: int = 4
    documents: int = 2
    asynchronous_each: int = 32
    asynchronous_seconds: float = 3600.0
    match_each: int = 600
    match_stranger_each: int = 20
    match_seconds: float = 60.0


LIMITS = Limits()


def require_head_within(
    scope: MutableMapping[str, Any], headers: Mapping[bytes, bytes], limits: Limits
) -> None:
    """Refuse a request whose address or header fields are too long."""
    length = len(scope["path"]) + len(scope["query_string"])
    if length > limits.address:
        raise AddressTooLong(
            f"The address has {length} characters and the limit is {limits.address}; "
            "send a long search by POST to _search."
        )
    size = sum(map(len, headers)) + sum(map(len, headers.values()))
    if size > limits.headers:
        largest = max(headers, key=lambda name: len(name) + len(headers[name]))
        raise HeadersTooLong(
            f"The header fields have {size} bytes and the limit is {limits.headers}.",
            path=largest.decode("latin-1")[:64],
        )


class Bodies:
    """Reads bodies, and bounds what all that are read or worked on together may hold."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held = 0

    async def read(self, incoming: "Incoming", headers: Mapping[bytes, bytes]) -> bytes:
        """The whole body, inflated when it came gzipped; ``release`` it when it is done with.

        Raises:
            TooLong: over the limit as sent or inflated; found while it arrives.
            TimedOut: it did not arrive in time.
            Unavailable: too much is being received at once.
            MediaTypeRefused: a content encoding other than gzip.
            BadInput: what came is not gzip, or the caller hung up.
        """
        inflater = _inflater(headers.get(b"content-encoding", b"").strip().lower())
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and len(declared) < 20 and int(declared) > self._limits.json.bytes:
            raise self._too_long()
        parts: list[bytes] = []
        size = received = 0
        try:
            async with asyncio.timeout(self._limits.receive_seconds):
                while not incoming.ended:
                    sent = await incoming.next()
                    received += len(sent)
                    part = inflater.feed(sent, self._limits.json.bytes + 1 - size) if inflater else sent
                    size += len(part)
                    self._hold(len(part))
                    parts.append(part)
                    if max(size, received) > self._limits.json.bytes:
                        raise self._too_long()
            if inflater:
                inflater.finish()
        except TimeoutError:
            self._held -= size
            raise TimedOut("The body did not arrive in time; send it faster or in smaller parts.") from None
        except BaseException:
            self._held -= size
            raise
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def release(self, body: bytes) -> None:
        """Give back the room that ``body`` took."""
        self._held -= len(body)

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > self._limits.bodies:
            raise Unavailable("The node is receiving too much at once; try again later.")

    def _too_long(self) -> TooLong:
        return TooLong(
            f"The body is over the limit of {self._limits.json.bytes} bytes; send it in smaller parts."
        )


class Incoming:
    """A body while it arrives."""

    __slots__ = ("_receive", "ended")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.ended = False

    async def next(self) -> bytes:
        """The next chunk; raises BadInput when the caller hung up."""
        message = await self._receive()
        if message["type"] != "http.request":
            self.ended = True
            raise BadInput("The caller hung up before the body had arrived.")
        self.ended = not message.get("more_body", False)
        return message.get("body", b"")

    async def discard(self, limits: Limits) -> None:
        """Take in what is left of a body that is refused, within bounds.

        Many callers read no answer before all they have is sent: to close the connection on
        them would look like a failure of the network.
        """
        room = limits.discarded
        try:
            async with asyncio.timeout(limits.discard_seconds):
                while not self.ended and room > 0:
                    room -= len(await self.next())
        except (TimeoutError, BadInput):
            return


class _Inflater:
    """Inflates gzip, one member after another, never more than it is told to."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=_GZIP)
        self._members = 1

    def feed(self, sent: bytes, room: int) -> bytes:
        """What ``sent`` inflates to; at most ``room`` bytes, the rest is then not wanted."""
        parts: list[bytes] = []
        try:
            for at in range(0, len(sent), _WINDOW):
                window = sent[at : at + _WINDOW]
                while window and room > 0:
                    if self._member.eof:
                        self._next_member()
                    part = self._member.decompress(window, room)
                    parts.append(part)
                    room -= len(part)
                    window = self._member.unused_data
        except zlib.error:
            raise BadInput(
                "The body is not the gzip its Content-Encoding says it is.", path=_ENCODING
            ) from None
        return b"".join(parts)

    def _next_member(self) -> None:
        self._members += 1
        if self._members > MEMBERS:
            raise TooLong(
                f"The gzip of the body has more than {MEMBERS} members; pack it as one.", path=_ENCODING
            )
        self._member = zlib.decompressobj(wbits=_GZIP)

    def finish(self) -> None:
        if not self._member.eof:
            raise BadInput("The gzip of the body ends too early.", path=_ENCODING)


def _inflater(encoding: bytes) -> _Inflater | None:
    if encoding in (b"", b"identity"):
        return None
    if encoding in (b"gzip", b"x-gzip"):
        return _Inflater()
    raise MediaTypeRefused(
        "The body's Content-Encoding is not offered here; send it plain or as gzip.", path=_ENCODING
    )
