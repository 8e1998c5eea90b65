"""Answers on real sockets: whatever a server does, a request ends in time, with an error of the gate's own."""

import contextlib
import itertools
import os
import resource
import socket
import ssl
import struct
import subprocess
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from gate.codearts import responses
from gate.codearts.connect import connect
from gate.codearts.json_fields import Json
from gate.codearts.session import Session
from gate.errors import InvalidAnswer, PermanentError, ServiceError, TooSlow, TransientError, Unreachable, Untrusted
from gate.limits import MAX_BYTES, MAX_LINES, MAX_WIRE_BYTES
from gate.settings import Connection, Token
from tests.tables import each_row
from tests.tools import tool

LIMIT = 0.4
"""The request timeout in seconds, of requests that do not come to a good end; the others have `PLENTY`."""

PLENTY = 10.0
"""A request timeout that no answer needs, however busy the machine is."""

SLACK = 2.5
"""Seconds that a busy machine may need in addition."""

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
GOOD = HEAD + b'Content-Length: 16\r\n\r\n{"result": true}'

Act = Callable[[socket.socket], None]
Serve = Callable[..., int]


def drip(data: bytes, interval: float = 0.1) -> Act:
    """Send single bytes with pauses."""

    def act(connection: socket.socket) -> None:
        for byte in data:
            time.sleep(interval)
            connection.sendall(bytes([byte]))

    return act


