"""The signals that end the gate, holding them back while it starts, and the one that stops it for a while."""

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator

ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""What CI systems, shells and terminals send. Windows has no SIGHUP."""


def hold_back() -> None:
    """Let signals wait that come from now on: one that comes while modules are imported would end the process at once.

    The reports of a former run would be left where they are then, and taken for those of this run. Windows cannot do
    this.
    """
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)


def let_through() -> None:
    """Let signals act again, those first that have come meanwhile."""
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def handled() -> list[signal.Signals]:
    """Return the signals that end the gate: a hang-up does not where the caller has said so (`nohup`)."""
    return [number for number in ENDING if number is signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN]


@contextlib.contextmanager
def suspension(prepare: Callable[[], None]) -> Iterator[None]:
    """Call `prepare` before Ctrl-Z stops the process while the block runs.

    `prepare` takes no lock and writes nothing, as it may interrupt a write. Windows has no such signal, and a caller
    that ignores it keeps that.
    """
    if sys.platform == "win32" or signal.getsignal(signal.SIGTSTP) is not signal.SIG_DFL:
        yield
        return

    def handle(number: int, _: object) -> None:
        prepare()
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)  # stops here, until somebody lets the process go on
        signal.signal(number, handle)

    signal.signal(signal.SIGTSTP, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
