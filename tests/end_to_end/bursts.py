"""Bursts of signals at a gate that waits: it always ends.

`python -m tests.end_to_end.bursts 300` sends so many bursts of 50 signals, 5 to 30 microseconds apart.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from random import Random

from tests.faults.fault_plan import RECORD_ROUTES
from tests.faults.faulty_simulator import FaultySimulator
from tests.fork_server import start_gate
from tests.helpers import environment, wait_for

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def burst(simulator: FaultySimulator, random: Random, count: int = 50) -> float:
    """Start the program, send it signals while it waits, and return the seconds that it took to end after the first."""
    polls = len(simulator.journal.of(*RECORD_ROUTES))
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as err:
        process = start_gate(
            ["wait", simulator.jobs["slow"]],
            env={**os.environ, **environment(simulator)},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=err,
        )
        try:
            wait_for(lambda: len(simulator.journal.of(*RECORD_ROUTES)) > polls + random.randrange(3))
            started = time.perf_counter()
            for _ in range(count):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, random.choice(SIGNALS))
                until = time.perf_counter() + random.uniform(5e-6, 30e-6)
                while time.perf_counter() < until:
                    pass
            process.wait(10)
            return time.perf_counter() - started
        finally:
            process.kill()
            process.wait()


def main(count: int) -> None:
    """Send bursts, and print how long the processes took to end."""
    random = Random(1)
    with FaultySimulator(["slow"], speed=1) as simulator:
        taken = sorted(burst(simulator, random) for _ in range(count))
    print(f"{count} bursts: median {taken[count // 2]:.2f} s, at most {taken[-1]:.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]))
