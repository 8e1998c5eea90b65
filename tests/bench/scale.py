"""Many targets in one process: calls, lag, processor time and memory."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean

from gate.settings import Rules
from tests.bench import crowd, processes, table, virtual

UNLIMITED = 10**9
LIMIT = 60
HEADS = ("targets", "seconds", "calls", "429s", "right verdicts", "mean lag", "p95 lag", "longest gap")


def in_process(count: int, seconds: float, per_minute: int) -> tuple[object, ...]:
    """Run the program on a simulator in another process, in real time, and give its row of the table."""
    service = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.service", str(count), str(seconds), str(per_minute)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=processes.environment({}),
        text=True,
    )
    assert service.stdout is not None
    place = json.loads(service.stdout.readline())
    with tempfile.TemporaryDirectory() as folder:
        outputs = Path(folder, "result")
        rate = "60000" if per_minute == UNLIMITED else str(LIMIT)
        arguments = ("--endpoint", place["endpoint"], "--max-rate", rate, "--json", "--max-age", "1h")
        targets = " ".join(f"{name}={job}" for name, job in place["jobs"].items())
        command = ("sh", "-c", 'exec "$@" > "$0"', str(outputs), *processes.GATE, "wait", *arguments)
        done = processes.run(command, {"GATE_TOKEN": place["token"], "GATE_TARGETS": targets})
        result = json.loads(outputs.read_text(encoding="utf-8"))
    end, _ = service.communicate()
    told = json.loads(end)
    verdicts = {target["label"]: target["verdict"] for target in result["targets"]}
    row = figures(
        result["elapsed_seconds"], result["api_calls"], told["refused"], verdicts, place["verdicts"], told["watched"]
    )
    return (*row, 100 * done.processor / done.seconds, done.megabytes)


def in_virtual_time(count: int, seconds: float, per_minute: int) -> tuple[object, ...]:
    """Run the gate's core and client in virtual time, and give the row of the table."""
    scenarios, expected = crowd.scenarios(count, seconds)
    waited = virtual.wait(scenarios, Rules(max_age=3600), per_minute=per_minute)
    verdicts = {name: outcome.verdict.value for name, outcome in waited.listener.outcomes.items()}
    watched = {name: {"lag": one.lag, "gap": one.gap} for name, one in crowd.watched(waited.simulator).items()}
    calls = len(waited.simulator.journal.entries)
    return figures(waited.seconds, calls, waited.refused, verdicts, expected, watched)


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
    """Measure and print the tables."""
    rows = [in_process(count, seconds, UNLIMITED) for count in counts]
    title = f"Scale: builds of up to {seconds:.0f} s on the simulator in another process, --max-rate 60000"
    table.show(title, (*HEADS, "CPU %", "peak MB"), rows)
    note = "Times in seconds. The longest gap is that between two looks at one target, or before the first."
    for limit in (LIMIT, LIMIT // 2):
        rows = [in_virtual_time(count, 20 * 60, limit) for count in counts]
        title = f"Scale: builds of up to 20 minutes, 429 beyond {limit} calls a minute, --max-rate 60, in virtual time"
        table.show(title, HEADS, rows, note)
    if real_time:
        rows = [in_process(count, 20 * 60, LIMIT) for count in counts]
        title = f"Scale: builds of up to 20 minutes, 429 beyond {LIMIT} calls a minute, --max-rate 60, in real time"
        table.show(title, (*HEADS, "CPU %", "peak MB"), rows, note)
