"""Runs the program as a process and keeps what can be seen of it from outside."""

import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from junitparser import JUnitXml

from tests.conftest import is_foreign
from tests.faults.faulty_simulator import FaultySimulator
from tests.fork_server import start_gate

GRACE = 5.0
"""Seconds after the deadline within which the process has exited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One run of the gate, from outside."""

    status: int
    out: str
    err: str
    report: bytes
    seconds: float
    mebibytes: float
    """The most memory that it used."""

    def report_kinds(self) -> dict[str, str]:
        """Give, for each target, what its build's case in the JUnit report says; raises if the report is not valid."""
        suites = JUnitXml.fromstring(self.report)
        return {suite.name: "".join(kind.type for kind in next(iter(suite)).result) for suite in suites}


def run_gate(*arguments: object, timeout: float, env: Mapping[str, str]) -> Seen:
    """Run the gate to its end, or abort it 15 s after its deadline, so that it writes where each of its threads is."""
    with tempfile.TemporaryDirectory() as folder:
        out, err, report = (Path(folder, name) for name in ("out", "err", "gate-report.xml"))
        clean = {name: value for name, value in os.environ.items() if not is_foreign(name)}
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = start_gate(
                [*map(str, arguments), "--timeout", f"{timeout}s"],
                env={**clean, "HOME": folder, **env},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )
        started = time.monotonic()  # the fork server has been started by now
        kibibytes = 0
        while process.poll() is None:
            kibibytes = max(kibibytes, _peak(process.pid))
            if time.monotonic() > started + timeout + 15:
                process.send_signal(signal.SIGABRT)
                process.wait(10)
            time.sleep(0.02)
        return Seen(
            status=process.returncode,
            out=out.read_text(),
            err=err.read_text(),
            report=report.read_bytes() if report.exists() else b"",
            seconds=time.monotonic() - started,
            mebibytes=kibibytes / 1024,
        )


def _peak(pid: int) -> int:
    """Return the most memory, in KiB, that a process has used so far (`ru_maxrss` would count its parent's)."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) if found else 0


def complaints(
    seen: Seen, *secrets: str, allowed: Collection[int] = (0, 1, 3, 4, 5), is_terminal: bool = False
) -> Iterator[str]:
    """Say what must never be, whatever the service did.

    `allowed`: the exit statuses that may be. `is_terminal`: whether control sequences may have been written.
    """
    written = seen.out + seen.err + seen.report.decode()
    if seen.status not in allowed:
        yield f"exit status {seen.status}: {seen.err[-8000:]}"
    if "Traceback" in seen.err or "a bug in the gate" in written:
        yield f"a bug: {seen.err[-2000:]}"
    if any(secret in written for secret in secrets):
        yield "a secret was shown"
    if not is_terminal and (bad := set(written) & set(map(chr, (*range(9), *range(11, 32), 127, 0x9B)))):
        yield f"control characters: {bad}"
    if any(line.startswith(("::", "##[")) for line in seen.err.splitlines()):
        yield "a command of a CI system"
    try:
        seen.report_kinds()
    except Exception as error:
        yield f"no valid report: {error!r}"


@contextmanager
def flowing(simulator: FaultySimulator, speed: float) -> Iterator[None]:
    """Let the simulator's clock, which stands, move from its first request on, however late that comes."""
    stop = threading.Event()

    def move() -> None:
        while not stop.wait(0.02):
            if simulator.journal.entries:
                simulator.advance(0.02 * speed)

    mover = threading.Thread(target=move)
    mover.start()
    try:
        yield
    finally:
        stop.set()
        mover.join()
