"""Connections with limits on time and size for a whole answer, however slowly or quickly the server sends it.

The timeout of a socket starts again with every byte received. Here each read of an answer, headers included, gets only
what is left of the request's time, which `urllib3` sets as the socket's timeout when it starts to read.
"""

import errno
import http.client
import io
import math
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import urllib3.connection
import urllib3.connectionpool
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidSchema
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from gate.codearts import addresses, tls
from gate.errors import OrderNotSent
from gate.limits import MAX_HEADER_BYTES, MAX_LINES, MAX_WIRE_BYTES
from gate.value_types import NamedTuple

NOT_SENT_NOTE = "nothing was sent: the connection was not established"
"""A note added to errors while a connection is established: to a server, through a proxy, by TLS."""


class _Manner(NamedTuple):
    """How this thread sends its next request."""

    may_send: Callable[[], bool] | None = None
    fresh: bool = False


MAX_CONNECT_SECONDS = 60.0
"""Seconds for a connection without a time limit of its own; every request of the gate has one."""

MAX_IDLE = 30.0
"""Seconds after which a connection that was kept is not used again."""

_manner: ContextVar[_Manner] = ContextVar("manner", default=_Manner())  # noqa: B039 - it is immutable


@contextmanager
def sending(*, may_send: Callable[[], bool] | None = None, fresh: bool = False) -> Iterator[None]:
    """Say how this thread sends its requests within the block.

    `may_send` is called immediately before the first byte of each request, when the connection has been established. If
    it returns false, the request is not sent, and `OrderNotSent` is raised. `fresh`: over a new connection, never over
    one that was kept from an earlier request.
    """
    token = _manner.set(_Manner(may_send, fresh))
    try:
        yield
    finally:
        _manner.reset(token)


def lift_limits(raw: Any, until: float) -> None:
    """Let the body of an answer, as `urllib3` has it, come until the instant `until`, however long it is."""
    response = getattr(raw, "_original_response", None)  # `http.client`'s; there is no other way to it
    if isinstance(response, _Response):
        response.lift_limits(until)


class _BoundedSocketReader(io.RawIOBase):
    """Reads from a socket until a fixed instant and up to a number of bytes, independently of the socket's timeout."""

    def __init__(self, raw: Any, sock: socket.socket) -> None:
        super().__init__()
        self.left: float = MAX_HEADER_BYTES
        self._raw = raw
        self._sock = sock
        timeout = sock.gettimeout()
        self.until = None if timeout is None else time.monotonic() + timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.left <= 0:
            raise OSError(errno.EMSGSIZE, "the answer is too long")
        if self.until is not None:
            left = self.until - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer was not complete in time")
            self._sock.settimeout(left)
        count: int | None = self._raw.readinto(buffer)
        self.left -= count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _LineLimitedReader(io.BufferedReader):
    """Limits the number of consecutive lines, and raises an error when the connection ends within the headers.

    `http.client` would take the end of the connection for the end of the headers.
    """

    in_headers = True
    _lines = 0

    def read(self, size: int | None = -1) -> bytes:
        self._lines = 0
        return super().read(size)

    def read1(self, size: int = -1) -> bytes:
        self._lines = 0
        return super().read1(size)

    def readline(self, size: int | None = -1) -> bytes:
        self._lines += 1
        if self._lines > MAX_LINES:
            raise OSError(errno.EMSGSIZE, "the answer has too many lines")
        line = super().readline(size)
        if self.in_headers and not line.endswith(b"\n") and len(line) != size:
            raise ConnectionResetError(errno.ECONNRESET, "the connection was closed before the answer")
        return line


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._bounded = _BoundedSocketReader(self.fp.detach(), sock)
        self._reader = _LineLimitedReader(self._bounded)
        self.fp = self._reader

    def _read_status(self) -> tuple[str, int, str]:
        """Skip every interim answer (1xx). `http.client` skips 100 only and takes the others for the final answer.

        The final answer would then be read as that of the next request on this connection.
        """
        version, status, reason = super()._read_status()  # type: ignore[misc]  # private, but the only place for this
        while 100 < status < 200:
            if status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                raise http.client.UnknownProtocol("not HTTP")
            http.client.parse_headers(self.fp)
            version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, status, reason

    def begin(self) -> None:
        super().begin()
        self._reader.in_headers = False
        self._bounded.left = MAX_WIRE_BYTES

    def lift_limits(self, until: float) -> None:
        """Let the body come until the instant `until`, however long it is."""
        self._bounded.left, self._bounded.until = math.inf, until


