"""When to look next, and how many requests a minute."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.core.schedule import BACKOFF_FIRST, BACKOFF_MOST, JITTER, RETRY_AFTER_MOST, Pace, backoff, pause

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
    assert pause(9, 10.0, chance) == pytest.approx(8.0 if chance == 0 else 12.0)


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
    """Several answers to requests under way halve it once; without more throttling the ceiling comes back."""
    now = pause_before
    pace = Pace(ceiling, 0.0)
    for _ in range(5):
        pace.ease(now)
    assert pace.rate == max(ceiling / 2, min(Pace.LEAST, ceiling))
    assert pace.ready_at(now) > now
    later = now + 60 * Pace.CLIMB + 1
    pace.ready_at(later)
    assert pace.rate == ceiling


def test_throttling_again_and_again_leaves_a_little() -> None:
    """Two requests a minute are always allowed."""
    pace, now = Pace(60.0, 0.0), 0.0
    for _ in range(100):
        now += 61
        pace.ease(now)
    assert pace.rate >= Pace.LEAST


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
