"""What is left when the action cannot start the program: whatever reads it, this run is no pass, and why is said."""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gate.cli.options import REPORT
from gate.reports.result import DOTENV_NAMES
from tests.action.driver import Driver, Step
from tests.conftest import ROOT
from tests.faults.faulty_simulator import FaultySimulator
from tests.helpers import wait_for
from tests.tools import tool

pytestmark = pytest.mark.ci

FILES = {"outputs": "gate.env", "summary": " summary.md\n"}


@pytest.fixture
def former(driver: Driver) -> Driver:
    """Return the driver on a workspace in which a former run has left its results."""
    (driver.workspace / REPORT).write_text('<testsuite name="app" tests="1"><testcase name="build"/></testsuite>')
    (driver.workspace / "gate.env").write_text("GATE_VERDICT=passed\nGATE_EXIT_CODE=0\n")
    (driver.workspace / "summary.md").write_text("## codearts-gate: passed\n")
    return driver


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """Return a folder to be the runner's PATH, with bash and what the script itself needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "mkdir", "sleep"):
        (folder / name).symlink_to(tool(name))
    return folder


def put_python(folder: Path, script: str) -> None:
    """Put a script into the place of Python."""
    (folder / "python3").write_text(f"#!{tool('bash')}\n{script}\n")
    (folder / "python3").chmod(0o755)


def assert_no_pass(driver: Driver, step: Step, verdict: str, words: str) -> None:
    """Assert that a later step, a reporter and a person read the same."""
    code = str(step.exit)
    results = json.loads(step.outputs["results"])
    assert (step.outputs["verdict"], step.outputs["exit-code"]) == (verdict, code)
    assert (results["verdict"], str(results["exit_code"])) == (verdict, code)
    (annotation,) = step.of("error")
    (target,) = results["targets"]
    assert (target["verdict"], target["reason"]) == (verdict, annotation[2])
    assert words in annotation[2]
    assert words in step.summary
    (case,) = ET.parse(driver.workspace / step.outputs["report"]).iter("testcase")
    error = case.find("error")
    assert error is not None
    assert error.text == error.get("message") == annotation[2]
    variables = dict(line.split("=", 1) for line in (driver.workspace / "gate.env").read_text().splitlines())
    assert set(variables) == set(DOTENV_NAMES.values())
    assert (variables["GATE_VERDICT"], variables["GATE_EXIT_CODE"]) == (verdict, code)
    assert variables["GATE_REPORT"] == step.outputs["report"] == str(REPORT)
    assert f"codearts-gate: {verdict}" in (driver.workspace / "summary.md").read_text()


@pytest.mark.parametrize(
    ("script", "found"),
    [(None, "missing"), ('[ "$1" = --version ] && echo Python 3.10.4', "Python 3.10.4")],
    ids=["missing", "old"],
)
def test_python_that_is_too_old_or_missing_is_said(
    former: Driver, commands: Path, script: str | None, found: str
) -> None:
    """The annotation says what is there and what to do."""
    if script:
        put_python(commands, script)
    step = former.run({"PATH": str(commands)}, targets="none", **FILES)
    assert step.exit == 5
    assert_no_pass(former, step, "undetermined", f"python3 is {found}. Put a step with actions/setup-python")


def test_action_of_a_branch_says_that_it_has_no_program(former: Driver) -> None:
    """Only a release's tag has the one file beside action.yml."""
    former.action = ROOT
    assert not (ROOT / "codearts-gate.pyz").exists()
    step = former.run(targets="none", **FILES)
    assert step.exit == 5
    assert_no_pass(former, step, "undetermined", "Name a release's tag behind 'uses: ...@'")


def test_wrong_command_leaves_no_former_result(former: Driver) -> None:
    """It is checked before anything is started."""
    step = former.run(targets="none", command="simulate; id", **FILES)
    assert step.exit == 2
    assert_no_pass(former, step, "undetermined", "The input 'command' must be wait or run.")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_job_that_is_cancelled_before_the_program_starts_is_interrupted(
    former: Driver, commands: Path, number: signal.Signals, code: int
) -> None:
    """The signal comes to the shell alone, which is looking for Python."""
    put_python(commands, f"echo $PPID > {commands}/shell; sleep 1")
    process = former.start({"PATH": str(commands)}, command="run", targets="none", **FILES)
    shell = commands / "shell"
    wait_for(lambda: shell.exists() and shell.read_text().strip())
    os.kill(int(shell.read_text()), number)
    step = former.finish(process)
    assert step.exit == code
    assert_no_pass(former, step, "interrupted", "no build was started")


def test_job_that_is_killed_before_the_program_starts_leaves_no_pass(former: Driver, commands: Path) -> None:
    """SIGKILL cannot be handled: what was written first of all stays."""
    put_python(commands, f"echo $PPID > {commands}/shell; sleep 1")
    process = former.start({"PATH": str(commands)}, targets="none", **FILES)
    shell = commands / "shell"
    wait_for(lambda: shell.exists() and shell.read_text().strip())
    os.kill(int(shell.read_text()), signal.SIGKILL)
    step = former.finish(process)
    assert (step.outputs["verdict"], step.outputs["exit-code"]) == ("undetermined", "5")
    assert '<error type="Undetermined"' in (former.workspace / REPORT).read_text()
    assert "GATE_VERDICT=undetermined" in (former.workspace / "gate.env").read_text()


def test_first_python_that_is_new_enough_is_taken(
    simulate: Callable[..., FaultySimulator], driver: Driver, commands: Path
) -> None:
    """An old `python3` in front of a newer one under its full name is passed over."""
    put_python(commands, "exit 1")
    (commands / "python3.11").symlink_to(Path(sys.executable).resolve())
    simulator = simulate(["passing"], speed=100)
    inputs = {"endpoint": simulator.endpoint, "token": simulator.token, "poll_interval": "200ms", "max_age": "10h"}
    assert driver.run({"PATH": str(commands)}, targets=simulator.jobs["passing"], **inputs).exit == 0
