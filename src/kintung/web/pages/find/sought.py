"""What was looked for, as it may stand in an address: sealed, for who asked, for a working day.

A name or an identity number in an address would stand in the browser's history, in what proxies note and
in the line the audit keeps of the request.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from kintung.errors import Unavailable
from kintung.identity.typed import MOST_CHARACTERS
from kintung.web.pages.registry import Asked
from kintung.web.site import Site

GOOD_FOR_MICROS = 12 * 3_600 * 1_000_000


def sealed(site: Site, asked: Asked, text: str) -> str:
    """The text as an address may have it, cut to one character more than is taken: it is too long still."""
    plain = site.clock.now_micros().to_bytes(8) + text[: MOST_CHARACTERS + 1].encode()
    return urlsafe_b64encode(site.sealed.seal(plain, _what(asked))).rstrip(b"=").decode()


def opened(site: Site, asked: Asked, text: str) -> str | None:
    """What was sealed; None when it was not sealed here for who asks, or too long ago."""
    try:
        blob = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        plain = site.sealed.open(blob, _what(asked))
    except (ValueError, Unavailable):
        return None
    age = site.clock.now_micros() - int.from_bytes(plain[:8])
    return plain[8:].decode() if 0 <= age <= GOOD_FOR_MICROS else None


def _what(asked: Asked) -> str:
    return f"find\0{asked.access.client}\0{asked.access.reader.name}"
