"""What people read: in a log, and on a terminal."""

import io
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from gate.model import Target
from gate.platforms.progress import cut
from gate.platforms.terminal import Terminal
from gate.simulator.scenarios import Scenario, Start
from tests.bench.crowd import COURSES
from tests.faults.faulty_simulator import FaultySimulator
from tests.platforms.test_progress import standing

APP = Target(job_id="1" * 32, label="app")


def log(labels: bool) -> tuple[Any, io.StringIO]:
    """Return a terminal that writes to a log, and the log; the process started at the instant 1000."""
    stream = io.StringIO()
    return Terminal(1000.0, labels=labels, quiet=False, stream=stream), stream


def test_one_target_has_a_heartbeat_after_a_minute_of_silence() -> None:
    """Each line puts it off."""
    terminal, _ = log(labels=False)
    assert terminal.due() == 1060
    terminal.say(APP, "news", 1030.0)
    assert terminal.due() == 1090
    terminal.tick([standing()], 1090.0)
    assert terminal.due() == 1150


def test_several_targets_have_one_summary_a_minute() -> None:
    """Many lines do not put it off, and it is one line however many targets there are."""
    terminal, stream = log(labels=True)
    for second in range(59):
        terminal.say(APP, "news", 1000.0 + second)
    assert terminal.due() == 1060
    before = len(stream.getvalue().splitlines())
    terminal.tick([standing(f"t{index}") for index in range(500)], 1060.0)
    assert stream.getvalue().splitlines()[before:] == ["01:00 500 targets without a verdict: 500 RUNNING"]
    assert terminal.due() == 1120


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pty")
def test_terminal_shows_a_table_that_fits(
    simulate: Callable[..., FaultySimulator], start_gate: Callable[..., Any]
) -> None:
    """Twelve targets on a terminal of eight lines: a table of at most seven, written over, gone at the end."""
    starts = (Start(plan=COURSES["passed"].paced(0.8)),)
    simulator = simulate([Scenario(name=f"job-{index}", starts=starts) for index in range(12)], speed=10)
    ours, theirs = pty.openpty()
    subprocess.run(["stty", "rows", "8", "columns", "70"], stdin=theirs, check=True)
    targets = " ".join(f"{name}={job}" for name, job in simulator.jobs.items())
    env = {"GATE_TOKEN": simulator.token, "GATE_TARGETS": targets, "TERM": "xterm"}
    options = ("--endpoint", simulator.endpoint, "--poll-interval", "1s", "--max-rate", "6000")
    process = start_gate("wait", *options, env=env, stderr=theirs)
    os.close(theirs)
    text = read_all(ours)
    assert process.wait(30) == 0
    frames = [frame.split("\r\n") for frame in re.split(r"\r(?:\x1b\[\d+A)?\x1b\[J", text)]
    tables = [frame for frame in frames if "targets without a verdict" in frame[-1]]
    assert tables
    assert all(len(table) <= 7 and all(len(line) < 70 for line in table) for table in tables)
    assert max(map(len, tables)) == 7
    assert "12 of 12 passed" in frames[-1][0]


@pytest.mark.parametrize(
    ("line", "expected"),
    [("abcdef", "abcde"), ("構建中です", "構建"), ("é構建", "é構建"), ("🚀🚀🚀", "🚀🚀"), ("ok", "ok")],
)
def test_live_line_is_cut_by_what_it_takes_on_the_screen(line: str, expected: str) -> None:
    """A line that wraps could not be written over."""
    assert cut(line, 5) == expected


def read_all(descriptor: int) -> str:
    """Read what a terminal shows until its program ends."""
    chunks: list[bytes] = []
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:  # how Linux says that nobody has the other end open
            chunk = b""
        if not chunk:
            os.close(descriptor)
            return b"".join(chunks).decode()
        chunks.append(chunk)
