"""Faults in how an answer travels: acts on the bytes of a connection."""

import itertools
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum

from gate.simulator.answers import Answer
from gate.simulator.wire import Wire, chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(ABC):
    """An act that decides how an answer is sent.

    `processed` says whether the service does what was asked before the delivery goes wrong; if not, the answer
    that is delivered is an empty one. Intervals are seconds of real time, not of the service's.
    """

    processed: bool = True

    @abstractmethod
    def deliver(self, wire: Wire, answer: Answer) -> bool:
        """Send the answer; true if the connection can serve another request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole(Delivery):
    """Sends the answer as it is: no fault."""

    def deliver(self, wire: Wire, answer: Answer) -> bool:
        """See the base class."""
        if isinstance(answer.body, bytes):
            wire.send(wire.head(answer) + answer.body)
            return True
        wire.send(wire.head(answer))
        for piece in itertools.chain(filter(None, answer.body), [b""]):
            wire.send(chunk(piece))
        return True


class Point(Enum):
    """Where an answer breaks off."""

    START = "before the first byte"
    HEADERS = "in the middle of the headers"
    BODY = "in the middle of the body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop(Delivery):
    """Breaks the connection off, with a reset or an orderly close."""

    point: Point = Point.START
    reset: bool = False

    def deliver(self, wire: Wire, answer: Answer) -> bool:
        """See the base class."""
        head, body = wire.head(answer), answer.body
        assert isinstance(body, bytes)
        starts = {Point.START: b"", Point.HEADERS: head[: len(head) // 2], Point.BODY: head + body[: len(body) // 2]}
        wire.send(starts[self.point])
        if self.reset:
            wire.reset_on_close()
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw(Delivery):
    """Sends these bytes in place of an answer and closes the connection."""

    data: bytes
    processed: bool = False

    def deliver(self, wire: Wire, answer: Answer) -> bool:  # noqa: ARG002
        """See the base class."""
        wire.send(self.data)
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence(Delivery):
    """Sends nothing and keeps the connection open until the client gives up."""

    processed: bool = False

    def deliver(self, wire: Wire, answer: Answer) -> bool:  # noqa: ARG002
        """See the base class."""
        wire.wait_for_hangup()
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drip(Delivery):
    """Sends one byte at a time, from the first byte of the headers or of the body."""

    interval: float = 1.0
    headers: bool = False

    def deliver(self, wire: Wire, answer: Answer) -> bool:
        """See the base class."""
        head, body = wire.head(answer), answer.body
        assert isinstance(body, bytes)
        at_once, slowly = (b"", head + body) if self.headers else (head, body)
        wire.send(at_once)
        for byte in slowly:
            wire.pause(self.interval)
            wire.send(bytes([byte]))
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Endless(Delivery):
    """Sends a chunked body that never ends."""

    piece: bytes = b" " * 1024
    interval: float = 0.0
    processed: bool = False

    def deliver(self, wire: Wire, answer: Answer) -> bool:
        """See the base class."""
        wire.send(wire.head(Answer(status=answer.status, body=())))
        while True:
            wire.send(chunk(self.piece))
            wire.pause(self.interval)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood(Delivery):
    """Sends these bytes, then the same piece for ever: headers, chunks or lines without an end."""

    start: bytes = b""
    piece: bytes
    processed: bool = False

    def deliver(self, wire: Wire, answer: Answer) -> bool:  # noqa: ARG002
        """See the base class."""
        wire.send(self.start)
        while True:
            wire.send(self.piece)
