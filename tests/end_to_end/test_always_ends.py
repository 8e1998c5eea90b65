"""The gate ends in time, whatever its surroundings do: bursts of signals, no threads, reports that nobody reads."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gate.simulator.scenarios import Scenario, Start
from tests.conftest import ROOT
from tests.end_to_end.bursts import burst
from tests.end_to_end.deadline_campaign import plan
from tests.end_to_end.test_streams import fill
from tests.faults.fault_plan import RECORD_ROUTES, Fault
from tests.faults.journal import ORDERS, STOPS
from tests.faults.transport_faults import Silence
from tests.helpers import RunGate, Simulate, StartGate, environment, error_types, wait_for
from tests.tools import tool


def test_bursts_of_signals_end_the_gate(simulate: Simulate) -> None:
    """Fifty signals within a millisecond or two; `python -m tests.end_to_end.bursts 300` sends more of them."""
    simulator = simulate(["slow"], speed=1)
    random = Random(1)
    for _ in range(5):
        assert burst(simulator, random) < 5


@pytest.mark.parametrize("count", [8, pytest.param(12, marks=pytest.mark.ci)])
def test_requests_that_hang_before_the_deadline_hide_no_result(
    simulate: Simulate, run_gate: RunGate, count: int
) -> None:
    """All requests of the seconds before the deadline hang, and then the service answers again."""
    starts = (Start(plan=plan(1.5, "SUCCESS")),)
    simulator = simulate([Scenario(name=f"job-{number}", starts=starts) for number in range(count)])
    first: list[float] = []

    def is_silent(_: object) -> bool:
        first.append(time.monotonic())
        return 0.5 < first[-1] - first[0] < 3

    simulator.faults.add(Fault(operations=RECORD_ROUTES, act=Silence(), times=None, when=is_silent))
    targets = [f"{job}:1" for job in simulator.jobs.values()]
    done = run_gate("wait", *targets, "--timeout", "4s", env=environment(simulator))
    assert done.returncode == 0, done.stderr


def test_pipes_that_nobody_reads_do_not_add_up(simulate: Simulate, start_gate: StartGate, tmp_path: Path) -> None:
    """Three reports are FIFOs whose readers do not read, and so is stdout: all share the seconds after the deadline."""
    simulator = simulate(["slow"], speed=1)
    with ExitStack() as stack:
        options = []
        for option in ("junit", "summary", "outputs"):
            path = tmp_path / option
            os.mkfifo(path)
            descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
            stack.callback(os.close, descriptor)
            fill(descriptor)
            options += [f"--{option}", path]
        reader, writer = os.pipe()
        stack.callback(os.close, reader)
        stack.callback(os.close, writer)
        fill(writer)
        started = time.monotonic()
        process = start_gate(
            "wait", simulator.jobs["slow"], "--timeout", "1s", *options, env=environment(simulator), stdout=writer
        )
        assert process.wait(30) == 3
        assert time.monotonic() - started < 1 + 5


def test_second_signal_does_not_end_the_stop(simulate: Simulate, start_gate: StartGate) -> None:
    """The stop hangs at first; it is tried again although more signals come."""
    simulator = simulate(["slow"], speed=1, faults=[Fault(operations=STOPS, act=Silence())])
    process = start_gate("run", simulator.jobs["slow"], env=environment(simulator))
    wait_for(lambda: simulator.journal.of(*ORDERS))
    process.send_signal(signal.SIGINT)
    wait_for(lambda: simulator.journal.of(*STOPS))
    for number in (signal.SIGTERM, signal.SIGINT):
        process.send_signal(number)
        time.sleep(0.05)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, len(simulator.journal.stops)) == (130, 1), err
    assert "stop requested for build 58" in err


WITHOUT_THREADS = """
import _thread, threading
def start(work, args):
    raise RuntimeError("can't start new thread")
_thread.start_new_thread = threading._start_new_thread = start
"""


def test_no_thread_and_a_stalled_terminal_still_end_the_process(
    simulate: Simulate, start_gate: StartGate, tmp_path: Path
) -> None:
    """Nothing can be asked and nothing can be said: the exit status tells."""
    simulator = simulate(["passing"])
    reader, writer = os.pipe()
    fill(writer)
    streams: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": writer}
    env = environment(simulator)
    process = start_gate("wait", simulator.jobs["passing"], env=env, before=WITHOUT_THREADS, **streams)
    assert process.wait(15) == 5
    os.close(reader)
    os.close(writer)
    assert error_types(tmp_path / "gate-report.xml") == ["Undetermined"]


@pytest.mark.ci  # needs a C compiler, and eight processes take their time
def test_wait_ends_whatever_delays_the_main_thread(simulate: Simulate, tmp_path: Path) -> None:
    """A preloaded library delays its system calls at random; until Python 3.13, waits with a time limit hung so."""
    library = tmp_path / "delays.so"
    source = Path(__file__).with_name("delays.c")
    subprocess.run([tool("cc", made_with="cc"), "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    simulator = simulate(["slow"], speed=1)
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment(simulator, LD_PRELOAD=str(library))}
    command = [sys.executable, "-m", "gate", "wait", simulator.jobs["slow"], "--timeout", "4s"]
    folders = [tmp_path / str(number) for number in range(8)]
    with ExitStack() as stack:
        processes = []
        for folder in folders:
            folder.mkdir()
            nowhere = subprocess.DEVNULL
            process = subprocess.Popen(command, env=env, cwd=folder, stdin=nowhere, stdout=nowhere, stderr=nowhere)
            stack.enter_context(process)
            stack.callback(process.kill)
            processes.append(process)
        assert [process.wait(4 + 5 + 15) for process in processes] == [3] * 8  # eight at once start slowly
