"""Whose turn it is, when not all can be asked at once."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.core.asks import Ask, Priority
from gate.core.queue import Queue, Turn
from gate.core.schedule import Pace
from tests.conftest import with_few_examples


def nothing() -> None:
    """Stand for a call."""


def queue_of(*asks: Ask[Any], per_minute: float = 60.0) -> Queue:
    """Return a queue in which asks wait."""
    queue = Queue(Pace(per_minute, 0.0))
    for ask in asks:
        queue.add(ask)
    return queue


def turn(queue: Queue, now: float, *, without_room: Sequence[Ask[Any]] = ()) -> Turn:
    """Return whose turn it is."""
    return queue.turn(now, lambda ask: ask not in without_room)


def serve(pauses: Sequence[float], per_minute: float, minutes: float) -> tuple[Counter[int], dict[int, float]]:
    """Let targets want a look again and again after their pauses; count them, and give each one's longest gap."""
    now, queue = 0.0, Queue(Pace(per_minute, 0.0))
    owner: dict[Ask[Any], int] = {}
    last, gaps = dict.fromkeys(range(len(pauses)), 0.0), dict.fromkeys(range(len(pauses)), 0.0)
    counts: Counter[int] = Counter()

    def ask(target: int, at: float) -> None:
        one = Ask(nothing, at)
        owner[one] = target
        queue.add(one)

    for target in range(len(pauses)):
        ask(target, now)
    while now < minutes * 60:
        taken = turn(queue, now)
        while taken.ask is not None:
            target = owner.pop(taken.ask)
            counts[target] += 1
            gaps[target] = max(gaps[target], now - last[target])
            last[target] = now
            ask(target, now + pauses[target])
            taken = turn(queue, now)
        now = max(taken.look_again, now + 1e-6)
    return counts, gaps


def test_priority_goes_first_and_then_who_has_been_due_longest() -> None:
    """The order in which they were added does not matter."""
    polls = [Ask(nothing, 3.0), Ask(nothing, 1.0), Ask(nothing, 2.0)]
    others = [Ask(nothing, 3.0, priority) for priority in reversed(Priority) if priority is not Priority.POLL]
    queue = queue_of(*polls, *others)
    order = [turn(queue, 5.0).ask for _ in range(len(polls) + len(others))]
    by_due = sorted(polls, key=lambda ask: ask.not_before)
    assert order == [*reversed(others[2:]), *by_due, others[1], others[0]]


def test_stop_waits_for_no_turn_and_is_counted() -> None:
    """It is late for everything else when a build must be stopped; those after it wait for its request."""
    poll, stop = Ask(nothing), Ask(nothing, priority=Priority.STOP)
    queue = queue_of(poll, stop, per_minute=6)  # a burst of one
    queue.pace.ease(0.0, 1.0)
    assert turn(queue, 0.0).ask is stop
    assert turn(queue, 0.0).ask is None
    assert turn(queue, 5.0).ask is None
    assert turn(queue, 61.0).ask is poll


def test_pause_costs_no_request() -> None:
    """Also where the rate allows nothing."""
    pause: Ask[Any] = Ask(None, 3.0)
    queue = queue_of(pause, per_minute=6)
    queue.pace.spend(0.0)
    assert turn(queue, 2.0) == Turn(None, 3.0)
    assert turn(queue, 3.0).ask is pause


def test_with_room_everybody_is_asked_in_time() -> None:
    """Nothing is felt of the rate as long as it is high enough."""
    counts, gaps = serve([10, 10, 20], per_minute=60, minutes=20)
    assert [counts[target] for target in range(3)] == pytest.approx([120, 120, 60], abs=2)
    assert max(gaps.values()) < 21


def test_five_hundred_targets_at_sixty_a_minute_each_get_their_turn() -> None:
    """The longest gap is about what it would be if all were asked in a circle."""
    counts, gaps = serve([10] * 500, per_minute=60, minutes=60)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert max(gaps.values()) < 500 / 51 * 60 + 30


