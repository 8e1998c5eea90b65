"""The last question before an order is sent: it comes after signing in and connecting, and "no" sends nothing."""

import contextlib
import itertools
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import trustme

from gate.codearts import transport
from gate.codearts.client import Client
from gate.codearts.connect import connect
from gate.codearts.fallback_routes import Routes
from gate.codearts.session import Session
from gate.errors import OrderNotSent, TooSlow, Unreachable
from gate.model import Order
from gate.settings import Connection, Credential, IamUser, Token
from tests.codearts.conftest import JOB

TOKEN = Token(value="a-token")
USER = IamUser(name="me", password="s3cret-of-mine", domain="account", project="cn-north-4")
ORDER = Order()

Talk = Callable[[socket.socket], bytes]
"""What a server does with one connection; returns the request bytes that it got of an order."""


class Server:
    """Serves each connection by the same function, and keeps what it returned."""

    def __init__(self, talk: Talk) -> None:
        self._received: queue.Queue[bytes] = queue.Queue()
        self._talk = talk
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.port = int(self._listener.getsockname()[1])
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.settimeout(10)
                thread = threading.Thread(target=self._serve, args=(connection,))
                thread.start()
                self._threads.append(thread)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            self._received.put(self._talk(connection))

    def received(self) -> bytes:
        """Return what came on the next connection, when that has ended."""
        return self._received.get(timeout=10)

    def received_in_all(self) -> bytes:
        """Return what came on all connections, when they have ended."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as last:
            last.shutdown(socket.SHUT_WR)
            last.recv(1)  # until it is closed: connections are accepted in their order, so the others were before
        for thread in list(self._threads):
            thread.join(10)
        received = b""
        while not self._received.empty():
            received += self._received.get()
        return received

    def close(self) -> None:
        """Stop accepting, and wait until every connection has ended."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(10)
        for thread in self._threads:
            thread.join(10)


