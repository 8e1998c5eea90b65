"""When to look next, and how many requests a minute."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.core.schedule import BACKOFF_FIRST, BACKOFF_MOST, JITTER, RETRY_AFTER_MOST, Pace, backoff, pause, steady_pause

chances = st.floats(0, 1)


def test_first_looks_come_fast_then_steady() -> None:
    """After 2, 4 and 8 s, then at the steady interval."""
    assert [pause(look, 10.0, 0.5) for look in range(1, 7)] == [2.0, 4.0, 8.0, 10.0, 10.0, 10.0]


def test_first_looks_are_never_slower_than_the_steady_interval() -> None:
    """Who polls every 3 s is not made to wait 8."""
    assert [pause(look, 3.0, 0.5) for look in range(1, 6)] == [2.0, 3.0, 3.0, 3.0, 3.0]


@given(st.integers(1, 1000), st.floats(0.001, 3600), chances)
def test_jitter_stays_within_a_fifth(look: int, interval: float, chance: float) -> None:
    """A pause is at most 20 % off what it would be without chance."""
    steady = pause(look, interval, 0.5)
    assert steady * (1 - JITTER) * 0.999 <= pause(look, interval, chance) <= steady * (1 + JITTER) * 1.001


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_jitter_reaches_both_bounds(chance: float) -> None:
    """Chance is used in full."""
    assert pause(9, 10.0, chance) == steady_pause(10.0, chance) == pytest.approx(8.0 if chance == 0 else 12.0)


def test_backoff_doubles_from_a_second_and_is_halved_by_chance() -> None:
    """So gates that failed together do not come back together."""
    assert [backoff(failures, 60, 1.0) for failures in range(5)] == [1, 2, 4, 8, 16]
    assert [backoff(failures, 60, 0.0) for failures in range(5)] == [0.5, 1, 2, 4, 8]


@given(st.integers(1, 10_000), st.floats(0.001, 3600), chances)
def test_backoff_grows_to_the_steady_interval_at_most(failures: int, interval: float, chance: float) -> None:
    """CheckFailed never makes the gate ask faster than twice a second, nor slower than its interval or a minute."""
    seconds = backoff(failures, interval, chance)
    assert BACKOFF_FIRST / 2 <= seconds <= min(max(interval, BACKOFF_FIRST), BACKOFF_MOST)
    assert seconds <= backoff(failures + 1, interval, chance)


@given(st.integers(1, 20), chances, st.none() | st.floats(0, 1e9))
def test_retry_after_is_never_undercut(failures: int, chance: float, retry_after: float | None) -> None:
    """The service's own wish counts, up to two minutes."""
    seconds = backoff(failures, 10.0, chance, retry_after)
    assert seconds >= min(retry_after or 0.0, RETRY_AFTER_MOST)
    assert seconds <= max(RETRY_AFTER_MOST, 10.0)


moves = st.lists(st.tuples(st.sampled_from(["ask", "ask", "ask", "ease"]), st.floats(0, 30)), max_size=300)


@given(st.floats(1, 6000), moves)
def test_rate_stays_below_its_ceiling_in_any_minute(ceiling: float, steps: list[tuple[str, float]]) -> None:
    """No minute has more requests than allowed, the burst included, whatever comes."""
    now = 50.0
    pace, sent = Pace(ceiling, now), []
    for step, delay in steps:
        now += delay
        if step == "ease":
            pace.ease(now)
        else:
            now = max(now, pace.ready_at(now))
            pace.spend(now)
            sent.append(now)
        assert 0 < pace.rate <= pace.ceiling == ceiling
    for first in sent:
        assert sum(first <= instant < first + 59.999 for instant in sent) <= ceiling


@given(st.floats(1, 6000), st.floats(0, 100))
def test_throttling_halves_the_rate_once_and_it_recovers(ceiling: float, pause_before: float) -> None:
    """Several answers to requests under way halve it once; twelve minutes without more bring the ceiling back."""
    now = pause_before
    pace = Pace(ceiling, 0.0)
    for _ in range(5):
        pace.ease(now)
    assert pace.rate == max(ceiling / 2, min(Pace.LEAST, ceiling))
    assert pace.ready_at(now) > now
    later = now + 12 * 60 + 1
    pace.ready_at(later)
    assert pace.rate == ceiling


