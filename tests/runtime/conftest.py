"""A machine that has no threads left."""

import threading
from collections.abc import Callable

import pytest

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
