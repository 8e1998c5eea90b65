"""stdout and stderr that are closed, left or stalled: verdict, report and deadline stay as they are."""

import contextlib
import itertools
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.faults.faulty_simulator import FaultySimulator
from tests.helpers import (
    CLOSED_STDERR,
    CLOSED_STDOUT,
    RunGate,
    RunGates,
    Simulate,
    StartGate,
    environment,
    error_types,
    wait_for,
)  # fmt: skip

BUSY = 8.0
"""Seconds for which a busy machine may give a process no turn. A stream that held it up would do so for good."""

# Builds are given by their numbers here. At 200 times the speed, one that has ended is a quarter of an hour old after
# five seconds, which the start of a process may take on a busy machine: too old to be judged as the newest one.

SHELL = '"$GATE_PYTHON" -m gate wait "$@" '


def fill(writer: int) -> int:
    """Fill a pipe, and give how many bytes that took."""
    os.set_blocking(writer, False)
    filled = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            filled += os.write(writer, b" " * 4096)
    os.set_blocking(writer, True)
    return filled


def run_in_shell(
    simulator: FaultySimulator, script: str, folder: Path, python: str
) -> "subprocess.CompletedProcess[str]":
    """Run the gate on the simulator's job by a line of shell; the gate's own status is printed as `status=`."""
    [job_id] = simulator.jobs.values()
    env = {**os.environ, **environment(simulator), "PYTHONPATH": str(ROOT), "GATE_PYTHON": python}
    command = ["bash", "-c", script, "bash", f"{job_id}:57"]
    return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_closed_streams_change_no_status(simulate: Simulate, tmp_path: Path) -> None:
    """The verdict's status and the report are as always, and nothing is written where a stream is closed."""
    simulator = simulate(["failing"], speed=300)
    done = run_in_shell(simulator, f"{SHELL} >&- 2>&- <&-; echo status=$?", tmp_path, sys.executable)
    assert "status=1" in done.stdout, done
    assert error_types(tmp_path / "gate-report.xml") == ["BuildFailed"]
    assert "Traceback" not in done.stderr
    assert all(entry.authorised for entry in simulator.journal.entries)


@pytest.mark.parametrize("closing", [CLOSED_STDOUT, CLOSED_STDERR], ids=["stdout", "stderr"])
def test_closed_stream_changes_no_status(simulate: Simulate, run_gate: RunGate, tmp_path: Path, closing: str) -> None:
    """Likewise; what goes to the other one has no traceback."""
    simulator = simulate(["failing"], speed=300)
    done = run_gate("wait", f"{simulator.jobs['failing']}:57", env=environment(simulator), before=closing)
    assert done.returncode == 1, done
    assert error_types(tmp_path / "gate-report.xml") == ["BuildFailed"]
    assert "Traceback" not in done.stdout + done.stderr
    assert all(entry.authorised for entry in simulator.journal.entries)


@pytest.mark.parametrize(
    ("taken", "options", "streams"),
    [
        (0, (), {"stdout", "stderr"}),
        (1, ("--json",), {"stdout"}),
        (0, (), {"stderr"}),
    ],
    ids=["head -0", "one byte", "true"],
)
def test_reader_that_leaves_changes_no_status(
    simulate: Simulate, start_gate: StartGate, tmp_path: Path, taken: int, options: tuple[str, ...], streams: set[str]
) -> None:
    """After so many bytes: the verdict's status and the report are as always."""
    simulator = simulate(["failing"], speed=300)
    reader, writer = os.pipe()
    given: dict[str, Any] = dict.fromkeys(streams, writer)
    process = start_gate("wait", f"{simulator.jobs['failing']}:57", *options, env=environment(simulator), **given)
    os.close(writer)
    os.read(reader, taken)
    os.close(reader)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1, (out, err)
    assert error_types(tmp_path / "gate-report.xml") == ["BuildFailed"]
    assert "Traceback" not in f"{out}{err}"


def test_full_device_changes_no_status(simulate: Simulate, start_gate: StartGate, tmp_path: Path) -> None:
    """Nothing can be said; the report tells."""
    simulator = simulate(["failing"], speed=300)
    with Path("/dev/full").open("w") as full:
        env = environment(simulator)
        process = start_gate("wait", f"{simulator.jobs['failing']}:57", env=env, stdout=full, stderr=full)
        process.communicate(timeout=30)
    assert process.returncode == 1
    assert error_types(tmp_path / "gate-report.xml") == ["BuildFailed"]


def test_working_directory_that_was_removed_keeps_the_gate_from_nothing(simulate: Simulate, tmp_path: Path) -> None:
    """Reports may go elsewhere."""
    simulator = simulate(["failing"], speed=300)
    script = f'mkdir gone; cd gone; rmdir ../gone; {SHELL} --junit "{tmp_path}/r.xml"; echo status=$?'
    done = run_in_shell(simulator, script, tmp_path, sys.executable)
    assert "status=1" in done.stdout, done
    assert error_types(tmp_path / "r.xml") == ["BuildFailed"]


