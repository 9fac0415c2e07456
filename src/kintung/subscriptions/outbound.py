"""The one outbound HTTP client of a node: to listed origins, at addresses that were looked at.

Who can write a Subscription chooses where the node sends. So that the node cannot be made to
speak to its own network (server-side request forgery), it sends

- only to **origins** (scheme, host, port) the operator has listed, compared whole;
- only over https, or over http where the listed origin says so;
- only to addresses that are public, or stand in a network the operator has listed: the name is
  resolved once, every address it has must pass, and the connection goes to that very address, so
  that a second answer of the name server (DNS rebinding) is never asked for;
- without following a redirect, without a proxy, and with header fields to that one origin only;
- for a bounded time, reading a bounded answer.
"""

import http.client
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, NamedTuple

from kintung.errors import ValueInvalid

SECONDS = 10.0
"""How long one exchange may take, from the connection to the end of the answer; a name is looked up
for as long as the system lets it."""
MOST_ANSWERED = 64 * 1024
"""Bytes of an answer's body that are read; the rest is left unread."""

Method = Literal["POST", "PUT"]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Iterable[str]]
"""The addresses of a host name, as text; raises OSError when it has none."""

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?(?P<query>[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*))?",
)
"""What may be sent to: no userinfo, no fragment, no sign that two programs read differently."""
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBERS = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")
_PORTS = {"https": 443, "http": 80}
_MOST_URL = 2_048


class Undelivered(Exception):
    """Nothing came back, or not in time; whether it arrived is not known. It never reaches a caller."""


class Origin(NamedTuple):
    """Scheme, host (lower case; IPv6 without brackets) and port."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")


class Target(NamedTuple):
    """An address to send to: its origin, and the path with the query."""

    origin: Origin
    path: str
    query: str = ""

    def below(self, *segments: str) -> "Target":
        """The address with segments added to its path."""
        return self._replace(path="/".join((self.path.rstrip("/"), *segments)))


def target_of(url: str) -> Target:
    """Read the one way an address can be read.

    Raises:
        ValueInvalid: it is no http or https address, names a user, or its host can be read in two ways.
    """
    match = _URL.fullmatch(url) if len(url) <= _MOST_URL else None
    if match is None:
        raise ValueInvalid("This is not an address of the form https://host/path that a node sends to.")
    scheme, port = match["scheme"], int(match["port"] or _PORTS[match["scheme"]])
    if not 0 < port < 65_536:
        raise ValueInvalid("The port of the address is not one.")
    return Target(
        Origin(scheme, _host(match["host"].lower()), port), match["path"] or "/", match["query"] or ""
    )


def origin_of(text: str) -> Origin:
    """An origin as an operator lists it: ``https://host`` or ``https://host:port``, nothing after.

    Raises:
        ValueInvalid: it is no origin.
    """
    target = target_of(text)
    if target.path != "/" or target.query or text.endswith(("/", "?")):
        raise ValueInvalid("An origin is a scheme, a host and maybe a port, such as https://ward.example.hk.")
    return target.origin


def _host(host: str) -> str:
    """The host in its one form.

    ``2130706433``, ``0177.0.0.1`` and ``127.1`` are addresses to some programs and names to
    others: numbers are taken as four decimal ones only, as ``ipaddress`` reads them.
    """
    if host.startswith("["):
        try:
            return str(ipaddress.IPv6Address(host[1:-1]))
        except ValueError:
            raise ValueInvalid("The host of the address is no IPv6 address.") from None
    labels = host.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueInvalid("The host of the address is no name and no address.")
    if _NUMBERS.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise ValueInvalid(
                "The host of the address is no IPv4 address written as four numbers."
            ) from None
    return host


def is_public(address: Address) -> bool:
    """Whether an address is of the Internet at large.

    So must be the IPv4 address that an IPv6 one stands for, mapped or by 6to4; other forms that
    carry one (Teredo, translated, compatible) are in ranges that are not public.
    """
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return is_public(inner)
        if address.scope_id is not None or address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_unspecified or address.is_reserved)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator lets a node send to.

    Attributes:
        origins: those listed. One whose host is an address, or ``localhost``, lists that address.
        networks: in which addresses that are not public may be.
    """

    origins: frozenset[Origin] = frozenset()
    networks: tuple[Network, ...] = ()

    def require(self, url: str) -> Target:
        """The target of an address whose origin is listed.

        Raises:
            ValueInvalid: it is no such address, or its origin is not listed.
        """
        target = target_of(url)
        if target.origin not in self.origins:
            raise ValueInvalid(
                f"This node does not send to {target.origin}; its operator lists where it may."
            )
        return target

    def has(self, origin: Origin, address: Address) -> bool:
        """Whether a connection to a listed origin may go to this address."""
        if origin.host == "localhost":
            return address.is_loopback
        if origin.host == str(address):
            return True
        return is_public(address) or any(address in each for each in self.networks)