def flood(head: bytes, piece: bytes) -> Act:
    """Send without end, as fast as the client takes it."""

    def act(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in itertools.repeat(None):
            connection.sendall(piece)

    return act


def send(data: bytes, *, stay: bool = False) -> Act:
    """Send this, then close the connection, or keep it open until the client closes it."""

    def act(connection: socket.socket) -> None:
        connection.sendall(data)
        if stay:
            connection.recv(65536)

    return act


def in_turn(*acts: Act) -> Act:
    """Do one after the other."""

    def act(connection: socket.socket) -> None:
        for one in acts:
            one(connection)

    return act


def reset(data: bytes = b"") -> Act:
    """Send this, then break the connection."""

    def act(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return act


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that starts a server with this act for each connection, and returns its port."""
    with contextlib.ExitStack() as stack:

        def start(act: Act, context: ssl.SSLContext | None = None) -> int:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def serve_one(connection: socket.socket) -> None:
                with contextlib.suppress(OSError), connection:
                    secured = context.wrap_socket(connection, server_side=True) if context else connection
                    with secured:
                        while secured.recv(65536):
                            act(secured)
                            return

            def accept() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        connection, _ = listener.accept()
                        threading.Thread(target=serve_one, args=(connection,), daemon=True).start()

            threading.Thread(target=accept, daemon=True).start()
            stack.callback(lambda: listener.shutdown(socket.SHUT_RDWR))
            return int(listener.getsockname()[1])

        yield start


def session_to(port: int, scheme: str = "http", ca_bundle: Path | None = None, seconds: float = PLENTY) -> Session:
    """Return a session to a port of this machine."""
    connection = Connection(
        endpoint=f"{scheme}://127.0.0.1:{port}",
        credential=Token(value="a-token"),
        request_timeout=seconds,
        ca_bundle=ca_bundle,
    )
    return connect(connection, lambda _: None, lambda _: None)


def ask(session: Session) -> Json:
    """Ask once and read the answer."""
    return responses.payload(session.get("/x"), "x", session.hide)


def packed(mebibytes: int) -> bytes:
    """Return so many MiB of spaces, compressed piece by piece."""
    packer = zlib.compressobj(wbits=31)
    return b"".join([*(packer.compress(b" " * 2**20) for _ in range(mebibytes)), packer.flush()])


def bomb(connection: socket.socket) -> None:
    """Send a body that decompresses to 200 MB; compressed when it is needed, as that takes a while."""
    connection.sendall(HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n" + packed(200))


ACTS = {
    "silence": send(b"", stay=True),
    "drip in the status line": drip(GOOD),
    "drip in the headers": drip(HEAD * 100),
    "drip in the body": in_turn(send(GOOD[:-16]), drip(GOOD[-16:])),
    "drip in a chunked body": in_turn(send(HEAD + CHUNKED), drip(b"1\r\n \r\n" * 99)),
    "drip in a chunk's length": in_turn(send(HEAD + CHUNKED), drip(b"0" * 200)),
    "headers without end": flood(HEAD, b"X-More: and more\r\n"),
    "a header without end": flood(HEAD + b"X-Long: ", b"x" * 65536),
    "a status line without end": flood(b"HTTP/1.1 ", b"2" * 65536),
    "continue without end": flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "chunks without end": flood(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"400\r\n" + b" " * 1024 + b"\r\n"),
    "empty body that stays": send(HEAD + b"Content-Length: 16\r\n\r\n", stay=True),
    "a body of 100 MB": flood(HEAD + b"Content-Length: 104857600\r\n\r\n", b" " * 65536),
    "a redirect without end": flood(
        b"HTTP/1.1 302 Found\r\nLocation: /y\r\nTransfer-Encoding: chunked\r\n\r\n", b"400\r\n" + b" " * 1024 + b"\r\n"
    ),
    "a body that unpacks to 200 MB": bomb,
    "a close before the first byte": send(b""),
    "a close in the headers": send(HEAD),
    "a close in the body": send(GOOD[:-5]),
    "a close in a chunk": send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n400\r\n abc"),
    "a reset before the first byte": reset(),
    "a reset in the body": reset(GOOD[:-5]),
    "no HTTP": send(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "a bad chunk": send(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "a bad encoding": send(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"),
}


LATE_HEADERS = ("silence", "drip in the status line", "drip in the headers")


@pytest.mark.parametrize("name", ACTS)
def test_any_misbehaviour_is_an_error_in_time(serve: Serve, name: str) -> None:
    """Within the request's time, in bounded memory. Where not even the headers come, it names the option."""
    session = session_to(serve(ACTS[name]), seconds=LIMIT)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    with pytest.raises(ServiceError) as caught:
        ask(session)
    if name in LATE_HEADERS:
        assert isinstance(caught.value, TooSlow)
        assert "--request-timeout" in str(caught.value)
    assert time.monotonic() - started < LIMIT + SLACK
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000  # KiB


@pytest.mark.parametrize("name", ["a close before the first byte", "a reset before the first byte"])
def test_broken_connection_is_unreachable(serve: Serve, name: str) -> None:
    """There is no answer."""
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
        ask(session_to(serve(ACTS[name])))


def test_byte_just_before_the_end_gives_no_more_time(serve: Serve) -> None:
    """Received bytes do not restart the time limit."""

    def act(connection: socket.socket) -> None:
        time.sleep(LIMIT * 1.8)
        connection.sendall(HEAD)
        connection.recv(65536)

    session = session_to(serve(act), seconds=LIMIT * 2)
    started = time.monotonic()
    with pytest.raises(TooSlow):
        ask(session)
    assert time.monotonic() - started < LIMIT * 3


def test_nobody_listening_is_unreachable() -> None:
    """The port is free."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable):
        ask(session_to(port))


def test_large_body_is_cut(serve: Serve) -> None:
    """A body over the limit is an invalid answer."""
    with pytest.raises(InvalidAnswer, match=f"longer than {MAX_BYTES // 2**20} MiB"):
        ask(session_to(serve(ACTS["a body of 100 MB"])))


@pytest.mark.parametrize("interim", [b"103 Early Hints\r\nLink: </x>", b"102 Processing", b"100 Continue"])
def test_interim_answer_is_not_taken_for_the_answer(serve: Serve, interim: bytes) -> None:
    """The answer behind it comes late; it must not be read as that of the next request on this connection."""
    answers_left = iter([b"1", b"2"])

    def act(connection: socket.socket) -> None:
        for number in answers_left:
            connection.sendall(b"HTTP/1.1 " + interim + b"\r\n\r\n")
            time.sleep(0.05)
            connection.sendall(HEAD + b'Content-Length: 12\r\n\r\n{"result":' + number + b"}")
            connection.recv(65536)

    session = session_to(serve(act))
    assert [ask(session), ask(session)] == [{"result": 1}, {"result": 2}]


def test_change_to_another_protocol_is_an_error(serve: Serve) -> None:
    """The bytes after it would not be HTTP."""
    with pytest.raises(Unreachable, match="its answer is not valid HTTP"):
        ask(session_to(serve(send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + GOOD))))


def test_answer_that_unpacks_to_nothing_is_bounded(serve: Serve) -> None:
    """What counts is what comes over the wire: here, the name of a packed file, which never ends."""
    sent: list[int] = []

    def act(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x08" + bytes(6))
        while True:
            sent.append(connection.send(b"x" * 65536))

    with pytest.raises(InvalidAnswer, match="broke off after 0 bytes"):
        ask(session_to(serve(act)))
    assert sum(sent) < MAX_WIRE_BYTES + 32 * 2**20  # what the buffers of both sockets may hold


@pytest.mark.parametrize(("trailers", "is_read"), [(MAX_LINES // 2, True), (MAX_LINES + 1, False)])
def test_lines_behind_the_body_are_bounded(serve: Serve, trailers: int, is_read: bool) -> None:
    """Each line costs time, however short it is; the chunks of a body are not consecutive lines."""
    chunks = b"1\r\n{\r\n" + b"1\r\n \r\n" * MAX_LINES * 2 + b"1\r\n}\r\n0\r\n"
    session = session_to(
        serve(send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"X: y\r\n" * trailers + b"\r\n"))
    )
    if is_read:
        assert ask(session) == {}
    else:
        with pytest.raises(InvalidAnswer, match="broke off"):
            ask(session)


def test_good_answer_after_bad_ones_is_read(serve: Serve) -> None:
    """A session can be used after its connections have failed."""
    acts = iter([ACTS["a reset in the body"], ACTS["a close in the headers"], send(GOOD)])

    def one_after_another(connection: socket.socket) -> None:
        next(acts)(connection)

    session = session_to(serve(one_after_another))
    for _ in range(2):
        with pytest.raises(TransientError):
            ask(session)
    assert ask(session) == {"result": True}


def test_slow_but_complete_answer_is_read(serve: Serve) -> None:
    """A slow answer within the time limit is valid."""
    assert ask(session_to(serve(drip(GOOD, 0.002)))) == {"result": True}


@pytest.mark.parametrize("trusted", [True, False])
def test_certificate_is_checked_against_the_bundle(serve: Serve, tmp_path: Path, trusted: bool) -> None:
    """A private CA is trusted when its certificate is given, and not otherwise."""
    authority, other = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    (authority if trusted else other).cert_pem.write_to_path(str(bundle))
    session = session_to(serve(send(GOOD), context), "https", bundle)
    if trusted:
        assert ask(session) == {"result": True}
    else:
        with pytest.raises(Untrusted, match="not trusted"):
            ask(session)


@pytest.mark.parametrize(("variable", "is_trusted"), [("SSL_CERT_FILE", True), ("SSL_CERT_DIR", True), ("", False)])
def test_certificate_is_checked_against_the_variables_of_openssl(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, is_trusted: bool
) -> None:
    """Images of companies set them; a folder has its certificates under the hashes of their subjects."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    (tmp_path / "folder").mkdir()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    command = [tool("openssl"), "x509", "-noout", "-subject_hash", "-in", str(tmp_path / "ca.pem")]
    subject_hash = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    authority.cert_pem.write_to_path(str(tmp_path / "folder" / f"{subject_hash}.0"))
    if variable:
        folders = f"{tmp_path}/missing{os.pathsep}{tmp_path}/folder"
        monkeypatch.setenv(variable, f"{tmp_path}/ca.pem" if variable == "SSL_CERT_FILE" else folders)
    session = session_to(serve(send(GOOD), context), "https")
    if is_trusted:
        assert ask(session) == {"result": True}
    else:
        with pytest.raises(Untrusted, match="not trusted"):
            ask(session)


def test_options_come_before_the_variables_of_openssl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--ca-bundle, then REQUESTS_CA_BUNDLE; a file that does not exist is ignored, as OpenSSL does."""
    (tmp_path / "openssl.pem").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    assert session_to(1).ca_certificates is None
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "openssl.pem"))
    assert session_to(1).ca_certificates == str(tmp_path / "openssl.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "requests.pem")
    assert session_to(1).ca_certificates == "requests.pem"
    assert session_to(1, ca_bundle=Path("option.pem")).ca_certificates == "option.pem"


def test_unreadable_ca_bundle_is_named(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable may come from an image that its user has not made."""
    (tmp_path / "ca.pem").write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with pytest.raises(Untrusted, match=r"ca\.pem could not be read") as caught:
        ask(session_to(serve(send(GOOD)), "https"))
    assert "SSL_CERT_FILE" in caught.value.hint


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_socks_proxy_is_refused_with_the_variables_named(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """Its connections would have no limits."""
    monkeypatch.setenv(variable, "socks5://127.0.0.1:1080")
    connection = Connection(endpoint="https://build.example", credential=Token(value="a-token"))
    with pytest.raises(PermanentError, match="SOCKS is not supported") as caught:
        ask(connect(connection, lambda _: None, lambda _: None))
    assert all(name in caught.value.hint for name in ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SOCKS"))


@each_row(
    ("address", "kind", "words"),
    [
        ("http://127.0.0.1:1\r\n", Unreachable, "through the proxy 127.0.0.1:1: Connection refused"),
        ("http://me:S3CRET@", PermanentError, "cannot be used"),
        ("http://:3128", PermanentError, "cannot be used"),
    ],
)
def test_address_of_a_proxy_from_a_ci_systems_variable(
    monkeypatch: pytest.MonkeyPatch, address: str, kind: type[ServiceError], words: str
) -> None:
    """It may end with a line break, or be put together with a variable that is not set."""
    monkeypatch.setenv("HTTPS_PROXY", address)
    connection = Connection(endpoint="https://build.example", credential=Token(value="a-token"))
    with pytest.raises(kind, match=words) as caught:
        ask(connect(connection, lambda _: None, lambda _: None))
    assert "S3CRET" not in f"{caught.value}{caught.value.hint}"


@pytest.mark.parametrize("name", ["drip in the headers", "chunks without end", "silence"])
def test_misbehaviour_under_tls_ends_in_time(serve: Serve, tmp_path: Path, name: str) -> None:
    """The same limits hold."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    session = session_to(serve(ACTS[name], context), "https", bundle, seconds=LIMIT)
    started = time.monotonic()
    with pytest.raises(TransientError):
        ask(session)
    assert time.monotonic() - started < LIMIT + SLACK


def test_silent_handshake_ends_in_time(serve: Serve) -> None:
    """A server that never answers the handshake does not delay the request beyond its limit."""
    session = session_to(serve(send(b"", stay=True)), "https", seconds=LIMIT)
    started = time.monotonic()
    with pytest.raises(TransientError):
        ask(session)
    assert time.monotonic() - started < LIMIT + SLACK
