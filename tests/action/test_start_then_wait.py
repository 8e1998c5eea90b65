"""The example workflow in which one job starts a build and another waits for it: the steps of both, with the action."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml

from tests.action.driver import Driver, Step
from tests.conftest import ROOT
from tests.faults.faulty_simulator import FaultySimulator

pytestmark = pytest.mark.ci

Simulate = Callable[..., FaultySimulator]

JOBS: Mapping[str, Any] = yaml.load((ROOT / "examples/github/start-then-wait.yml").read_text(), yaml.CSafeLoader)[
    "jobs"
]
COMMIT = "github.event.pull_request.head.sha || github.sha"
NUMBER = "needs.start.outputs.build-number"
HEAD = "0123456789abcdef0123456789abcdef01234567"


def secrets_of(simulator: FaultySimulator) -> dict[str, str]:
    """Return the expressions by which the workflow names the simulated account's user."""
    account = simulator.iam.account
    named = {"USER": account.user, "PASSWORD": account.password, "ACCOUNT": account.domain}
    return {f"secrets.CODEARTS_{name}": value for name, value in named.items()}


def run_job(driver: Driver, job: str, simulator: FaultySimulator, expressions: Mapping[str, str], **more: str) -> Step:
    """Run the action's step of a job with the simulator's job in place of the user's own; all expressions are given.

    `more`: further inputs.
    """
    (step,) = JOBS[job]["steps"]
    (job_id,) = simulator.jobs.values()
    inputs = {"endpoint": simulator.endpoint, "iam_endpoint": simulator.endpoint, "poll_interval": "200ms"}
    for name, value in step["with"].items():
        text = "true" if value is True else str(value)
        text = re.sub(r"\$\{\{ (.+?) \}\}", lambda found: expressions[found[1]], text)
        inputs[name.replace("-", "_")] = text.replace("0123456789abcdef" * 2, job_id) if name == "targets" else text
    return driver.run(**inputs, **more)


def output_of(job: str, name: str, step: Step) -> str:
    """Return an output of a job, which is an output of its only step."""
    (given,) = JOBS[job]["steps"]
    found = re.fullmatch(rf"\$\{{\{{ steps\.{given['id']}\.outputs\.([\w-]+) \}}\}}", JOBS[job]["outputs"][name])
    assert found is not None
    return step.outputs[found[1]]


@pytest.mark.parametrize(("scenario", "status", "verdict"), [("passing", 0, "passed"), ("failing", 1, "failed")])
def test_build_that_one_job_starts_is_judged_by_another(
    simulate: Simulate, driver: Driver, scenario: str, status: int, verdict: str
) -> None:
    """The start is green without a report; the result is that of the wait for the build with the number handed over."""
    simulator = simulate([scenario], speed=100)
    secrets = secrets_of(simulator)
    start = run_job(driver, "start", simulator, {**secrets, COMMIT: HEAD})
    assert (start.exit, start.outputs["verdict"]) == (0, "started"), start.log
    assert not (driver.workspace / "gate-report.xml").exists()
    gate = run_job(driver, "gate", simulator, {**secrets, NUMBER: output_of("start", "build-number", start)})
    assert (gate.exit, gate.outputs["verdict"], gate.outputs["build-number"]) == (status, verdict, "58"), gate.log
    (job,) = simulator.backend.jobs.values()
    assert [build.commit for build in job.builds if build.number > 57] == [HEAD]
    assert (driver.workspace / "gate-report.xml").exists()


def test_job_that_waits_runs_after_a_failed_start_too_and_is_red(simulate: Simulate, driver: Driver) -> None:
    """A required check that is skipped counts as passed at GitHub; without a number, no other build is judged."""
    assert JOBS["gate"]["if"] == "${{ !cancelled() }}"
    assert "start" in JOBS["gate"]["needs"]
    simulator = simulate(["passing"], speed=100)
    gate = run_job(driver, "gate", simulator, {**secrets_of(simulator), NUMBER: ""})
    assert (gate.exit, gate.outputs["verdict"]) == (2, "undetermined"), gate.log
    assert not simulator.journal.entries


def test_build_that_outlives_the_wait_is_stopped_by_it(simulate: Simulate, driver: Driver) -> None:
    """The job that waits has not started it, but was told its number; the build before it is somebody else's."""
    simulator = simulate(["slow"], speed=100)
    secrets = secrets_of(simulator)
    start = run_job(driver, "start", simulator, {**secrets, COMMIT: HEAD})
    number = output_of("start", "build-number", start)
    gate = run_job(driver, "gate", simulator, {**secrets, NUMBER: number}, timeout="3s")
    assert (gate.exit, gate.outputs["verdict"]) == (3, "timed-out"), gate.log
    assert simulator.journal.stops == ((simulator.jobs["slow"], 58),)
