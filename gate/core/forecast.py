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
from operator import mul, sub, truediv

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

CELL = 0.03
"""Ages are divided into cells of this width, as a difference of logarithms: each is 3 % longer than the one before."""

REACHES = (1, 3, 9, 27)
"""How many cells a build may end before or after a past one: by 3 % at least, by more than twice the time at most."""

ROUNDS = 10
"""Rounds in which the shares of the reaches are estimated. More change little."""

ROUNDING = 1e-9
"""What is left of a chance that is nil, at most: sums of floats differ from each other by less."""

SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 4.0
"""Bounds of the time between two polls, in steady intervals."""

PLAN_JITTER = 0.05
"""Pauses vary by this share up and down: less than steady ones, as past builds differ from job to job already."""


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
        """Take durations of past builds, newest first, and the steady interval, in seconds."""
        cells = [math.floor(math.log(max(duration, 1.0)) / CELL) for duration in durations]
        first = min(cells) - REACHES[-1]
        chances = [0.0, *_chances([cell - first for cell in cells])]
        self._ages = [0.0, *(math.exp(CELL * (first + cell)) for cell in range(len(chances)))]
        steps = [end - start for start, end in pairwise(self._ages)]
        left = [*accumulate(reversed(chances))][::-1]
        weights = [step * (alive - chance / 2) for step, alive, chance in zip(steps, left, chances, strict=True)]
        densities = [math.sqrt(chance / weight) for chance, weight in zip(chances, weights, strict=True)]
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


def _chances(cells: Sequence[int]) -> list[float]:
    """Return the chance that a build ends in each cell, given those in which past builds ended, newest first.

    Builds end within each reach of the past ones, evenly. Newer builds count more, whether durations change from build
    to build or from month to month: no age is the one at which they cease to count. Each reach has the share by which
    the builds are told best from each other (maximum likelihood by expectation maximisation, leaving out the build
    that is told; one build more for each reach keeps all of them possible).
    """
    weights = [1 / math.sqrt(rank) for rank in range(1, len(cells) + 1)]
    room = REACHES[-1]
    ended = [0.0] * (room + max(cells) + 1 + 2 * room)
    for cell, weight in zip(cells, weights, strict=True):
        ended[room + cell] += weight
    before = [0.0, *accumulate(ended)]
    near = [
        [within / (2 * reach + 1) for within in map(sub, before[room + reach + 1 :], before[room - reach :])]
        for reach in REACHES
    ]
    told = [
        [by_cell[cell] - weight / (2 * reach + 1) for cell, weight in zip(cells, weights, strict=True)]
        for by_cell, reach in zip(near, REACHES, strict=True)
    ]
    shares = [1.0] * len(REACHES)
    for _ in range(ROUNDS):
        totals = [max(sum(map(mul, shares, chances)), ROUNDING) for chances in zip(*told, strict=True)]
        shares = [1 + share * sum(map(truediv, part, totals)) for share, part in zip(shares, told, strict=True)]
    whole = sum(shares) * sum(weights)
    return [sum(map(mul, shares, chances)) / whole for chances in zip(*near, strict=False)]


def _scaled(densities: Sequence[float], weights: Sequence[float], interval: float) -> list[float]:
    """Scale the densities so that a build gets as many looks, on the average, as with the steady interval."""
    least, most = 1 / (LONGEST_PAUSE * interval), 1 / (SHORTEST_PAUSE * interval)
    wanted = sum(weights) / interval
    low, high = least / max(densities), most / min(density for density in densities if density > 0)
    rates = [least] * len(densities)
    for _ in range(14):
        factor = math.sqrt(low * high)
        tried = [min(max(factor * density, least), most) for density in densities]
        if sum(weight * rate for weight, rate in zip(weights, tried, strict=True)) > wanted:
            high = factor
        else:
            low, rates = factor, tried
    return rates
