"""The whole logs of builds in a folder (`--log-dir`), through the program."""

import itertools
import signal
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gate.simulator import sample_plans
from gate.simulator.exchange import service_error
from gate.simulator.scenarios import Scenario, Start
from tests.faults.fault_plan import Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.moments import LOGS
from tests.faults.response_faults import ReplaceAnswer
from tests.faults.transport_faults import Silence
from tests.helpers import RunGate, RunGates, Simulate, StartGate, environment, polled, wait_for

STAGES = "ShowBuildRecordFullStages"


def ended_with(log: Callable[[], Iterator[bytes]], name: str = "job") -> Scenario:
    """Return a job whose build has just passed, with this log."""
    return Scenario(name=name, starts=(Start(at=-60, plan=replace(sample_plans.PASSING, log=log)),))


def passed(name: str) -> Scenario:
    """Return a job whose build has passed."""
    return Scenario(name=name, starts=(Start(at=-100, plan=sample_plans.PASSING),))


@pytest.mark.parametrize("name", ["passing", "failing", "chatty"])
def test_whole_log_of_each_judged_build_is_written(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path, name: str
) -> None:
    """Also of one that passed; missing folders are made, and the log of a former run is replaced."""
    simulator = simulate([name], speed=300)
    folder = tmp_path / "a" / "logs"
    folder.mkdir(parents=True)
    (folder / "app.log").write_text("of a former run")
    done = run_gate("wait", f"app={simulator.jobs[name]}", "--log-dir", "a/logs", env=environment(simulator))
    text = (folder / "app.log").read_text()
    assert done.returncode == (1 if name == "failing" else 0), done.stderr
    assert text.startswith("[20")
    assert "stage ended: SUCCESS" in text
    assert text.endswith(("stage ended: SUCCESS\n", "stage ended: FAILURE\n", "stage ended: ABORTED\n"))
    assert "codearts-gate" not in text
    assert "not complete" not in done.stderr
    if name == "failing":
        assert "COMPILATION ERROR" in done.stderr


def test_each_target_has_a_file_of_its_own(simulate: Simulate, run_gate: RunGate, tmp_path: Path) -> None:
    """Also where the names differ by case only."""
    simulator = simulate([passed("one"), passed("two")])
    targets = [f"{label}={job}" for label, job in zip(("app", "App"), simulator.jobs.values(), strict=True)]
    done = run_gate("wait", *targets, "--log-dir", "logs", env=environment(simulator))
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == ["App-2.log", "app.log"]


def test_secrets_are_masked_wherever_the_log_is_torn_apart(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path
) -> None:
    """Across chunks, with a carriage return inside, and in base64."""
    holder: list[FaultySimulator] = []

    def log() -> Iterator[bytes]:
        token = holder[0].token.encode()
        half = len(token) // 2
        yield b"one " + token[:half]
        yield token[half:] + b"\ntwo " + token[:half] + b"\r" + token[half:] + b"\n"
        yield b"three " + b64encode(b"user:" + token) + b"\nend of " + token[:half]

    simulator = simulate([ended_with(log)])
    holder.append(simulator)
    job = simulator.jobs["job"]
    done = run_gate("wait", f"app={job}", "--log-dir", "logs", env=environment(simulator))
    text = (tmp_path / "logs" / "app.log").read_text()
    assert done.returncode == 0, done.stderr
    lines = text.split("\n")
    assert (lines[0], lines[1], lines[3]) == ("one ***", "two ***", "end of ***")
    assert len(lines[2]) < 30
    assert "***" in lines[2]


def test_large_log_is_written_whole(simulate: Simulate, run_gate: RunGate, tmp_path: Path) -> None:
    """Above the limit of any other answer."""
    line = b"x" * 1023 + b"\n"
    simulator = simulate([ended_with(lambda: itertools.chain(itertools.repeat(line * 64, 128), [b"the end\n"]))])
    done = run_gate("wait", f"app={simulator.jobs['job']}", "--log-dir", "logs", env=environment(simulator))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "logs" / "app.log").stat().st_size == 128 * 64 * 1024 + len("the end\n")


def slow() -> Iterator[bytes]:
    """Return a log that comes slowly and never ends."""
    for number in itertools.count():
        time.sleep(0.05)
        yield b"line %d\n" % number


