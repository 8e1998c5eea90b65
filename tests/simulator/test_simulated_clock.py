"""The service's clock."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from gate.simulator.builds import SimulatedClock

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_speed_zero_freezes_the_clock() -> None:
    """A frozen clock shows its start for ever."""
    clock = SimulatedClock(speed=0, start=START)
    time.sleep(0.01)
    assert clock.now() == START


def test_advance_moves_a_frozen_clock() -> None:
    """What is advanced is added to the time, and can be taken back."""
    clock = SimulatedClock(speed=0, start=START)
    clock.advance(90)
    clock.advance(-30)
    assert clock.now() == START + timedelta(seconds=60)


def test_speed_scales_real_time() -> None:
    """At a speed of 1000, a hundredth of a second is ten seconds or more."""
    clock = SimulatedClock(speed=1000, start=START)
    time.sleep(0.01)
    assert clock.now() >= START + timedelta(seconds=10)


def test_no_start_given_takes_the_real_time() -> None:
    """By default the service's time begins as the host's."""
    before = datetime.now(UTC)
    assert before <= SimulatedClock(speed=0).now() <= datetime.now(UTC)


def test_negative_speed_is_refused() -> None:
    """Time does not run backwards by itself."""
    with pytest.raises(ValueError, match="negative"):
        SimulatedClock(speed=-1)


def test_many_threads_advancing_lose_nothing() -> None:
    """Each of 8000 steps from eight threads counts."""
    clock = SimulatedClock(speed=0, start=START)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(clock.advance, [1] * 8000))
    assert clock.now() == START + timedelta(seconds=8000)


def test_change_of_speed_keeps_the_time_that_has_passed() -> None:
    """What is left of the former speed is no jump."""
    clock = SimulatedClock(speed=1e6)
    time.sleep(0.002)
    clock.set_speed(0)
    passed = clock.now() - clock.start
    assert passed >= timedelta(seconds=2000)
    clock.set_speed(1)
    assert timedelta() <= clock.now() - clock.start - passed < timedelta(seconds=60)
