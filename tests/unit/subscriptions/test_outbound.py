"""B8: a node sends where its operator listed, at addresses that were looked at, and nowhere else."""

import ipaddress
import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from kintung.errors import KintungError, ValueInvalid
from kintung.subscriptions import Outbound, Undelivered, allowed
from kintung.subscriptions.outbound import MOST_ANSWERED, is_public, target_of
from tests.receivers import answering, receiver

LISTED = "https://ward.example.hk"


@pytest.mark.parametrize(
    "url",
    [
        "https://ward.example.hk/hook",
        "https://ward.example.hk:443/hook?key=a%20b",
        "https://WARD.example.hk/hook",
        "https://ward.example.hk",
    ],
)
def test_listed_origin_is_sent_to(url):
    assert str(allowed([LISTED]).require(url).origin) == LISTED


@pytest.mark.parametrize(
    "url",
    [
        # Other origins that look like it.
        "https://ward.example.hk.evil.example/hook",
        "https://evil.example/ward.example.hk",
        "https://evilward.example.hk/hook",
        "https://ward.example.hk:8443/hook",
        "http://ward.example.hk/hook",
        "https://ward.example.hk./hook",
        # Two readings of one address.
        "https://ward.example.hk@evil.example/hook",
        "https://user:secret@ward.example.hk/hook",
        "https://ward.example.hk\\@evil.example/hook",
        "https:\\\\ward.example.hk\\hook",
        "https://ward.example.hk#@evil.example/",
        "https://ward.example.hk%2eevil.example/",
        "https://ward.example.hk:99999/hook",
        "https://ward.example.hk:0/hook",
        "https://ward.example.hk:/hook",
        "https://ward.example.hk/ho ok",
        "https://ward.example.hk/hook\r\nX-Other: 1",
        "https://ward.example.hk/hook\n",
        " https://ward.example.hk/hook",
        "https://wаrd.example.hk/hook",  # a Cyrillic letter
        "https://ward。example。hk/hook",
        "https:ward.example.hk/hook",
        "//ward.example.hk/hook",
        "HTTPS//ward.example.hk",
        # Other schemes.
        "file:///etc/passwd",
        "gopher://ward.example.hk/",
        "ftp://ward.example.hk/hook",
        "javascript:alert(1)",
        "",
        "https://",
        "https://ward.example.hk/" + "a" * 3000,
        # This machine and its network, in every way they are written.
        "https://localhost/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://127.0.0.01/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[0:0:0:0:0:ffff:7f00:1]/",
        "https://[::127.0.0.1]/",
        "https://[fe80::1%25eth0]/",
        "http://169.254.169.254/latest/meta-data/",
        "https://[fd00:ec2::254]/",
        "https://0/",
        "https://0.0.0.0/",
        "https://[::]/",
    ],
)
def test_any_other_address_is_refused(url):
    with pytest.raises(ValueInvalid):
        allowed([LISTED]).require(url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.1",
        "198.18.0.1",
        "192.0.2.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::",
        "2001:0:7f00:1::",
        "fe80::1",
        "fe80::1%1",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "100::1",
        "2001:db8::1",
    ],
)
def test_what_is_not_public_is_not_connected_to(address):
    """The name is listed; where it leads is of the node's own network."""
    assert not is_public(ipaddress.ip_address(address))
    outbound = Outbound(allowed([LISTED]), resolve=lambda *_: [address])
    with pytest.raises(ValueInvalid):
        outbound.send("POST", target_of(f"{LISTED}/hook"), {})


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "2002:808:808::"]
)
def test_public_addresses_are_known(address):
    assert is_public(ipaddress.ip_address(address))


def test_one_private_address_among_public_ones_is_enough_to_refuse():
    outbound = Outbound(allowed([LISTED]), resolve=lambda *_: ["8.8.8.8", "127.0.0.1"])
    with pytest.raises(ValueInvalid):
        outbound.send("POST", target_of(f"{LISTED}/hook"), {})


def test_the_name_is_resolved_once_and_that_address_connected_to():
    """DNS rebinding: the second answer of the name server would be another."""
    asked = []

    def resolve(host, port):
        asked.append((host, port))
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    with receiver(answering(204)) as server:
        origin = f"http://rebinding.example.hk:{server.port}"
        outbound = Outbound(allowed([origin], ["127.0.0.0/8"]), resolve=resolve)
        assert outbound.send("POST", target_of(f"{origin}/hook?a=b"), {"X-Key": "1"}).status == 204
    assert asked == [("rebinding.example.hk", server.port)]
    _, path, headers, _ = server.got[0]
    assert path == "/hook?a=b"
    assert headers["Host"] == f"rebinding.example.hk:{server.port}"
    assert headers["X-Key"] == "1"


def test_a_redirect_is_not_followed():
    """Not even to a listed origin: the credential is for the one that was named."""
    with receiver(answering(200)) as other:
        away = f"http://127.0.0.1:{other.port}"
        with receiver(answering(307, Location=f"{away}/latest/meta-data/")) as server:
            origin = f"http://127.0.0.1:{server.port}"
            outbound = Outbound(allowed([origin, away]))
            answered = outbound.send("POST", target_of(f"{origin}/hook"), {"Authorization": "Bearer secret"})
    assert answered.status == 307
    assert other.got == []


def test_no_proxy_is_asked(monkeypatch):
    """A proxy of the environment would be told the credential."""
    with receiver(answering(200)) as proxy, receiver(answering(201)) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        origin = f"http://127.0.0.1:{server.port}"
        assert Outbound(allowed([origin])).send("POST", target_of(origin), {}).status == 201
    assert proxy.got == []


