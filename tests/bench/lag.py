"""Lag and calls: traces of builds replayed through schedules."""

import math
import random
from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

from gate.core.forecast import MAX_PLAN_BUILDS, MIN_PLAN_BUILDS
from tests.bench import table
from tests.bench.schedules import SCHEDULES, Schedule, gate
from tests.bench.traces import Traces, recorded, synthetic

RATIOS = ("mean : fixed", "p95 : fixed")


class Replay(NamedTuple):
    """What a schedule did on a trace: calls and lag (from a build's end to the look that sees it) of each build."""

    calls: Sequence[int]
    lags: Sequence[float]

    @property
    def figures(self) -> tuple[float, float, float]:
        """Mean calls, mean lag, 95th percentile of the lag."""
        return mean(self.calls), mean(self.lags), table.quantile(self.lags, 0.95)


def first_looks(durations: Sequence[float]) -> list[float]:
    """Return the age of each build at the first look, up to ten seconds: when a gate starts favours no schedule."""
    chance = random.Random(2)
    return [chance.random() * min(10.0, duration) for duration in durations]


def before(durations: Sequence[float], index: int) -> Sequence[float]:
    """Return the durations of the builds that the list shows when a build runs, newest first."""
    return durations[max(index - MAX_PLAN_BUILDS, 0) : index][::-1]


def around(durations: Sequence[float], index: int) -> Sequence[float]:
    """Return the durations of as many builds before a build and after it, nearest first."""
    after = durations[index + 1 : index + 1 + MAX_PLAN_BUILDS]
    return [one for both in zip_longest(before(durations, index), after) for one in both if one is not None]


def replay(
    durations: Sequence[float],
    schedule: Schedule,
    known: Callable[[Sequence[float], int], Sequence[float]] = before,
) -> Replay:
    """Run one gate for each build with history; `known` returns the durations that it knows."""
    chance, calls, lags = random.Random(1), [], []
    for index, first in enumerate(first_looks(durations)):
        if index < MIN_PLAN_BUILDS:
            continue
        duration, age, count = durations[index], first, 1
        for pause in schedule(known(durations, index), age, chance):
            age += pause
            count += 1
            if age >= duration:
                break
        calls.append(count)
        lags.append(age - duration)
    return Replay(calls, lags)


def steady(durations: Sequence[float], interval: float) -> Replay:
    """Replay the fixed schedule, the quick way."""
    calls, lags = [], []
    for duration, first in [*zip(durations, first_looks(durations), strict=True)][MIN_PLAN_BUILDS:]:
        looks = max(math.ceil((duration - first) / interval), 1)
        calls.append(looks + 1)
        lags.append(first + looks * interval - duration)
    return Replay(calls, lags)


def steady_with(durations: Sequence[float], calls: float) -> Replay:
    """Replay the fixed schedule with the interval at which it spends so many calls on the average."""
    short, long = 0.1, 10_000.0
    for _ in range(40):
        middle = math.sqrt(short * long)
        short, long = (middle, long) if mean(steady(durations, middle).calls) > calls else (short, middle)
    return steady(durations, long)


def compare(name: str, durations: Sequence[float]) -> dict[str, tuple[float, float]]:
    """Print the table of one trace; return each schedule's mean lag and 95th percentile, as ratios to the fixed one."""
    half = median(durations) / 2
    early = [index for index, duration in enumerate(durations[MIN_PLAN_BUILDS:]) if duration < half]
    done = {title: replay(durations, schedule) for title, schedule in SCHEDULES.items()}
    done["the gate, if it knew the next 100 builds"] = replay(durations, gate(10), around)
    rows, ratios = [], {}
    for title, one in done.items():
        calls, lag, high = one.figures
        _, fixed_lag, fixed_high = steady_with(durations, calls).figures
        soon = mean(one.lags[index] for index in early) if early else math.nan
        ratios[title] = lag / fixed_lag, high / fixed_high
        rows.append((title, calls, lag, high, max(one.lags), soon, *ratios[title]))
    heads = ("schedule", "calls", "mean lag", "p95", "most", f"early ends ({len(early)})", *RATIOS)
    table.show(f"{name}: {len(durations)} builds, median {median(durations):.0f} s", heads, rows)
    return ratios


def report(folder: Path | None, builds: int) -> None:
    """Replay the traces of a folder, or made-up ones of so many builds each."""
    traces: Traces = recorded(folder) if folder else synthetic(builds)
    print("\n## Lag and calls\n\nLag in seconds; `: fixed` is the ratio to the fixed schedule with as many calls.")
    ratios = [compare(name, durations) for name, durations in traces.items()]
    rows = [
        (title, *(f"{mean(one):.3f}" for one in zip(*(each[title] for each in ratios), strict=True)))
        for title in ratios[0]
    ]
    table.show(f"Mean of {len(traces)} traces", ("schedule", *RATIOS), rows)
