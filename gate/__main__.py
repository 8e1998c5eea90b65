"""`python -m gate`, the same program as `codearts-gate`."""

import gc
import os
import sys
import time

STARTED = time.monotonic()
"""When the process started, near enough: --timeout counts from here."""


def main() -> None:
    """Run the command line and exit with its status."""
    gc.set_threshold(50_000)  # while modules are imported there is no garbage; looking for it costs 5 % of the start
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
    from gate.cli import execute

    sys.exit(execute(sys.argv[1:], STARTED))


if __name__ == "__main__":
    main()
