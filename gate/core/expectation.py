"""What a job's past builds let people and the schedule expect of the next one."""

from collections.abc import Sequence
from typing import NamedTuple

from gate.core.timetable import FEWEST, MOST, Timetable
from gate.core.verdict import ENDED_WORDS, SUCCESS
from gate.model import Build

USUAL = 10
"""Builds that passed, of which the median is expected."""

ENOUGH = 20
"""Builds that passed, below which nothing can be said about 95 % of them."""


class Expectation(NamedTuple):
    """Each part is `None` as long as there is too little history for it; times in seconds."""

    seconds: float | None = None
    """The median of the last builds that passed."""
    slow_seconds: float | None = None
    """What 95 % of the builds that passed stayed below."""
    timetable: Timetable | None = None


def expect(builds: Sequence[Build], interval: float) -> Expectation:
    """Read the list of a job's builds, newest first; `interval` is the steady one, in seconds."""
    ended = [build for build in builds if build.word in ENDED_WORDS and build.duration_seconds]
    passed = [build.duration_seconds or 0.0 for build in ended if build.word == SUCCESS]
    durations = [build.duration_seconds or 0.0 for build in ended[:MOST]]
    return Expectation(
        seconds=_quantile(passed[:USUAL], 0.5),
        slow_seconds=_quantile(passed, 0.95) if len(passed) >= ENOUGH else None,
        timetable=Timetable(durations, interval) if len(durations) >= FEWEST else None,
    )


def _quantile(values: Sequence[float], share: float) -> float | None:
    """Give the value that this share of the others stays below, between two of them if need be."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
