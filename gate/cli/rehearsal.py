"""Rehearsals on the simulator: `demo` runs the gate on it, `simulate` serves it for other programs."""

import contextlib
import json
import os
import re
import shlex
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from gate import publish
from gate.cli.options import REPORT
from gate.errors import ReportFailed, UsageProblem, explain_limit
from gate.runtime import signals, streams
from gate.settings import check_unique
from gate.simulator.scenarios import GROUPS, SCENARIOS, Scenario, ScenarioGroup
from gate.simulator.simulator import Simulator

DEMO_SPEED = 30.0
"""Seconds of service time that pass in one second of the demo, so that it ends in under ten."""

DEMO_TIMEOUT = 30.0
"""Seconds after which a demo ends at the latest."""

PACE = {
    "GATE_TIMEOUT": str(DEMO_TIMEOUT),
    "GATE_POLL_INTERVAL": "0.5",
    "GATE_ERROR_BUDGET": "30",
    "GATE_APPEAR_TIMEOUT": "10",
    "GATE_MAX_RATE": "600",
}
"""Variables that suit the speed of the demo."""

WITHOUT_RESULT = (3, 129, 130, 143)
"""Exit codes with which the gate says that a build may go on, and how to wait for it or to stop it."""

GONE = "The simulated build has ended with the demo; `codearts-gate simulate` serves one for longer."

COMMANDS: Mapping[str, Sequence[str]] = {
    "slow": ["wait --timeout 5s {job}"],
    "failing-tests": ["wait --require-tests {job}"],
    "stuck-in-queue": ["wait --queue-timeout 1m {job}"],
    "by-name": ["wait --codearts-project {project} api docs"],
    "several-jobs": ["run api={api} web={web} docs={docs}"],
    "reuse": ["run --reuse --commit {commit} api={job}"],
    "two-steps": ["run --no-wait api={job}", "wait --stop --timeout 5s api={job}:{number}"],
    "whole-log": ["wait --log-dir gate-logs api={job}"],
}
"""The command lines that show a scenario, one after another; where there are none, `wait` with the job. In braces: the
id of a job by its name or of the only one (`job`), its newest build's `number` and `commit`, the `project` of all."""

SHOWN = {"project": "PROJECT_ID", "number": "NUMBER", "commit": "COMMIT"}
"""What stands in the shown command lines in place of values; `JOB_ID` for the others."""

IAM_PROJECT = "cn-north-4"
"""The project for which the simulated IAM issues tokens; it takes any."""

STOP_CHECK = 0.5
"""Seconds after which `simulate` looks whether it was stopped. On Windows, Ctrl-C does not end a longer wait."""


def descriptions() -> dict[str, str]:
    """Return one line about each scenario, by its name."""
    shown: Sequence[Scenario | ScenarioGroup] = [*SCENARIOS.values(), *GROUPS.values()]
    return {one.name: one.description for one in shown}


def jobs_of(name: str) -> Sequence[Scenario]:
    """Return the jobs of a scenario; raises `UsageProblem` for one that does not exist."""
    if name in GROUPS:
        return GROUPS[name].jobs
    if name not in SCENARIOS:
        raise UsageProblem(f"--scenario {name!r} does not exist; there are {', '.join(descriptions())}")
    return [SCENARIOS[name]]


def scenarios_of(choices: Sequence[str]) -> list[Scenario]:
    """Return a scenario for each job to serve; `NAME:COUNT` gives so many of each job, `NAME-1`, `NAME-2` and so on."""
    chosen: list[Scenario] = []
    for choice in choices:
        name, colon, count = choice.partition(":")
        jobs = jobs_of(name)
        if not colon:
            chosen += jobs
        elif re.fullmatch(r"[1-9][0-9]{0,3}", count):
            chosen += [replace(job, name=f"{job.name}-{number}") for job in jobs for number in range(1, int(count) + 1)]
        else:
            raise UsageProblem(f"--scenario {choice!r} must be NAME or NAME:COUNT, where COUNT is 1 to 9999")
    check_unique([scenario.name for scenario in chosen], "for several jobs write NAME:COUNT; --scenario is given twice")
    return chosen


