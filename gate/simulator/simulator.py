"""CodeArts Build on loopback, as one object."""

import threading
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Self

from gate.simulator.clock import ServiceClock
from gate.simulator.credentials import Credentials, KeyPair
from gate.simulator.faults import Fault, FaultPlan
from gate.simulator.gateway import Gateway
from gate.simulator.iam import DAY, Account, Iam
from gate.simulator.journal import Journal
from gate.simulator.scenarios import SCENARIOS, Scenario
from gate.simulator.server import HOST, Server, Tls
from gate.simulator.service import Service


class Simulator:
    """A CodeArts Build with one job for each scenario, and IAM at the same address.

    `scenarios`: names out of `SCENARIOS` or scenarios of one's own. `port` 0 takes a free one. `speed` scales the
    service's clock (0: it moves by `clock.advance` only). `unpublished` names operations whose routes are missing.
    `signatures_in_service_time` holds the time of AK/SK signatures against the service's clock, not the real one.
    With `tls` it speaks https.
    Serves from `start` to `stop`, or within a `with` block.
    """

    def __init__(
        self,
        scenarios: Iterable[str | Scenario] = ("passing",),
        *,
        port: int = 0,
        speed: float = 1.0,
        faults: Iterable[Fault] = (),
        unpublished: Collection[str] = (),
        account: Account | None = None,
        keys: KeyPair | None = None,
        token_lifetime: float = DAY,
        signatures_in_service_time: bool = False,
        tls: Tls | None = None,
    ) -> None:
        self.clock = ServiceClock(speed=speed)
        self.iam = Iam(self.clock, account=account, lifetime=token_lifetime)
        self.keys = keys or KeyPair()
        self.token = self.iam.issue()
        chosen = [SCENARIOS[item] if isinstance(item, str) else item for item in scenarios]
        self.service = Service(chosen, self.clock, self.iam)
        now = self.clock.now if signatures_in_service_time else partial(datetime.now, UTC)
        credentials = Credentials(self.iam, self.keys, now)
        self._gateway = Gateway(
            service=self.service, credentials=credentials, faults=FaultPlan(tuple(faults)), unpublished=unpublished
        )
        self._server = Server(port, self._gateway, tls)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)

    @property
    def endpoint(self) -> str:
        """The base URL, of CodeArts Build and of IAM alike."""
        return f"{'http' if self._server.tls is None else 'https'}://{HOST}:{self._server.server_address[1]}"

    @property
    def jobs(self) -> Mapping[str, str]:
        """The job id of each scenario by the scenario's name."""
        return {job.scenario.name: job.id for job in self.service.jobs.values()}

    @property
    def journal(self) -> Journal:
        """What was asked so far."""
        return self._gateway.journal

    @property
    def faults(self) -> FaultPlan:
        """The faults beyond those of the scenarios; more can be added at any time."""
        return self._gateway.faults

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