Serve = Callable[[Talk], Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that starts a server."""
    with contextlib.ExitStack() as stack:

        def start(talk: Talk) -> Server:
            server = Server(talk)
            stack.callback(server.close)
            return server

        yield start


def request_of(connection: socket.socket) -> bytes:
    """Return one whole request; empty if the client closes the connection instead."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (piece := connection.recv(65536)):
            return received
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    missing = int(length[1]) - len(body) if length else 0
    while missing > 0 and (piece := connection.recv(missing)):
        received += piece
        missing -= len(piece)
    return received


def rest_of(connection: socket.socket) -> bytes:
    """Return everything that the client sends until it closes the connection."""
    received = b""
    with contextlib.suppress(OSError):
        while piece := connection.recv(65536):
            received += piece
    return received


def answer(body: bytes, status: bytes = b"200 OK", *headers: bytes) -> bytes:
    """Return an HTTP answer."""
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def session_to(url: str, credential: Credential = TOKEN, iam: str = "", ca_bundle: Path | None = None) -> Session:
    """Return a session."""
    connection = Connection(
        endpoint=url, credential=credential, iam_endpoint=iam, request_timeout=10, ca_bundle=ca_bundle
    )
    return connect(connection, lambda _: None, lambda _: None)


def refuses_to_send(session: Session, may_send: Callable[[], bool]) -> None:
    """Order a build, which ends without sending the order."""
    with pytest.raises(OrderNotSent, match="no build was started"):
        Client(Routes(session)).start(JOB, ORDER, may_send)
    session._http.close()


def test_order_is_not_sent_when_the_gate_is_ending(serve: Serve) -> None:
    """The connection is there, and not one byte comes on it."""
    server = serve(rest_of)
    refuses_to_send(session_to(f"http://127.0.0.1:{server.port}"), lambda: False)
    assert server.received() == b""


def test_question_comes_once_and_immediately_before_the_first_byte(serve: Serve) -> None:
    """When the question is asked, the server has the connection and has received nothing yet."""
    connected, has_request = threading.Event(), threading.Event()
    asked: list[bool] = []
    asked_at: list[datetime] = []

    def talk(connection: socket.socket) -> bytes:
        connected.set()
        request = request_of(connection)
        has_request.set()
        connection.sendall(answer(b'{"actual_build_number": "57"}'))
        return request + rest_of(connection)

    def may_send() -> bool:
        assert connected.wait(5)
        asked.append(has_request.is_set())
        asked_at.append(session.now())
        return True

    server = serve(talk)
    session = session_to(f"http://127.0.0.1:{server.port}")
    client = Client(Routes(session))
    started = client.start(JOB, ORDER, may_send)
    assert (started.build_number, started.ordered_at <= asked_at[0]) == (57, True)
    assert asked_at[0] - started.ordered_at < timedelta(seconds=0.5)
    session._http.close()
    assert (asked, b"/v1/job/execute" in server.received()) == ([False], True)


def test_order_is_not_sent_after_a_slow_sign_in(serve: Serve) -> None:
    """The gate begins to end while IAM takes its time; the sign-in itself is not asked about."""
    ending = threading.Event()

    def sign_in(connection: socket.socket) -> bytes:
        request = request_of(connection)
        ending.set()
        connection.sendall(answer(b"{}", b"201 Created", b"X-Subject-Token: MIID", b"Connection: close"))
        return request

    iam, build = serve(sign_in), serve(rest_of)
    url, iam_url = (f"http://127.0.0.1:{server.port}" for server in (build, iam))
    refuses_to_send(session_to(url, USER, iam_url), lambda: not ending.is_set())
    assert b"/v3/auth/tokens" in iam.received()
    assert build.received() == b""


def test_time_of_an_order_is_that_of_its_first_byte(serve: Serve) -> None:
    """A build that somebody else started while the gate signed in is older than the order."""
    sessions: list[Session] = []
    signed_in_at: list[datetime] = []

    def sign_in(connection: socket.socket) -> bytes:
        request = request_of(connection)
        signed_in_at.append(sessions[0].now())
        connection.sendall(answer(b"{}", b"201 Created", b"X-Subject-Token: MIID", b"Connection: close"))
        return request

    def build(connection: socket.socket) -> bytes:
        request = request_of(connection)
        connection.sendall(answer(b'{"actual_build_number": 57}', b"200 OK", b"Connection: close"))
        return request

    url, iam_url = (f"http://127.0.0.1:{serve(talk).port}" for talk in (build, sign_in))
    sessions.append(session_to(url, USER, iam_url))
    assert Client(Routes(sessions[0])).start(JOB, ORDER, lambda: True).ordered_at >= signed_in_at[0]


def secured(authority: trustme.CA, host: str) -> ssl.SSLContext:
    """Return the TLS settings of a server with a certificate for this host."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context


def test_order_is_not_sent_after_a_slow_tls_handshake(serve: Serve, tmp_path: Path) -> None:
    """The gate begins to end between the connection and its handshake."""
    authority, ending = trustme.CA(), threading.Event()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    def talk(connection: socket.socket) -> bytes:
        ending.set()
        with secured(authority, "127.0.0.1").wrap_socket(connection, server_side=True) as stream:
            return rest_of(stream)

    server = serve(talk)
    session = session_to(f"https://127.0.0.1:{server.port}", ca_bundle=tmp_path / "ca.pem")
    refuses_to_send(session, lambda: not ending.is_set())
    assert server.received() == b""


def test_order_is_not_sent_after_a_slow_proxy(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request to the proxy is part of connecting; behind it, not one byte of the order comes."""
    authority, ending, tunnels = trustme.CA(), threading.Event(), []
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    def talk(connection: socket.socket) -> bytes:
        tunnels.append(connection.recv(65536).split()[0])
        ending.set()
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with secured(authority, "build.example").wrap_socket(connection, server_side=True) as stream:
            return rest_of(stream)

    proxy = serve(talk)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    session = session_to("https://build.example", ca_bundle=tmp_path / "ca.pem")
    refuses_to_send(session, lambda: not ending.is_set())
    assert (proxy.received(), tunnels) == (b"", [b"CONNECT"])


@pytest.mark.parametrize("action", ["start", "stop"])
def test_order_and_stop_do_not_go_over_a_kept_connection(serve: Serve, action: str) -> None:
    """An earlier request has left its connection open, but whatever comes on it later gets no answer."""

    def talk(connection: socket.socket) -> bytes:
        request = request_of(connection)
        connection.sendall(answer(b'{"actual_build_number": 57}'))
        return request + rest_of(connection)

    server = serve(talk)
    session = session_to(f"http://127.0.0.1:{server.port}")
    client = Client(Routes(session))
    assert session.get("/x").status == 200
    if action == "start":
        assert client.start(JOB, ORDER, lambda: True).build_number == 57
    else:
        assert client.stop(JOB, 57, 5.0)
    session._http.close()
    assert [server.received().count(b"HTTP/1.1\r\n") for _ in range(2)] == [1, 1]


@pytest.mark.parametrize(("max_idle", "connections"), [(transport.MAX_IDLE, 1), (0.0, 2)], ids=["in use", "idle"])
def test_connection_that_was_idle_for_long_is_not_used_again(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, max_idle: float, connections: int
) -> None:
    """The machine may have slept meanwhile; the last look at the deadline has no time for a dead connection."""
    monkeypatch.setattr(transport, "MAX_IDLE", max_idle)
    accepted: list[socket.socket] = []

    def talk(connection: socket.socket) -> bytes:
        accepted.append(connection)
        while request_of(connection):
            connection.sendall(answer(b'{"result": true}'))
        return b""

    session = session_to(f"http://127.0.0.1:{serve(talk).port}")
    assert [session.get("/x").status for _ in range(2)] == [200, 200]
    session._http.close()
    assert len(accepted) == connections


def test_stop_that_hangs_ends_with_its_own_seconds(serve: Serve) -> None:
    """A second try comes over another connection while there is time; the first one may have had its effect."""
    talks = itertools.count()

    def talk(connection: socket.socket) -> bytes:
        request = request_of(connection)
        if next(talks):
            connection.sendall(answer(b"", b"200 OK", b"Connection: close"))
            return request
        return request + rest_of(connection)

    session = session_to(f"http://127.0.0.1:{serve(talk).port}")
    client, started = Client(Routes(session)), time.monotonic()
    with pytest.raises(TooSlow) as caught:
        client.stop(JOB, 57, 0.3)
    assert (caught.value.sent, time.monotonic() - started < 2) == (True, True)
    assert client.stop(JOB, 57, 5.0)
    session._http.close()


def test_order_that_is_ending_sends_nothing_although_a_connection_is_open(serve: Serve) -> None:
    """The question comes as on the first connection."""

    def talk(connection: socket.socket) -> bytes:
        request = request_of(connection)
        connection.sendall(answer(b'{"result": true}'))
        return request + rest_of(connection)

    server = serve(talk)
    session = session_to(f"http://127.0.0.1:{server.port}")
    assert session.get("/x").status == 200
    refuses_to_send(session, lambda: False)
    assert server.received_in_all().count(b"HTTP/1.1") == 1


def test_order_that_nobody_listens_to_was_not_sent() -> None:
    """It may be tried again."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable) as caught:
        Client(Routes(session_to(f"http://127.0.0.1:{port}"))).start(JOB, ORDER, lambda: True)
    assert not caught.value.sent


def test_order_is_not_sent_again_with_a_newer_credential(serve: Serve, tmp_path: Path) -> None:
    """A refused order is sent once more with the newer token, unless the gate has begun to end meanwhile."""
    file = tmp_path / "token"
    file.write_text("old-token")

    def talk(connection: socket.socket) -> bytes:
        request = request_of(connection)
        connection.sendall(answer(b'{"error_code": "APIGW.0301"}', b"401 Unauthorized"))
        return request + rest_of(connection)

    server = serve(talk)
    session = session_to(f"http://127.0.0.1:{server.port}", Token(file=file))
    file.write_text("new-token")
    answers = itertools.chain([True], itertools.repeat(False))
    refuses_to_send(session, lambda: next(answers))
    received = server.received_in_all()
    assert (received.count(b"POST "), b"old-token" in received, b"new-token" in received) == (1, True, False)


def test_order_is_not_sent_by_the_next_route(serve: Serve) -> None:
    """The older route is asked about as well."""

    def talk(connection: socket.socket) -> bytes:
        request = request_of(connection)
        connection.sendall(answer(b'{"error_code": "APIGW.0101"}', b"404 Not Found"))
        return request + rest_of(connection)

    server = serve(talk)
    answers = itertools.chain([True], itertools.repeat(False))
    refuses_to_send(session_to(f"http://127.0.0.1:{server.port}"), lambda: next(answers))
    received = server.received_in_all()
    assert (b"/v1/job/execute" in received, b"/v3/jobs/build" in received) == (True, False)
