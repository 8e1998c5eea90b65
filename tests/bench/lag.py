"""Lag and calls: traces of builds replayed through schedules."""

import math
import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

from tests.bench import optimum, table
from tests.bench.schedules import SCHEDULES, Schedule
from tests.bench.traces import Traces, recorded, synthetic


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


def replay(durations: Sequence[float], schedule: Schedule) -> Replay:
    """Run one gate for each build."""
    chance, calls, lags = random.Random(1), [], []
    for index, (duration, first) in enumerate(zip(durations, first_looks(durations), strict=True)):
        age, count = first, 1
        for pause in schedule(durations[max(index - 100, 0) : index], age, chance):
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
    for duration, first in zip(durations, first_looks(durations), strict=True):
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


def planned(looks: Sequence[float]) -> Schedule:
    """Return the schedule that looks at these ages."""

    def pauses(past: Sequence[float], age: float, chance: random.Random) -> Iterator[float]:
        ages = [age, *(look for look in looks if look > age)]
        return (then - now for now, then in pairwise(ages))

    return pauses


def compare(name: str, durations: Sequence[float]) -> None:
    """Print the table of one trace."""
    half = median(durations) / 2
    early = [index for index, duration in enumerate(durations) if duration < half]
    rows = []
    ours = replay(durations, SCHEDULES["the gate, 10 s"])
    schedules = {**SCHEDULES, "optimum, distribution known": planned(optimum.best(durations, mean(ours.calls)))}
    for title, schedule in schedules.items():
        done = replay(durations, schedule)
        calls, lag, high = done.figures
        _, fixed_lag, fixed_high = steady_with(durations, calls).figures
        soon = mean(done.lags[index] for index in early) if early else math.nan
        rows.append((title, calls, lag, high, max(done.lags), soon, lag / fixed_lag, high / fixed_high))
    heads = (
        "schedule",
        "calls",
        "mean lag",
        "p95",
        "most",
        f"early ends ({len(early)})",
        "mean : fixed",
        "p95 : fixed",
    )
    table.show(f"{name}: {len(durations)} builds, median {median(durations):.0f} s", heads, rows)


def report(folder: Path | None, builds: int) -> None:
    """Replay the traces of a folder, or made-up ones of so many builds each."""
    traces: Traces = recorded(folder) if folder else synthetic(builds)
    print("\n## Lag and calls\n\nLag in seconds; `: fixed` is the ratio to the fixed schedule with as many calls.")
    for name, durations in traces.items():
        compare(name, durations)
