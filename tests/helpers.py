"""What tests of the program as a process share."""

import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from junitparser import JUnitXml

from gate.simulator import sample_plans
from tests.faults.fault_plan import RECORD_ROUTES
from tests.faults.faulty_simulator import FaultySimulator

StartGate = Callable[..., "subprocess.Popen[str]"]
"""Starts the program; the fixture `start_gate`."""

RunGate = Callable[..., "subprocess.CompletedProcess[str]"]
"""Runs the program to its end; the fixture `run_gate`."""

RunGates = Callable[[Mapping[str, Mapping[str, Any]]], "Mapping[str, subprocess.CompletedProcess[str]]"]
"""Runs the program several times at once; the fixture `run_gates`."""

Simulate = Callable[..., FaultySimulator]
"""Starts a simulator; the fixture `simulate`."""

COURSES = {"passed": sample_plans.PASSING, "failed": sample_plans.FAILING, "aborted": sample_plans.ABORTED}
"""What builds do, by the verdict that they must get."""


FULL_DISK = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))"
"""What lets the program write no file beyond a size in bytes, carried out before it (`before`)."""

CLOSED_STDOUT = "import os, sys; os.close(1); sys.stdout = None"
"""What closes stdout before the program, as Python starts where its caller has closed it: `sys.stdout` is `None`."""

CLOSED_STDERR = CLOSED_STDOUT.replace("stdout", "stderr").replace("1", "2")
"""Likewise for stderr."""


def environment(simulator: FaultySimulator, family: str = "token", **more: str) -> dict[str, str]:
    """Return the variables that lead the gate to the simulator, with one family of credentials."""
    common = {"GATE_ENDPOINT": simulator.endpoint, "GATE_POLL_INTERVAL": "200ms", "GATE_MAX_RATE": "6000"}
    return {**common, **credentials(simulator, family), **more}


def credentials(simulator: FaultySimulator, family: str) -> Mapping[str, str]:
    """Return the variables of a family of credentials: `token`, `aksk` or `password`."""
    account, keys = simulator.iam.account, simulator.keys
    match family:
        case "token":
            return {"GATE_TOKEN": simulator.token}
        case "aksk":
            return {
                "HUAWEICLOUD_SDK_AK": keys.ak,
                "HUAWEICLOUD_SDK_SK": keys.sk,
                "HUAWEICLOUD_SDK_SECURITY_TOKEN": keys.security_token or "",
            }
        case "password":
            return {
                "GATE_IAM_ENDPOINT": simulator.endpoint,
                "GATE_IAM_USER": account.user,
                "GATE_IAM_PASSWORD": account.password,
                "GATE_IAM_DOMAIN": account.domain,
                "GATE_IAM_PROJECT": "cn-north-4",
            }
        case _:
            raise ValueError(family)


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)


def polled(simulator: FaultySimulator, number: int) -> bool:
    """Tell whether a build's record was read three times: the gate has had the answer to the first reading by then."""
    return [entry.build_number for entry in simulator.journal.of(*RECORD_ROUTES)].count(number) > 2


def error_types(report: Path) -> list[str]:
    """Return the types of the failures and errors of the builds in a JUnit report; raises if it is not valid."""
    return [kind.type for suite in JUnitXml.fromfile(str(report)) for kind in next(iter(suite)).result]
