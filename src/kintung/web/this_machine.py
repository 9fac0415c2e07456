"""The gate of a node with sign-in switched off: it lets in programs of this machine, and no website.

A page in a browser on this machine reaches loopback too. It is told by its Origin; by the
Host, where a name of its own leads to loopback (DNS rebinding); and a form of it that is sent
without either cannot carry a FHIR Content-Type without the browser asking first.
"""

import ipaddress
import re
from collections.abc import Collection, Mapping
from functools import lru_cache

from kintung.consent import Access, Gate, unprotected
from kintung.errors import Forbidden
from kintung.web.outcomes import MediaTypeRefused

_HOST = rb"(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
_AUTHORITY = re.compile(_HOST)
_ORIGIN = re.compile(rb"https?://" + _HOST)


def this_machine_and(origins: Collection[str]) -> Gate:
    """``this_machine`` that lets in pages of some other origins too (``https://app.example``)."""
    listed = frozenset(origin.encode() for origin in origins)
    return lambda headers: this_machine(headers, listed)


def this_machine(headers: Mapping[bytes, bytes], origins: Collection[bytes] = ()) -> Access:
    """Let in who asks on this machine for this machine.

    Raises:
        Forbidden: the Host is not localhost or a loopback address; nor the Origin, which may be one
            of ``origins`` instead.
        MediaTypeRefused: a body without a Content-Type.
    """
    if not _is_loopback(_AUTHORITY, headers.get(b"host", b"")):
        raise Forbidden(
            "This node serves its own machine only; ask for it as localhost or 127.0.0.1.", path="Host"
        )
    origin = headers.get(b"origin")
    if origin is not None and origin not in origins and not _is_loopback(_ORIGIN, origin):
        raise Forbidden("This node serves no pages of other places.", path="Origin")
    if not headers.get(b"content-type") and _has_body(headers):
        raise MediaTypeRefused("Say what the body is with a Content-Type.", path="Content-Type")
    return unprotected(headers)


def _has_body(headers: Mapping[bytes, bytes]) -> bool:
    return headers.get(b"content-length", b"0").strip() != b"0" or b"transfer-encoding" in headers


@lru_cache(maxsize=64)
def _is_loopback(form: re.Pattern[bytes], field: bytes) -> bool:
    found = form.fullmatch(field)
    if found is None:
        return False
    host = found["host"].decode().lower()
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
