"""The poll_plan of looks, and what else past builds let expect."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.core.forecast import (
    LONGEST_PAUSE,
    MIN_PLAN_BUILDS,
    MIN_SLOW_BUILDS,
    PLAN_JITTER,
    SHORTEST_PAUSE,
    PollPlan,
    forecast,
)
from gate.model import ListedBuild
from tests.core.fakes import build
from tests.tables import each_row

durations = st.lists(st.floats(0, 1e6), min_size=1, max_size=30)


@given(durations, st.floats(0.1, 600), st.floats(0, 1e7), st.floats(0, 1))
def test_pause_stays_within_its_bounds(past: list[float], interval: float, age: float, chance: float) -> None:
    """Whatever the past, no look comes at once and none is put off for long."""
    pause = PollPlan(past, interval).pause(age, chance)
    assert SHORTEST_PAUSE * (1 - PLAN_JITTER) * 0.999 <= pause / interval <= LONGEST_PAUSE * (1 + PLAN_JITTER) * 1.001


def replay(poll_plan: PollPlan, durations: Sequence[float], chance: Random) -> tuple[float, float]:
    """Return the mean number of looks at a build, and the mean seconds from its end to the look that sees it."""
    looks, lags = 0, []
    for duration in durations:
        age = 0.0
        while age < duration:
            age += poll_plan.pause(age, chance.random())
            looks += 1
        lags.append(age - duration)
    return looks / len(durations), mean(lags)


@each_row("spread", [0.01, 0.1, 0.5, 1.0])
def test_builds_like_those_before_get_as_many_looks_as_steady_ones(spread: float) -> None:
    """The interval says what may be spent; the poll_plan only spends it better."""
    chance = Random(1)
    past = [600 * chance.lognormvariate(0, spread) for _ in range(30)]
    looks, _ = replay(PollPlan(past, 10), past * 20, chance)
    assert mean(past) / 10 * 0.85 <= looks <= mean(past) / 10 * 1.03 + 1


@each_row("spread, most", [(0.01, 0.45), (0.05, 0.52)])
def test_lag_is_about_half_that_of_a_steady_interval_with_as_many_looks(spread: float, most: float) -> None:
    """Some builds end early or late; the others resemble each other."""

    def some(seed: int, number: int) -> list[float]:
        chance = Random(seed)
        usual = (600 * chance.lognormvariate(0, spread) for _ in range(number))
        return [one if chance.random() < 0.7 else chance.uniform(60, 1200) for one in usual]

    durations = some(2, 600)
    looks, lag = replay(PollPlan(some(1, 60), 10), durations, Random(3))
    assert lag / (mean(durations) / (looks - 0.5) / 2) < most


def test_looks_gather_where_builds_end() -> None:
    """A look pays when the build is about to end, and seldom in its middle."""
    poll_plan = PollPlan([580, 590, 600, 610, 620] * 4, 10)
    assert poll_plan.pause(595, 0.5) < 4
    assert poll_plan.pause(300, 0.5) > 12


def test_build_slower_than_all_is_still_looked_at() -> None:
    """One that hangs gets a look every other interval."""
    assert PollPlan([600] * 20, 10).pause(50_000, 0.5) == pytest.approx(LONGEST_PAUSE * 10)


def test_two_kinds_of_builds_get_two_gatherings() -> None:
    """A job that either fails early or runs long."""
    poll_plan = PollPlan([60] * 10 + [900] * 10, 10)
    ages = [40, 60, 400, 900]
    early, at_first, between, at_second = (poll_plan.pause(age, 0.5) for age in ages)
    assert at_first < early
    assert at_first < between > at_second


def test_looks_gather_as_closely_as_builds_resemble_each_other() -> None:
    """How far a build may be from the past ones is learned from these."""
    chance = Random(1)
    alike, unlike = ([600 * chance.lognormvariate(0, spread) for _ in range(30)] for spread in (0.01, 0.2))
    assert PollPlan(alike, 10).pause(600, 0.5) < PollPlan(unlike, 10).pause(600, 0.5)


def test_looks_gather_more_where_the_newest_builds_ended() -> None:
    """The durations of a job change: newer builds come first, and count more."""
    chance = Random(1)
    short, long = ([seconds * chance.lognormvariate(0, 0.1) for _ in range(30)] for seconds in (300, 900))
    assert PollPlan(short + long, 10).pause(300, 0.5) < PollPlan(long + short, 10).pause(300, 0.5)


def test_pauses_vary_by_chance() -> None:
    """Gates that start together do not go on together."""
    poll_plan = PollPlan([600] * 20, 10)
    assert poll_plan.pause(60, 1.0) > poll_plan.pause(60, 0.5) > poll_plan.pause(60, 0.0)


def rows(*seconds: float | None, word: str = "SUCCESS") -> list[ListedBuild]:
    """Return the list of a job's builds, newest first."""
    numbers = range(len(seconds), 0, -1)
    return [build(number, word=word, duration_seconds=one) for number, one in zip(numbers, seconds, strict=True)]


def test_no_history_expects_nothing() -> None:
    """A new job, or one whose rows have no durations."""
    assert forecast([], 10) == forecast(rows(None, None), 10) == (None, None, None)


def test_expectation_is_the_median_of_the_last_passes() -> None:
    """Builds that failed or still run do not count, older ones neither."""
    builds = [*rows(5.0, word="FAILURE"), *rows(7.0, word="RUNNING"), *rows(100.0, 120.0, 140.0)]
    assert forecast(builds, 10).seconds == 120
    assert forecast(rows(*[100.0] * 10, *[900.0] * 50), 10).seconds == 100


def test_poll_plan_needs_some_history() -> None:
    """Below ten ended builds, looks stay steady; failures are history, too."""
    assert forecast(rows(*[60.0] * (MIN_PLAN_BUILDS - 1)), 10).poll_plan is None
    assert forecast(rows(*[60.0] * MIN_PLAN_BUILDS, word="FAILURE"), 10).poll_plan is not None


def test_poll_plan_knows_the_last_hundred_builds() -> None:
    """As many as one page of the list has; the pages that are read may have more."""
    hundred, more = (forecast(rows(*[60.0] * 100, *older), 10).poll_plan for older in ([], [900.0] * 100))
    assert hundred
    assert more
    assert hundred.pause(30, 0.5) == more.pause(30, 0.5)


def test_slow_is_what_95_percent_stayed_below() -> None:
    """It is said only where twenty builds passed."""
    assert forecast(rows(*[60.0] * (MIN_SLOW_BUILDS - 1)), 10).slow_seconds is None
    assert forecast(rows(*map(float, range(101))), 10).slow_seconds == pytest.approx(95, abs=1)


def test_poll_plan_is_monotonic_in_time() -> None:
    """A later look is never planned before an earlier one."""
    poll_plan = PollPlan([30.0, 60.0, 61.0, 62.0, 300.0], 10)
    planned = [age + poll_plan.pause(age, 0.5) for age in (step * 0.5 for step in range(2000))]
    assert all(earlier <= later for earlier, later in pairwise(planned))
