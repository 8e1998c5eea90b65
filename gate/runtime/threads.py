"""Starting a daemon thread without waiting for it."""

import _thread
import sys
import threading
from collections.abc import Callable


def start_thread(work: Callable[[], None]) -> None:
    """Carry out `work` in a daemon thread. Raises `RuntimeError` where none can be started.

    `threading.Thread.start` waits until the new thread says that it runs, without a limit: one that finds no memory
    for that never does, and the thread that keeps the deadline waited for ever (seen on 3.13 with `ulimit -v`).
    """

    def begin() -> None:
        if trace := threading.gettrace():  # as `threading` does, for debuggers and for measuring coverage
            sys.settrace(trace)
        work()

    try:
        _thread.start_new_thread(begin, ())
    except MemoryError as error:
        raise RuntimeError("there is no memory for a thread") from error