class _GuardedConnection(urllib3.connection.HTTPConnection):
    """Notes on errors whether the connection was established, and asks before the first byte of a request."""

    response_class = _Response
    _is_connecting = False
    _is_first_send = False

    def _new_conn(self) -> socket.socket:
        """Return a connection to the server or the proxy; what follows has what is left of the request's time."""
        seconds = self.timeout if isinstance(self.timeout, (int, float)) else MAX_CONNECT_SECONDS
        try:
            return addresses.connect(self._dns_host, self.port, seconds, self.socket_options or ())
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "no connection in time") from error
        except OSError as error:
            raise NewConnectionError(self, "no connection") from error

    def connect(self) -> None:
        self._is_connecting = True
        try:
            super().connect()
        except (OSError, http.client.HTTPException) as error:
            error.add_note(NOT_SENT_NOTE)
            raise
        finally:
            self._is_connecting = False

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        self._is_first_send = True
        super().putrequest(*args, **kwargs)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if self._is_first_send and not self._is_connecting:  # connecting sends a request of its own to a proxy
            self._is_first_send = False
            may_send = _manner.get().may_send
            if may_send is not None and not may_send():
                raise OrderNotSent("no build was started: the gate began to end before the order was sent")
        super().send(data)


class _HTTPConnection(_GuardedConnection):
    pass


class _HTTPSConnection(_GuardedConnection, urllib3.connection.HTTPSConnection):
    """Reads the certificate that was refused, so that the error can say what is wrong with it."""

    def connect(self) -> None:
        started = time.monotonic()
        try:
            super().connect()
        except ssl.SSLCertVerificationError as error:
            left = (self.timeout or MAX_CONNECT_SECONDS) - (time.monotonic() - started)
            certificate = tls.read_certificate(lambda context: self._connect_again(context, left / 2))
            raise tls.UnverifiedCertificate(error, certificate) from error

    def _connect_again(self, context: ssl.SSLContext, seconds: float) -> Any:
        """Return another connection, by `context`, to the server whose certificate was refused; it may be the proxy."""
        settings: dict[str, Any] = {"timeout": max(seconds, 0.001), "ssl_context": context, "assert_hostname": False}
        tunnel = self._tunnel_host if self.has_connected_to_proxy else None
        if tunnel:
            settings |= {"proxy": self.proxy, "proxy_config": self.proxy_config}
        again = _UncheckedConnection(self._dns_host, self.port, **settings)
        if tunnel:
            headers = self._tunnel_headers  # type: ignore[attr-defined]  # of `http.client`
            again.set_tunnel(tunnel, self._tunnel_port, headers, self._tunnel_scheme or "https")
        try:
            again.connect()
        except OSError:
            again.close()
            raise
        return again.sock  # within the TLS of a proxy, it is not a `SSLSocket`


class _UncheckedConnection(_GuardedConnection, urllib3.connection.HTTPSConnection):
    """A connection on which no request is sent."""


class _GuardedPool(urllib3.connectionpool.HTTPConnectionPool):
    """Closes a kept connection, which then connects anew, where a fresh one is asked for or it has been idle for long.

    This machine may have slept, or a firewall may have forgotten the connection: a request would get no answer.
    """

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)
        # By the time of day, as a monotonic clock may stand still while the machine sleeps.
        if _manner.get().fresh or abs(time.time() - getattr(connection, "kept_at", 0.0)) > MAX_IDLE:
            connection.close()
        return connection

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.kept_at = time.time()
        super()._put_conn(conn)


class _HTTPPool(_GuardedPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(_GuardedPool, urllib3.connectionpool.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class BoundedAdapter(HTTPAdapter):
    """An adapter without retries on bounded connections, direct or through a proxy."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Create the pool of direct connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        """Return the pool of connections through `proxy`. Raises `InvalidSchema` for SOCKS."""
        if proxy.lower().startswith("socks"):
            raise InvalidSchema("SOCKS")
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
        return manager