def test_log_that_is_not_whole_says_so_in_the_file_and_in_one_line(
    simulate: Simulate, run_gates: RunGates, tmp_path: Path
) -> None:
    """One that does not end, one that cannot be had, and one that is not answered: bounded by time; no verdict."""
    failing = ReplaceAnswer(service_error(500, "CB.00030004", "Calling the executor failed."))
    simulators = {
        "slow": simulate([ended_with(slow)]),
        "fails": simulate([passed("job")], faults=[Fault(operations=LOGS, act=failing, times=None)]),
        "hangs": simulate([passed("job")], faults=[Fault(operations=LOGS, act=Silence(), times=None)]),
    }
    calls = {
        name: {
            "arguments": ["wait", f"app={simulator.jobs['job']}", "--log-dir", "logs", "--timeout", "2s"],
            "env": environment(simulator),
        }
        for name, simulator in simulators.items()
    }
    ended = run_gates(calls)
    texts = {name: (tmp_path / name / "logs" / "app.log").read_text() for name in ended}
    for name, done in ended.items():
        assert done.returncode == 0, (name, done.stderr)
    assert texts["slow"].count("line 20\n") == 1
    assert "\n[codearts-gate: the log did not come to its end in time, after 0.0 MB]\n" in texts["slow"]
    [line] = [line for line in ended["slow"].stderr.splitlines() if "not complete" in line]
    assert "logs/app.log is not complete: the log did not come to its end in time" in line
    for name in ("fails", "hangs"):
        assert "[codearts-gate: the log could not be read: " in texts[name]
        assert sum("the log" in line for line in ended[name].stderr.splitlines()) == 1, ended[name].stderr


def test_build_that_never_ran_has_a_file_that_says_so(simulate: Simulate, run_gate: RunGate, tmp_path: Path) -> None:
    """The service has no log of it."""
    simulator = simulate(["schedule-failure"], speed=300)
    job = simulator.jobs["schedule-failure"]
    done = run_gate("wait", f"app={job}", "--log-dir", "logs", env=environment(simulator))
    assert done.returncode == 1, done.stderr
    assert "could not be read" in (tmp_path / "logs" / "app.log").read_text()


def test_log_that_cannot_be_written_turns_a_pass_into_no_pass(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path
) -> None:
    """Like any other file that was asked for: the folder is there at the start, and the disk is full later."""

    def log() -> Iterator[bytes]:
        path = tmp_path / "logs"
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
        yield b"one\n"

    simulator = simulate([ended_with(log)])
    job = simulator.jobs["job"]
    done = run_gate("wait", f"app={job}", "--log-dir", "logs", "--outputs", "o.env", env=environment(simulator))
    assert done.returncode == 5, done.stderr
    assert "error: The log logs/app.log could not be written: no such file or directory." in done.stderr
    assert "GATE_VERDICT=undetermined" in (tmp_path / "o.env").read_text()


def test_log_of_a_former_run_that_cannot_be_removed_is_told_at_the_start(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path
) -> None:
    """Nothing is asked of the service."""
    simulator = simulate(["slow"])
    (tmp_path / "logs" / "app.log").mkdir(parents=True)
    done = run_gate("run", f"app={simulator.jobs['slow']}", "--log-dir", "logs", env=environment(simulator))
    assert (done.returncode, [*simulator.journal.entries]) == (2, []), done.stderr
    assert f"--log-dir: The log {Path('logs') / 'app.log'} could not be written" in done.stderr


def test_log_of_a_build_that_outlives_the_timeout_is_there_as_far_as_it_goes(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path
) -> None:
    """It tells where the build hangs."""
    simulator = simulate(["slow"], speed=10)
    job = simulator.jobs["slow"]
    done = run_gate("wait", f"app={job}", "--log-dir", "logs", "--timeout", "2s", env=environment(simulator))
    text = (tmp_path / "logs" / "app.log").read_text()
    assert done.returncode == 3, done.stderr
    assert "stage started" in text
    assert text.endswith("\n[codearts-gate: the log goes on, as the build had not ended]\n")


def test_build_whose_log_was_not_read_before_a_signal_has_a_file_that_says_so(
    simulate: Simulate, start_gate: StartGate, tmp_path: Path
) -> None:
    """And one line tells. The log of a build that had failed is still read, as far as it comes in two seconds."""
    failed = Scenario(name="failed", starts=(Start(at=-60, plan=sample_plans.FAILING),), first_number=57)
    simulator = simulate(["slow", failed])
    targets = [f"{label}={job}:57" for label, job in simulator.jobs.items()]
    process = start_gate("wait", *targets, "--log-dir", "logs", env=environment(simulator))
    wait_for(lambda: simulator.journal.of(STAGES) and polled(simulator, 57))
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    texts = {path.name: path.read_text() for path in (tmp_path / "logs").iterdir()}
    assert texts["slow.log"].startswith("\n[codearts-gate: the log of build 57 was not read: interrupted, ")
    assert texts["failed.log"].endswith("stage ended: FAILURE\n")
    assert err.count("logs/slow.log has no log: the gate ended before it was read") == 1, err
