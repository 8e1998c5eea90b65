"""What the tests against a hostile world share."""

import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

from tests.faults.faulty_simulator import FaultySimulator

StartGate = Callable[..., "subprocess.Popen[str]"]
RunGate = Callable[..., "subprocess.CompletedProcess[str]"]
Simulate = Callable[..., FaultySimulator]


def environment(simulator: FaultySimulator) -> Mapping[str, str]:
    """Return the variables that lead the gate to the simulator."""
    return {"GATE_ENDPOINT": simulator.endpoint, "GATE_TOKEN": simulator.token, "GATE_POLL_INTERVAL": "200ms"}


def sign_in_environment(simulator: FaultySimulator) -> Mapping[str, str]:
    """Return the variables that let the gate sign in as an IAM user."""
    account = simulator.iam.account
    return {
        "GATE_ENDPOINT": simulator.endpoint,
        "GATE_IAM_ENDPOINT": simulator.endpoint,
        "GATE_IAM_USER": account.user,
        "GATE_IAM_PASSWORD": account.password,
        "GATE_IAM_DOMAIN": account.domain,
        "GATE_IAM_PROJECT": "cn-north-4",
    }


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)


def error_types(report: Path) -> list[str]:
    """Return the types of the failures and errors of the builds in a JUnit report; raises if it is no valid one."""
    return [kind.type for suite in JUnitXml.fromfile(str(report)) for kind in next(iter(suite)).result]


@pytest.fixture
def slow(simulate: Simulate) -> FaultySimulator:
    """Start a simulator whose build does not end."""
    return simulate(["slow"])
