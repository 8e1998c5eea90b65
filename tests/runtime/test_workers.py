"""A machine that has no thread left: what can be done is done, and the rest is said."""

import os
import threading
import time
from collections.abc import Callable

import pytest

from gate.core.ports import CallResult
from gate.errors import PermanentError
from gate.runtime.streams import BackgroundWriter
from gate.runtime.workers import WorkerPool

Leave = Callable[[int], None]


@pytest.fixture
def leave(monkeypatch: pytest.MonkeyPatch) -> Leave:
    """Return a function that leaves this many threads to be started."""
    start = threading.Thread.start

    def limit(number: int) -> None:
        left = iter(range(number))

        def start_or_fail(thread: threading.Thread) -> None:
            if next(left, None) is None:
                raise RuntimeError("can't start new thread")
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", start_or_fail)

    return limit


def answers(crew: WorkerPool, count: int) -> list[CallResult]:
    """Submit some calls, which give their number, and take what comes of them."""
    for key in range(1, count + 1):
        crew.submit(key, lambda key=key: key)  # type: ignore[misc]
    events = [crew.next(time.monotonic() + 5) for _ in range(count)]
    return [event for event in events if isinstance(event, CallResult)]


def test_threads_that_there_are_do_the_work_of_the_others(leave: Leave) -> None:
    """Two of eight could be started."""
    leave(2)
    assert sorted(str(answer.value) for answer in answers(WorkerPool(8), 8)) == list("12345678")


def test_no_thread_at_all_is_told_with_what_to_do(leave: Leave) -> None:
    """Each call ends at once, and its place is free again."""
    leave(0)
    crew = WorkerPool(8)
    [answer] = answers(crew, 1)
    assert isinstance(answer.error, PermanentError)
    assert "ulimit -u" in answer.error.hint
    assert answers(crew, 8)[-1].error is not None
    assert crew.has_room()


def test_outlet_without_a_thread_writes_all_the_same(leave: Leave) -> None:
    """Better to be held up than to say nothing."""
    leave(0)
    reader, writer = os.pipe()
    outlet = BackgroundWriter(writer)
    outlet.write(b"passed\n")
    outlet.drain(time.monotonic() + 5)
    assert os.read(reader, 100) == b"passed\n"
    os.close(reader)
    os.close(writer)
