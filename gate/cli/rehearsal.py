"""Rehearsals on the simulator: `demo` runs the gate on it, `simulate` serves it for other programs."""

import json
import re
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from shlex import quote

import click

from gate import app, publish
from gate.errors import UsageProblem
from gate.model import Target
from gate.runtime import signals
from gate.settings import Connection, Reports, Rules, Settings, Token, check_unique
from gate.simulator.scenarios import SCENARIOS, Scenario
from gate.simulator.simulator import Simulator

DEMO_SPEED = 30.0
"""Seconds of service time that pass in one second of the demo, so that it ends in under ten."""

DEMO_RULES = Rules(timeout=30, poll_interval=0.5, error_budget=30, appear_timeout=10)

SPECIAL_RULES = {
    "slow": replace(DEMO_RULES, timeout=5),
    "failing-tests": replace(DEMO_RULES, require_tests=True),
}
"""The rules of scenarios that show nothing under the usual ones."""

SPECIAL_OPTIONS = {"slow": "--timeout 5s ", "failing-tests": "--require-tests "}

IAM_PROJECT = "cn-north-4"
"""The project for which the simulated IAM issues tokens; it takes any."""

STOP_CHECK = 0.5
"""Seconds after which `simulate` looks whether it was stopped. On Windows, Ctrl-C does not end a longer wait."""


def descriptions() -> dict[str, str]:
    """Return one line about each scenario, by its name."""
    return {name: scenario.description for name, scenario in SCENARIOS.items()}


def named_scenario(name: str) -> Scenario:
    """Return a scenario; raises `UsageProblem` for one that does not exist."""
    if name not in SCENARIOS:
        raise UsageProblem(f"--scenario {name!r} does not exist; there are {', '.join(SCENARIOS)}")
    return SCENARIOS[name]


def scenarios_of(choices: Sequence[str]) -> list[Scenario]:
    """Return a scenario for each job to serve; `NAME:COUNT` gives so many jobs, `NAME-1`, `NAME-2` and so on."""
    chosen: list[Scenario] = []
    for choice in choices:
        name, colon, count = choice.partition(":")
        scenario = named_scenario(name)
        if not colon:
            chosen.append(scenario)
        elif re.fullmatch(r"[1-9][0-9]{0,3}", count):
            chosen += [replace(scenario, name=f"{name}-{number}") for number in range(1, int(count) + 1)]
        else:
            raise UsageProblem(f"--scenario {choice!r} must be NAME or NAME:COUNT, where COUNT is 1 to 9999")
    check_unique([scenario.name for scenario in chosen], "for several jobs write NAME:COUNT; --scenario is given twice")
    return chosen


def demo(scenario: str, reports: Reports, started: float, *, follow: bool) -> int:
    """Run `wait` on the simulator through real HTTP and return its exit code."""
    named_scenario(scenario)
    options = SPECIAL_OPTIONS.get(scenario, "") + ("--follow " if follow else "")
    click.echo(
        f"A simulated build ({scenario}) runs on this machine, {DEMO_SPEED:g} times as fast as a real one. The gate "
        f"waits for it as `codearts-gate wait {options}JOB_ID` does.",
        err=True,
    )
    with Simulator([scenario], speed=DEMO_SPEED) as simulator:
        job_id = simulator.jobs[scenario]
        settings = Settings(
            targets=[Target(job_id=job_id, label=job_id)],
            connection=Connection(endpoint=simulator.endpoint, credential=Token(value=simulator.token)),
            rules=replace(SPECIAL_RULES.get(scenario, DEMO_RULES), follow=follow),
            reports=reports,
        )
        return app.wait(settings, started)


def simulate(choices: Sequence[str], port: int, speed: float) -> None:
    """Serve the simulator until a signal comes; raises `UsageProblem` when the port cannot be used."""
    scenarios = scenarios_of(choices)
    stop = threading.Event()
    for number in signals.handled():
        signal.signal(number, lambda *_: stop.set())
    try:
        simulator = Simulator(scenarios, port=port, speed=speed)
    except OSError as error:
        raise UsageProblem(
            f"--port {port} cannot be used: {error.strerror or error}", hint="Give another one, or 0 for a free one."
        ) from None
    with simulator:
        publish.print_result(json.dumps(access(simulator)) + "\n")
        if sys.stderr.isatty():
            click.echo(exports(simulator), err=True)
        while not stop.wait(STOP_CHECK):
            pass


def access(simulator: Simulator) -> dict[str, object]:
    """Return what a client needs: where the simulator is, the credentials that it accepts, and its jobs."""
    account = simulator.iam.account
    return {
        "endpoint": simulator.endpoint,
        "token": simulator.token,
        "jobs": dict(simulator.jobs),
        "codearts_project": simulator.project,
        "ak": simulator.keys.ak,
        "sk": simulator.keys.sk,
        "iam": {
            "user": account.user,
            "password": account.password,
            "domain": account.domain,
            "project": IAM_PROJECT,
        },
    }


def exports(simulator: Simulator) -> str:
    """Return the lines to paste into another terminal, after which `codearts-gate wait` needs no arguments."""
    targets = " ".join(f"{name}={job_id}" for name, job_id in simulator.jobs.items())
    variables = {
        "GATE_ENDPOINT": simulator.endpoint,
        "GATE_TOKEN": simulator.token,
        "GATE_CODEARTS_PROJECT": simulator.project,
        "GATE_TARGETS": targets,
    }
    lines = [f"export {name}={quote(value)}" for name, value in variables.items()]
    return "\n".join(["Paste these lines into another terminal, then run `codearts-gate wait` there:", *lines])
