"""HTTP on loopback: connections, threads and their end."""

import contextlib
import socket
import threading
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


class Server(TCPServer):
    """Serves each connection in a thread of its own and ends all of them when it is closed.

    (`HTTPServer` would look its own address up in the DNS; `ThreadingMixIn` would not end idle connections.)
    """

    allow_reuse_address = True
    request_queue_size = 1024

    def __init__(self, port: int, gateway: Gateway) -> None:
        self.gateway = gateway
        self.closing = threading.Event()
        self._open: dict[threading.Thread, socket.socket] = {}
        super().__init__((HOST, port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start the connection's thread, and forget those that have ended."""
        thread = threading.Thread(target=self._serve, args=(request, client_address), daemon=True)
        self._open = {other: connection for other, connection in self._open.items() if other.is_alive()}
        self._open[thread] = request
        thread.start()

    def _serve(self, request: Any, client_address: Any) -> None:
        """Serve one connection until its end; runs in its thread."""
        try:
            self.finish_request(request, client_address)
        except OSError:  # the client has gone, or the server is being closed
            pass
        finally:
            self.shutdown_request(request)

    def server_close(self) -> None:
        """End every connection, also those in the middle of an answer, and wait for their threads."""
        super().server_close()
        self.closing.set()
        for thread, connection in self._open.items():
            with contextlib.suppress(OSError):  # its thread may be faster
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()