@with_few_examples
@given(st.lists(st.floats(0.5, 120), min_size=1, max_size=40), st.floats(6, 600))
def test_nobody_starves(pauses: list[float], per_minute: float) -> None:
    """No target waits longer than its pause and one turn of each of the others.

    The requests of the burst come early, and their time passes without a request later in the same minute.
    """
    _, gaps = serve(pauses, per_minute, minutes=30)
    per_second = per_minute / 60 * 0.8
    burst = max(min(Pace.BURST, per_minute / 6), 1)
    for target, pause in enumerate(pauses):
        assert gaps[target] <= pause + (len(pauses) + burst) / per_second * 1.2 + 1


def test_ask_without_a_thread_lets_others_go_first() -> None:
    """It keeps its place: it is the next one once there is a thread."""
    first, second = Ask(nothing, 1.0), Ask(nothing, 2.0)
    queue = queue_of(first, second)
    assert turn(queue, 5.0, without_room=[first]).ask is second
    assert turn(queue, 5.0, without_room=[first]) == Turn(None, math.inf)
    assert turn(queue, 5.0).ask is first


def test_late_asks_are_told_once() -> None:
    """Also those that have been taken: their answers are still to come."""
    ask = Ask(nothing, expires=5.0)
    queue = queue_of(ask)
    assert turn(queue, 0.0).ask is ask
    assert queue.next_expiry() == 5.0
    assert [list(queue.expired(now)) for now in (4.9, 5.0, 6.0)] == [[], [ask], []]


def test_removed_ask_neither_comes_up_nor_wakes() -> None:
    """A target that has been left is no reason to do anything."""
    ask = Ask(nothing)
    queue = queue_of(ask)
    queue.remove(ask)
    queue.remove(ask)
    assert ask not in queue
    assert turn(queue, 0.0) == Turn(None, math.inf)


def test_moved_ask_comes_at_its_new_instant_only() -> None:
    """Earlier or later, and once."""
    early, late = Ask(nothing, 9.0), Ask(nothing, 1.0)
    queue = queue_of(early, late)
    queue.move(early, 2.0, Priority.NEXT)
    queue.move(late, 20.0)
    assert [turn(queue, now).ask for now in (1.0, 2.0, 9.0, 20.0, 21.0)] == [None, early, None, late, None]
    queue.move(late, 30.0)
    assert late not in queue


def test_side_channel_takes_only_what_the_polls_leave() -> None:
    """It is left waiting where a poll that is due later would come late because of it."""
    side = Ask(nothing, priority=Priority.SIDE)
    polls = [Ask(nothing, 10.0 + index) for index in range(10)]
    full = queue_of(side, *polls, per_minute=60)
    assert turn(full, 0.0).ask is side
    busy = queue_of(Ask(nothing, priority=Priority.SIDE), *[Ask(nothing, 1.0) for _ in range(10)], per_minute=60)
    held = turn(busy, 0.0)
    assert held.ask is None
    assert 0.0 < held.look_again <= 1.0


@pytest.mark.parametrize(("left", "turns"), [(2, [False, True]), (4, [True, True])])
def test_side_channels_leave_what_polls_and_verdicts_need(left: int, turns: list[bool]) -> None:
    """A poll comes soon; what explains a verdict needs one request beside its own, a log leaves two more."""
    for priority, has_turn in zip((Priority.SIDE, Priority.EXPLAIN), turns, strict=True):
        queue = queue_of(Ask(nothing, 0.5), Ask(nothing, 0.0, priority))
        while queue.pace.tokens(0.0) > left:
            queue.pace.spend(0.0)
        assert (turn(queue, 0.0).ask is not None) == has_turn


def test_side_channels_leave_what_polls_need_of_the_minute() -> None:
    """There are tokens, but the poll in ten seconds would be the request too many within a minute."""
    for already, has_turn in ((55, True), (59, False)):
        queue = queue_of(Ask(nothing, 70.0), Ask(nothing, 60.0, Priority.SIDE))
        for number in range(already):
            queue.pace.spend(10.0 + number * 50 / already)
        assert (turn(queue, 60.0).ask is not None) == has_turn
