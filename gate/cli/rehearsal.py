"""Rehearsals on the simulator: `demo` runs the gate on it, `simulate` serves it for others."""

import json
import signal
import threading
from collections.abc import Sequence
from dataclasses import replace

import click

from gate import app
from gate.model import Target
from gate.settings import Connection, Reports, Rules, Settings, Token

DEMO_SPEED = 30.0
"""Seconds of service time that pass in one second of the demo, so that it ends in under ten."""

DEMO_RULES = Rules(timeout=30, poll_interval=0.5, error_budget=10, appear_timeout=10)

SPECIAL_RULES = {
    "slow": replace(DEMO_RULES, timeout=5),
    "failing-tests": replace(DEMO_RULES, require_tests=True),
}
"""What a scenario needs beyond the usual for its point to show."""

SPECIAL_OPTIONS = {"slow": " --timeout 5s", "failing-tests": " --require-tests"}


def descriptions() -> dict[str, str]:
    """Return one line about each scenario, by its name."""
    from gate.simulator.scenarios import SCENARIOS

    return {name: scenario.description for name, scenario in SCENARIOS.items()}


def demo(scenario: str, reports: Reports, started: float) -> int:
    """Run `wait` on the simulator through real HTTP and give its exit code."""
    from gate.simulator.simulator import Simulator

    with Simulator([scenario], speed=DEMO_SPEED) as simulator:
        target = Target(job_id=simulator.jobs[scenario], label=simulator.jobs[scenario])
        click.echo(
            f"A simulated CodeArts Build serves the scenario {scenario!r}, at {DEMO_SPEED:g} times the usual speed.\n"
            f"$ codearts-gate wait --endpoint {simulator.endpoint}{SPECIAL_OPTIONS.get(scenario, '')} {target.job_id}",
            err=True,
        )
        settings = Settings(
            targets=[target],
            connection=Connection(endpoint=simulator.endpoint, credential=Token(value=simulator.token)),
            rules=SPECIAL_RULES.get(scenario, DEMO_RULES),
            reports=reports,
        )
        return app.wait(settings, started)


def simulate(scenarios: Sequence[str], port: int, speed: float) -> None:
    """Serve the simulator until a signal comes; the first line on stdout says where, with which token, which jobs."""
    from gate.simulator.simulator import Simulator

    stop = threading.Event()
    for number in app.handled_signals():
        signal.signal(number, lambda *_: stop.set())
    with Simulator(scenarios, port=port, speed=speed) as simulator:
        place = {"endpoint": simulator.endpoint, "token": simulator.token, "jobs": dict(simulator.jobs)}
        app.print_result(json.dumps(place) + "\n")
        stop.wait()
