"""Many targets in one process: calls, lag, processor time and memory."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from gate.model import Target
from gate.settings import Rules
from tests.bench import crowd, processes, table, virtual
from tests.faults.fault_plan import Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.list_faults import PROJECT_LISTS, LaggingList

LIMIT = 60
LONGEST_BUILD = 20 * 60.0
HEADS = ("targets", "seconds", "calls", "429s", "right verdicts", "mean lag", "p95 lag", "longest gap")


class Measured(NamedTuple):
    """What the program did on a simulator in another process, in real time."""

    done: processes.Run
    place: dict[str, Any]
    """The service's jobs, and the verdict that each must get."""
    result: dict[str, Any]
    """The JSON report."""
    told: dict[str, Any]
    """What the service's journal says."""

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict of each target, by its label."""
        return {target["label"]: target["verdict"] for target in self.result["targets"]}

    @property
    def cost(self) -> tuple[float, float]:
        """The share of a core in percent, and megabytes at the peak."""
        return 100 * self.done.processor / self.done.seconds, self.done.megabytes


def run_program(count: int, seconds: float, per_minute: int, *options: str, numbers_given: bool = False) -> Measured:
    """Run the program for so many targets: the newest builds, or build 1 of each job."""
    kind = ("--numbered",) if numbers_given else ()
    service = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.service", str(count), str(seconds), str(per_minute), *kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=processes.environment({}),
        text=True,
    )
    assert service.stdout is not None
    place = json.loads(service.stdout.readline())
    number = ":1" if numbers_given else ""
    with tempfile.TemporaryDirectory() as folder:
        outputs = Path(folder, "result")
        targets = " ".join(f"{name}={job}{number}" for name, job in place["jobs"].items())
        arguments = (*processes.GATE, "wait", "--endpoint", place["endpoint"], "--json", *options)
        command = ("sh", "-c", 'exec "$@" > "$0"', str(outputs), *arguments)
        done = processes.run(command, {"GATE_TOKEN": place["token"], "GATE_TARGETS": targets})
        result = json.loads(outputs.read_text(encoding="utf-8"))
    end, _ = service.communicate()
    return Measured(done, place, result, json.loads(end))


def in_process(count: int, seconds: float, per_minute: int) -> tuple[object, ...]:
    """Run the program on a simulator in another process, in real time, and give its row of the table."""
    rate = "60000" if per_minute == virtual.UNLIMITED else str(LIMIT)
    run = run_program(count, seconds, per_minute, "--max-rate", rate, "--max-age", "1h")
    result, told = run.result, run.told
    row = figures(
        result["elapsed_seconds"],
        result["api_calls"],
        told["refused"],
        run.verdicts,
        run.place["verdicts"],
        told["watched"],
    )
    return (*row, *run.cost)


def report_memory(count: int, seconds: float) -> None:
    """Run the program in real time for so many seconds, with lists in use, and print its memory and processor time."""
    run = run_program(
        count, LONGEST_BUILD, LIMIT, "--max-rate", str(LIMIT), "--timeout", f"{seconds}s", numbers_given=True
    )
    right = sum(run.verdicts[name] == verdict for name, verdict in run.place["verdicts"].items())
    undecided = sum(verdict == "timed-out" for verdict in run.verdicts.values())
    row = (count, run.done.seconds, run.result["api_calls"], run.told["lists"], right, undecided, *run.cost)
    heads = ("targets", "seconds", "calls", "of lists", "right verdicts", "timed out", "CPU %", "peak MB")
    title = (
        f"Memory: builds given by number, of up to {LONGEST_BUILD / 60:.0f} minutes, --max-rate {LIMIT}, in real time, "
        f"ended by --timeout {seconds:g}s"
    )
    table.show(title, heads, [row])


def in_virtual_time(count: int, seconds: float, per_minute: int) -> tuple[object, ...]:
    """Run the gate's core and client in virtual time, and give the row of the table."""
    scenarios, expected = crowd.scenarios(count, seconds)
    waited = virtual.wait(scenarios, Rules(max_age=3600), per_minute=per_minute)
    verdicts = {name: outcome.verdict.value for name, outcome in waited.listener.outcomes.items()}
    watched = {name: {"lag": one.lag, "gap": one.gap} for name, one in crowd.watched(waited.simulator).items()}
    calls = len(waited.simulator.journal.entries)
    return figures(waited.seconds, calls, waited.refused, verdicts, expected, watched)


class Setting(NamedTuple):
    """How many targets there are, and where their jobs stand."""

    title: str
    counts: Sequence[int]
    projects: int = 1
    jobs: int = 0
    """Jobs of the first project in all, if there are more of them than targets."""
    lag: float = 0.0
    """Seconds by which lists lag."""


