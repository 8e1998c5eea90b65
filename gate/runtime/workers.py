"""Daemon threads that carry out blocking calls, and the one place where everything that happens arrives.

The main thread waits on a socket. Whoever has news appends it to a queue and writes a byte, and so does Python itself
when a signal comes (`signal.set_wakeup_fd`). The main thread waits for no lock with a time limit, and a signal handler
takes none: before Python 3.13, `queue.SimpleQueue.get(timeout=...)` waits for ever where its time is over when it has
the lock (about once in 15 000 calls with 50 microseconds), and a handler that takes a lock may wait for the thread that
it has interrupted.
"""

import math
import queue
import select
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from gate.core.ports import CallResult, Event
from gate.errors import PermanentError
from gate.runtime.threads import start_thread

NO_THREAD = "the gate could not start a thread"
NO_THREAD_HINT = "Raise the limit on processes and threads: ulimit -u, or the pids limit of the container."

LONGEST_WAIT = 3600.0
"""Seconds of one wait at most; the caller waits again."""


class WorkerPool:
    """Threads, started when needed. They are daemons: a call that hangs does not keep the process alive."""

    def __init__(self) -> None:
        """Start no thread yet."""
        self._busy = 0
        self._threads = 0
        self._calls: queue.SimpleQueue[tuple[int, Callable[[], object]]] = queue.SimpleQueue()
        self._events: deque[Event] = deque()
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def now(self) -> float:
        """Return the instant, in seconds on the monotonic clock."""
        return time.monotonic()

    def submit(self, key: int, call: Callable[[], object]) -> None:
        """Start a call at once; its `CallResult` carries `key`. The caller limits how many are under way."""
        self._busy += 1
        if self._threads < self._busy:
            try:
                start_thread(self._work)
            except RuntimeError:  # the threads that were started carry it out
                if not self._threads:
                    self.post(CallResult(key, error=PermanentError(NO_THREAD, hint=NO_THREAD_HINT)))
                    return
            else:
                self._threads += 1
        self._calls.put((key, call))

    def post(self, event: Event) -> None:
        """Add an event, from any thread or from a signal handler."""
        self._events.append(event)
        with suppress(OSError):  # full: then there is something to read already
            self._writer.send(b"\0")

    def wake_on_signals(self) -> int:
        """Let every signal that has a handler end a wait; return what `signal.set_wakeup_fd` takes to undo that."""
        return signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)

    def next(self, until: float) -> Event | None:
        """Return the next event; `None` when the instant `until` comes first, or earlier for no reason."""
        if not self._events:
            self._sleep(until)
        if not self._events:
            return None
        event = self._events.popleft()
        if isinstance(event, CallResult):
            self._busy -= 1
        return event

    def close(self) -> None:
        """Take no more events; calls that are under way are left alone."""
        self._reader.close()
        self._writer.close()

    def _sleep(self, until: float) -> None:
        """Wait until somebody writes a byte, or until an instant; what comes meanwhile is in `_events` afterwards."""
        left = until - self.now() if math.isfinite(until) else LONGEST_WAIT
        if _is_readable(self._reader, min(max(left, 0.0), LONGEST_WAIT)):
            with suppress(OSError):
                while self._reader.recv(4096):
                    pass

    def _work(self) -> None:
        while True:
            key, call = self._calls.get()
            try:
                result = CallResult(key, value=call())
            except Exception as error:
                result = CallResult(key, error=error)
            del call
            self.post(result)


def _is_readable(reader: socket.socket, seconds: float) -> bool:
    """Wait until a socket can be read, for some seconds at most; return whether it can."""
    if sys.platform == "win32":
        return bool(select.select([reader], [], [], seconds)[0])
    waiting = select.poll()
    waiting.register(reader, select.POLLIN)
    return bool(waiting.poll(math.ceil(seconds * 1000)))
