"""Signals at every moment: the status says so, the report is there, and no traceback is."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.faults.fault_plan import RECORD_ROUTES, Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.journal import SIGN_IN, STOPS
from tests.faults.transport_faults import Silence
from tests.helpers import Simulate, StartGate, environment, error_types, wait_for

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", SIGNALS)
def test_signal_ends_the_wait_with_128_and_its_number(
    slow: FaultySimulator, start_gate: StartGate, tmp_path: Path, number: int
) -> None:
    """The verdict is interrupted, the report is written, and a build that others started is left alone."""
    process = start_gate("wait", slow.jobs["slow"], env=environment(slow))
    wait_for(lambda: slow.journal.of(*RECORD_ROUTES))
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out.split()[0]) == (128 + number, "interrupted"), err
    assert error_types(tmp_path / "gate-report.xml") == ["Interrupted"]
    assert not slow.journal.of(*STOPS)


AFTER_THE_VERDICT = """
import os, signal, types
from gate import app
drain = app.streams.drain
def drain_interrupted(until):
    os.kill(os.getpid(), signal.SIGTERM)
    drain(until)
app.streams = types.SimpleNamespace(drain=drain_interrupted, DRAIN=app.streams.DRAIN)
from gate.__main__ import main
main()
"""


def test_signal_after_the_verdict_does_not_contradict_the_report(simulate: Simulate, tmp_path: Path) -> None:
    """Also a second Ctrl-C: while the last lines are read, the status stays that of the report."""
    simulator = simulate(["passing"], speed=300)
    command = [sys.executable, "-c", AFTER_THE_VERDICT, "wait", simulator.jobs["passing"]]
    env = environment(simulator, PYTHONPATH=str(ROOT))
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=20)
    assert (done.returncode, error_types(tmp_path / "gate-report.xml")) == (0, []), done.stderr
    assert done.stderr.splitlines()[-1].startswith("passed (exit 0)")


@pytest.mark.parametrize("number", SIGNALS)
def test_signal_during_a_hung_request_ends_at_once(
    simulate: Simulate, start_gate: StartGate, tmp_path: Path, number: int
) -> None:
    """A request under way is not waited for."""
    simulator = simulate(["slow"], faults=[Fault(act=Silence(), times=None)])
    process = start_gate("wait", simulator.jobs["slow"], "--request-timeout", "60s", env=environment(simulator))
    wait_for(lambda: simulator.journal.entries)
    sent = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=20)
    assert (process.returncode, time.monotonic() - sent < 5) == (128 + number, True)
    assert error_types(tmp_path / "gate-report.xml") == ["Interrupted"]


@pytest.mark.parametrize("number", SIGNALS)
def test_signal_during_a_hung_sign_in_ends_at_once(
    simulate: Simulate, start_gate: StartGate, tmp_path: Path, number: int
) -> None:
    """Before there is a token, too; the password is not sent a second time."""
    simulator = simulate(["slow"], faults=[Fault(act=Silence(), operations=(SIGN_IN,), times=None)])
    env = environment(simulator, "password")
    process = start_gate("wait", simulator.jobs["slow"], "--request-timeout", "60s", env=env)
    wait_for(lambda: simulator.journal.of(SIGN_IN))
    sent = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=20)
    assert (process.returncode, time.monotonic() - sent < 5) == (128 + number, True)
    assert (len(simulator.journal.entries), error_types(tmp_path / "gate-report.xml")) == (1, ["Interrupted"])


def test_shower_of_signals_during_the_writing_leaves_a_whole_report(
    slow: FaultySimulator, start_gate: StartGate, tmp_path: Path
) -> None:
    """Whatever arrives while the report is written: it is whole, and nothing else is left behind."""
    process = start_gate("wait", slow.jobs["slow"], env=environment(slow), stderr=subprocess.DEVNULL)
    wait_for(lambda: slow.journal.entries)
    while process.poll() is None:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.002)
    assert process.returncode in (143, -signal.SIGTERM)
    assert error_types(tmp_path / "gate-report.xml") == ["Interrupted"]
    assert [path.name for path in tmp_path.iterdir()] == ["gate-report.xml"]


INTERRUPTED_IMPORT = """
import os, runpy, signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "gate.former_reports":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
runpy.run_module("gate", run_name="__main__")
"""


def test_ctrl_c_during_the_very_first_import_shows_no_traceback(tmp_path: Path) -> None:
    """Python's own answer to the signal would be one."""
    command = [sys.executable, "-c", INTERRUPTED_IMPORT, "wait", "a" * 32]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(ROOT)}, cwd=tmp_path, capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")


def test_hang_up_that_the_caller_ignores_is_ignored(slow: FaultySimulator, start_gate: StartGate) -> None:
    """`nohup` means what it says; SIGTERM works all the same."""
    ignore = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    process = start_gate("wait", slow.jobs["slow"], env=environment(slow), before=ignore)
    wait_for(lambda: slow.journal.of(*RECORD_ROUTES))
    process.send_signal(signal.SIGHUP)
    seen = len(slow.journal.entries)
    wait_for(lambda: len(slow.journal.entries) > seen + 2)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 143
