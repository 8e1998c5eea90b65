"""Threads in virtual time take turns."""

from functools import partial

import pytest

from tests.bench.fleet import Fleet, wait
from tests.bench.timeline import Timeline


def test_threads_go_on_in_the_order_of_their_instants() -> None:
    """Of two that wait for the same instant, the first goes on first; another clock moves by the same time."""
    moved: list[float] = []
    seen: list[tuple[str, float]] = []
    timeline = Timeline(moved.append)

    def ticks(name: str, pause: float) -> None:
        for _ in range(3):
            seen.append((name, timeline.now()))
            timeline.wait_until(timeline.now() + pause)

    timeline.run([(0.0, partial(ticks, "slow", 2.0)), (1.0, partial(ticks, "fast", 1.0))])
    assert seen == [("slow", 0), ("fast", 1), ("slow", 2), ("fast", 2), ("fast", 3), ("slow", 4)]
    assert sum(moved) == timeline.now() == 6


def test_failure_of_one_thread_ends_the_run_after_the_others() -> None:
    """No thread waits for ever."""
    timeline = Timeline(lambda _: None)

    def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        timeline.run([(0.0, fails), (1.0, partial(timeline.wait_until, 5.0))])
    assert timeline.now() == 5


def test_fleet_does_the_same_in_every_run() -> None:
    """Gates in threads that share a limit and a service ask the same, and get the right verdicts."""
    once, again = (wait(Fleet(3, 4), 20, 30, reads_lists=True) for _ in range(2))
    assert once.right == 12
    assert once.refused > 0
    assert once == again
