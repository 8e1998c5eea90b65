"""Processes that are measured: time, processor time and memory, of the process itself and of nothing else."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
_COMMAND = Path(sys.executable).with_name("codearts-gate")
INSTALLED = "import sys; from gate.__main__ import main; sys.exit(main())"
"""What the installed command runs."""

GATE = (str(_COMMAND),) if _COMMAND.exists() else (sys.executable, "-c", INSTALLED)

_FOLDER = tempfile.TemporaryDirectory(prefix="gate-bench-")  # gone when the benchmark ends
_CACHE = _FOLDER.name  # compiled modules, as an installed program has them


def one_file() -> tuple[str, ...]:
    """Build the one file, unless that was done already, and return the command that runs it."""
    folder = Path(_FOLDER.name, "release")
    if not folder.exists():
        subprocess.run([sys.executable, ROOT / ".ci" / "build_release.py", folder], check=True)
    return sys.executable, str(folder / "codearts-gate.pyz")


class Run(NamedTuple):
    """What a process took: seconds, seconds of processor time, and megabytes at its peak."""

    code: int
    started: float
    """The instant of the start, by `time.monotonic`."""
    seconds: float
    processor: float
    megabytes: float


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment without what would change the programs that are measured."""
    foreign = ("GATE_", "HUAWEICLOUD_", "AWS_", "PYTHONDONTWRITE", "GITHUB_", "GITLAB_", "CI")
    own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    proxies = {name: "" for name in own if name.lower().endswith("_proxy")}
    return {**own, **proxies, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": _CACHE, "HOME": _CACHE, **extra}


def run(command: Sequence[str], extra: Mapping[str, str] | None = None) -> Run:
    """Run a program to its end, without its output."""
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        env=environment(extra or {}),
        cwd=_CACHE,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Run(
        code=process.returncode,
        started=started,
        seconds=time.monotonic() - started,
        processor=usage.ru_utime + usage.ru_stime,
        megabytes=usage.ru_maxrss / 1024,
    )
