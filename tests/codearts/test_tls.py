"""A certificate that is refused: one sentence for each cause, over real TLS."""

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3.connection
from urllib3.util.ssl_ import create_urllib3_context

from gate.codearts import tls
from gate.codearts.connect import connect
from gate.codearts.session import Session
from gate.codearts.tls import Certificate, UnverifiedCertificate
from gate.errors import Untrusted
from gate.settings import Connection, IamUser, Token
from tests.codearts.certificates import authority, server_with
from tests.tables import each_row

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"result": true}'
TUNNEL = b"HTTP/1.1 200 Connection established\r\n\r\n"
DAY = timedelta(days=1)
STARTS = datetime(2026, 1, 1, tzinfo=UTC)


class TlsServer:
    """Answers each request over TLS; `is_proxy`: behind a tunnel."""

    def __init__(self, context: ssl.SSLContext, *, is_proxy: bool) -> None:
        self.requests: list[bytes] = []
        self._context = context
        self._is_proxy = is_proxy
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        with contextlib.suppress(OSError), connection:
            if self._is_proxy:
                connection.recv(65536)
                connection.sendall(TUNNEL)
            with self._context.wrap_socket(connection, server_side=True) as secured:
                if request := secured.recv(65536):
                    self.requests.append(request)
                    secured.sendall(ANSWER)


