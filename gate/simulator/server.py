"""HTTP on loopback: connections, threads and their end."""

import contextlib
import itertools
import math
import socket
import ssl
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from typing import Any

from gate.simulator.gateway import Gateway
from gate.simulator.wire import Wire

HOST = "127.0.0.1"
"""The only address that is ever bound."""


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def serve(self) -> None:
        """Read one request to its end and hand it to the gateway."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        wire = Wire(self.connection, self.server.closing, self.server.gateway.service.clock)
        if not self.server.gateway.serve(self.command, self.path, self.headers, body, wire):
            self.close_connection = True

    do_DELETE = do_GET = do_PATCH = do_POST = do_PUT = serve  # noqa: N815 - the base class calls them so

    def log_message(self, *args: object) -> None:
        """Say nothing: the journal has it all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How connections are encrypted. From number `silent_from` on, counted from 0, no handshake is ever answered."""

    context: ssl.SSLContext
    silent_from: float = math.inf


class Server(TCPServer):
    """Serves each connection in a thread of its own and ends all of them when it is closed.

    (`HTTPServer` would look its own address up in the DNS; `ThreadingMixIn` would not end idle connections.)
    """

    allow_reuse_address = True
    request_queue_size = 1024

    def __init__(self, port: int, gateway: Gateway, tls: Tls | None = None) -> None:
        self.gateway = gateway
        self.tls = tls
        self.closing = threading.Event()
        self._open: dict[threading.Thread, list[socket.socket]] = {}
        self._numbers = itertools.count()
        super().__init__((HOST, port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start the connection's thread, and forget those that have ended."""
        layers: list[socket.socket] = [request]
        thread = threading.Thread(target=self._serve, args=(layers, client_address), daemon=True)
        self._open = {other: connection for other, connection in self._open.items() if other.is_alive()}
        self._open[thread] = layers
        thread.start()

    def _serve(self, layers: list[socket.socket], client_address: Any) -> None:
        """Serve one connection until its end; runs in its thread."""
        try:
            if self.tls is not None:
                self._encrypt(self.tls, layers)
            self.finish_request(layers[-1], client_address)
        except OSError:  # the client has gone, or the server is being closed
            pass
        finally:
            self.shutdown_request(layers[-1])

    def _encrypt(self, tls: Tls, layers: list[socket.socket]) -> None:
        """Put TLS on a connection; raises `OSError` when the handshake comes to nothing."""
        if next(self._numbers) >= tls.silent_from:
            while layers[-1].recv(65536):
                pass
            raise ConnectionAbortedError("the client has given up")
        encrypted = tls.context.wrap_socket(layers[-1], server_side=True, do_handshake_on_connect=False)
        layers.append(encrypted)
        encrypted.do_handshake()

    def server_close(self) -> None:
        """End every connection, also those in the middle of an answer, and wait for their threads."""
        super().server_close()
        self.closing.set()
        for thread, layers in self._open.items():
            with contextlib.suppress(OSError):  # its thread may be faster
                layers[-1].shutdown(socket.SHUT_RDWR)
            thread.join()
