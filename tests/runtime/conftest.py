"""A machine that has no threads left."""

import _thread
from collections.abc import Callable
from typing import Any

import pytest

Leave = Callable[[int], None]


@pytest.fixture
def leave(monkeypatch: pytest.MonkeyPatch) -> Leave:
    """Return a function that leaves this many threads to be started."""
    start = _thread.start_new_thread

    def limit(number: int) -> None:
        left = iter(range(number))

        def start_or_fail(work: Callable[..., object], args: tuple[Any, ...]) -> int:
            if next(left, None) is None:
                raise RuntimeError("can't start new thread")
            return start(work, args)

        monkeypatch.setattr(_thread, "start_new_thread", start_or_fail)

    return limit