def test_an_unlisted_origin_is_refused_before_its_name_is_looked_up():
    def resolve(*_):
        raise AssertionError("looked up")

    with pytest.raises(ValueInvalid):
        Outbound(allowed([LISTED]), resolve=resolve).send("POST", target_of("https://evil.example/"), {})


def test_who_answers_a_byte_at_a_time_is_broken_off():
    """Each wait is short, all of them together would have no end."""
    gone = threading.Event()

    def drip(handler, _got):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not gone.wait(0.02):
            try:
                handler.wfile.write(b"a")
                handler.wfile.flush()
            except OSError:
                gone.set()
        handler.close_connection = True

    with receiver(drip) as server:
        origin = f"http://127.0.0.1:{server.port}"
        with pytest.raises(Undelivered):
            Outbound(allowed([origin]), seconds=0.3).send("POST", target_of(origin), {})
        assert gone.wait(30)


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a receiver named ``ward.example.hk`` shows, and what trusts it."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ward.example.hk")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1)
    made = made.not_valid_before(datetime(2022, 10, 19, tzinfo=UTC))
    made = made.not_valid_after(datetime(2122, 10, 19, tzinfo=UTC))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("ward.example.hk")]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    encoding = serialization.Encoding.PEM
    (folder / "certificate").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(encoding))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "key").write_bytes(key.private_bytes(encoding, form, plain))
    shows = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shows.load_cert_chain(folder / "certificate", folder / "key")
    return shows, ssl.create_default_context(cafile=str(folder / "certificate"))


def _secured(name: str, port: int, trusts: ssl.SSLContext | None, seconds: float = 30) -> Outbound:
    """A client that finds ``name`` on loopback."""
    origins = allowed([f"https://{name}:{port}"], ["127.0.0.0/8"])
    return Outbound(origins, resolve=lambda *_: ["127.0.0.1"], tls=trusts, seconds=seconds)


def test_who_shows_the_certificate_of_the_listed_name_is_sent_to(certified):
    shows, trusts = certified
    with receiver(answering(201), tls=shows) as server:
        target = target_of(f"https://ward.example.hk:{server.port}/hook")
        assert _secured("ward.example.hk", server.port, trusts).send("POST", target, {}).status == 201


@pytest.mark.parametrize(("name", "is_trusted"), [("other.example.hk", True), ("ward.example.hk", False)])
def test_who_shows_another_certificate_is_told_nothing(certified, name: str, is_trusted: bool):
    shows, trusts = certified
    with receiver(answering(201), tls=shows) as server:
        outbound = _secured(name, server.port, trusts if is_trusted else None)
        with pytest.raises(Undelivered):
            outbound.send("POST", target_of(f"https://{name}:{server.port}/hook"), {"X-Key": "secret"})
    assert server.got == []


def test_who_shakes_hands_a_byte_at_a_time_is_broken_off(certified):
    _, trusts = certified
    gone = threading.Event()

    def drip(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.sendall(b"\x16\x03\x03\x20\x00\x02")  # the head of a long record
            while not gone.wait(0.02):
                connection.sendall(b"\x00")
        gone.set()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,))
        thread.start()
        port = listening.getsockname()[1]
        outbound = _secured("ward.example.hk", port, trusts, seconds=0.3)
        with pytest.raises(Undelivered):
            outbound.send("POST", target_of(f"https://ward.example.hk:{port}/"), {})
        thread.join(30)
        assert not thread.is_alive()


def test_no_more_of_an_answer_is_read_than_the_bound():
    def endless(handler, _got):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * (MOST_ANSWERED + 1))
        handler.close_connection = True

    with receiver(endless) as server:
        origin = f"http://127.0.0.1:{server.port}"
        assert Outbound(allowed([origin])).send("POST", target_of(origin), {}).status == 200


@pytest.mark.parametrize(
    "said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a" * 70_000]
)
def test_what_is_no_answer_is_undelivered(said):
    def answer(handler, _got):
        handler.wfile.write(said)
        handler.close_connection = True

    with receiver(answer) as server:
        origin = f"http://127.0.0.1:{server.port}"
        with pytest.raises(Undelivered):
            Outbound(allowed([origin])).send("POST", target_of(origin), {})


def test_nobody_listening_is_undelivered():
    with receiver(answering(200)) as server:
        origin = f"http://127.0.0.1:{server.port}"
    with pytest.raises(Undelivered):
        Outbound(allowed([origin])).send("POST", target_of(origin), {})


def test_a_name_without_an_address_is_undelivered():
    def resolve(*_):
        raise OSError

    with pytest.raises(Undelivered):
        Outbound(allowed([LISTED]), resolve=resolve).send("POST", target_of(LISTED), {})


@given(
    st.one_of(
        st.text(max_size=60), st.builds("https://{}/{}".format, st.text(max_size=20), st.text(max_size=20))
    )
)
def test_any_text_is_read_or_refused(text):
    try:
        target = target_of(text)
    except KintungError:
        return
    assert str(target.origin).startswith(("http://", "https://"))


@pytest.mark.parametrize(
    "origin", ["https://a.hk/", "https://a.hk/x", "https://a.hk?x=1", "a.hk", "https://*.hk", "https://*"]
)
def test_what_is_no_origin_cannot_be_listed(origin):
    with pytest.raises(ValueInvalid):
        allowed([origin])


@pytest.mark.parametrize("network", ["10.0.0.1/8", "10.0.0.0/33", "everything"])
def test_what_is_no_network_cannot_be_listed(network):
    with pytest.raises(ValueInvalid):
        allowed([LISTED], [network])
