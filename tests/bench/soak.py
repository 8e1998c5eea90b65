"""A long wait in a bad world, on a fast clock: `python -m tests.bench.soak`.

Every tenth answer is faulty, and the token expires in the middle, when its file gets a new one. Every verdict must be
right all the same, and memory and threads flat.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from gate.simulator import sample_plans
from gate.simulator.builds import BuildPlan
from gate.simulator.scenarios import Scenario, Start
from tests.conftest import ROOT
from tests.faults.catalogue import NAMED_FAULTS, named_fault
from tests.faults.fault_plan import Fault
from tests.faults.faulty_simulator import FaultySimulator

FAULTY = 0.1
"""The share of answers that go wrong."""

KINDS = (
    "HTTP 500 CB.00060100", "HTTP 502 APIGW.0201", "HTTP 503 HTML", "200 error_code", "200 envelope", "empty body",
    "truncated JSON", "HTML", "duplicate keys", "deep nesting", "another build", "result null", "silence",
    "closed before the headers", "closed in the headers", "reset in the body", "no HTTP", "chunk size of garbage",
)  # fmt: skip
"""What goes wrong: only what may heal. (Of being throttled all the time, the gate would rightly slow down.)"""

WORDS = {"SUCCESS": "passed", "FAILURE": "failed", "ABORTED": "aborted", "SCHEDULE_FAILURE": "failed"}


@dataclass(slots=True, kw_only=True)
class Soaked:
    """What came of it."""

    targets: int
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
    requests: int = 0
    faulty: int = 0
    mebibytes: list[float] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """MiB that the second half needed more than the first."""
        half = len(self.mebibytes) // 2
        return max(self.mebibytes[half:]) - max(self.mebibytes[:half])


def soak(targets: int, minutes: float, speed: float, seed: int = 1) -> Soaked:
    """Let one gate wait for many builds that take up to `minutes` of service time."""
    chance = random.Random(seed)
    soaked = Soaked(targets=targets)
    words = {f"job{number}": chance.choice(list(WORDS)) for number in range(targets)}

    def course(word: str) -> BuildPlan:
        maven = replace(sample_plans.PASSING.stages[3], seconds=60 * minutes * chance.uniform(0.05, 0.9))
        return replace(sample_plans.PASSING, stages=(*sample_plans.PASSING.stages[:3], maven), word=word)

    def unlucky(_: object) -> bool:
        soaked.faulty += (hit := chance.random() < FAULTY / len(KINDS))
        return hit

    scenarios = [Scenario(name=name, starts=(Start(plan=course(word)),)) for name, word in words.items()]
    assert set(KINDS) <= set(NAMED_FAULTS)
    faults: list[Fault] = [named_fault(name, when=unlucky, times=None) for name in KINDS]
    with FaultySimulator(scenarios, speed=speed, faults=faults) as simulator, tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        process = start(simulator, Path(folder), 60 * minutes / speed)
        watch(process, soaked, simulator, Path(folder), started + 30 * minutes / speed)
        soaked.seconds, soaked.requests = time.monotonic() - started, len(simulator.journal.entries)
        document = json.loads(Path(folder, "out").read_text())
        got = {target["label"]: target["verdict"] for target in document["targets"]}
        soaked.wrong = [f"{name} {word}: {got[name]}" for name, word in words.items() if got[name] != WORDS[word]]
    return soaked


def start(simulator: FaultySimulator, folder: Path, seconds: float) -> "subprocess.Popen[bytes]":
    """Start the gate with a token file."""
    (folder / "token").write_text(simulator.token)
    options = ("--token-file", "token", "--endpoint", simulator.endpoint, "--timeout", f"{2 * seconds + 60}s", "--json")
    paces = ("--poll-interval", "1s", "--max-rate", "60000", "--request-timeout", "2s", "--error-budget", "1m")
    names = [f"{name}={job_id}:1" for name, job_id in simulator.jobs.items()]
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        command = [sys.executable, "-m", "gate", "wait", *names, *options, *paces]
        return subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=err, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )


def watch(
    process: "subprocess.Popen[bytes]", soaked: Soaked, simulator: FaultySimulator, folder: Path, expiry: float
) -> None:
    """Note memory and threads until the gate ends; at the instant `expiry`, replace the token."""
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        if found := re.search(r"VmRSS:\s+(\d+).*Threads:\s+(\d+)", status, re.DOTALL):
            soaked.mebibytes.append(int(found[1]) / 1024)
            soaked.threads.append(int(found[2]))
        if time.monotonic() > expiry:
            token = simulator.iam.issue()
            (folder / "new").write_text(token)
            (folder / "new").replace(folder / "token")
            simulator.iam.expire_all(but=token)
            expiry = float("inf")
        time.sleep(0.2)


def main() -> int:
    """Print the figures; give 1 if a verdict was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--speed", type=float, default=30)
    given = parser.parse_args()
    soaked = soak(given.targets, given.minutes, given.speed)
    print(f"{soaked.targets - len(soaked.wrong)} of {soaked.targets} verdicts right, in {soaked.seconds:.0f} s")
    print(f"{soaked.requests} requests, {soaked.faulty} of them with faults ({soaked.faulty / soaked.requests:.1%})")
    print(f"memory: {max(soaked.mebibytes):.0f} MiB at most, second half {soaked.growth:+.1f} MiB")
    print(f"threads: {max(soaked.threads)} at most")
    print("\n".join(soaked.wrong))
    return int(bool(soaked.wrong))


if __name__ == "__main__":
    sys.exit(main())
