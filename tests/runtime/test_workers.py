"""Waiting for events, and a machine that has no thread left."""

import _thread
import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from gate.core.ports import CallResult, LogLine
from gate.errors import PermanentError
from gate.runtime.workers import WorkerPool

Leave = Callable[[int], None]

START = _thread.start_new_thread


def results(pool: WorkerPool, count: int) -> list[CallResult]:
    """Submit some calls, which give their number, and take what comes of them."""
    for key in range(1, count + 1):
        pool.submit(key, lambda key=key: key)  # type: ignore[misc]
    found: list[CallResult] = []
    until = time.monotonic() + 5
    while len(found) < count and time.monotonic() < until:
        event = pool.next(until)
        found += [event] if isinstance(event, CallResult) else []
    return found


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    """Return a pool."""
    with closing(WorkerPool()) as one:
        yield one


def test_threads_that_there_are_do_the_work_of_the_others(leave: Leave, pool: WorkerPool) -> None:
    """Two of eight could be started."""
    leave(2)
    assert sorted(str(result.value) for result in results(pool, 8)) == list("12345678")


def test_no_thread_at_all_is_told_with_what_to_do(leave: Leave, pool: WorkerPool) -> None:
    """Each call ends at once."""
    leave(0)
    [result] = results(pool, 1)
    assert isinstance(result.error, PermanentError)
    assert "ulimit -u" in result.error.hint
    assert results(pool, 8)[-1].error is not None


def test_thread_for_which_there_is_no_memory_is_as_none(monkeypatch: pytest.MonkeyPatch, pool: WorkerPool) -> None:
    """Python has an error of its own for that."""

    def fail(*_: object) -> int:
        raise MemoryError

    monkeypatch.setattr(_thread, "start_new_thread", fail)
    [result] = results(pool, 1)
    assert isinstance(result.error, PermanentError)


def test_thread_that_never_begins_holds_up_nobody(monkeypatch: pytest.MonkeyPatch, pool: WorkerPool) -> None:
    """One that finds no memory says nothing. The call that it was to carry out is late, and nothing else is."""
    monkeypatch.setattr(threading.Thread, "_bootstrap", lambda _: None)
    monkeypatch.setattr(_thread, "start_new_thread", lambda _work, _args: 1)
    submitted = threading.Event()

    def submit() -> None:
        pool.submit(1, lambda: None)
        submitted.set()

    START(submit, ())
    assert submitted.wait(5)
    assert pool.next(time.monotonic()) is None


def test_short_waits_always_end(pool: WorkerPool) -> None:
    """CPython's `SimpleQueue.get(timeout=...)` waited for ever about once in 15 000 such calls."""
    until = time.monotonic() + 1
    while time.monotonic() < until:
        assert pool.next(time.monotonic() + random.random() * 50e-6) is None


def test_event_from_another_thread_ends_a_wait(pool: WorkerPool) -> None:
    """The wait would last for an hour."""
    thread = threading.Timer(0.05, pool.post, [LogLine("news")])
    thread.start()
    event = None
    while event is None:
        event = pool.next(math.inf)
    thread.join()
    assert event == LogLine("news")


def test_events_that_were_not_taken_hold_nothing_up(pool: WorkerPool) -> None:
    """More of them than the socket holds bytes: each is there, and nobody waits to write."""
    for number in range(5_000):
        pool.post(LogLine(str(number)))
    assert all(pool.next(math.inf) == LogLine(str(number)) for number in range(5_000))
    assert pool.next(time.monotonic() + 0.01) is None