@pytest.mark.parametrize("command", [("jobs", "--json"), ("doctor",)])
@pytest.mark.parametrize("closed", [False, True])
def test_printed_result_that_is_lost_is_no_success(
    simulate: Simulate, run_gate: RunGate, command: tuple[str, ...], closed: bool
) -> None:
    """Where what a command prints is all that it does; the error is told."""
    simulator = simulate(["passing"])
    with Path("/dev/full").open("w") as full:
        stdout: dict[str, Any] = {"before": CLOSED_STDOUT} if closed else {"stdout": full}
        arguments = (*command, "--codearts-project", simulator.project)
        done = run_gate(*arguments, env=environment(simulator), **stdout)
    assert done.returncode == 5, done
    assert "Error: the result could not be written: stdout is closed or full. Let it go to another file." in done.stderr


@pytest.mark.parametrize(
    ("options", "closing"),
    [(("--junit", "/dev/stdout"), CLOSED_STDOUT), (("--summary", "/dev/stderr"), CLOSED_STDERR)],
    ids=["stdout", "stderr"],
)
def test_report_for_a_closed_stream_is_no_pass(
    simulate: Simulate, run_gate: RunGate, options: tuple[str, ...], closing: str
) -> None:
    """It would be lost without a word."""
    simulator = simulate(["passing"], speed=300)
    done = run_gate("wait", f"{simulator.jobs['passing']}:57", *options, env=environment(simulator), before=closing)
    assert done.returncode == 5, done
    is_told = "/dev/stdout could not be written: its reader has gone" in done.stderr
    assert is_told == (closing is CLOSED_STDOUT)


AT_THE_DEADLINE = ("--timeout", "2s", "--verbose")

STALLED: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], int, list[str]]] = {
    "stdout": ("slow", AT_THE_DEADLINE, ("stdout",), 3, ["GateTimeout"]),
    "stderr": ("slow", AT_THE_DEADLINE, ("stderr",), 3, ["GateTimeout"]),
    "passed": ("passing", (), ("stdout", "stderr"), 0, []),
    "failed": ("failing", (), ("stdout", "stderr"), 1, ["BuildFailed"]),
    "document": ("passing", ("--json",), ("stdout", "stderr"), 5, ["Undetermined"]),
}
"""Scenario, options, and the streams that stall; the exit status, and what the report has."""


def test_reader_that_stalls_is_waited_for_a_few_seconds_only(
    simulate: Simulate, run_gates: RunGates, tmp_path: Path
) -> None:
    """A pipe that is full when the gate starts to write: the gate ends in time, with its report.

    It does not move the deadline. A verdict that is there after a second does not wait for the rest of the hour. A
    document that nobody has got is no pass. All at once, as each waits for seconds.
    """
    calls, pipes = {}, []
    for name, (scenario, options, stalled, *_) in STALLED.items():
        simulator = simulate([scenario], speed=1 if scenario == "slow" else 200)
        pipes.append(os.pipe())
        fill(pipes[-1][1])
        nowhere = dict.fromkeys(("stdout", "stderr"), subprocess.DEVNULL)
        calls[name] = {
            "arguments": ["wait", f"{simulator.jobs[scenario]}:57", *options],
            "env": environment(simulator),
            **nowhere,
            **dict.fromkeys(stalled, pipes[-1][1]),
        }
    started = time.monotonic()
    ended = run_gates(calls)
    assert time.monotonic() - started < 2 + 5 + BUSY
    for name, (*_, status, errors) in STALLED.items():
        report = tmp_path / name / "gate-report.xml"
        assert (ended[name].returncode, error_types(report)) == (status, errors), name
    for descriptor in itertools.chain(*pipes):
        os.close(descriptor)


def test_signal_is_not_held_up_by_a_reader_that_stalls(
    slow: FaultySimulator, start_gate: StartGate, tmp_path: Path
) -> None:
    """Who has sent it sends a stronger one soon."""
    reader, writer = os.pipe()
    fill(writer)
    process = start_gate("wait", slow.jobs["slow"], "--verbose", env=environment(slow), stderr=writer)
    wait_for(lambda: len(slow.journal.entries) > 2)
    sent = time.monotonic()
    process.terminate()
    process.communicate(timeout=30)
    assert (process.returncode, time.monotonic() - sent < 5 + BUSY) == (143, True)
    assert error_types(tmp_path / "gate-report.xml") == ["Interrupted"]
    os.close(reader)
    os.close(writer)


def test_reader_that_is_slow_gets_the_whole_result(simulate: Simulate, start_gate: StartGate, tmp_path: Path) -> None:
    """A document that is larger than the pipe is not cut off because its reader takes a while."""
    simulator = simulate(["failing"], speed=300)
    reader, writer = os.pipe()
    filled = fill(writer)
    process = start_gate("wait", f"{simulator.jobs['failing']}:57", env=environment(simulator), stdout=writer)
    os.close(writer)
    report = tmp_path / "gate-report.xml"
    while not report.exists():
        time.sleep(0.05)
    time.sleep(1.5)  # the reader's own slowness, not a wait for anything
    with os.fdopen(reader, "rb") as file:
        data = file.read()
    process.communicate(timeout=20)
    assert (process.returncode, data[filled:].split()[:1]) == (1, [b"failed"])
