"""The connection of one client."""

import itertools
import socket
import struct
import threading
from email.utils import format_datetime
from http import HTTPStatus

from gate.simulator.http_answers import HttpAnswer
from gate.simulator.simulated_clock import SimulatedClock

PHRASES = {status.value: status.phrase for status in HTTPStatus}


class ClientSocket:
    """Sends the answer to one request.

    Its methods raise `OSError` when the client has gone or when the simulator stops.
    """

    def __init__(self, connection: socket.socket, closing: threading.Event, clock: SimulatedClock) -> None:
        self.reusable = True
        """Whether the connection can serve another request after this one."""
        self._connection = connection
        self._closing = closing
        self._clock = clock

    def send_answer(self, answer: HttpAnswer | None) -> None:
        """Send a whole answer; `None` sends nothing and lets the connection be closed."""
        if answer is None:
            self.reusable = False
        elif isinstance(answer.body, bytes):
            self.send(self.head(answer) + answer.body)
        else:
            self.send(self.head(answer))
            for piece in itertools.chain(filter(None, answer.body), [b""]):
                self.send(chunk(piece))

    def head(self, answer: HttpAnswer) -> bytes:
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
        """Read and drop whatever comes until the client hangs up or the simulator stops."""
        while self._connection.recv(65536):
            pass

    def reset_on_close(self) -> None:
        """Make the end of the connection a reset (RST) rather than an orderly close."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def chunk(data: bytes) -> bytes:
    """Return one piece of a chunked body; the empty piece ends the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)
