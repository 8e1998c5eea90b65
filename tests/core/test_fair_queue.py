"""Whose turn it is, when not all can be asked at once."""

import math
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.core.fair_queue import OVERDUE, FairQueue
from gate.core.ports import Ask
from gate.core.schedule import Pace


def nothing() -> None:
    """Stand for a call."""


def serve(pauses: Sequence[float], per_minute: float, minutes: float) -> tuple[Counter[int], dict[int, float]]:
    """Let targets want a look again and again after their pauses; count them, and give each one's longest gap."""
    now, turns = 0.0, FairQueue(Pace(per_minute, 0.0))
    owner, last, gaps = {}, dict.fromkeys(range(len(pauses)), 0.0), dict.fromkeys(range(len(pauses)), 0.0)
    counts: Counter[int] = Counter()
    for target in range(len(pauses)):
        owner[target] = target
        turns.add(target, Ask(nothing), now)
    key = len(pauses)
    while now < minutes * 60:
        for taken in turns.take(now):
            target = owner.pop(taken)
            counts[target] += 1
            gaps[target] = max(gaps[target], now - last[target])
            last[target] = now
            owner[key] = target
            turns.add(key, Ask(nothing, now + pauses[target]), now)
            key += 1
        now = max(turns.wake_at(now, has_room=True), now + 1e-6)
    return counts, gaps


def test_urgent_ask_waits_for_no_turn() -> None:
    """It is late for everything else when a build must be stopped."""
    pace = Pace(1, 0.0)
    turns = FairQueue(pace)
    pace.ease(0.0, 1.0)
    turns.add(1, Ask(nothing), 0.0)
    turns.add(2, Ask(nothing, urgent=True), 0.0)
    assert turns.wake_at(0.0, has_room=True) == 0.0
    assert (turns.take(0.0), turns.take(0.0)) == ([2], [])
    assert turns.wake_at(0.0, has_room=True) > 0.0


def test_urgent_ask_is_counted() -> None:
    """It waits for no turn, but those after it wait for the request that it used up."""
    pace = Pace(6, 0.0)  # a burst of one
    turns = FairQueue(pace)
    turns.add(1, Ask(nothing), 0.0)
    turns.add(2, Ask(nothing, urgent=True), 0.0)
    assert (turns.take(0.0), turns.take(0.0), turns.take(60.0)) == ([2], [], [1])


def test_with_room_everybody_is_asked_in_time() -> None:
    """Nothing is felt of the rate as long as it is high enough."""
    counts, gaps = serve([10, 10, 20], per_minute=60, minutes=20)
    assert [counts[target] for target in range(3)] == pytest.approx([120, 120, 60], abs=2)
    assert max(gaps.values()) < 21


def test_too_little_room_is_shared_in_proportion() -> None:
    """Who wants a look five times as often gets it five times as often, also when everybody has to wait longer."""
    counts, _ = serve([2] * 5 + [10] * 95, per_minute=60, minutes=120)
    urgent = sum(counts[target] for target in range(5)) / 5
    others = sum(counts[target] for target in range(5, 100)) / 95
    assert urgent / others == pytest.approx(5, rel=0.15)


def test_five_hundred_targets_at_sixty_a_minute_each_get_their_turn() -> None:
    """The longest gap is about what it would be if all were asked in a circle."""
    counts, gaps = serve([10] * 500, per_minute=60, minutes=60)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert max(gaps.values()) < 500 / 51 * 60 + 30


@given(st.lists(st.floats(0.5, 120), min_size=1, max_size=40), st.floats(6, 600))
def test_nobody_starves(pauses: list[float], per_minute: float) -> None:
    """No target waits longer than all others' turns take, each in proportion to its pause.

    The requests of the burst come early, and their time passes without a request later in the same minute.
    """
    _, gaps = serve(pauses, per_minute, minutes=30)
    per_second = per_minute / 60 * 0.8
    stretch = max(sum(1 / pause for pause in pauses) / per_second, 1)
    burst = max(min(Pace.BURST, per_minute / 6), 1)
    for target, pause in enumerate(pauses):
        assert gaps[target] <= (stretch * pause + (len(pauses) + burst) / per_second) * 1.2 + 1


def test_what_is_soon_of_no_use_goes_first() -> None:
    """A side channel has seconds, a look has time."""
    turns = FairQueue(Pace(60.0, 0.0))
    turns.add(1, Ask(nothing), 0.0)
    turns.add(2, Ask(nothing, expires=5.0), 0.0)
    assert turns.take(0.0) == [2]


def test_late_asks_are_told_once() -> None:
    """Also those that have been taken: their answers are still to come."""
    turns = FairQueue(Pace(60.0, 0.0))
    turns.add(1, Ask(nothing, expires=5.0), 0.0)
    assert turns.take(0.0) == [1]
    assert turns.wake_at(0.0, has_room=True) == 5.0
    assert turns.expired(4.9) == []
    assert turns.expired(5.0) == [1]
    assert turns.expired(6.0) == []


def test_asks_that_share_are_answered_together() -> None:
    """One call for all that wait, also for those whose time has not come; others are left alone."""
    turns = FairQueue(Pace(60.0, 0.0))
    turns.add(1, Ask(nothing, 50.0, coalesce="job"), 0.0)
    turns.add(2, Ask(nothing, 10.0, coalesce="job"), 0.0)
    turns.add(3, Ask(nothing, 10.0, coalesce="other"), 0.0)
    turns.add(4, Ask(nothing, 99.0, coalesce="job"), 0.0)
    turns.remove(4)
    assert turns.take(9.0) == []
    assert turns.take(10.0) == [2, 1]
    assert turns.take(10.0) == [3]
    assert turns.take(1000.0) == []
    assert turns.wake_at(1000.0, has_room=True) == math.inf


def test_removed_ask_neither_comes_up_nor_wakes() -> None:
    """A target that has been left is no reason to do anything."""
    turns = FairQueue(Pace(60.0, 0.0))
    turns.add(1, Ask(nothing), 0.0)
    turns.remove(1)
    turns.remove(1)
    assert turns.take(0.0) == []
    assert turns.wake_at(0.0, has_room=True) == math.inf


def test_without_room_only_lateness_wakes() -> None:
    """All workers are busy: an answer will wake the loop."""
    turns = FairQueue(Pace(60.0, 0.0))
    turns.add(1, Ask(nothing), 0.0)
    assert turns.wake_at(0.0, has_room=False) == math.inf
    assert turns.wake_at(0.0, has_room=True) == 0.0


def test_long_queue_is_known() -> None:
    """Somebody has waited for a minute beyond the time at which he was due."""
    turns = FairQueue(Pace(1.0, 0.0))
    for key in range(3):
        turns.add(key, Ask(nothing, 5.0), 0.0)
    assert turns.take(5.0) == [0]
    assert turns.take(6.0) == []
    assert not turns.is_behind(5.0 + OVERDUE)
    assert turns.is_behind(6.0 + OVERDUE)


def test_who_was_refused_goes_first() -> None:
    """A throttled look would else wait for a whole round again."""
    turns = FairQueue(Pace(60.0, 0.0))
    turns.add(1, Ask(nothing), 0.0)
    turns.add(2, Ask(nothing, 1.0, is_retry=True), 0.0)
    assert turns.take(0.0) == [1]
    turns.add(3, Ask(nothing), 0.0)
    assert turns.take(1.0) == [2]
