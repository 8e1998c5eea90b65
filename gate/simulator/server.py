"""HTTP on loopback: connections, threads and their end."""

import contextlib
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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
        """Read one request to its end and hands it to the gateway."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        wire = Wire(self.connection, self.server.closing, self.server.gateway.service.clock)
        if not self.server.gateway.serve(self.command, self.path, self.headers, body, wire):
            self.close_connection = True

    do_DELETE = do_GET = do_HEAD = do_PATCH = do_POST = do_PUT = serve  # noqa: N815 - names of the base class

    def log_message(self, *args: object) -> None:
        """Says nothing: the journal has it all."""


class Server(ThreadingHTTPServer):
    """Serves each connection in a thread of its own and ends all of them when it is closed."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, port: int, gateway: Gateway) -> None:
        self.gateway = gateway
        self.closing = threading.Event()
        self._open: dict[socket.socket, threading.Thread] = {}
        super().__init__((HOST, port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start the connection's thread; called in the thread that accepts."""
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        """Close the connection; called at the end of its thread."""
        super().shutdown_request(request)
        self._open.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a client that has gone; any other error is a defect and is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        """End every connection, also those in the middle of an answer, and waits for their threads."""
        super().server_close()
        self.closing.set()
        for connection, thread in list(self._open.items()):
            with contextlib.suppress(OSError):  # its thread may be faster
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()
