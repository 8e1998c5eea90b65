"""`python -m gate`, the same program as `codearts-gate`."""

import gc
import signal
import sys
import time

STARTED = time.monotonic()
"""When the process started, near enough: --timeout counts from here."""

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until the wait has begun, Ctrl-C ends the process as other signals do, and not with a traceback and status 1.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> None:
    """Run the command line and exit with its status."""
    gc.set_threshold(50_000)  # while modules are imported there is no garbage; looking for it costs 5 % of the start
    from gate.cli.commands import execute
    from gate.runtime import streams

    streams.install()
    status = execute(sys.argv[1:], STARTED)
    streams.drain(time.monotonic() + 1)
    sys.exit(status)


if __name__ == "__main__":
    main()
