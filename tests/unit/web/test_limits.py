"""Bodies are counted while they arrive, and together."""

import asyncio
import gzip
from collections.abc import Mapping

import pytest

from kintung.errors import BadInput, KintungError, TimedOut, TooLong, Unavailable
from kintung.fhir.json import Limits as JsonLimits
from kintung.web.limits import Bodies, Incoming, Limits, Message
from kintung.web.outcomes import MediaTypeRefused

LIMITS = Limits(json=JsonLimits(bytes=1_000), bodies=1_500, receive_seconds=0.05)


class Sender:
    """Sends a body in chunks, and counts how many were asked for."""

    def __init__(self, *chunks: bytes, stalls: bool = False, hangs_up: bool = False) -> None:
        self.chunks = list(chunks)
        self.asked = 0
        self._stalls = stalls
        self._hangs_up = hangs_up

    async def __call__(self) -> Message:
        self.asked += 1
        if self.asked <= len(self.chunks):
            more = self._stalls or self._hangs_up or self.asked < len(self.chunks)
            return {"type": "http.request", "body": self.chunks[self.asked - 1], "more_body": more}
        if self._hangs_up:
            return {"type": "http.disconnect"}
        await asyncio.Event().wait()
        raise AssertionError


def read(sender: Sender, headers: Mapping[bytes, bytes] | None = None, bodies: Bodies | None = None) -> bytes:
    return asyncio.run((bodies or Bodies(LIMITS)).read(Incoming(sender), headers or {}))


GZIP = {b"content-encoding": b"gzip"}


def test_a_body_is_its_chunks() -> None:
    assert read(Sender(b"a", b"", b"bc")) == b"abc"
    assert read(Sender(b"")) == b""


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_gzip_in_any_chunks(size: int) -> None:
    packed = gzip.compress(b"a" * 500) + gzip.compress(b"b" * 500)
    chunks = [packed[at : at + size] for at in range(0, len(packed), size)]
    assert read(Sender(*chunks), GZIP) == b"a" * 500 + b"b" * 500


@pytest.mark.parametrize(
    ("sender", "headers", "error"),
    [
        (Sender(b"a" * 600, b"a" * 600), {}, TooLong),
        (Sender(gzip.compress(bytes(10_000_000))), GZIP, TooLong),
        (Sender(gzip.compress(b"a" * 600) * 2), GZIP, TooLong),
        (Sender(b"a", stalls=True), {}, TimedOut),
        (Sender(b"a", hangs_up=True), {}, BadInput),
        (Sender(b"aaaa"), GZIP, BadInput),
        (Sender(gzip.compress(b"a" * 600)[:20]), GZIP, BadInput),
        (Sender(b""), GZIP, BadInput),
        (Sender(b"a"), {b"content-encoding": b"zstd"}, MediaTypeRefused),
        (Sender(b"a"), {b"content-encoding": b"gzip, gzip"}, MediaTypeRefused),
    ],
)
def test_what_is_refused_takes_no_room_afterwards(
    sender: Sender, headers: dict[bytes, bytes], error: type[KintungError]
) -> None:
    bodies = Bodies(LIMITS)
    with pytest.raises(error):
        read(sender, headers, bodies)
    assert read(Sender(b"b" * 1_000), bodies=bodies) == b"b" * 1_000


def test_a_body_declared_too_long_is_not_read() -> None:
    sender = Sender(b"a" * 2_000)
    with pytest.raises(TooLong):
        read(sender, {b"content-length": b"1001"})
    assert sender.asked == 0
    assert read(Sender(b"a"), {b"content-length": b"9" * 30}) == b"a"


def test_bodies_together_have_a_limit() -> None:
    bodies = Bodies(LIMITS)
    held = read(Sender(b"a" * 900), bodies=bodies)
    with pytest.raises(Unavailable):
        read(Sender(b"b" * 900), bodies=bodies)
    bodies.release(held)
    assert len(read(Sender(b"b" * 900), bodies=bodies)) == 900


def test_what_is_left_of_a_refused_body_is_taken_in_within_bounds() -> None:
    limits = Limits(discarded=1_000, discard_seconds=0.05)
    for sender, asked in (
        (Sender(*[b"a" * 100] * 5), 5),
        (Sender(*[b"a" * 100] * 50), 10),
        (Sender(b"a", stalls=True), 2),
        (Sender(b"a", hangs_up=True), 2),
    ):
        asyncio.run(Incoming(sender).discard(limits))
        assert sender.asked == asked
