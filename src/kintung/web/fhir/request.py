"""A request as the interactions know it: a plain value, no server.

An entry of a batch becomes the same Request as one that came over the network.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import msgspec
from msgspec import structs

from kintung.consent import Access
from kintung.errors import NotSupported, ValueInvalid
from kintung.web.fhir import headers
from kintung.web.fhir.headers import Prefer

Pairs = tuple[tuple[str, str], ...]

HOW = ("_format", "_pretty")
"""Parameters that say how to answer; they select nothing and every address takes them."""

OF_PAGES = frozenset(
    {"_sort", "_count", "_total", "_include", "_revinclude", "_summary", "_elements", "_contained", "_cursor"}
)
"""Parameters of a search, without modifiers, that say how it is answered and not what matches."""

_PRECONDITIONS = frozenset(headers.PRECONDITIONS)

MAX_PAIRS = 1_000
"""Parameters read from an address or form; the search grammar allows fewer."""


class Request(msgspec.Struct, frozen=True):
    """One request, whose caller and address are known.

    ``path`` is the address under the base without a slash in front (``Patient/1``), ``query``
    what follows the question mark as sent. ``type``, ``id``, ``version`` and ``member`` (the type
    searched in a compartment) are filled from the path, "" where it has none. ``resource`` is the
    body, parsed, when it was parsed already; ``part`` tells the entries of one batch apart
    (``#3``), "" for a request of its own.
    """

    method: str
    path: str
    query: str
    headers: Mapping[bytes, bytes]
    access: Access
    base: str
    body: bytes = b""
    resource: dict[str, Any] | None = None
    part: str = ""
    type: str = ""
    id: str = ""
    version: str = ""
    member: str = ""

    def placed(self, parameters: Mapping[str, str]) -> "Request":
        """The request with what its path names."""
        return structs.replace(self, **parameters)

    def with_body(self, body: bytes) -> "Request":
        """The request with what came after its head."""
        return structs.replace(self, body=body)

    @property
    def prefer(self) -> Prefer:
        return headers.prefer(self.headers.get(b"prefer"))

    @property
    def pairs(self) -> Pairs:
        """The parameters of the address, decoded, in the order sent."""
        return decode_pairs(self.query) if self.query else ()

    @property
    def described(self) -> str:
        """Method, path, parameters and conditions, for the sealed part of the audit record.

        The form of a search and the input of an operation are as much a part of it as its address,
        and so are the criteria of a conditional create. A message is on record by what it changes.
        """
        query = self.query
        asks = self.path.endswith("_search") or ("$" in self.path and self.path != "$process-message")
        if self.body and asks:
            form = self.body.decode(errors="replace")
            query = f"{query}&{form}" if query else form
        asked = f"{self.method} {self.path}?{query}"
        if _PRECONDITIONS.isdisjoint(self.headers):
            return asked
        for name in headers.PRECONDITIONS:
            if name in self.headers:
                asked += f"\n{name.decode()}: {self.headers[name].decode(errors='replace')}"
        return asked


def decode_pairs(text: str) -> Pairs:
    """Decode ``name=value&name=value``.

    Raises:
        ValueInvalid: not UTF-8 after decoding, NUL in a value, or too many pairs; ``path`` is
            the name of the parameter, where it has one that can be said.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PAIRS)
    except UnicodeDecodeError:
        raise ValueInvalid("The parameters are not UTF-8.", path=_garbled(text)) from None
    except ValueError:
        raise ValueInvalid(f"There are more than {MAX_PAIRS} parameters.") from None
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            path = name.replace("\0", "")[:64] or None
            raise ValueInvalid("A parameter holds U+0000, which no value of the record does.", path=path)
    return tuple(pairs)


def _garbled(text: str) -> str | None:
    """The name of the first parameter that is not UTF-8, as it was sent."""
    for pair in text.split("&"):
        try:
            unquote_plus(pair, errors="strict")
        except UnicodeDecodeError:
            return pair.partition("=")[0][:64] or None
    return None


def refuse_parameters(request: Request) -> None:
    """Refuse parameters where the address has none of its own: none is passed over in silence."""
    for name, _ in request.pairs:
        if name not in HOW:
            raise not_offered(name)


def not_offered(name: str) -> NotSupported:
    """The refusal of a parameter."""
    return NotSupported(f"The parameter {name[:64]} is not offered here; leave it out.", path=name[:64])
