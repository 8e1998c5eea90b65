"""What the past builds of a job tell about the next one: how long it takes, and when polling it pays.

Polling is the inspection problem (Barlow, Hunter, Proschan 1963; Keller 1974): polls cost calls, waiting costs time,
and the mean delay is smallest when the density of polls at an age is proportional to the square root of the hazard
there, the chance that a build which is still running ends just then. `python -m tests.bench lag` replays builds through
it.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise

from gate.core.schedule import vary
from gate.model import ListedBuild
from gate.value_types import NamedTuple
from gate.vocabulary import ENDED_WORDS, SUCCESS

MEDIAN_BUILDS = 10
"""Builds that passed, of which the median is expected."""

MIN_SLOW_BUILDS = 20
"""Builds that passed, below which nothing can be said about 95 % of them."""

MIN_PLAN_BUILDS, MAX_PLAN_BUILDS = 10, 100
"""Past builds that a poll plan needs, and uses at most: one page of the list."""

USUAL_SPREAD = 0.04
"""How far a build may be from a past one, as the scale of a logistic distribution of the logarithm of the duration."""

UNUSUAL_SPREAD, UNUSUAL_SHARE = 0.3, 0.15
"""The same for builds that are like none before, and the share of them that is always reckoned with."""

SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 4.0
"""Bounds of the time between two polls, in steady intervals."""

DENSITY_POWER = 0.5
"""The power of the hazard to which the density of polls is proportional."""

PLAN_JITTER = 0.05
"""Pauses vary by this share up and down: less than steady ones, as past builds differ from job to job already."""

PLAN_POINTS = 128
"""Ages at which the density is worked out."""


class Forecast(NamedTuple):
    """Each part is `None` as long as there is too little history for it; times in seconds."""

    seconds: float | None = None
    """The median of the last builds that passed."""
    slow_seconds: float | None = None
    """What 95 % of the builds that passed stayed below."""
    poll_plan: "PollPlan | None" = None


def forecast(builds: Sequence[ListedBuild], interval: float) -> Forecast:
    """Return the forecast from the list of a job's builds, newest first; `interval`: the steady one, in seconds."""
    ended = [build for build in builds if build.word in ENDED_WORDS and build.duration_seconds]
    passed = [build.duration_seconds or 0.0 for build in ended if build.word == SUCCESS]
    durations = [build.duration_seconds or 0.0 for build in ended[:MAX_PLAN_BUILDS]]
    return Forecast(
        seconds=_quantile(passed[:MEDIAN_BUILDS], 0.5),
        slow_seconds=_quantile(passed, 0.95) if len(passed) >= MIN_SLOW_BUILDS else None,
        poll_plan=PollPlan(durations, interval) if len(durations) >= MIN_PLAN_BUILDS else None,
    )


def _quantile(values: Sequence[float], share: float) -> float | None:
    """Return the value that this share of the others stays below, between two of them if need be."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


class PollPlan:
    """Spreads the looks at a build. Past builds would have got as many as with the steady interval, or fewer."""

    def __init__(self, durations: Sequence[float], interval: float) -> None:
        """Take durations of past builds and the steady interval, in seconds."""
        durations = [max(duration, 1.0) for duration in durations]
        first, last = min(durations) / 4, max(durations) * 2
        self._ages = [0.0, *(first * math.pow(last / first, point / PLAN_POINTS) for point in range(PLAN_POINTS + 1))]
        steps = [end - start for start, end in pairwise(self._ages)]
        hazards, alive = _odds(durations, self._ages[1:])
        densities = [((one + other) / 2) ** DENSITY_POWER for one, other in pairwise([0.0, *hazards])]
        weights = [step * (one + other) / 2 for step, (one, other) in zip(steps, pairwise([1.0, *alive]), strict=True)]
        self._rates = [*_scaled(densities, weights, interval), 1 / (LONGEST_PAUSE * interval)]
        self._looks = [0.0, *accumulate(step * rate for step, rate in zip(steps, self._rates, strict=False))]

    def pause(self, age: float, chance: float) -> float:
        """Return the seconds from a look at a build of this age, in seconds, to the next one.

        `chance`: a random number from 0 to 1.
        """
        now = bisect_right(self._ages, age) - 1
        due = self._looks[now] + (age - self._ages[now]) * self._rates[now] + vary(chance, PLAN_JITTER)
        then = bisect_right(self._looks, due) - 1
        return self._ages[then] + (due - self._looks[then]) / self._rates[then] - age


def _odds(durations: Sequence[float], ages: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return the hazard, and the share of builds that still run, at each age."""
    logs = sorted(map(math.log, durations))
    others = UNUSUAL_SHARE / (1 - UNUSUAL_SHARE) * len(logs)
    hazards, alive = [], []
    for age in ages:
        log_age = math.log(age)
        left = [_logistic((log - log_age) / USUAL_SPREAD) for log in logs]
        broad = _logistic((logs[len(logs) // 2] - log_age) / UNUSUAL_SPREAD)
        ending = (
            sum(share * (1 - share) for share in left) / USUAL_SPREAD + others * broad * (1 - broad) / UNUSUAL_SPREAD
        )
        running = sum(left) + others * broad
        hazards.append(ending / age / running)
        alive.append(running / (len(logs) + others))
    return hazards, alive


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-max(x, -500.0)))


def _scaled(densities: Sequence[float], weights: Sequence[float], interval: float) -> list[float]:
    """Scale the densities so that a build gets as many looks, on the average, as with the steady interval."""
    least, most = 1 / (LONGEST_PAUSE * interval), 1 / (SHORTEST_PAUSE * interval)
    wanted = sum(weights) / interval
    low, high = least / max(densities), most / min(density for density in densities if density > 0)
    rates = [least] * len(densities)
    for _ in range(24):
        factor = math.sqrt(low * high)
        tried = [min(max(factor * density, least), most) for density in densities]
        if sum(weight * rate for weight, rate in zip(weights, tried, strict=True)) > wanted:
            high = factor
        else:
            low, rates = factor, tried
    return rates
