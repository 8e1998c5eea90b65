"""What stands at the report paths when the gate was killed, or ended before it began: never a pass of a former run."""

import signal
from pathlib import Path

import pytest

from tests.faults.faulty_simulator import FaultySimulator
from tests.helpers import RunGate, Simulate, StartGate, environment, error_types, wait_for

GREEN = '<testsuites><testsuite name="former"><testcase name="build"/></testsuite></testsuites>'
FORMER = {"r.xml": GREEN, "s.md": "codearts-gate: passed", "o.env": "GATE_VERDICT=passed\nGATE_EXIT_CODE=0\n"}
REPORTS = ("--junit", "r.xml", "--summary", "s.md", "--outputs", "o.env")
JOB = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def former(tmp_path: Path) -> Path:
    """Return the folder of the run, in which a former run has left reports of a pass."""
    for name, content in FORMER.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "github").touch()
    return tmp_path


def assert_no_pass(folder: Path, reason: str) -> None:
    """Assert that every report says undetermined, and why."""
    assert error_types(folder / "r.xml") == ["Undetermined"]
    assert reason in (folder / "r.xml").read_text()
    assert "undetermined" in (folder / "s.md").read_text()
    assert "passed" not in (folder / "s.md").read_text()
    assert "GATE_VERDICT=undetermined\n" in (folder / "o.env").read_text()


def on_github(simulator: FaultySimulator, folder: Path) -> dict[str, str]:
    """Return the variables of the gate in a step of GitHub Actions."""
    return environment(simulator, GITHUB_ACTIONS="true", GITHUB_OUTPUT=str(folder / "github"))


def step_outputs(folder: Path) -> dict[str, str]:
    """Return the outputs of the step as GitHub reads them: of each name, the last."""
    lines = (folder / "github").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and "<<" not in line)


@pytest.mark.parametrize("command", ["wait", "run"])
def test_gate_that_is_killed_leaves_reports_that_are_no_pass(
    simulate: Simulate, start_gate: StartGate, former: Path, command: str
) -> None:
    """SIGKILL cannot be handled; the reports were written at the start, and the number when the build was known."""
    simulator = simulate(["slow"])
    process = start_gate(command, simulator.jobs["slow"], *REPORTS, env=on_github(simulator, former))
    number = 57 if command == "wait" else 58
    outputs_file = former / "o.env"  # that of the former run is removed before this run's is written
    wait_for(lambda: outputs_file.exists() and f"GATE_BUILD_NUMBER={number}\n" in outputs_file.read_text())
    wait_for(lambda: step_outputs(former).get("build-number") == str(number))
    process.kill()
    process.communicate(timeout=10)
    assert_no_pass(former, "the gate did not finish")
    outputs = step_outputs(former)
    assert (outputs["verdict"], outputs["exit-code"]) == ("undetermined", "5")


def test_gate_that_is_killed_at_its_first_request_leaves_no_pass(
    simulate: Simulate, start_gate: StartGate, former: Path
) -> None:
    """The reports of the former run are replaced before anything is asked."""
    simulator = simulate(["slow"])
    process = start_gate("wait", simulator.jobs["slow"], *REPORTS, env=on_github(simulator, former))
    wait_for(lambda: simulator.journal.entries)
    process.kill()
    process.communicate(timeout=10)
    assert_no_pass(former, "the gate did not finish")
    assert step_outputs(former)["verdict"] == "undetermined"


@pytest.mark.parametrize(
    ("number", "imported"),
    [
        (signal.SIGTERM, "click.core"),
        (signal.SIGHUP, "click.core"),
        (signal.SIGINT, "requests.sessions"),
    ],
)
def test_signal_while_the_program_is_loaded_leaves_no_pass(
    start_gate: StartGate, former: Path, imported: str, number: signal.Signals
) -> None:
    """The signal waits for the moment at which there are reports of this run; no traceback is shown."""
    env = {"GATE_ENDPOINT": "http://127.0.0.1:9", "GATE_TOKEN": "t", "PYTHONPROFILEIMPORTTIME": "1"}
    process = start_gate("wait", JOB, *REPORTS, env=env)
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.rstrip().endswith(f" {imported}"):
            process.send_signal(number)
    assert process.wait(timeout=10) == 128 + number
    assert "Traceback" not in "".join(lines)
    assert error_types(former / "r.xml") == ["Interrupted"]
    assert "interrupted" in (former / "s.md").read_text()
    assert "GATE_VERDICT=interrupted\n" in (former / "o.env").read_text()


def test_wrong_call_leaves_no_pass(run_gate: RunGate, former: Path) -> None:
    """Nothing was asked; all reports say what was wrong."""
    env = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(former / "github")}
    assert run_gate("wait", JOB, *REPORTS, "--timeout", "soon", env=env).returncode == 2
    assert_no_pass(former, "--timeout")
    assert step_outputs(former)["exit-code"] == "2"


def test_signal_after_a_wrong_call_does_not_hide_it(start_gate: StartGate, former: Path) -> None:
    """A signal that waited ends the process after the reports were written."""
    env = {"PYTHONPROFILEIMPORTTIME": "1"}
    process = start_gate("wait", JOB, *REPORTS, "--timeout", "soon", env=env)
    assert process.stderr is not None
    for line in process.stderr:
        if line.rstrip().endswith(" click.core"):
            process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) in (2, -signal.SIGTERM)
    assert_no_pass(former, "--timeout")
