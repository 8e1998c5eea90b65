"""A request as the service sees it, the answer in the service's shapes, and the connection that it is sent over."""

import itertools
import json
import socket
import struct
import threading
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.message import Message
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any

from gate.simulator.builds import SimulatedClock


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestIdentity:
    """How a request was let in: by `token`, with `aksk`, or (`None`) because its path needs no credential."""

    family: str | None
    token_issued: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, with the operation that its path names (empty if no route has that path)."""

    operation: str
    method: str
    path: str
    params: Mapping[str, str]
    """The values of the path template's parameters."""
    query: tuple[tuple[str, str], ...]
    headers: Message
    body: bytes
    job_id: str | None = None
    """The job that the request is about, if that can be told."""
    build_number: int | None = None
    identity: RequestIdentity | None = None
    """Who asks; `None` if the request was not let in."""

    @property
    def version(self) -> str:
        """The first part of the path: `v1`, `v3` or `v4`."""
        return self.path.split("/")[1]

    def document(self) -> dict[str, Any]:
        """Return the body read as a JSON object; empty if it is anything else."""
        try:
            document = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}

    def value(self, name: str) -> str | None:
        """Return a parameter as text, from the path, the query or the body, whichever has it first."""
        for source in (self.params, dict(self.query), self.document()):
            if source.get(name) is not None:
                return str(source[name])
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """One HTTP answer. A body that is not `bytes` is sent as a chunked one, a chunk for each piece."""

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class RequestRefused(Exception):
    """Raised when a request gets an error answer."""

    def __init__(self, answer: HttpAnswer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def json_answer(document: object, *, status: int = 200) -> HttpAnswer:
    """Return a JSON answer without an envelope, as most v3 operations send."""
    return HttpAnswer(status=status, body=json.dumps(document, ensure_ascii=False).encode())


def enveloped_answer(result: object) -> HttpAnswer:
    """Return a result in the v1 envelope, whose `status` is about the call and not about the build."""
    return json_answer({"error": None, "result": result, "status": "success"})


def gateway_error(status: int, number: str, message: str, **headers: str) -> HttpAnswer:
    """Return an error of the API gateway, such as `gateway_error(404, "0101", ...)`."""
    document = {"error_code": f"APIGW.{number}", "error_msg": message, "request_id": uuid.uuid4().hex}
    return HttpAnswer(status=status, body=json.dumps(document).encode(), headers=headers)


def service_error(status: int, code: str, message: str) -> HttpAnswer:
    """Return an error of CodeArts Build itself (api-codeci/ErrorCode)."""
    return json_answer({"error_code": code, "error_msg": message}, status=status)


def throttled(limit: int = 60) -> HttpAnswer:
    """Return the gateway's answer to a user who has sent more than `limit` requests within a minute."""
    return gateway_error(
        429,
        "0308",
        f"The throttling threshold has been reached: policy user over ratelimit,limit:{limit},time:1 minute",
    )


def not_published() -> HttpAnswer:
    """Return the gateway's answer to a path without an API: it says nothing about a job or a build."""
    return gateway_error(404, "0101", "The API does not exist or has not been published in the environment")


def bad_parameter(name: str) -> RequestRefused:
    """Return the service's refusal of a parameter that is missing or malformed."""
    return RequestRefused(service_error(400, "CB.00060200", f"Invalid parameter: {name}"))


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
