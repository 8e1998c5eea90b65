"""The simulator for tests: with faults that can be added at any time, a journal of all requests, and TLS."""

import itertools
import math
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from gate.simulator.exchange import Call, ClientSocket, HttpAnswer
from gate.simulator.scenarios import Scenario
from gate.simulator.simulator import Answer, Gateway, Server, Simulator
from tests.faults.fault_plan import Fault, FaultPlan
from tests.faults.journal import ORDERS, Entry, Journal
from tests.faults.response_faults import ResponseFault
from tests.faults.transport_faults import TransportFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How connections are encrypted. From number `silent_from` on, counted from 0, no handshake is ever answered."""

    context: ssl.SSLContext
    silent_from: float = math.inf
    pause: Callable[[], None] = lambda: None
    """Is called before each handshake, which begins when it returns."""


class FaultySimulator(Simulator):
    """A simulator whose `faults` spoil answers and whose `journal` has every request; see `Simulator` for the rest.

    Its clock stands until the first request, however late that comes: at 200 seconds of service time in one, a gate
    that needs five to start would find builds that ended before its `--max-age`.
    """

    def __init__(
        self,
        scenarios: Iterable[str | Scenario] = ("passing",),
        *,
        faults: Iterable[Fault] = (),
        tls: Tls | None = None,
        speed: float = 1.0,
        **options: Any,
    ) -> None:
        self.faults = FaultPlan(tuple(faults))
        self.journal = Journal()
        self._tls = tls
        self._instant = threading.Lock()
        self._speed = speed
        super().__init__(scenarios, send=self._send, speed=0, **options)
        self.scheme = "http" if tls is None else "https"

    def advance(self, seconds: float) -> None:
        """Move a clock that stands, but not while a request is decided on and answered: both are of one instant."""
        with self._instant:
            self.clock.advance(seconds)

    def make_server(self, port: int) -> Server:
        """See the base class."""
        return Server(port, self.gateway) if self._tls is None else TlsServer(port, self.gateway, self._tls)

    def _send(self, call: Call, answer: Answer, client: ClientSocket) -> bool:
        """Send the answer as the faults that this call meets have it, after an entry in the journal."""
        transport: TransportFault | None = None
        with self._instant:
            if self._speed:
                self.clock.set_speed(self._speed)
                self._speed = 0.0
            acts = self.faults.acts(call)
            if not acts:
                answer()  # keeps it
        for act in acts:
            if isinstance(act, ResponseFault):
                answer = partial(act.shape, call, answer)
            else:
                transport = act
        if transport is None:
            whole = answer()
            self._note(call, whole, transport)
            client.send_answer(whole)
            return True
        shaped = answer() if transport.processed else None
        self._note(call, shaped, transport)
        transport.deliver(client, shaped or HttpAnswer())
        return True

    def _note(self, call: Call, answer: HttpAnswer | None, transport: TransportFault | None) -> None:
        entry = Entry(
            at=self.clock.now(),
            method=call.method,
            path=call.path,
            query=dict(call.query),
            operation=call.operation,
            order=call.document() if call.operation in ORDERS else None,
            job_id=call.job_id,
            build_number=call.build_number,
            family=call.identity.family if call.identity else None,
            authorised=call.identity is not None,
            signed_at=call.headers.get("X-Sdk-Date"),
            status=None if answer is None else answer.status,
            transport_fault=None if transport is None else type(transport).__name__,
        )
        self.journal.write(entry)


class TlsServer(Server):
    """A server that speaks TLS."""

    def __init__(self, port: int, gateway: Gateway, tls: Tls) -> None:
        self._tls = tls
        self._numbers = itertools.count()
        super().__init__(port, gateway)

    def prepare(self, layers: list[socket.socket]) -> None:
        """Put TLS on a connection; raises `OSError` when the handshake fails."""
        if next(self._numbers) >= self._tls.silent_from:
            while layers[-1].recv(65536):
                pass
            raise ConnectionAbortedError("the client has given up")
        self._tls.pause()
        encrypted = self._tls.context.wrap_socket(layers[-1], server_side=True, do_handshake_on_connect=False)
        layers.append(encrypted)
        encrypted.do_handshake()
