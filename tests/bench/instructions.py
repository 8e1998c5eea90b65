"""Instructions of a start, counted with valgrind's cachegrind: whatever else the machine does, they stay the same."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench import table
from tests.bench.processes import INSTALLED, environment, one_file
from tests.bench.standin import BUILD, JOB, Standin

BARE = "import requests, click"

TO_CONNECT = f"import os, socket; socket.socket.connect = lambda *_: os._exit(0); {INSTALLED}"
"""The installed command, ended in the place of the first connect."""


def count(command: Sequence[str], extra: Mapping[str, str]) -> int:
    """Return the instructions of a program, after a first run that compiles its modules."""
    settings = environment({**extra, "PYTHONHASHSEED": "0"})
    folder = settings["HOME"]
    subprocess.run(command, env=settings, cwd=folder, capture_output=True, check=True)
    valgrind = ("valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={os.devnull}")
    done = subprocess.run([*valgrind, *command], env=settings, cwd=folder, capture_output=True, text=True, check=True)
    refs = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if refs is None:
        raise RuntimeError(f"valgrind has counted nothing: {done.stderr[-500:]}")
    return int(refs[1].replace(",", ""))


def report(older: Path | None = None) -> None:
    """Count and print the table; `older`: the checkout of another commit to compare with, in the same way."""
    if shutil.which("valgrind") is None:
        print("\nInstructions are not counted: valgrind is not installed.")
        return
    rows = []
    with Standin() as standin:
        wait = ("wait", "--endpoint", standin.endpoint, "--junit", "report.xml", f"{JOB}:{BUILD}")
        python, token = (sys.executable, "-c"), {"GATE_TOKEN": "x"}
        programs: list[tuple[str, Sequence[str], Mapping[str, str]]] = [
            (f"`{BARE}`", (*python, BARE), {}),
            ("start to the first connect", (*python, TO_CONNECT, *wait), token),
            ("whole run on an ended build", (*python, INSTALLED, *wait), token),
            ("whole run of the one file", (*one_file(), *wait), token),
        ]
        if older is not None:
            other = {**token, "PYTHONPATH": str(older)}
            programs += [
                (f"start to the first connect, {older.name}", (*python, TO_CONNECT, *wait), other),
                (f"whole run on an ended build, {older.name}", (*python, INSTALLED, *wait), other),
            ]
        counts = [(name, count(command, extra)) for name, command, extra in programs]
    rows = [(name, number / 1e6, number / counts[0][1]) for name, number in counts]
    table.show("Instructions of a start", ("what", "millions", ": bare"), rows, "Counted with cachegrind.")
