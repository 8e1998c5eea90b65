"""The simulator without a network: its gateway called directly, on a clock that moves when waited on."""

import gzip
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Any, cast
from urllib.parse import urlencode

from gate.codearts.client import Client
from gate.codearts.fallback_routes import Routes
from gate.codearts.masking import Masker
from gate.codearts.responses import Reply
from gate.codearts.session import Session
from gate.core.ports import Context
from gate.core.wait import Wait
from gate.errors import InvalidAnswer, OrderNotSent, TooSlow, Unreachable
from gate.model import Order, Target, TargetOutcome
from gate.settings import Rules
from gate.simulator.exchange import ClientSocket
from tests.core.fakes import FakeWorkers, Recording
from tests.faults.faulty_simulator import FaultySimulator


class MemorySocket(ClientSocket):
    """Keeps what is sent; whatever would take time raises `OSError`, as does a flood."""

    def __init__(self, simulator: FaultySimulator) -> None:
        self.reusable = True
        self._clock = simulator.clock
        self.data = bytearray()

    def send(self, data: bytes) -> None:
        """Keep some bytes."""
        self.data += data
        if len(self.data) > 1_000_000:
            raise ConnectionAbortedError("enough")

    def pause(self, seconds: float) -> None:
        """Refuse to wait."""
        raise TimeoutError

    def wait_for_hangup(self) -> None:
        """Refuse to wait."""
        raise TimeoutError

    def reset_on_close(self) -> None:
        """Do nothing: the connection ends in any case."""


class MemorySession:
    """Takes the place of the HTTP session."""

    host = "memory"
    endpoint = "http://memory"

    def __init__(self, simulator: FaultySimulator, catch_up: Callable[[], None] = lambda: None) -> None:
        """`catch_up` moves the service's clock to the present instant, where nobody else does."""
        self._simulator = simulator
        self._catch_up = catch_up
        self.masker = Masker(lambda: (simulator.token,))

    def now(self) -> datetime:
        """Return the service's time."""
        self._catch_up()
        return self._simulator.clock.now()

    def local_now(self) -> datetime:
        """Return the same: there is one clock here."""
        return self.now()

    def hide(self, text: str) -> str:
        """Blot the token out."""
        return self.masker.hide(text)

    def get(
        self,
        path: str,
        params: Mapping[str, object] | None = None,
        *,
        seconds: float | None = None,
        decides: bool = True,
    ) -> Reply:
        """Ask."""
        return self._ask("GET", path, params, b"")

    def stream(
        self, path: str, params: Mapping[str, object] | None, sink: Callable[[bytes], None], until: float
    ) -> Reply:
        """Ask for a text."""
        reply = self.get(path, params)
        if reply.status == 200 and "json" not in reply.headers.get("Content-Type", ""):
            sink(reply.body)
        return reply

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, object] | None = None,
        *,
        may_send: Callable[[], bool] | None = None,
        seconds: float | None = None,
    ) -> Reply:
        """Order or stop."""
        if may_send is not None and not may_send():
            raise OrderNotSent("no build was started")
        return self._ask("POST", path, params, b"" if body is None else json.dumps(body).encode())

    def _ask(self, method: str, path: str, params: Mapping[str, object] | None, body: bytes) -> Reply:
        self._catch_up()
        headers = Message()
        headers["X-Auth-Token"] = self._simulator.token
        target = path + (f"?{urlencode(dict(params))}" if params else "")
        client = MemorySocket(self._simulator)
        try:
            self._simulator.gateway.serve(method, target, headers, body, client)
        except OSError as error:
            raise TooSlow("no answer in time") from error
        head, found, content = bytes(client.data).partition(b"\r\n\r\n")
        if not client.reusable or not found:
            raise Unreachable("the connection broke")
        first, _, lines = head.partition(b"\r\n")
        fields = BytesHeaderParser().parsebytes(lines)
        if int(fields.get("Content-Length", len(content))) != len(content):
            raise Unreachable("the length is wrong")
        if fields.get("Content-Encoding") == "gzip":
            try:
                content = gzip.decompress(content)
            except gzip.BadGzipFile as error:
                raise InvalidAnswer("not packed") from error
        return Reply(int(first.split()[1]), dict(fields.items()), content)


class MemoryWait:
    """One wait on a simulator in memory, for one target or several."""

    def __init__(self, simulator: FaultySimulator, *targets: Target, rules: Rules, order: Order | None = None) -> None:
        self.workers = FakeWorkers()
        self.observer = Recording()
        self._rules = rules
        self._simulator = simulator
        self._seen = self.workers.now()
        routes = Routes(cast(Session, MemorySession(simulator, self._catch_up)))
        context = Context(
            rules=rules,
            service=Client(routes),
            order=order,
            now=self.workers.now,
            chance=lambda: 0.5,
            say=lambda target, text: self.observer.say(target, text, self.workers.now()),
        )
        self.wait = Wait(targets, context, self.workers, self.observer)

    def run(self) -> tuple[TargetOutcome, timedelta]:
        """Wait to the end; give the only target's outcome and how long it took."""
        (outcome,), took = self.run_all()
        return outcome, took

    def run_all(self) -> tuple[list[TargetOutcome], timedelta]:
        """Wait to the end; give the outcomes and how long it took."""
        started = self.workers.now()
        outcomes = self.wait.run(started + self._rules.timeout)
        self._catch_up()
        return outcomes, timedelta(seconds=self.workers.now() - started)

    def _catch_up(self) -> None:
        """Let the service's clock follow that of the workers."""
        self._simulator.clock.advance(self.workers.now() - self._seen)
        self._seen = self.workers.now()
