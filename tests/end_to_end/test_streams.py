"""stdout and stderr that are closed, left or stalled: verdict, report and deadline stay as they are."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.faults.faulty_simulator import FaultySimulator
from tests.helpers import Simulate, StartGate, environment, error_types, wait_for

BUSY = 8.0
"""Seconds for which a busy machine may give a process no turn. A stream that held it up would do so for good."""

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
    command = ["bash", "-c", script, "bash", job_id]
    return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "script",
    [
        SHELL + ">&-; echo status=$?",
        SHELL + "2>&-; echo status=$?",
        SHELL + ">&- 2>&- <&-; echo status=$?",
        SHELL + "2>&1 | head -0; echo status=${PIPESTATUS[0]}",
        SHELL + "--json | head -c 1; echo status=${PIPESTATUS[0]}",
        SHELL + ">/dev/full 2>/dev/full; echo status=$?",
        SHELL + "2>&1 >/dev/null | true; echo status=${PIPESTATUS[0]}",
    ],
    ids=["stdout closed", "stderr closed", "all closed", "head -0", "one byte", "full device", "true"],
)
def test_stream_that_takes_nothing_changes_no_status(simulate: Simulate, tmp_path: Path, script: str) -> None:
    """The verdict's status and the report are as always, and nothing is written where a stream is closed."""
    simulator = simulate(["failing"], speed=200)
    done = run_in_shell(simulator, script, tmp_path, sys.executable)
    assert "status=1" in done.stdout, done
    assert error_types(tmp_path / "gate-report.xml") == ["BuildFailed"]
    assert "Traceback" not in done.stderr
    assert all(entry.authorised for entry in simulator.journal.entries)


def test_working_directory_that_was_removed_keeps_the_gate_from_nothing(simulate: Simulate, tmp_path: Path) -> None:
    """Reports may go elsewhere."""
    simulator = simulate(["failing"], speed=200)
    script = f'mkdir gone; cd gone; rmdir ../gone; {SHELL} --junit "{tmp_path}/r.xml"; echo status=$?'
    done = run_in_shell(simulator, script, tmp_path, sys.executable)
    assert "status=1" in done.stdout, done
    assert error_types(tmp_path / "r.xml") == ["BuildFailed"]


@pytest.mark.parametrize("command", ["jobs --json", "doctor"])
@pytest.mark.parametrize("stream", [">/dev/full", ">&-"])
def test_printed_result_that_is_lost_is_no_success(
    simulate: Simulate, tmp_path: Path, command: str, stream: str
) -> None:
    """Where what a command prints is all that it does; the error is told."""
    simulator = simulate(["passing"])
    script = f'"$GATE_PYTHON" -m gate {command} --codearts-project {simulator.project} {stream}; echo status=$?'
    done = run_in_shell(simulator, script, tmp_path, sys.executable)
    assert "status=5" in done.stdout, done
    assert "Error: the result could not be written: stdout is closed or full. Let it go to another file." in done.stderr


@pytest.mark.parametrize("script", [SHELL + "--junit /dev/stdout >&-", SHELL + "--summary /dev/stderr 2>&-"])
def test_report_for_a_closed_stream_is_no_pass(simulate: Simulate, tmp_path: Path, script: str) -> None:
    """It would be lost without a word."""
    simulator = simulate(["passing"], speed=200)
    done = run_in_shell(simulator, f"{script}; echo status=$?", tmp_path, sys.executable)
    assert "status=5" in done.stdout, done
    assert "stdout" not in script or "/dev/stdout could not be written: its reader has gone" in done.stderr


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_reader_that_stalls_does_not_move_the_deadline(
    slow: FaultySimulator, start_gate: StartGate, tmp_path: Path, stream: str
) -> None:
    """A pipe that is full when the gate starts to write: the gate ends in time, with its report."""
    reader, writer = os.pipe()
    fill(writer)
    streams: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | {stream: writer}
    process = start_gate("wait", slow.jobs["slow"], "--timeout", "2s", "--verbose", env=environment(slow), **streams)
    wait_for(lambda: slow.journal.entries)
    asked = time.monotonic()
    process.wait(timeout=30)
    assert time.monotonic() - asked < 2 + 5 + BUSY
    assert process.returncode == 3
    assert error_types(tmp_path / "gate-report.xml") == ["GateTimeout"]
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize(
    ("scenario", "json", "status", "errors"),
    [("passing", (), 0, []), ("failing", (), 1, ["BuildFailed"]), ("passing", ("--json",), 5, ["Undetermined"])],
)
def test_nobody_who_reads_is_waited_for_a_few_seconds_only(
    simulate: Simulate,
    start_gate: StartGate,
    tmp_path: Path,
    scenario: str,
    json: tuple[str, ...],
    status: int,
    errors: list[str],
) -> None:
    """The verdict is there after a second; the rest of the hour would be waited for nothing.

    A document that nobody has got is no pass.
    """
    simulator = simulate([scenario], speed=200)
    reader, writer = os.pipe()
    fill(writer)
    env = environment(simulator)
    process = start_gate("wait", simulator.jobs[scenario], *json, env=env, stdout=writer, stderr=writer)
    wait_for(lambda: simulator.journal.entries)
    asked = time.monotonic()
    process.wait(timeout=40)
    assert time.monotonic() - asked < 1 + 6 + BUSY
    assert (process.returncode, error_types(tmp_path / "gate-report.xml")) == (status, errors)
    os.close(reader)
    os.close(writer)


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
    simulator = simulate(["failing"], speed=200)
    reader, writer = os.pipe()
    filled = fill(writer)
    process = start_gate("wait", simulator.jobs["failing"], env=environment(simulator), stdout=writer)
    os.close(writer)
    report = tmp_path / "gate-report.xml"
    while not report.exists():
        time.sleep(0.05)
    time.sleep(1.5)  # the reader's own slowness, not a wait for anything
    with os.fdopen(reader, "rb") as file:
        data = file.read()
    process.communicate(timeout=20)
    assert (process.returncode, data[filled:].split()[:1]) == (1, [b"failed"])