def test_throttling_again_and_again_leaves_a_little() -> None:
    """Two requests a minute are always allowed."""
    pace, now = Pace(10.0, 0.0), 0.0
    for _ in range(100):
        now += 61
        pace.ease(now)
    assert pace.rate >= 2


def test_burst_is_free_then_the_rate_holds() -> None:
    """A single target never waits at the start; afterwards the rate does."""
    pace = Pace(60.0, 0.0)
    for _ in range(10):
        assert pace.ready_at(0.0) == 0.0
        pace.spend(0.0)
    assert pace.ready_at(0.0) == pytest.approx(Pace.MINUTE / 60)


def test_many_refusals_at_once_halve_a_high_rate_once() -> None:
    """Hundreds of requests a second were under way when the service began to throttle."""
    pace = Pace(6000.0, 0.0)
    for tenth in range(40):
        pace.ease(tenth / 10)
    assert pace.rate == pytest.approx(3000, rel=0.02)


def test_fastest_that_is_allowed_is_the_rate_in_a_minute() -> None:
    """The burst at the start is no more than the minute allows, also when requests travel for different times."""
    pace, now, sent = Pace(60.0, 0.0), 0.0, []
    while now < 200:
        now = pace.ready_at(now)
        pace.spend(now)
        sent.append(now)
    assert max(sum(first <= instant < first + 60.9 for instant in sent) for first in sent) == 60


def test_burst_is_small_at_a_low_rate() -> None:
    """Ten seconds' worth, ten at most, one at least."""
    assert [Pace(rate, 0.0).tokens(0.0) for rate in (2.0, 30.0, 60.0, 6000.0)] == [1, 5, 10, 10]


def test_throttling_some_seconds_later_halves_the_rate_again() -> None:
    """The service throttles at the new rate, too."""
    pace = Pace(600.0, 0.0)
    for moment in (0.0, 6.0):
        pace.ease(moment)
    assert pace.rate == pytest.approx(150, rel=0.05)


def test_low_rate_is_halved_again_only_after_a_request_at_that_rate() -> None:
    """At six a minute, what was on the way when the rate was halved may be throttled for 20 s."""
    pace = Pace(6.0, 0.0)
    for moment in (0.0, 10.0):
        pace.ease(moment)
    assert pace.rate > 3


def test_gates_that_were_throttled_together_come_back_apart() -> None:
    """By as much as the time of one request."""
    first, last = Pace(60.0, 0.0), Pace(60.0, 0.0)
    first.ease(0.0, 0.0)
    last.ease(0.0, 1.0)
    assert last.ready_at(0.0) == pytest.approx(2 * first.ready_at(0.0))


def test_requests_beside_the_first_of_a_call_count() -> None:
    """Another path, another token, a sign-in."""
    pace = Pace(60.0, 0.0)
    pace.spend(0.0)
    pace.catch_up(4, 0.0)
    assert pace.tokens(0.0) == 6
    pace.catch_up(4, 0.0)
    assert pace.tokens(0.0) == 6


def test_room_is_what_rate_and_minute_leave() -> None:
    """Of a minute's sixty, those count that were sent in the minute before the instant."""
    pace = Pace(60.0, 0.0)
    for _ in range(50):
        pace.spend(0.0)
    assert pace.room(0.0, 60.0) == 10
    pace.spend(45.0)
    assert pace.room(60.5, 105.0) == pytest.approx(pace.tokens(60.5) + 44.5 * pace.per_second)


def test_instant_before_the_last_one_changes_nothing() -> None:
    """Nothing is spent or earned by it, nor by the way back."""
    pace = Pace(60.0, 0.0)
    for _ in range(10):
        pace.spend(100.0)
    before = pace.tokens(100.0)
    assert pace.tokens(50.0) == before
    assert pace.tokens(100.0) == before
