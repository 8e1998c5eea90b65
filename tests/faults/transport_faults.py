"""Faults in how an answer travels: acts on the bytes of a connection."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum

from gate.simulator.exchange import ClientSocket, HttpAnswer, chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportFault(ABC):
    """An act that decides how an answer is sent.

    `processed` says whether the service does what was asked before the delivery goes wrong; if not, the answer
    that is delivered is an empty one. Intervals are seconds of real time, not of the service's.
    """

    processed: bool = True

    @abstractmethod
    def deliver(self, client: ClientSocket, answer: HttpAnswer) -> None:
        """Send what comes in place of the answer; the connection is closed if `client.reusable` is set to false."""


class Point(Enum):
    """Where an answer breaks off."""

    START = "before the first byte"
    HEADERS = "in the middle of the headers"
    BODY = "in the middle of the body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop(TransportFault):
    """Breaks the connection off, with a reset or an orderly close."""

    point: Point = Point.START
    reset: bool = False

    def deliver(self, client: ClientSocket, answer: HttpAnswer) -> None:
        """See the base class."""
        head, body = client.head(answer), answer.body
        assert isinstance(body, bytes)
        starts = {Point.START: b"", Point.HEADERS: head[: len(head) // 2], Point.BODY: head + body[: len(body) // 2]}
        client.send(starts[self.point])
        if self.reset:
            client.reset_on_close()
        client.reusable = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw(TransportFault):
    """Sends these bytes in place of an answer and closes the connection."""

    data: bytes
    processed: bool = False

    def deliver(self, client: ClientSocket, answer: HttpAnswer) -> None:
        """See the base class."""
        client.send(self.data)
        client.reusable = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence(TransportFault):
    """Sends nothing and keeps the connection open until the client gives up."""

    processed: bool = False

    def deliver(self, client: ClientSocket, answer: HttpAnswer) -> None:
        """See the base class."""
        client.wait_for_hangup()
        client.reusable = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drip(TransportFault):
    """Sends one byte at a time, from the first byte of the headers or of the body."""

    interval: float = 1.0
    headers: bool = False

    def deliver(self, client: ClientSocket, answer: HttpAnswer) -> None:
        """See the base class."""
        head, body = client.head(answer), answer.body
        assert isinstance(body, bytes)
        at_once, slowly = (b"", head + body) if self.headers else (head, body)
        client.send(at_once)
        for byte in slowly:
            client.pause(self.interval)
            client.send(bytes([byte]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Endless(TransportFault):
    """Sends a chunked body that never ends."""

    piece: bytes = b" " * 1024
    interval: float = 0.0
    processed: bool = False

    def deliver(self, client: ClientSocket, answer: HttpAnswer) -> None:
        """See the base class."""
        client.send(client.head(HttpAnswer(status=answer.status, body=())))
        while True:
            client.send(chunk(self.piece))
            client.pause(self.interval)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood(TransportFault):
    """Sends these bytes, then the same piece for ever: headers, chunks or lines without an end."""

    start: bytes = b""
    piece: bytes
    processed: bool = False

    def deliver(self, client: ClientSocket, answer: HttpAnswer) -> None:
        """See the base class."""
        client.send(self.start)
        while True:
            client.send(self.piece)
