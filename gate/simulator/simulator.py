"""CodeArts Build on loopback, as one object."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import Message
from functools import cache, partial
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from gate.simulator.backend import BuildBackend
from gate.simulator.builds import SimulatedClock
from gate.simulator.exchange import (
    Call,
    ClientSocket,
    HttpAnswer,
    RequestIdentity,
    RequestRefused,
    service_error,
    throttled,
)
from gate.simulator.operations import RECORD_OPERATIONS, PublishedRoute, route_of
from gate.simulator.scenarios import SCENARIOS, Glitch, Scenario
from gate.simulator.simulated_iam import DAY, AccessKey, IamAccount, IdentityChecker, SimulatedIam, token_outdated

Answer = Callable[[], HttpAnswer | None]
"""Does what was asked, the first time that it is called, and returns the service's answer; `None`: the connection is
closed without one."""

Send = Callable[[Call, Answer, ClientSocket], bool]
"""Takes a call, its answer and the connection, and returns whether it has sent something itself."""


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """Takes each request to the operation that it names."""

    backend: BuildBackend
    identities: IdentityChecker
    unpublished: Collection[str] = ()
    """Operations whose routes this deployment does not publish."""
    send: Send

    def serve(self, method: str, target: str, headers: Message, body: bytes, client: ClientSocket) -> None:
        """Answer one request."""
        url = urlsplit(target)
        route, params = route_of(method, url.path, unpublished=self.unpublished)
        call = self.backend.located(
            Call(
                operation=route.operation,
                method=method,
                path=url.path,
                params={name: unquote(value) for name, value in params.items()},
                query=tuple(parse_qsl(url.query, keep_blank_values=True)),
                headers=headers,
                body=body,
            )
        )
        identity = self._identity(route, call)
        if isinstance(identity, RequestIdentity):
            call = replace(call, identity=identity)
            answer: Answer = cache(partial(self._answer, route, call))
        else:
            answer = partial(_refusal, identity)
        if not self.send(call, answer, client):
            client.send_answer(answer())

    def _identity(self, route: PublishedRoute, call: Call) -> RequestIdentity | HttpAnswer:
        """Return who asks, or the answer that refuses the request."""
        if route.open:
            return RequestIdentity(family=None)
        try:
            identity = self.identities.checked(call)
        except RequestRefused as refusal:
            return refusal.answer
        job, issued = self.backend.jobs.get(call.job_id or ""), identity.token_issued
        if job and issued and job.refuses_token_of(issued, self.backend.clock.now()):
            return token_outdated()
        return identity

    def _answer(self, route: PublishedRoute, call: Call) -> HttpAnswer | None:
        """Do what was asked and return the answer."""
        try:
            glitch = self.backend.next_glitch(call) if call.operation in RECORD_OPERATIONS else None
            return GLITCHES[glitch] if glitch else route.handler(self.backend, call)
        except RequestRefused as refusal:
            return refusal.answer


GLITCHES = {
    Glitch.BUSY: service_error(500, "CB.00060100", "Network busy, try later."),
    Glitch.THROTTLED: throttled(),
    Glitch.DROPPED: None,
}


def _refusal(answer: HttpAnswer) -> HttpAnswer:
    return answer


def send_nothing(_call: Call, _answer: Answer, _client: ClientSocket) -> bool:
    """Leave every answer to the gateway."""
    return False


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


LOOK_SECONDS = 0.5
"""Seconds after which the server looks whether it is to end, where it was not woken for that."""

CLOSE_SECONDS = 3.0
"""Seconds in which all connections have to end. On Windows, one may not notice that its socket was shut down; its
thread is a daemon, so that it does not keep the program from ending."""


class Server(TCPServer):
    """Serves each connection in a thread of its own, and ends all of them when it is closed.

    (`HTTPServer` would look its own address up in the DNS; `ThreadingMixIn` would not end idle connections.)
    """

    allow_reuse_address = os.name != "nt"  # on Windows, two servers would have the same port
    request_queue_size = 1024
    timeout = LOOK_SECONDS

    def __init__(self, port: int, gateway: Gateway) -> None:
        self.gateway = gateway
        self.closing = threading.Event()
        self._open: dict[threading.Thread, list[socket.socket]] = {}
        super().__init__((HOST, port), Handler)

    def serve(self) -> None:
        """Take connections until `end` is called; `serve_forever` would wake up all the time to look for that."""
        while not self.closing.is_set():
            self.handle_request()

    def end(self) -> None:
        """Let `serve` return, from another thread; the connection wakes it up."""
        self.closing.set()
        with contextlib.suppress(OSError):
            socket.create_connection((HOST, self.server_address[1]), timeout=LOOK_SECONDS).close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread for the connection, and forget the threads that have ended."""
        if self.closing.is_set():  # the one that woke it up
            self.shutdown_request(request)
            return
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


class Simulator:
    """A CodeArts Build with one job for each scenario, and IAM at the same address.

    `scenarios`: names out of `SCENARIOS`, or other scenarios. `port` 0 takes a free one. `speed` scales the service's
    clock (0: it moves by `clock.advance` only). `unpublished` names operations whose routes are missing.
    `signatures_in_service_time` compares the time of AK/SK signatures with the service's clock, not the real one.
    `send` may send something other than the answer to a call.
    Serves from `start` to `stop`, or within a `with` block.
    """

    scheme = "http"

    def __init__(
        self,
        scenarios: Iterable[str | Scenario] = ("passing",),
        *,
        port: int = 0,
        speed: float = 1.0,
        unpublished: Collection[str] = (),
        account: IamAccount | None = None,
        keys: AccessKey | None = None,
        token_lifetime: float = DAY,
        signatures_in_service_time: bool = False,
        send: Send = send_nothing,
    ) -> None:
        self.clock = SimulatedClock(speed=speed)
        self.iam = SimulatedIam(self.clock, account=account, lifetime=token_lifetime)
        self.keys = keys or AccessKey()
        self.token = self.iam.issue()
        chosen = [SCENARIOS[item] if isinstance(item, str) else item for item in scenarios]
        self.backend = BuildBackend(chosen, self.clock, self.iam)
        now = self.clock.now if signatures_in_service_time else partial(datetime.now, UTC)
        identities = IdentityChecker(self.iam, self.keys, now)
        self.gateway = Gateway(backend=self.backend, identities=identities, unpublished=unpublished, send=send)
        self._server = self.make_server(port)
        self._thread = threading.Thread(target=self._server.serve, daemon=True)

    def make_server(self, port: int) -> Server:
        """Return the server, with its port bound."""
        return Server(port, self.gateway)

    @property
    def endpoint(self) -> str:
        """The base URL, of CodeArts Build and of IAM alike."""
        return f"{self.scheme}://{HOST}:{self._server.server_address[1]}"

    @property
    def jobs(self) -> Mapping[str, str]:
        """The job id of each scenario by the scenario's name."""
        return {job.scenario.name: job.id for job in self.backend.jobs.values()}

    @property
    def project(self) -> str:
        """The id of the CodeArts project of the first job."""
        return next(iter(self.backend.jobs.values())).project_id

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving; when it returns, no thread and no socket is left."""
        if self._thread.is_alive():
            self._server.end()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