COUNTS = (1, 10, 25, 50, 100, 250, 500)
SETTINGS = (
    Setting("one project", COUNTS),
    Setting("five projects", COUNTS[2:], projects=5),
    Setting("one project of 5 000 jobs", (20,), jobs=5000),
    Setting("one project, lists lag by 10 s", COUNTS[2:], lag=10),
)


class Counted(NamedTuple):
    """What one wait did."""

    calls: int
    right: int
    lags: Sequence[float]
    floor: Sequence[float]


def wait_for_numbers(setting: Setting, count: int, seconds: float, *, reads_lists: bool) -> Counted:
    """Wait for builds that are given by number, in virtual time; with lists switched off, none is read."""
    scenarios, expected = crowd.numbered(count, seconds, projects=setting.projects, others=max(setting.jobs - count, 0))

    def choose(simulator: FaultySimulator) -> list[Target]:
        if setting.lag:
            act = LaggingList(simulator=simulator, seconds=setting.lag)
            simulator.faults.add(Fault(act=act, operations=PROJECT_LISTS, times=None))
        return [Target(job_id=simulator.jobs[name], build_number=1, label=name) for name in expected]

    rules = Rules(timeout=3 * 3600)
    waited = virtual.wait(scenarios, rules, per_minute=LIMIT, choose=choose, reads_lists=reads_lists)
    outcomes = waited.listener.outcomes
    lags = [one.lag for name, one in crowd.watched(waited.simulator).items() if name in expected]
    return Counted(
        calls=len(waited.simulator.journal.entries),
        right=sum(outcomes[name].verdict.value == verdict for name, verdict in expected.items()),
        lags=lags,
        floor=crowd.floor(waited.simulator, expected, LIMIT),
    )


def report_lists(settings: Sequence[Setting], seconds: float) -> None:
    """Compare waits with lists and without, and print the table."""
    rows = []
    for setting in settings:
        for count in setting.counts:
            started = time.process_time()
            hinted = wait_for_numbers(setting, count, seconds, reads_lists=True)
            processor = time.process_time() - started
            plain = wait_for_numbers(setting, count, seconds, reads_lists=False)
            row = (
                setting.title,
                count,
                f"{hinted.right} of {count}",
                hinted.calls,
                plain.calls,
                mean(hinted.lags),
                table.quantile(hinted.lags, 0.95),
                mean(plain.lags),
                table.quantile(plain.lags, 0.95),
                mean(hinted.lags) / mean(plain.lags),
                mean(hinted.floor),
                100 * processor / seconds,
            )
            rows.append(row)
    heads = (
        "jobs in",
        "targets",
        "right verdicts",
        "calls",
        "calls, no lists",
        "mean lag",
        "p95",
        "mean, no lists",
        "p95, no lists",
        "mean : no lists",
        "floor",
        "CPU %",
    )
    title = f"Lists: builds given by number, of up to {seconds / 60:.0f} minutes, --max-rate {LIMIT}, in virtual time"
    note = (
        "Lag in seconds. The floor is the mean lag if every end were known at once and cost one call. CPU is that of "
        "gate and simulator together."
    )
    table.show(title, heads, rows, note)


def figures(
    seconds: float,
    calls: int,
    refused: int,
    verdicts: dict[str, str],
    expected: Mapping[str, str],
    watched: dict[str, dict[str, float]],
) -> tuple[object, ...]:
    """Return the columns that both ways of running have."""
    right = sum(verdicts[name] == verdict for name, verdict in expected.items())
    lags = [one["lag"] for one in watched.values()]
    gap = max(one["gap"] for one in watched.values())
    return (
        len(expected),
        seconds,
        calls,
        refused,
        f"{right} of {len(expected)}",
        mean(lags),
        table.quantile(lags, 0.95),
        gap,
    )


def report(counts: Sequence[int], seconds: float, *, real_time: bool) -> None:
    """Measure and print the tables; small ones where few targets are asked for."""
    is_small = max(counts) < min(COUNTS[1:])
    rows = [in_process(count, seconds, virtual.UNLIMITED) for count in counts]
    title = f"Scale: builds of up to {seconds:.0f} s on the simulator in another process, --max-rate 60000"
    table.show(title, (*HEADS, "CPU %", "peak MB"), rows)
    report_lists([Setting("one project", counts)] if is_small else SETTINGS, LONGEST_BUILD)
    note = "Times in seconds. The longest gap is that between two looks at one target, or before the first."
    for limit in (LIMIT, LIMIT // 2):
        rows = [in_virtual_time(count, 20 * 60, limit) for count in counts]
        title = f"Scale: builds of up to 20 minutes, 429 beyond {limit} calls a minute, --max-rate 60, in virtual time"
        table.show(title, HEADS, rows, note)
    if real_time:
        rows = [in_process(count, 20 * 60, LIMIT) for count in counts]
        title = f"Scale: builds of up to 20 minutes, 429 beyond {LIMIT} calls a minute, --max-rate 60, in real time"
        table.show(title, (*HEADS, "CPU %", "peak MB"), rows, note)
