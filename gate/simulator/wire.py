"""One client's connection, as bytes."""

import socket
import struct
import threading
from email.utils import format_datetime
from http import HTTPStatus

from gate.simulator.answers import Answer
from gate.simulator.clock import ServiceClock

PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Wire:
    """Sends bytes to the client of one request.

    Its methods raise `OSError` when the client has gone or when the simulator stops.
    """

    def __init__(self, connection: socket.socket, closing: threading.Event, clock: ServiceClock) -> None:
        self._connection = connection
        self._closing = closing
        self._clock = clock

    def head(self, answer: Answer) -> bytes:
        """Return the status line and the headers of an answer; `Date` is the service's time."""
        body = answer.body
        headers = {
            "Date": format_datetime(self._clock.now(), usegmt=True),
            "Server": "api-gateway",
            "Content-Type": answer.content_type,
            **({"Content-Length": str(len(body))} if isinstance(body, bytes) else {"Transfer-Encoding": "chunked"}),
            **answer.headers,
        }
        status_line = f"HTTP/1.1 {answer.status} {PHRASES.get(answer.status, '')}"
        lines = [status_line, *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def send(self, data: bytes) -> None:
        """Send all of `data`."""
        self._connection.sendall(data)

    def pause(self, seconds: float) -> None:
        """Wait so many seconds of real time."""
        if self._closing.wait(seconds):
            raise ConnectionAbortedError("the simulator stops")

    def wait_for_hangup(self) -> None:
        """Read and drops whatever comes until the client hangs up or the simulator stops."""
        while self._connection.recv(65536):
            pass

    def reset_on_close(self) -> None:
        """Make the end of the connection a reset (RST) rather than an orderly close."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def chunk(data: bytes) -> bytes:
    """One piece of a chunked body; the empty piece ends it."""
    return b"%x\r\n%b\r\n" % (len(data), data)
