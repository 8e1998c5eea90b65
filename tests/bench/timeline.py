"""Virtual time for several threads."""

import heapq
import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor


class Timeline:
    """Lets one thread run at a time, and lets time pass when all of them wait.

    The thread that waits for the earliest instant goes on; of several, the one that began to wait first. So the order
    is the same in every run.
    """

    def __init__(self, advance: Callable[[float], None]) -> None:
        """`advance` moves another clock, such as the service's, by so many seconds."""
        self._advance = advance
        self._now = 0.0
        self._waiting: list[tuple[float, int, threading.Semaphore]] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        """Return the instant, in seconds."""
        return self._now

    def wait_until(self, instant: float) -> None:
        """Let the other threads run until the instant has come."""
        turn = self._line_up(instant)
        self._wake_next()
        turn.acquire()

    def run(self, parts: Sequence[tuple[float, Callable[[], None]]]) -> None:
        """Run each function in a thread of its own, from its instant on, and return when all of them have ended."""
        with ThreadPoolExecutor(len(parts)) as pool:
            turns = [self._line_up(instant) for instant, _ in parts]
            ends = [pool.submit(self._run_part, turn, part) for turn, (_, part) in zip(turns, parts, strict=True)]
            self._wake_next()
        for end in ends:
            end.result()

    def _run_part(self, turn: threading.Semaphore, part: Callable[[], None]) -> None:
        turn.acquire()
        try:
            part()
        finally:
            if self._waiting:
                self._wake_next()

    def _line_up(self, instant: float) -> threading.Semaphore:
        """Return what is released when the instant has come."""
        turn = threading.Semaphore(0)
        heapq.heappush(self._waiting, (max(instant, self._now), next(self._numbers), turn))
        return turn

    def _wake_next(self) -> None:
        """Let the time pass until the earliest instant, and wake the thread that waits for it."""
        instant, _, turn = heapq.heappop(self._waiting)
        self._advance(instant - self._now)
        self._now = instant
        turn.release()
