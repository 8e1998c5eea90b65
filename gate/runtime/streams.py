"""stdout and stderr that never hold up whoever writes to them: a reader that stalls must not delay the deadline."""

import contextlib
import io
import os
import queue
import select
import sys
import threading
import time

BACKLOG = 1024 * 1024
"""Bytes that may wait to be written; while more do, further ones are dropped."""


class BackgroundWriter(io.RawIOBase):
    """Writes to a file descriptor, in a thread of its own; once the reader has gone, to nowhere."""

    def __init__(self, descriptor: int) -> None:
        """Start no thread yet: the first write does."""
        super().__init__()
        self._descriptor = descriptor
        self._waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._backlog = 0
        self._changed = threading.Condition()
        self._started = False

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # a narrower type: what a text stream sends
        """Take data, unless too much of it waits already."""
        with self._changed:
            if not self._started and not self._start():
                with contextlib.suppress(OSError):  # better to be held up than to say nothing
                    self._send(data)
                return len(data)
            if self._backlog <= BACKLOG:
                self._backlog += len(data)
                self._waiting.put(bytes(data))
        return len(data)

    def _start(self) -> bool:
        """Start the thread, and tell whether the machine had one left."""
        with contextlib.suppress(RuntimeError):
            threading.Thread(target=self._work, name=f"outlet-{self._descriptor}", daemon=True).start()
            self._started = True
        return self._started

    def drain(self, until: float) -> None:
        """Wait until all that was taken has been written, or until this instant of the monotonic clock."""
        with self._changed:
            self._changed.wait_for(lambda: not self._backlog, max(until - time.monotonic(), 0.0))

    def writable(self) -> bool:
        """Tell that it takes data."""
        return True

    def isatty(self) -> bool:
        """Tell whether a terminal reads it."""
        return os.isatty(self._descriptor)

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._descriptor

    def _work(self) -> None:
        while True:
            data = self._waiting.get()
            with contextlib.suppress(OSError):
                self._send(data)
            with self._changed:
                self._backlog -= len(data)
                self._changed.notify_all()

    def _send(self, data: bytes) -> None:
        """Write all of it, also where the other side has made the pipe a non-blocking one."""
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [])


def install() -> None:
    """Put outlets in the places of `sys.stdout` and `sys.stderr`, also where they are closed."""
    for descriptor in (0, 1, 2):  # else the first socket would become stdout
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        encoding = getattr(getattr(sys, name), "encoding", None) or "utf-8"
        stream = io.TextIOWrapper(BackgroundWriter(descriptor), encoding, "backslashreplace", write_through=True)  # type: ignore[type-var]
        setattr(sys, name, stream)


def drain(until: float) -> None:
    """Wait until stdout and stderr have been written, or until this instant of the monotonic clock."""
    for stream in (sys.stdout, sys.stderr):
        outlet = getattr(stream, "buffer", None)
        if isinstance(outlet, BackgroundWriter):
            outlet.drain(until)
