"""stdout and stderr that never hold up whoever writes to them: a reader that stalls must not delay the deadline."""

import contextlib
import io
import os
import queue
import select
import sys
import threading
import time
from typing import TextIO

from gate.runtime.threads import start_thread

BACKLOG = 4 * 1024 * 1024
"""Bytes that may wait to be written; while more do, further ones are dropped. All that one run shows is less."""

CONSOLE_BYTES = 8192
"""Bytes of one write to a Windows console, which takes 32 766 characters at most and would split one that is cut."""

RETRY_SECONDS = 0.01
"""Seconds after which a non-blocking pipe is tried again on Windows, where nothing waits for a pipe."""


DRAIN = 3.0
"""Seconds for which a slow reader of stdout and stderr is waited for at the end."""

LEAST_SECONDS = 0.25
"""Seconds for the reader at least, also where the time for it is over: this process may have been stopped meanwhile."""

HERE_SECONDS = 0.5
"""Seconds that writing may take altogether where no thread can be started for it."""

PIPE_BYTES = 512
"""Bytes that can be written without waiting to a pipe or a terminal that says that it can be written to (POSIX)."""


class BackgroundWriter(io.RawIOBase):
    """Writes to a file descriptor, in a thread of its own; once the reader has gone, to nowhere."""

    def __init__(self, descriptor: int) -> None:
        """Start no thread yet: the first write does."""
        super().__init__()
        self._descriptor = descriptor
        self._is_terminal = _is_terminal(descriptor)
        self._console = _open_console(descriptor) if self._is_terminal else None
        self._waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._backlog = 0
        self._changed = threading.Condition()
        self._started = False
        self._seconds_here = HERE_SECONDS
        self._is_stalled = False
        """Whether the reader took too long for a `drain`."""
        self.has_lost_output = False
        """Whether something could not be written, because the other side has gone, is full, or was never there."""

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # a narrower type: what a text stream sends
        """Take data, unless too much of it waits already."""
        with self._changed:
            if not self._started and not self._start():
                self._send_without_thread(data)
                return len(data)
            if self._backlog <= BACKLOG:
                self._backlog += len(data)
                self._waiting.put(bytes(data))
            else:
                self.has_lost_output = True
        return len(data)

    def _start(self) -> bool:
        """Start the thread; false where the machine has none left."""
        with contextlib.suppress(RuntimeError):
            start_thread(self._work)
            self._started = True
        return self._started

    def _send_without_thread(self, data: bytes) -> None:
        """Write what the other side takes within `HERE_SECONDS` of the whole run; the rest is lost."""
        left = memoryview(data)
        started = time.monotonic()
        with contextlib.suppress(OSError, ValueError):
            while left and self._seconds_here > 0 and _is_writable(self._descriptor, self._seconds_here):
                left = left[os.write(self._descriptor, left[:PIPE_BYTES]) :]
                self._seconds_here -= time.monotonic() - started
                started = time.monotonic()
        self._seconds_here -= time.monotonic() - started
        self.has_lost_output |= bool(left)

    def drain(self, until: float) -> None:
        """Wait until all that was taken has been written, or until this instant of the monotonic clock.

        The reader has `LEAST_SECONDS` at least. One that took too long once is waited for no more, so that the seconds
        for it do not add up.
        """
        with self._changed:
            if not self._is_stalled:
                left = max(until - time.monotonic(), LEAST_SECONDS)
                is_done = self._changed.wait_for(lambda: not self._backlog, left)
                self._is_stalled = not is_done

    def is_behind(self) -> bool:
        """Tell whether something still waits to be written."""
        return self._backlog > 0

    def writable(self) -> bool:
        """Tell that it takes data."""
        return True

    def isatty(self) -> bool:
        """Tell whether a terminal reads it that understands control sequences; older Windows consoles do not."""
        return self._is_terminal and (self._console is None or _enable_control_sequences(self._descriptor))

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._descriptor

    def _work(self) -> None:
        while True:
            data = self._waiting.get()
            try:
                self._send(data)
            except (OSError, ValueError):  # the reader has gone; the stream was closed under it
                self.has_lost_output = True
            with self._changed:
                self._backlog -= len(data)
                self._changed.notify_all()

    def _send(self, data: bytes) -> None:
        """Write all of it, also where the other side has made the pipe a non-blocking one."""
        left = memoryview(data)
        while left:
            try:
                if self._console is None:
                    left = left[os.write(self._descriptor, left) :]
                else:
                    left = left[self._console.write(left[: whole_characters(left, CONSOLE_BYTES)]) or 0 :]
            except BlockingIOError:
                if sys.platform == "win32":
                    time.sleep(RETRY_SECONDS)
                else:
                    select.select([], [self._descriptor], [])