def allowed(origins: Collection[str], networks: Collection[str] = ()) -> Allowed:
    """What is allowed, from what an operator wrote.

    Raises:
        ValueInvalid: one of the texts is no origin, or no network.
    """
    try:
        listed = tuple(ipaddress.ip_network(text) for text in networks)
    except ValueError:
        raise ValueInvalid("A network is written as 10.20.0.0/16 or fd12:3456::/48.") from None
    return Allowed(frozenset(origin_of(text) for text in origins), listed)


class Answered(NamedTuple):
    """The status of an answer. ``retry_after`` in seconds, None when it does not say."""

    status: int
    retry_after: int | None = None


def system_resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as the operating system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in found]


class Outbound:
    """Sends to what is allowed; used by several threads."""

    def __init__(
        self,
        allowed: Allowed,
        *,
        resolve: Resolve = system_resolve,
        seconds: float = SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """``tls`` is the context of https; by default the machine's own trusted authorities."""
        self.allowed = allowed
        self._resolve = resolve
        self._seconds = seconds
        self._tls = tls or ssl.create_default_context()

    def send(self, method: Method, target: Target, headers: Mapping[str, str], body: bytes = b"") -> Answered:
        """Send once and give what was answered, whatever the status; a redirect is an answer like any.

        Raises:
            ValueInvalid: the origin is not listed, or its name leads to an address that is not allowed.
            Undelivered: no connection, no answer, or not in time.
        """
        if target.origin not in self.allowed.origins:
            raise ValueInvalid(
                f"This node does not send to {target.origin}; its operator lists where it may."
            )
        address = self._address(target.origin)
        connection = _Connection(target.origin, address, self._seconds, self._tls)
        # Each wait for the socket is bounded by its time-out; who answers a byte at a time is by this.
        end = threading.Timer(self._seconds, connection.break_off)
        end.daemon = True
        end.start()
        try:
            path = f"{target.path}?{target.query}" if target.query else target.path
            connection.request(method, path, body, dict(headers) | {"connection": "close"})
            answer = connection.getresponse()
            answer.read(MOST_ANSWERED)
            if connection.broken_off:  # half a header reads like the end of it
                raise TimeoutError
            return Answered(answer.status, _seconds(answer.getheader("retry-after")))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Undelivered(f"{target.origin} did not answer: {type(error).__name__}.") from None
        finally:
            end.cancel()
            connection.close()

    def _address(self, origin: Origin) -> str:
        """The address to connect to: the first of those the name has, when all of them are allowed."""
        try:
            found = [ipaddress.ip_address(text) for text in self._resolve(origin.host, origin.port)]
        except (OSError, UnicodeError):
            raise Undelivered(f"The name of {origin} leads to no address now.") from None
        except ValueError:  # such as one with a zone, which is of this link only
            raise ValueInvalid(
                f"The name of {origin} leads to an address that this node does not send to."
            ) from None
        if not found:
            raise Undelivered(f"The name of {origin} leads to no address now.")
        if not all(self.allowed.has(origin, address) for address in found):
            raise ValueInvalid(f"The name of {origin} leads to an address that this node does not send to.")
        return str(found[0])


class _Connection(http.client.HTTPConnection):
    """A connection to one address, whatever its name leads to by now."""

    def __init__(self, origin: Origin, address: str, seconds: float, tls: ssl.SSLContext) -> None:
        super().__init__(origin.host, origin.port, timeout=seconds)
        self._origin = origin
        self._address = address
        self._tls = tls
        self.broken_off = False
        self.default_port = _PORTS[origin.scheme]  # pyright: ignore[reportAttributeAccessIssue] - for Host

    def connect(self) -> None:
        sock = socket.create_connection((self._address, self._origin.port), self.timeout)
        self.sock = sock
        if self._origin.scheme == "https":
            # Shaken hands with only once break_off knows the socket: that too may be drawn out.
            self.sock = secured = self._tls.wrap_socket(
                sock, server_hostname=self._origin.host, do_handshake_on_connect=False
            )
            secured.do_handshake()
        if self.broken_off:
            raise TimeoutError

    def break_off(self) -> None:
        """End what is under way; called on another thread."""
        self.broken_off = True
        sock = getattr(self, "sock", None)
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def _seconds(field: str | None) -> int | None:
    """Retry-After in seconds; a date in it is not heard."""
    text = (field or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None
