"""The signals that end the gate, and holding them back while it starts."""

import signal
import sys

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
