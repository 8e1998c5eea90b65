"""The soak in small; `python -m tests.bench.soak` is the large one."""

from gate.limits import MAX_CONNECTIONS, MAX_SLOW_CALLS
from tests.bench.soak import soak


def test_many_targets_in_a_bad_world_get_the_right_verdicts() -> None:
    """With faults in every tenth answer and a token that expires; memory and threads stay flat."""
    soaked = soak(targets=20, minutes=3, speed=60)
    assert not soaked.wrong
    assert soaked.faulty > 5
    assert max(soaked.threads) <= MAX_CONNECTIONS * 3 // 2 + MAX_SLOW_CALLS + 4
    assert soaked.growth < 10
