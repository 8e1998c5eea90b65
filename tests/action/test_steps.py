"""The action's step, run as GitHub's runner does."""

import json
import os
import signal
from collections.abc import Callable

import pytest

from tests.action.driver import Driver
from tests.faults.faulty_simulator import FaultySimulator
from tests.helpers import wait_for

pytestmark = pytest.mark.ci

Simulate = Callable[..., FaultySimulator]


def address(simulator: FaultySimulator) -> dict[str, str]:
    """Return the inputs that lead the action to the simulator."""
    return {"endpoint": simulator.endpoint, "token": simulator.token, "poll_interval": "200ms", "max_age": "10h"}


def test_build_that_passes_gives_a_green_step(simulate: Simulate, driver: Driver) -> None:
    """The step ends with 0, and outputs, summary, notice and report are there."""
    simulator = simulate(["passing"], speed=100)
    step = driver.run(targets=f"app={simulator.jobs['passing']}", **address(simulator))
    assert step.exit == 0, step.log
    assert step.outputs | {"elapsed-seconds": "", "results": ""} == {
        "verdict": "passed", "exit-code": "0", "build-number": "57", "ordered": "false", "build-url": "",
        "report": "gate-report.xml", "elapsed-seconds": "", "results": "",
    }  # fmt: skip
    assert json.loads(step.outputs["results"])["targets"][0]["label"] == "app"
    assert step.summary.startswith("## ✅ codearts-gate: passed")
    assert [command[1] for command in step.of("notice", "error")] == [{"title": "codearts-gate: app passed"}]
    assert "passed app build=57 state=SUCCESS" in step.log
    assert (driver.workspace / "gate-report.xml").exists()


def test_build_that_is_started_and_fails_gives_a_red_step_with_outputs(simulate: Simulate, driver: Driver) -> None:
    """`run` starts a build with its parameters, and the outputs of a failed step are there too."""
    simulator = simulate(["failing"], speed=100)
    inputs = {**address(simulator), "param": "A=1\nB=two words\n", "json": "True"}
    step = driver.run(command="run", targets=simulator.jobs["failing"], **inputs)
    assert (step.exit, step.outputs["verdict"], step.outputs["build-number"]) == (1, "failed", "58")
    assert [command[0] for command in step.of("error", "group")] == ["group", "error"]
    assert any(line.startswith("  | ") and "COMPILATION ERROR" in line for line in step.log)
    document = json.loads(next(line for line in step.log if line.startswith("{")))
    assert document["targets"][0]["state"] == "FAILURE"
    builds = next(job.builds for job in simulator.backend.jobs.values())
    assert dict(builds[-1].parameters) == {"A": "1", "B": "two words"}


def test_variables_of_the_job_stand_in_for_inputs(simulate: Simulate, driver: Driver) -> None:
    """What the whole job has in its `env` need not be said again; only an input that is given hides it."""
    simulator = simulate(["slow"])
    env = {
        "GATE_ENDPOINT": simulator.endpoint, "GATE_TOKEN": simulator.token, "GATE_TARGETS": simulator.jobs["slow"],
        "GATE_TIMEOUT": "1s", "GATE_JUNIT": "of the job.xml", "GATE_JSON": "yes", "GATE_OUTPUTS": "job.env",
    }  # fmt: skip
    step = driver.run(env, outputs="step.env")
    assert (step.exit, step.outputs["report"]) == (3, "of the job.xml"), step.log
    assert any(line.startswith("{") for line in step.log)
    assert sorted(path.name for path in driver.workspace.iterdir()) == ["of the job.xml", "step.env"]


def test_aksk_needs_no_package(simulate: Simulate, driver: Driver) -> None:
    """The signer is in the one file."""
    simulator = simulate(["passing"], speed=100)
    keys = {"ak": simulator.keys.ak, "sk": simulator.keys.sk, "endpoint": simulator.endpoint, "max_age": "10h"}
    step = driver.run(targets=simulator.jobs["passing"], **keys)
    assert step.exit == 0, step.log
    assert {entry.family for entry in simulator.journal.entries} == {"aksk"}


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"endpoint": "https://localhost", "token": "t"}, "target"),
        ({"targets": "0" * 32}, "endpoint"),
        ({"targets": "0" * 32, "endpoint": "https://localhost"}, "credential"),
        ({"targets": "0" * 32, "timeout": "soon"}, "'input timeout'"),
        ({"targets": "0" * 32, "fail_fast": "perhaps"}, "'input fail-fast'"),
        ({"targets": "0" * 32, "json": "perhaps"}, "'input json'"),
        ({"targets": "0 1"}, "'input targets'"),
        ({"targets": "0" * 32, "endpoint": "https://localhost", "ak": "x"}, "input ak is set without input sk"),
    ],
    ids=["targets", "endpoint", "credential", "duration", "flag", "boolean", "form", "half"],
)
def test_wrong_call_is_an_error_that_names_the_input(driver: Driver, inputs: dict[str, str], words: str) -> None:
    """The step ends with 2 and one annotation."""
    step = driver.run(**inputs)
    assert step.exit == 2
    (annotation,) = step.of("error")
    assert words in annotation[2]


def test_wrong_variable_of_the_job_is_named_itself(driver: Driver) -> None:
    """An input that was not given is not blamed."""
    step = driver.run({"GATE_TIMEOUT": "soon"}, targets="0" * 32, max_age="10h")
    (annotation,) = step.of("error")
    assert (step.exit, "'GATE_TIMEOUT'" in annotation[2]) == (2, True)


def test_cancelled_job_stops_the_build_and_still_reports(simulate: Simulate, driver: Driver) -> None:
    """SIGINT comes to the shell's process alone; the gate has taken its place, stops its build and writes reports."""
    simulator = simulate(["slow"])
    process = driver.start(command="run", targets=simulator.jobs["slow"], **address(simulator))
    # Before its order, it looks for a record with the number that the build will have, which is refused.
    wait_for(lambda: [one for one in simulator.journal.of("ShowJobBuildRecordDetail") if one.status == 200], seconds=60)
    process.send_signal(signal.SIGINT)
    step = driver.finish(process)
    assert (step.exit, step.outputs["verdict"], step.outputs["exit-code"]) == (130, "interrupted", "130")
    assert simulator.journal.stops == ((simulator.jobs["slow"], 58),)
    assert '<error type="Interrupted"' in (driver.workspace / "gate-report.xml").read_text()
    assert step.summary.startswith("## ✋ codearts-gate: interrupted")


def test_secrets_are_masked_before_anything_is_said(simulate: Simulate, driver: Driver) -> None:
    """Every line of every secret is masked first, escaped as a command's data is."""
    simulator = simulate(["passing"], speed=100)
    inputs = {**address(simulator), "iam_password": "one 100%\r\n\n  two%0A"}
    step = driver.run(targets=simulator.jobs["passing"], **inputs)
    count = len(step.of("add-mask"))
    masks = [command[2] for command in step.commands[:count]]
    assert masks == [simulator.token, "one 100%", "two%0A"]
    assert simulator.token not in "".join(step.log) + step.summary


def test_users_own_module_of_the_same_name_is_not_taken(simulate: Simulate, driver: Driver) -> None:
    """A folder `gate` in the checked-out repository, or PYTHONPATH, does not replace the gate."""
    (driver.workspace / "gate").mkdir()
    (driver.workspace / "gate" / "__init__.py").write_text("raise SystemExit(0)\n")
    assert driver.run({"PYTHONPATH": os.fspath(driver.workspace)}, targets="none").exit == 2
