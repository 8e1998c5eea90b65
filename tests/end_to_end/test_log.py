"""The log as a side channel, through the program: whatever it is like, the verdict and the time stay."""

import itertools
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from gate.simulator import sample_plans
from gate.simulator.exchange import json_answer, service_error
from gate.simulator.scenarios import Scenario, Start
from tests.faults.fault_plan import Fault
from tests.faults.moments import LOGS
from tests.faults.response_faults import ReplaceAnswer
from tests.helpers import RunGate, RunGates, Simulate, StartGate, environment

HOSTILE = "\x1b[31mred\x1b[0m \x1b]0;title\x07::error::gotcha\r::add-mask::x ##[error]y ]]> <b>&\ud83d\x00\x08end"


def large() -> Iterator[bytes]:
    """Return a log of 8 MB, which is more than any other answer may have."""
    line = b"x" * 1023 + b"\n"
    return itertools.chain(itertools.repeat(line * 64, 8 * 16), [b"error: the end\n"])


def endless() -> Iterator[bytes]:
    """Return a log that comes slowly and never ends."""
    for number in itertools.count():
        time.sleep(0.05)
        yield b"line %d\n" % number


def one_endless_line() -> Iterator[bytes]:
    """Return a log without a line end, of 8 MB, too."""
    return itertools.repeat(b"y" * 65536, 128)


def hostile() -> Iterator[bytes]:
    """Return a log full of control sequences and commands."""
    return iter([HOSTILE.encode("utf-8", "surrogatepass"), b"\xff\xfe\n", b"the last line\n"])


def ended_with(log: Callable[[], Iterator[bytes]]) -> Scenario:
    """Return a job whose build has just failed, with this log."""
    return Scenario(name="logged", starts=(Start(at=-60, plan=replace(sample_plans.FAILING, log=log)),))


def test_any_log_leaves_verdict_and_time_alone(simulate: Simulate, run_gates: RunGates, tmp_path: Path) -> None:
    """The verdict stands, at most five seconds pass where little time is left, and nothing in the log acts.

    Of a large log, the end is shown. One that does not end in time is shown as far as it came, and marked as
    incomplete, so that it is not passed off as the end of the log.
    """
    calls = {}
    for log in (large, endless, one_endless_line, hostile):
        simulator = simulate([ended_with(log)])
        arguments = ["wait", simulator.jobs["logged"], "--timeout", "30s"]
        calls[log.__name__] = {"arguments": arguments, "env": environment(simulator)}
    started = time.monotonic()
    ended = run_gates(calls)
    assert time.monotonic() - started < 5 + 5  # the start of a process can take seconds on a busy machine
    reports = {name: (tmp_path / name / "gate-report.xml").read_text() for name in ended}
    for name, done in ended.items():
        assert (done.returncode, done.stdout.split()[0]) == (1, "failed"), (name, done.stderr)
        assert not set(done.stderr + reports[name]) & set(map(chr, (*range(9), *range(11, 32), 127, 0x9B))), name
        assert not [line for line in done.stderr.splitlines() if line.startswith(("::", "##["))], name
        ET.fromstring(reports[name].encode())
    assert "error: the end" in ended["large"].stderr
    for text in (ended["endless"].stderr, reports["endless"]):
        assert re.search(r"line \d\d", text)
        assert "did not come to its end in time" in text
        assert "this is not its end" in text


def eight_seconds() -> Iterator[bytes]:
    """Return a log that takes longer than the five seconds that other side channels have."""
    for number in range(80):
        time.sleep(0.1)
        yield b"line %d\n" % number


@pytest.mark.ci  # the log takes seconds
def test_slow_log_is_shown_whole_after_the_verdict(simulate: Simulate, start_gate: StartGate) -> None:
    """With much of `--timeout` left; the line of the verdict does not wait for it."""
    simulator = simulate([ended_with(eight_seconds)])
    gate = start_gate("wait", simulator.jobs["logged"], env=environment(simulator))
    assert gate.stderr is not None
    moments: dict[str, float] = {}
    for line in gate.stderr:
        for word in ("failed: build 1 ended with FAILURE", "line 79"):
            if word in line:
                moments.setdefault(word, time.monotonic())
    assert gate.wait(30) == 1
    verdict, last_line = moments.values()
    assert last_line - verdict > 6


@pytest.mark.parametrize(
    ("act", "tries"),
    [
        (ReplaceAnswer(service_error(500, "CB.00030004", "Calling the executor failed.")), 2),
        (ReplaceAnswer(json_answer({"error_code": "DEVCB.00031006", "error_msg": "no such record"})), 1),
        (ReplaceAnswer(json_answer({"result": "a log in JSON"})), 2),
    ],
    ids=["500", "error with 200", "JSON with 200"],
)
def test_log_that_cannot_be_had_is_one_line_and_no_verdict(
    simulate: Simulate, run_gate: RunGate, act: Any, tries: int
) -> None:
    """An error instead of a log is told in one line and changes nothing; one that may pass is asked for once more."""
    faults = [Fault(operations=LOGS, act=act, times=None)]
    simulator = simulate(["failing"], speed=300, faults=faults)
    done = run_gate("wait", simulator.jobs["failing"], env=environment(simulator))
    assert (done.returncode, len(simulator.journal.of("DownloadBuildFullLog"))) == (1, tries)
    assert "the log could not be read, which does not change the verdict" in done.stderr


def test_missing_v1_route_of_the_log_is_replaced_by_v4(simulate: Simulate, run_gate: RunGate) -> None:
    """A host that publishes only the older route gives the log by that."""
    simulator = simulate(["failing"], speed=300, unpublished=["DownloadBuildFullLog", "DownloadTaskLog"])
    done = run_gate("wait", simulator.jobs["failing"], env=environment(simulator))
    assert (done.returncode, "COMPILATION ERROR" in done.stderr) == (1, True)


def test_log_of_the_step_that_failed_is_shown(simulate: Simulate, run_gate: RunGate) -> None:
    """Its end is the error; the whole log ends with what comes after it."""
    simulator = simulate(["failing"], speed=300)
    done = run_gate("wait", simulator.jobs["failing"], "--log-tail", "3", env=environment(simulator))
    assert (done.returncode, len(simulator.journal.of("DownloadTaskLog"))) == (1, 1), done.stderr
    assert not simulator.journal.of("DownloadBuildFullLog")
    assert "[Maven] : stage ended: FAILURE" in done.stderr


def test_missing_route_of_the_step_log_is_replaced_by_the_whole_log(simulate: Simulate, run_gate: RunGate) -> None:
    """Without a word."""
    simulator = simulate(["failing"], speed=300, unpublished=["DownloadTaskLog"])
    done = run_gate("wait", simulator.jobs["failing"], env=environment(simulator))
    assert (done.returncode, "COMPILATION ERROR" in done.stderr) == (1, True)
    assert "could not be read" not in done.stderr


def test_log_tail_of_zero_fetches_no_log(simulate: Simulate, run_gate: RunGate) -> None:
    """With --log-tail 0 the service is not asked for a log."""
    simulator = simulate(["failing"], speed=300)
    done = run_gate("wait", simulator.jobs["failing"], "--log-tail", "0", env=environment(simulator))
    assert done.returncode == 1
    assert not [entry for entry in simulator.journal.entries if "download-log" in entry.path]
