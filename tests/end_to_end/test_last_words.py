"""The last line of a run, through the program: what it says is so, and what it advises works as it stands."""

import re
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from tests.faults.fault_plan import Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.journal import ORDERS, STOPS
from tests.faults.transport_faults import Drip
from tests.helpers import RunGate, RunGates, Simulate, StartGate, environment, polled, wait_for

Done = subprocess.CompletedProcess[str]

ADVISED = re.compile(r"To (wait for|stop) it: codearts-gate (.*?)(?=\. |, or |\.?$)")


def last_line(done: Done) -> str:
    """Return the last line that people read."""
    return done.stderr.splitlines()[-1]


def advised(done: Done) -> dict[str, list[str]]:
    """Return the commands of the last line, as arguments, by what they are for."""
    return {purpose: shlex.split(command) for purpose, command in ADVISED.findall(last_line(done))}


def test_command_that_is_advised_stops_the_build_with_every_credential(simulate: Simulate, run_gates: RunGates) -> None:
    """It is the gate's own, to fit every shell, Windows' included, with the options that lead to the service."""
    simulators = {family: simulate(["slow"]) for family in ("token", "aksk", "password")}
    environments = {family: environment(simulator, family) for family, simulator in simulators.items()}
    options = {family: ["--timeout", "2s"] for family in simulators}
    options["token"] += ["--endpoint", environments["token"].pop("GATE_ENDPOINT"), "--auth", "token"]
    first = run_gates(
        {
            family: {"arguments": ["wait", *options[family], *simulator.jobs.values()], "env": environments[family]}
            for family, simulator in simulators.items()
        }
    )
    for family, done in first.items():
        assert done.returncode == 3, (family, done.stderr)
        assert "Build 57 may go on, as this run did not start it." in last_line(done)
        assert not simulators[family].journal.of(*STOPS)
    again = run_gates(
        {
            f"{family}, again": {"arguments": advised(done)["stop"], "env": environments[family]}
            for family, done in first.items()
        }
    )
    for done, simulator in zip(again.values(), simulators.values(), strict=True):
        assert done.returncode == 3, done.stderr
        assert [entry.build_number for entry in simulator.journal.of(*STOPS)] == [57]
        assert "stop requested for build 57" in done.stderr
        assert "may go on" not in done.stderr


@pytest.mark.ci  # waits for a build twice
def test_kept_build_is_this_runs_own_and_can_be_waited_for(simulate: Simulate, run_gate: RunGate) -> None:
    """The last line gives the command that waits for exactly this build."""
    simulator = simulate(["passing"], speed=4)
    env = environment(simulator)
    done = run_gate("run", simulator.jobs["passing"], "--timeout", "1500ms", "--keep-running", env=env)
    assert done.returncode == 3, done.stderr
    assert "Build 58 goes on (--keep-running)." in last_line(done)
    assert "did not start" not in done.stderr
    assert "only what it started" not in done.stderr
    again = run_gate(*advised(done)["wait for"], env=env)
    assert (again.returncode, "build=58 state=SUCCESS" in again.stdout) == (0, True), again.stderr


def test_started_build_that_is_not_waited_for_can_be(slow: FaultySimulator, run_gate: RunGate) -> None:
    """`--no-wait` ends with how to go on."""
    done = run_gate("run", slow.jobs["slow"], "--no-wait", env=environment(slow))
    assert done.returncode == 0, done.stderr
    assert advised(done)["wait for"] == ["wait", f"{slow.jobs['slow']}:58"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_after_a_signal_nobody_is_told_to_start_a_second_build_by_mistake(
    slow: FaultySimulator, start_gate: StartGate, number: signal.Signals
) -> None:
    """To run it again does not wait for the first one."""
    process = start_gate("run", slow.jobs["slow"], env=environment(slow))
    wait_for(lambda: polled(slow, 58))
    process.send_signal(number)
    _, err = process.communicate(timeout=15)
    assert "stop requested for build 58, because this run started it" in err
    assert err.splitlines()[-1].endswith("To start another build, run the gate again.")
    assert "wait for it" not in err


def test_signal_to_a_wait_names_the_build_that_goes_on(slow: FaultySimulator, start_gate: StartGate) -> None:
    """And how to wait for it again, by its number."""
    process = start_gate("wait", slow.jobs["slow"], env=environment(slow))
    wait_for(lambda: polled(slow, 57))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=15)
    assert f"To wait for it: codearts-gate wait {slow.jobs['slow']}:57." in err.splitlines()[-1]
    assert "Run the gate again" not in err


def test_words_at_the_timeout_are_true(simulate: Simulate, run_gates: RunGates) -> None:
    """The word in the reason is the one on stdout, also where a stop has ended the build.

    Of two running builds, neither is left out, and no command for one of them looks like one for both.
    """
    slow = {command: simulate(["slow"]) for command in ("wait", "run")}  # `wait` must not see what `run` starts
    two = simulate(["slow", "queued"], speed=0.001)
    calls = {
        command: {
            "arguments": [command, simulator.jobs["slow"], "--timeout", "2s"],
            "env": environment(simulator, GATE_POLL_INTERVAL="30s"),
        }
        for command, simulator in slow.items()
    }
    targets = [f"a={two.jobs['slow']}", f"b={two.jobs['queued']}"]
    calls["two"] = {"arguments": ["wait", *targets, "--timeout", "2s"], "env": environment(two)}
    ended = run_gates(calls)
    for name, done in ended.items():
        assert done.returncode == 3, (name, done.stderr)
    for command in slow:
        done = ended[command]
        [word] = re.findall(r"state=(\w+)", done.stdout)
        [reason] = [line for line in done.stderr.splitlines() if "no result within 2 s (--timeout)" in line]
        assert f" {word}" in reason
        others = {"QUEUED", "RUNNING", "ABORTED"} - {word}
        assert not [other for other in others if f"is {other}" in reason or f"with {other}" in reason]
    assert "Builds 57 (a) and 57 (b) may go on, as this run did not start them." in last_line(ended["two"])
    assert "--stop" not in last_line(ended["two"])


def test_order_that_is_answered_late_is_not_said_to_be_unanswered(simulate: Simulate, run_gate: RunGate) -> None:
    """The answer comes about when the deadline does: a build that is known is not said to be unknown."""
    slowly = Fault(operations=ORDERS, act=Drip(interval=0.004, headers=True))
    simulator = simulate(["slow"], faults=[slowly])
    done = run_gate("run", simulator.jobs["slow"], "--timeout", "1s", env=environment(simulator))
    assert done.returncode == 3, done.stderr
    assert not ("build 58" in done.stderr and "no answer has come" in done.stderr), done.stderr


@pytest.mark.parametrize(("scenario", "status"), [("failing", 1), ("aborted", 4)])
def test_link_stands_where_people_are_told_to_look(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path, scenario: str, status: int
) -> None:
    """The line of the verdict and the last line lead to the build itself."""
    simulator = simulate([scenario], speed=300)
    template = "https://builds.example/{job_id}/{build_number}"
    done = run_gate("wait", simulator.jobs[scenario], "--build-url", template, env=environment(simulator))
    assert done.returncode == status, done.stderr
    [verdict] = [line for line in done.stderr.splitlines() if line.startswith(f"{done.stdout.split()[0]}: ")]
    assert verdict.endswith(f" https://builds.example/{simulator.jobs[scenario]}/57")
    assert f"Look at build 57 at https://builds.example/{simulator.jobs[scenario]}/57." in last_line(done)
    assert f"at https://builds.example/{simulator.jobs[scenario]}/57" in (tmp_path / "gate-report.xml").read_text()
