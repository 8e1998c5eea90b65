"""The benchmarks run, at sizes that say nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.ci

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "command",
    [
        "lag --builds 12",
        "scale --targets 3 --seconds 1",
        "fleet --gates 3 4 --seconds 20 --on-paper 20",
        "memory --targets 3 --seconds 3",
        "follow --targets 1 --seconds 1 --log hangs",
    ],
)
def test_benchmark_prints_its_tables(command: str) -> None:
    """Each by its own command, all of them by `python -m tests.bench`."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", *command.split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "\n### " in done.stdout
    assert "\n| --" in done.stdout


def test_traces_of_a_folder_are_replayed(tmp_path: Path) -> None:
    """One table for each file with durations."""
    tmp_path.joinpath("app.csv").write_text("conclusion,duration_seconds\n" + "success,60\n" * 30, encoding="utf-8")
    command = [sys.executable, "-m", "tests.bench", "lag", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert "### app: 30 builds, median 60 s" in done.stdout, done.stderr
