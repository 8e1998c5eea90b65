"""Daemon threads that carry out blocking calls, and the one queue on which everything that happens arrives."""

import math
import queue
import threading
import time
from collections.abc import Callable

from gate.core.ports import CallResult, Event
from gate.errors import PermanentError

NO_THREAD = "the gate could not start a thread"
NO_THREAD_HINT = "Raise the limit on processes and threads: ulimit -u, or the pids limit of the container."

LONGEST_WAIT = 3600.0
"""Seconds of one wait on the queue at most; the caller waits again."""


class WorkerPool:
    """A few threads, started when needed. They are daemons: a call that hangs does not keep the process alive."""

    def __init__(self, size: int) -> None:
        """Start no thread yet; at most `size` calls are carried out at once."""
        self._size = size
        self._busy = 0
        self._threads = 0
        self._calls: queue.SimpleQueue[tuple[int, Callable[[], object]]] = queue.SimpleQueue()
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def now(self) -> float:
        """Return the instant, in seconds on the monotonic clock."""
        return time.monotonic()

    def has_room(self) -> bool:
        """Tell whether another call could start at once; a call that hangs keeps its thread."""
        return self._busy < self._size

    def submit(self, key: int, call: Callable[[], object]) -> None:
        """Start a call; its `CallResult` carries `key`."""
        self._busy += 1
        if self._threads < self._busy:
            try:
                threading.Thread(target=self._work, name=f"gate-{self._threads + 1}", daemon=True).start()
            except RuntimeError:  # the threads that were started carry it out
                if not self._threads:
                    self._events.put(CallResult(key, error=PermanentError(NO_THREAD, hint=NO_THREAD_HINT)))
                    return
            else:
                self._threads += 1
        self._calls.put((key, call))

    def post(self, event: Event) -> None:
        """Add an event from any thread, or from a signal handler."""
        self._events.put(event)

    def next(self, until: float) -> Event | None:
        """Return the next event, or `None` if there is none by the instant `until`."""
        left = until - self.now() if math.isfinite(until) else LONGEST_WAIT
        try:
            event = self._events.get(timeout=min(max(left, 0.0), LONGEST_WAIT))
        except queue.Empty:
            return None
        if isinstance(event, CallResult):
            self._busy -= 1
        return event

    def _work(self) -> None:
        while True:
            key, call = self._calls.get()
            try:
                result = CallResult(key, value=call())
            except Exception as error:
                result = CallResult(key, error=error)
            self._events.put(result)
