"""A running simulator and its clients."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import requests

from gate.simulator.scenarios import SCENARIOS
from gate.simulator.simulator import Simulator


@pytest.fixture
def serve() -> Iterator[Callable[..., Simulator]]:
    """Start simulators, with all scenarios and a clock that moves by hand unless told otherwise."""
    with ExitStack() as stack:

        def start(*scenarios: object, speed: float = 0.0, **options: object) -> Simulator:
            return stack.enter_context(Simulator(scenarios or SCENARIOS, speed=speed, **options))  # type: ignore[arg-type]

        yield start


@pytest.fixture
def simulator(serve: Callable[..., Simulator]) -> Simulator:
    """Start one simulator with all scenarios."""
    return serve()


@pytest.fixture
def anonymous() -> Iterator[requests.Session]:
    """Open a session that knows no credential."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def ask(anonymous: requests.Session) -> Callable[..., requests.Response]:
    """
    Ask a simulator, with its token: `ask(simulator, "/v3/jobs/{job}/status", "passing")`.

    `{job}` is the id of the named scenario's job, `{record}` the id of its build 57's record.
    """

    def send(
        simulator: Simulator, path: str, scenario: str = "passing", *, method: str = "GET", **options: object
    ) -> requests.Response:
        job = simulator.jobs.get(scenario, "")
        record = next((build.record_id for build in simulator.service.jobs[job].builds if build.number == 57), "") if job else ""
        url = simulator.endpoint + path.format(job=job, record=record)
        headers = {"X-Auth-Token": simulator.token}
        return anonymous.request(method, url, headers=headers, timeout=5, **options)  # type: ignore[arg-type]

    return send