def _is_writable(descriptor: int, seconds: float) -> bool:
    """Wait until something can be written, for some seconds at most; return whether it can."""
    if sys.platform == "win32":  # nothing waits for a pipe there
        return True
    waiting = select.poll()
    waiting.register(descriptor, select.POLLOUT)
    return bool(waiting.poll(seconds * 1000))


def install() -> None:
    """Put background writers in the places of `sys.stdout` and `sys.stderr`, also where they are closed."""
    closed = set()
    for descriptor in (0, 1, 2):  # else the first socket would become stdout
        try:
            os.fstat(descriptor)
        except OSError:
            _open_without_other_side(descriptor)
            closed.add(descriptor)
    sys.stdout = _text_stream(1, sys.stdout, is_closed=1 in closed)
    sys.stderr = _text_stream(2, sys.stderr, is_closed=2 in closed)


def _open_without_other_side(descriptor: int) -> None:
    """Open a closed descriptor: stdin as empty, stdout and stderr as pipes that nobody reads.

    So whatever writes there fails, also through `/dev/stdout`, which a report may name.
    """
    if descriptor == 0:
        os.open(os.devnull, os.O_RDONLY)
        return
    reader, writer = os.pipe()
    os.close(reader)
    if writer != descriptor:
        os.dup2(writer, descriptor, inheritable=False)
        os.close(writer)


def drain(until: float) -> None:
    """Wait until stdout and stderr have been written, or until this instant of the monotonic clock."""
    for stream in (sys.stdout, sys.stderr):
        writer = getattr(stream, "buffer", None)
        if isinstance(writer, BackgroundWriter):
            writer.drain(until)


def has_lost_output(*, is_final: bool = True) -> bool:
    """Tell whether something that was written to stdout did not get there; call it after `drain`.

    What still waits for its reader is lost if `is_final`: the process ends now.
    """
    writer = getattr(sys.stdout, "buffer", None)
    return isinstance(writer, BackgroundWriter) and (writer.has_lost_output or (is_final and writer.is_behind()))


def whole_characters(data: memoryview, limit: int) -> int:
    """Return how many of the first `limit` bytes of UTF-8 end with a whole character."""
    if len(data) <= limit:
        return len(data)
    end = limit
    while end and data[end] & 0xC0 == 0x80:  # the byte behind the end continues a character
        end -= 1
    return end or limit


def _text_stream(descriptor: int, former: TextIO | None, *, is_closed: bool) -> TextIO:
    r"""Return a text stream on a background writer, which escapes what its encoding lacks; lines end with `\n`.

    `is_closed`: whether nobody reads it, because the caller had closed the file descriptor.
    """
    encoding = _encoding(descriptor, getattr(former, "encoding", None))
    writer = BackgroundWriter(descriptor)
    writer.has_lost_output = is_closed
    return io.TextIOWrapper(writer, encoding, "backslashreplace", newline="\n", write_through=True)  # type: ignore[type-var]


def _encoding(descriptor: int, usual: str | None) -> str:
    """Return the encoding for a stream of which Python says that `usual` is its encoding.

    A terminal on POSIX shows text in the encoding of its locale. Everywhere else it is UTF-8, whatever the locale of
    the runner is: CI systems, JSON readers and Windows consoles (through Python's own layer) take that, and both
    streams may go to one file. Who sets `PYTHONIOENCODING` gets what it says.
    """
    is_chosen = bool(os.environ.get("PYTHONIOENCODING"))
    is_posix_terminal = sys.platform != "win32" and _is_terminal(descriptor)
    return usual if usual and (is_chosen or is_posix_terminal) else "utf-8"


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def _open_console(descriptor: int) -> io.RawIOBase | None:
    """Return what writes UTF-8 to a Windows console: its own encoding, by which `os.write` is read, is another."""
    if sys.platform != "win32":
        return None
    return open(descriptor, "wb", buffering=0, closefd=False)


def _enable_control_sequences(descriptor: int) -> bool:
    """Switch on what makes a Windows console understand control sequences; false where it cannot."""
    if sys.platform != "win32":
        return True
    import ctypes
    import msvcrt

    processed_output, virtual_terminal_processing = 0x0001, 0x0004  # Windows' names: ENABLE_..., wincon.h
    kernel = ctypes.windll.kernel32
    handle, mode = ctypes.c_void_p(msvcrt.get_osfhandle(descriptor)), ctypes.c_ulong()
    if not kernel.GetConsoleMode(handle, ctypes.byref(mode)):
        return False
    return bool(kernel.SetConsoleMode(handle, mode.value | processed_output | virtual_terminal_processing))