Serve = Callable[..., TlsServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that starts a server."""
    with contextlib.ExitStack() as stack:

        def start(context: ssl.SSLContext, *, is_proxy: bool = False) -> TlsServer:
            server = TlsServer(context, is_proxy=is_proxy)
            stack.enter_context(server.listener)
            stack.callback(lambda: server.listener.shutdown(socket.SHUT_RDWR))
            return server

        yield start


def session_to(endpoint: str, bundle: Path | None, **settings: Any) -> Session:
    """Return a session."""
    usual: dict[str, Any] = {"credential": Token(value="a-token"), "request_timeout": 5}
    connection = Connection(endpoint=endpoint, ca_bundle=bundle, **usual | settings)
    return connect(connection, lambda _: None, lambda _: None)


def refusal(server: TlsServer, bundle: Path | None, **settings: Any) -> Untrusted:
    """Return the error of a request; not a byte of a request reaches the server."""
    with pytest.raises(Untrusted) as caught:
        session_to(f"https://127.0.0.1:{server.port}", bundle, **settings).get("/x")
    assert server.requests == []
    return caught.value


def assert_says(error: Untrusted, words: str, hint: str) -> None:
    """Assert that an error says the one thing, and none of the others."""
    said = f"{error} {error.hint}"
    assert re.search(words, str(error)), error
    assert hint in error.hint
    topics = {"--ca-bundle", "clock", "--endpoint", "strict checks"}
    expected = {"Add the certificate": {"--ca-bundle"}, "Python 3.12": {"--ca-bundle", "strict checks"}}
    assert {topic for topic in topics if topic in said} == expected.get(hint, {hint})


def test_good_certificate_is_accepted(serve: Serve, tmp_path: Path) -> None:
    """The authority made here passes the strict checks of every Python, too."""
    ca = authority()
    server = serve(server_with(ca, tmp_path, "127.0.0.1"))
    assert session_to(f"https://127.0.0.1:{server.port}", ca.write_to(tmp_path)).get("/x").status == 200


@pytest.mark.parametrize("bundle", ["another", "none"])
def test_unknown_ca_is_named(serve: Serve, tmp_path: Path, bundle: str) -> None:
    """With the file to which it has to be added, or the options that name one: a proxy that reads along is found so."""
    server = serve(server_with(authority("Inspecting Proxy CA"), tmp_path, "127.0.0.1"))
    file = authority("Other CA").write_to(tmp_path) if bundle == "another" else None
    error = refusal(server, file)
    place = re.escape(str(file or "the bundle of certifi"))
    words = f"not trusted: it was issued by Inspecting Proxy CA, which is not among the CAs in {place}"
    assert_says(error, words, "Add the certificate" if file else "--ca-bundle")


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ({"begins": -9 * DAY, "ends": -DAY}, r"expired at {ends} UTC: this machine's clock says {now}"),
        ({"begins": DAY, "ends": 9 * DAY}, r"is not valid before {begins} UTC: this machine's clock says {now}"),
    ],
    ids=["expired", "not yet valid"],
)
def test_certificate_out_of_its_time_is_told_with_both_times(
    serve: Serve, tmp_path: Path, times: dict[str, timedelta], words: str
) -> None:
    """One of the two is wrong: the certificate, or the clock of this machine."""
    now = datetime.now(UTC)
    ca = authority()
    server = serve(server_with(ca, tmp_path, "127.0.0.1", **times))  # type: ignore[arg-type]
    shown = {name: f"{now + offset:%Y-%m-%d %H:%M}:.." for name, offset in times.items()}
    assert_says(refusal(server, ca.write_to(tmp_path)), words.format(now=f"{now:%Y-%m-%d}", **shown), "clock")


def test_wrong_host_is_told_with_the_names_of_the_certificate(serve: Serve, tmp_path: Path) -> None:
    """The first ones of many."""
    ca = authority()
    names = ["elsewhere.test", "*.elsewhere.test", "192.0.2.7", "a.test", "b.test", "c.test"]
    server = serve(server_with(ca, tmp_path, *names))
    words = re.escape("is for another host: elsewhere.test, *.elsewhere.test, 192.0.2.7, a.test, b.test, ...")
    assert_says(refusal(server, ca.write_to(tmp_path)), words, "--endpoint")


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check certificates as strictly as Python does from 3.13 on."""

    def make_strict(*args: Any, **kwargs: Any) -> ssl.SSLContext:
        context = create_urllib3_context(*args, **kwargs)
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
        return context

    monkeypatch.setattr(urllib3.connection, "create_urllib3_context", make_strict)


LACKS = {
    "key usage": ({"key_usage": False}, {}, "the certificate of its CA has no keyUsage"),
    "subject key": ({"key_identifier": False}, {}, "the certificate of its CA has no subject key identifier"),
    "authority key": ({}, {"key_identifier": False}, "it has no authority key identifier"),
}


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize(("of_authority", "of_server", "words"), LACKS.values(), ids=LACKS)
def test_certificate_that_strict_checks_refuse_is_told_with_what_it_lacks(
    serve: Serve, tmp_path: Path, of_authority: Any, of_server: Any, words: str
) -> None:
    """And the way that is offered works: the server's own certificate as the only trusted one."""
    ca = authority(**of_authority)
    server = serve(server_with(ca, tmp_path, "127.0.0.1", **of_server))
    assert_says(refusal(server, ca.write_to(tmp_path)), f"strict checks of Python 3.*: {words}", "Python 3.12")
    assert session_to(f"https://127.0.0.1:{server.port}", tmp_path / "server.pem").get("/x").status == 200


def test_less_strict_python_takes_the_same_certificate(serve: Serve, tmp_path: Path) -> None:
    """It is not the gate that is strict. Newer versions of Python are, by themselves."""
    ca = authority(key_usage=False)
    server = serve(server_with(ca, tmp_path, "127.0.0.1"))
    if create_urllib3_context().verify_flags & ssl.VERIFY_X509_STRICT:
        assert_says(refusal(server, ca.write_to(tmp_path)), "has no keyUsage", "Python 3.12")
    else:
        assert session_to(f"https://127.0.0.1:{server.port}", ca.write_to(tmp_path)).get("/x").status == 200


def test_certificate_of_iam_is_told_likewise(serve: Serve, tmp_path: Path) -> None:
    """With IAM's host."""
    ca = authority()
    server = serve(server_with(ca, tmp_path, "elsewhere.test"))
    iam = f"https://127.0.0.1:{server.port}"
    user = IamUser(name="me", password="s3cret", domain="account", project="cn-north-4")
    error = refusal(server, ca.write_to(tmp_path), credential=user, iam_endpoint=iam)
    assert_says(error, rf"127\.0\.0\.1:{server.port} is for another host: elsewhere\.test", "--endpoint")


def test_certificate_behind_a_proxy_is_told_likewise(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read through the tunnel."""
    ca = authority()
    proxy = serve(server_with(ca, tmp_path, "build.example", ends=-DAY), is_proxy=True)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    with pytest.raises(Untrusted) as caught:
        session_to("https://build.example", ca.write_to(tmp_path)).get("/x")
    assert_says(caught.value, r"certificate of build\.example expired at", "clock")
    assert proxy.requests == []


def test_certificate_of_a_proxy_itself_is_told_likewise(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy may be spoken to by TLS."""
    ca = authority()
    proxy = serve(server_with(ca, tmp_path, "elsewhere.test"))
    monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{proxy.port}")
    with pytest.raises(Untrusted) as caught:
        session_to("https://build.example", ca.write_to(tmp_path)).get("/x")
    assert_says(caught.value, r"the proxy to build\.example is for another host: elsewhere\.test", "--endpoint")
    assert proxy.requests == []


def test_cause_is_told_although_the_certificate_cannot_be_read(tmp_path: Path) -> None:
    """The server is gone when it is asked a second time, and the time of the request is not exceeded."""
    ca = authority()
    context = server_with(ca, tmp_path, "elsewhere.test")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve_once() -> None:
            connection, _ = listener.accept()
            with contextlib.suppress(OSError), connection, context.wrap_socket(connection, server_side=True):
                pass

        threading.Thread(target=serve_once, daemon=True).start()
        started = datetime.now(UTC)
        with pytest.raises(Untrusted, match="is for another host"):
            session_to(f"https://127.0.0.1:{port}", ca.write_to(tmp_path), request_timeout=1).get("/x")
        assert datetime.now(UTC) - started < timedelta(seconds=3)


def refused_by_openssl(code: int, *names: str) -> ssl.SSLCertVerificationError:
    """Return the error of OpenSSL's number `code` about a certificate for these hosts."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "words of OpenSSL"
    return UnverifiedCertificate(error, Certificate(names, "An issuer", STARTS, STARTS + DAY))


@each_row(
    ("code", "names", "words"),
    [
        *((code, ("x",), "issued by An issuer, which is not among the CAs in ca.pem") for code in (2, 18, 19, 20, 21)),
        *((code, ("x", "y"), "is for another host: x, y") for code in (62, 64)),
        (62, (), "is for no host: it has no subjectAltName"),
        (62, tuple("abcdefg"), "is for another host: a, b, c, d, e, ..."),
        (1, ("x",), "is not trusted: words of OpenSSL"),
    ],
)
def test_every_number_of_openssl_has_the_sentence_of_its_kind(code: int, names: tuple[str, ...], words: str) -> None:
    """The numbers that no server here brings about, too."""
    assert words in str(tls.refusal(refused_by_openssl(code, *names), "build.example", "ca.pem", STARTS))
