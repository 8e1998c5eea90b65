"""HTTP on loopback: connections, threads and their end."""

import contextlib
import os
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from typing import Any

from gate.simulator.client_socket import ClientSocket
from gate.simulator.gateway import Gateway

HOST = "127.0.0.1"
"""The only address that is ever bound."""


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def serve(self) -> None:
        """Read one request to its end and pass it to the gateway."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        client = ClientSocket(self.connection, self.server.closing, self.server.gateway.backend.clock)
        self.server.gateway.serve(self.command, self.path, self.headers, body, client)
        if not client.reusable:
            self.close_connection = True

    do_DELETE = do_GET = do_PATCH = do_POST = do_PUT = serve  # noqa: N815 - names of the base class

    def log_message(self, *args: object) -> None:
        """Log nothing: stderr belongs to the gate."""


CLOSE_SECONDS = 3.0
"""Seconds in which all connections have to end. On Windows, one may not notice that its socket was shut down; its
thread is a daemon, so that it does not keep the program from ending."""


class Server(TCPServer):
    """Serves each connection in a thread of its own, and ends all of them when it is closed.

    (`HTTPServer` would look its own address up in the DNS; `ThreadingMixIn` would not end idle connections.)
    """

    allow_reuse_address = os.name != "nt"  # on Windows, two servers would have the same port
    request_queue_size = 1024

    def __init__(self, port: int, gateway: Gateway) -> None:
        self.gateway = gateway
        self.closing = threading.Event()
        self._open: dict[threading.Thread, list[socket.socket]] = {}
        super().__init__((HOST, port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread for the connection, and forget the threads that have ended."""
        layers: list[socket.socket] = [request]
        thread = threading.Thread(target=self._serve, args=(layers, client_address), daemon=True)
        self._open = {other: connection for other, connection in self._open.items() if other.is_alive()}
        self._open[thread] = layers
        thread.start()

    def _serve(self, layers: list[socket.socket], client_address: Any) -> None:
        """Serve one connection until its end; runs in its thread."""
        try:
            self.prepare(layers)
            self.finish_request(layers[-1], client_address)
        except OSError:  # the client has gone, or the server is being closed
            pass
        finally:
            self.shutdown_request(layers[-1])

    def prepare(self, layers: list[socket.socket]) -> None:
        """Do nothing; a subclass puts TLS on the connection here and appends the new layer.

        Runs in the connection's thread. An `OSError` ends the connection.
        """

    def server_close(self) -> None:
        """End every connection, also those in the middle of an answer, and wait a while for their threads."""
        super().server_close()
        self.closing.set()
        until = time.monotonic() + CLOSE_SECONDS
        for thread, layers in self._open.items():
            with contextlib.suppress(OSError):  # its thread may be faster
                layers[-1].shutdown(socket.SHUT_RDWR)
            thread.join(max(until - time.monotonic(), 0))
