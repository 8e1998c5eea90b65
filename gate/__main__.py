"""`python -m gate`, the same program as `codearts-gate`."""

import atexit
import os
import sys
import time

STARTED = time.monotonic()
"""When the process started, near enough: --timeout counts from here."""

BROKEN = 5
"""The exit status where the program cannot be loaded: Python's own, 1, means that a build failed."""


def main() -> None:
    """Run the command line and exit with its status."""
    try:
        status = run()
    except (Exception, SystemExit) as error:
        status = BROKEN
        try:
            report_broken(error)
        except Exception:  # such as too little memory, also for that
            os._exit(status)
    leave(status)


def leave(status: int) -> None:
    """End the process once everything is written, with what others have registered for its end (`atexit`).

    Python would take each module apart and look for garbage a last time besides: a tenth of a short run, for nothing.
    """
    try:
        from gate.runtime import streams

        atexit._run_exitfuncs()  # noqa: SLF001 - there is no public name for it
        streams.drain(time.monotonic() + 1)
    finally:
        os._exit(status)


def run() -> int:
    """Import the program, run the command line and return its exit status."""
    if __name__ == "__main__":
        leave_out_working_directory()
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Until the wait has begun, Ctrl-C ends the process as other signals do, not with a traceback and status 1.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from gate import former_reports

    former_reports.remove(sys.argv[1:], os.environ)
    import gc

    from gate.runtime import signals

    if sys.argv[1:2] in (["wait"], ["run"]):
        signals.hold_back()  # until there are reports of this run
    gc.set_threshold(50_000)  # while modules are imported there is no garbage; looking for it costs 5 % of the start
    from gate.cli.commands import execute
    from gate.runtime import streams

    streams.install()
    try:
        return execute(sys.argv[1:], STARTED)
    finally:
        signals.let_through()


STACK = 40_000
"""Places on the stack of `run`, of which it needs a few.

Python maps memory for frames in pieces of 16 KiB and unmaps a piece as soon as it is left: where a loop in a deep
import calls across the border of two, that took 300 to 5 900 times 7 microseconds in a run. A frame that does not fit
gets a larger piece, here 512 KiB, and what is called from it takes the rest. Memory that is not used costs nothing.
"""
run.__code__ = run.__code__.replace(co_stacksize=STACK)


def leave_out_working_directory() -> None:
    """Do not import from the working directory, where `python -m` looks first, unless the gate itself lies there.

    That is a checked-out repository: a click.py or a signal.py in it would get the credential.
    """
    try:
        here = os.getcwd()  # noqa: PTH109 - pathlib is not loaded
        folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - likewise
    except OSError:  # it has been removed, so there is nothing in it
        return
    if sys.path and sys.path[0] == here != folder:
        del sys.path[0]


def report_broken(error: Exception | SystemExit) -> None:
    """Say that the program cannot be loaded: on stderr, in the reports, and on the pipeline's page."""
    from contextlib import suppress

    cause, hint = f"{type(error).__name__}: {error}", "Install it again."
    with suppress(Exception):
        from gate.errors import explain_limit

        cause, hint = explain_limit(error) or (cause, hint)
    text = f"codearts-gate could not be loaded: {cause}. {hint}"
    print(f"Error: {text}", file=sys.stderr)
    with suppress(Exception):
        from gate import former_reports

        former_reports.write(sys.argv[1:], os.environ, text, BROKEN)
    with suppress(Exception):  # it may fail for the same reason, which has been said
        from gate.platforms.detect import detect_here

        platform = detect_here()
        for line in platform.error_annotation(text):
            print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
