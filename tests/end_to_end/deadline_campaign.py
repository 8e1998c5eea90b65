"""Builds that end shortly before the deadline, between the last regular poll and it: none is timed out.

`python -m tests.end_to_end.deadline_campaign 40` waits for so many builds in one process and in processes of their own,
starts as many with `run`, and prints how many were judged by their result.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

from gate.simulator.builds import BuildPlan, StagePlan
from gate.simulator.scenarios import Scenario, Start
from tests.conftest import ROOT, is_foreign
from tests.faults.faulty_simulator import FaultySimulator
from tests.helpers import environment

TIMEOUT = 10.0
"""Seconds of `--timeout`. At the default interval, builds are polled at about 0, 2, 6 and 14 s."""

WORDS = {"SUCCESS": "passed", "FAILURE": "failed", "ABORTED": "aborted"}


def plan(seconds: float, word: str) -> BuildPlan:
    """Return the plan of a build that ends so many seconds after its start."""
    return BuildPlan(queue=0, stages=(StagePlan(name="Maven", seconds=seconds, word=word),), word=word)


def wait_for_builds(chance: Random, count: int, timeout: float = TIMEOUT) -> list[bool]:
    """Wait in one process for builds that end 0.5 to 3 s before the deadline; tell which were judged by their result.

    Each is a target with a number, so that all can be polled when the time is up.
    """
    words = [chance.choice(list(WORDS)) for _ in range(count)]
    jobs = [
        Scenario(name=f"job-{index}", starts=(Start(plan=plan(timeout - chance.uniform(0.5, 3), word)),))
        for index, word in enumerate(words)
    ]
    with FaultySimulator(jobs) as simulator:
        simulator.clock.set_speed(1)  # at once, not with the first request: the time of the gate has begun before that
        targets = [f"{name}={job}:1" for name, job in simulator.jobs.items()]
        found = run_gate(simulator, "wait", *targets, timeout=timeout)
    return [verdict == WORDS[word] for verdict, word in zip(found, words, strict=True)]


def run_one_build(chance: Random, timeout: float = TIMEOUT) -> bool:
    """Start a build that ends about 0.5 to 3 s before the deadline; tell whether it was judged by its result.

    The order is sent about a second after the start of the process, and the next polls come 2, 6 and 14 s later.
    """
    word = chance.choice(list(WORDS))
    job = Scenario(name="job", plan=plan(timeout - 1.5 - chance.uniform(0.5, 2), word))
    with FaultySimulator([job]) as simulator:
        return run_gate(simulator, "run", simulator.jobs["job"], timeout=timeout) == [WORDS[word]]


def run_gate(simulator: FaultySimulator, *arguments: str, timeout: float) -> Sequence[str]:
    """Run the gate at the default interval and rate; return the verdicts."""
    env = {name: value for name, value in os.environ.items() if not is_foreign(name)} | environment(simulator)
    del env["GATE_POLL_INTERVAL"], env["GATE_MAX_RATE"]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "gate", *arguments, "--timeout", f"{timeout}s", "--log-tail", "0"],
            env=env | {"PYTHONPATH": str(ROOT), "HOME": folder},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=timeout + 15,
            check=False,
        )
    return [line.split()[0] for line in done.stdout.splitlines()]


def main(count: int) -> int:
    """Print how many builds were judged by their result; return 1 unless all were."""
    chance, started = Random(1), time.monotonic()
    right = {"wait, one process": wait_for_builds(chance, count)}
    with ThreadPoolExecutor(4) as pool:
        seeds = range(count)
        single = pool.map(lambda seed: wait_for_builds(Random(seed), 1)[0], seeds)
        right["wait, a process each"] = list(single)
        right["run, a process each"] = list(pool.map(lambda seed: run_one_build(Random(seed)), seeds))
    for name, results in right.items():
        print(f"{name}: {sum(results)} of {len(results)} right")
    print(f"{time.monotonic() - started:.0f} s")
    return int(not all(map(all, right.values())))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 4))
