"""Forms that were really shown: each bears a token of who it was shown to and where it goes.

A page of another place can send a form here, and cannot read one here: so it has no token. The token is
sealed under the node's key, holds when it was made, and serves any worker; nothing is kept for it.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from urllib.parse import parse_qsl

from kintung.errors import Forbidden, Unavailable, ValueInvalid
from kintung.web.pages.registry import Asked
from kintung.web.site import Site

FORM = b"application/x-www-form-urlencoded"
TOKEN = "token"  # noqa: S105 - the name of the field
_MOST_FIELDS = 20
_GOOD_FOR_MICROS = 12 * 3_600 * 1_000_000
"""A working day: a steward may be called away over a pair."""


def token(site: Site, asked: Asked, action: str) -> str:
    """The token of a form that goes to the address ``action``."""
    made = site.clock.now_micros().to_bytes(8)
    return urlsafe_b64encode(site.sealed.seal(made, _what(asked, action))).rstrip(b"=").decode()


def fields(site: Site, asked: Asked) -> Mapping[str, str]:
    """The fields of a form that was shown to who sends it.

    Raises:
        ValueInvalid: it cannot be read.
        Forbidden: it was not shown to who sends it, for this address, within the last 12 hours.
    """
    try:
        pairs = parse_qsl(
            asked.body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise ValueInvalid("The form cannot be read; open the page again.") from None
    sent = dict(pairs)
    if len(sent) != len(pairs) or any("\0" in part for pair in pairs for part in pair):
        raise ValueInvalid("The form cannot be read; open the page again.")
    made = _opened(site, asked, sent.get(TOKEN, ""))
    if not 0 <= site.clock.now_micros() - made <= _GOOD_FOR_MICROS:
        raise _not_shown()
    return sent


def _opened(site: Site, asked: Asked, text: str) -> int:
    """When a token was made, in UTC microseconds."""
    try:
        sealed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        return int.from_bytes(site.sealed.open(sealed, _what(asked, asked.path)))
    except (ValueError, Unavailable):
        raise _not_shown() from None


def _what(asked: Asked, action: str) -> str:
    return f"form\0{asked.access.client}\0{asked.access.reader.name}\0{action}"


def _not_shown() -> Forbidden:
    return Forbidden("This form was not shown to you here, or too long ago; open the page again.")
