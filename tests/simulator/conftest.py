"""A running simulator and a client that asks it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from gate.simulator.scenarios import SCENARIOS
from tests.faults.faulty_simulator import FaultySimulator

Serve = Callable[..., FaultySimulator]
Ask = Callable[..., requests.Response]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start simulators; with all scenarios, and with a clock that is moved by hand, unless told otherwise."""
    with ExitStack() as stack:

        def start(*scenarios: Any, speed: float = 0.0, **options: Any) -> FaultySimulator:
            return stack.enter_context(FaultySimulator(scenarios or SCENARIOS, speed=speed, **options))

        yield start


@pytest.fixture
def simulator(serve: Serve) -> FaultySimulator:
    """Start one simulator with all scenarios."""
    return serve()


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """Open a session that knows no credential and no proxy."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def ask(session: requests.Session) -> Ask:
    """Ask a simulator, with its token unless other headers are given.

    In the path, `{job}` is the id of the named scenario's job and `{record}` that of its build 57's record.
    """

    def send(simulator: FaultySimulator, path: str, name: str = "passing", method: str = "GET", **options: Any) -> Any:
        job = simulator.backend.jobs[simulator.jobs[name]]
        record = next((build.record_id for build in job.builds if build.number == 57), "")
        options.setdefault("headers", {"X-Auth-Token": simulator.token})
        url = simulator.endpoint + path.format(job=job.id, record=record)
        return session.request(method, url, timeout=5, **options)

    return send
