"""A machine that has no thread left: what can be done is done, and the rest is said."""

import time
from collections.abc import Callable

from gate.core.ports import CallResult
from gate.errors import PermanentError
from gate.runtime.workers import WorkerPool

Leave = Callable[[int], None]


def results(pool: WorkerPool, count: int) -> list[CallResult]:
    """Submit some calls, which give their number, and take what comes of them."""
    for key in range(1, count + 1):
        pool.submit(key, lambda key=key: key)  # type: ignore[misc]
    events = [pool.next(time.monotonic() + 5) for _ in range(count)]
    return [event for event in events if isinstance(event, CallResult)]


def test_threads_that_there_are_do_the_work_of_the_others(leave: Leave) -> None:
    """Two of eight could be started."""
    leave(2)
    assert sorted(str(result.value) for result in results(WorkerPool(8), 8)) == list("12345678")


def test_no_thread_at_all_is_told_with_what_to_do(leave: Leave) -> None:
    """Each call ends at once, and its place is free again."""
    leave(0)
    pool = WorkerPool(8)
    [result] = results(pool, 1)
    assert isinstance(result.error, PermanentError)
    assert "ulimit -u" in result.error.hint
    assert results(pool, 8)[-1].error is not None
    assert pool.has_room()
