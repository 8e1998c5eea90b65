"""Two gates wait for the same builds side by side, one with `--follow`: their verdicts come at the same moment."""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from gate.simulator.builds import BuildPlan, StagePlan
from gate.simulator.exchange import Call, HttpAnswer, enveloped_answer, service_error
from gate.simulator.scenarios import Scenario, Start
from gate.simulator.simulator import Answer
from tests.bench import table
from tests.conftest import ROOT, is_foreign
from tests.faults.fault_plan import Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.response_faults import ReplaceAnswer, ResponseFault
from tests.faults.transport_faults import Drip, Silence, TransportFault
from tests.helpers import environment

LIVE_LOG = ("DownloadBuildRealTimeLog", "DownloadRealTimeLog")


@dataclass(frozen=True, slots=True)
class ScriptedLog(ResponseFault):
    """Sends this text as the log, so many characters in a piece."""

    text: str
    length: int

    def shape(self, call: Call, genuine: Answer) -> HttpAnswer:
        """See the base class."""
        start = int(call.value("start_offset") or 0)
        piece = self.text[start : start + self.length]
        end = start + len(piece)
        document = {"start_offset": str(start), "end_offset": str(end), "has_more": end < len(self.text), "log": piece}
        return enveloped_answer(document)


NO_EXECUTOR = ReplaceAnswer(service_error(500, "CB.00030004", "Calling the executor failed."))

LOGS: dict[str, TransportFault | ResponseFault] = {
    "is quiet": ScriptedLog("one line\n", 100_000),
    "floods": ScriptedLog(("x" * 99 + "\n") * 10**5, 100_000),
    "hangs": Silence(),
    "trickles": Drip(interval=0.2),
    "fails": NO_EXECUTOR,
}
"""What a log may do."""

StartGate = Callable[..., "subprocess.Popen[str]"]


def moments_side_by_side(
    start_gate: StartGate,
    act: TransportFault | ResponseFault,
    count: int,
    seconds: float,
    word: str = "SUCCESS",
    **variables: str,
) -> tuple[dict[str, float], dict[str, float]]:
    """Return when the verdict of each target is told without `--follow`, and with it, in seconds of one clock.

    The builds end so many seconds after the start.
    """
    plan = BuildPlan(queue=0, stages=(StagePlan(name="Maven", seconds=seconds, word=word),), word=word)
    jobs = [Scenario(name=f"job-{number}", starts=(Start(plan=plan),)) for number in range(count)]
    with FaultySimulator(jobs, faults=[Fault(operations=LIVE_LOG, act=act, times=None)]) as simulator:
        targets = [f"{name}={job}:1" for name, job in simulator.jobs.items()]
        env = environment(simulator, GATE_PLATFORM="none", GATE_LOG_TAIL="0") | variables
        gates = [start_gate("wait", *targets, *options, env=env) for options in ((), ("--follow",))]
        found: list[dict[str, float]] = [{}, {}]
        readers = [
            threading.Thread(target=_note_verdicts, args=(gate, moments))
            for gate, moments in zip(gates, found, strict=True)
        ]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        for gate in gates:
            gate.wait()
    return found[0], found[1]


def _note_verdicts(gate: "subprocess.Popen[str]", moments: dict[str, float]) -> None:
    """Note when each verdict is told."""
    assert gate.stderr is not None
    for line in gate.stderr:
        if told := re.match(r"(?:(job-\d+): )?(?:passed|failed): build 1 ended", line):
            moments.setdefault(told[1] or "job-0", time.monotonic())


def _start(*arguments: str, env: dict[str, str]) -> "subprocess.Popen[str]":
    """Start the program as a process."""
    own = {name: value for name, value in os.environ.items() if not is_foreign(name)}
    return subprocess.Popen(
        [sys.executable, "-m", "gate", *arguments],
        env={**own, "PYTHONPATH": str(ROOT), **env},
        cwd=tempfile.gettempdir(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def report(
    counts: Sequence[int], seconds: float, logs: Sequence[str], words: Sequence[str] = ("SUCCESS", "FAILURE")
) -> None:
    """Measure and print the table; `logs` are keys of `LOGS`."""
    rows = []
    for count in counts:
        for name in logs:
            for word in words:
                without, with_it = moments_side_by_side(_start, LOGS[name], count, seconds, word)
                late = [moment - without[label] for label, moment in with_it.items()]
                rows.append((count, name, word, len(late), median(late), max(late)))
    heads = ("targets", "the log", "builds end with", "verdicts", "median later, s", "most later, s")
    table.show("Verdicts with --follow and without", heads, rows, "Two processes side by side, polls every 0.2 s.")
