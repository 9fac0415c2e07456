"""Which pages of other places may read answers in a browser: the origins an operator has listed.

Source: https://fetch.spec.whatwg.org/#http-cors-protocol. Cookies are never asked for: who asks says
so in a header field of the request, which its page must know.
"""

from collections.abc import Collection, Iterable, Mapping

from kintung.web.outcomes import Headers

ANY = "*"
"""Pages of every place."""

_EXPOSED = (
    b"Accept-Patch, Allow, Content-Disposition, Content-Location, ETag, Last-Modified, Location,"
    b" Preference-Applied, Retry-After, X-Progress, X-Security-Context"
)
_SENT = (
    b"Accept, Authorization, Content-Encoding, Content-Type, Idempotency-Key, If-Match, If-Modified-Since,"
    b" If-None-Exist, If-None-Match, Prefer, X-Security-Context"
)
_SECONDS = b"600"
"""For how long a browser need not ask again whether it may ask."""


class Cors:
    """The header fields for pages of the listed origins (``https://app.example``, or ``*``)."""

    def __init__(self, origins: Collection[str]) -> None:
        self._any = ANY in origins
        self._listed = frozenset(origin.encode() for origin in origins)
        self._varies: Headers = () if self._any or not origins else ((b"vary", b"origin"),)

    def fields(self, asked: Mapping[bytes, bytes]) -> Headers:
        """What an answer says of who may read it; nothing where no origin is listed."""
        origin = asked.get(b"origin")
        if not self._allows(origin):
            return self._varies
        return (
            *self._varies,
            (b"access-control-allow-origin", b"*" if self._any else origin or b""),
            (b"access-control-expose-headers", _EXPOSED),
        )

    def preflight(self, asked: Mapping[bytes, bytes], methods: Iterable[str]) -> Headers:
        """What the answer to OPTIONS says beside that: how the page may ask."""
        if b"access-control-request-method" not in asked or not self._allows(asked.get(b"origin")):
            return ()
        return (
            (b"access-control-allow-methods", ", ".join(methods).encode()),
            (b"access-control-allow-headers", _SENT),
            (b"access-control-max-age", _SECONDS),
        )

    def _allows(self, origin: bytes | None) -> bool:
        return origin is not None and (self._any or origin in self._listed)