def demo(scenario: str, junit: Path, started: float, *, follow: bool) -> int:
    """Run the gate on the simulator through real HTTP, as a user would; return the exit code of its last command.

    A command that does not pass is the last one.
    """
    from gate.cli.commands import PROGRAM, main

    lines = COMMANDS.get(scenario, ["wait {job}"])
    with Simulator(jobs_of(scenario), speed=DEMO_SPEED) as simulator:
        for position, line in enumerate(lines):
            options = " --follow" if follow and "--no-wait" not in line else ""
            click.echo(introduction(scenario, line + options, is_first=position == 0), err=True)
            arguments = (line + options).format_map(values_of(simulator))
            report = [] if junit == REPORT else [f"--junit={junit}"]
            env = {"GATE_ENDPOINT": simulator.endpoint, "GATE_TOKEN": simulator.token}
            with only_variables({**PACE, **env}):
                start = started if position == 0 else time.monotonic()
                status = main.main([*shlex.split(arguments), *report], PROGRAM, standalone_mode=False, obj=start)
            if status:
                break
    if status in WITHOUT_RESULT:
        click.echo(GONE, err=True)
    return int(status)


def introduction(scenario: str, line: str, *, is_first: bool) -> str:
    """Say what is about to be shown."""
    shown = line.format_map(defaultdict(lambda: "JOB_ID", SHOWN))
    if not is_first:
        return f"The next step does what `codearts-gate {shown}` does."
    if len(jobs_of(scenario)) > 1:
        what, like, does = f"Simulated builds ({scenario}) run", "real ones", "does what"
    else:
        what, like = f"A simulated build ({scenario}) runs", "a real one"
        does = "waits for it as" if line.startswith("wait") else "does what"
    speed = f"{DEMO_SPEED:g} times as fast as {like}"
    return f"{what} on this machine, {speed}. The gate {does} `codearts-gate {shown}` does."


def values_of(simulator: Simulator) -> Mapping[str, str]:
    """Return what stands in the command lines of a scenario, by its name there."""
    first = next(iter(simulator.backend.jobs.values()))
    newest = first.builds[-1]
    return {
        **simulator.jobs,
        "job": first.id,
        "project": simulator.project,
        "number": str(newest.number),
        "commit": newest.commit,
    }


@contextlib.contextmanager
def only_variables(variables: Mapping[str, str]) -> Iterator[None]:
    """Let the gate see none of its variables but these while the block runs."""
    from gate.cli.commands import known_variables

    known = known_variables()
    former = {name: value for name, value in os.environ.items() if name in known or name.upper().startswith("GATE_")}
    for name in former:
        del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]
        os.environ.update(former)


def simulate(choices: Sequence[str], port: int, speed: float, queue: float | None) -> None:
    """Serve the simulator until a signal comes.

    Raises `UsageProblem` when the port cannot be used, and `ReportFailed` when nobody can learn where it serves.
    `queue`: the seconds of service time that each build is queued for; `None`: as its scenario says.
    """
    scenarios = scenarios_of(choices)
    if queue is not None:
        scenarios = [scenario.queued_for(queue) for scenario in scenarios]
    stop = threading.Event()
    for number in signals.handled():
        signal.signal(number, lambda *_: stop.set())
    try:
        simulator = Simulator(scenarios, port=port, speed=speed)
    except OSError as error:
        if explain_limit(error):
            raise
        raise UsageProblem(
            f"--port {port} cannot be used: {error.strerror or error}", hint="Give another one, or 0 for a free one."
        ) from None
    with simulator:
        publish.print_result(json.dumps(access(simulator)) + "\n")
        if sys.stderr.isatty():
            click.echo(exports(simulator), err=True)
        while not stop.wait(STOP_CHECK):
            if streams.has_lost_output(is_final=False):
                raise ReportFailed(
                    "the address and the token could not be written to stdout",
                    hint="Let a program read it, or send it to a file on a disk with free space.",
                )


def access(simulator: Simulator) -> dict[str, object]:
    """Return what a client needs: where the simulator is, the credentials that it accepts, its jobs, their project."""
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
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return "\n".join(["Paste these lines into another terminal, then run `codearts-gate wait` there:", *lines])
