"""Equal messages about several targets."""

import math

from gate.platforms.repeats import HOLD_SECONDS, Repeats


def test_first_target_has_its_message_at_once() -> None:
    """What one target says is never held back, and neither are different texts."""
    repeats = Repeats()
    assert not repeats.defer("a", "no stages", 10.0)
    assert not repeats.defer("b", "no log", 10.0)
    assert not repeats.defer("a", "no stages", 10.5)
    assert repeats.due() == math.inf
    assert repeats.release(math.inf) == []


def test_others_with_the_same_message_are_collected() -> None:
    """They are released together after a short while, and what goes on is collected again."""
    repeats = Repeats()
    held = [repeats.defer(f"t{index}", "no stages", 10.0 + index / 100) for index in range(60)]
    assert held == [False] + [True] * 59
    assert repeats.due() == 10.0 + HOLD_SECONDS
    assert repeats.release(11.0) == []
    (repeated,) = repeats.release(12.0)
    assert (repeated.text, len(repeated.held), repeated.held[0]) == ("no stages", 59, ("t1", 10.01))
    assert repeats.defer("t61", "no stages", 12.5)
    assert [len(one.held) for one in repeats.release(math.inf)] == [1]


def test_same_message_later_is_news() -> None:
    """Only what comes within a short while is one event."""
    repeats = Repeats()
    assert not repeats.defer("a", "no stages", 10.0)
    assert not repeats.defer("b", "no stages", 10.0 + HOLD_SECONDS)
    assert repeats.defer("a", "no stages", 10.5 + HOLD_SECONDS)
