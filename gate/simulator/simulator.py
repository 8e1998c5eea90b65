"""CodeArts Build on loopback, as one object."""

import threading
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Self

from gate.simulator.build_backend import BuildBackend
from gate.simulator.gateway import Gateway, Send, send_nothing
from gate.simulator.request_identity import AccessKey, IdentityChecker
from gate.simulator.scenarios import SCENARIOS, Scenario
from gate.simulator.server import HOST, Server
from gate.simulator.simulated_clock import SimulatedClock
from gate.simulator.simulated_iam import DAY, IamAccount, SimulatedIam


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
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)

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

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving; when it returns, no thread and no socket is left."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
