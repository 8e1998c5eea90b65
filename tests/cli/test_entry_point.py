"""An import that fails ends with 5: exit 1 means that a build failed, and nothing else."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT

Run = Callable[..., subprocess.CompletedProcess[str]]

SHADOWS = ("click", "requests", "junit_xml", "signal", "socket", "json", "random", "gc", "urllib3")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("click", "import sys; sys.exit(1)"),
        ("requests", "import nothing_of_that_name"),
        ("requests", "def"),
        ("requests", "raise EOFError('marshal data too short')"),
    ],
)
def test_dependency_that_cannot_be_imported_ends_with_5(run_gate: Run, tmp_path: Path, name: str, code: str) -> None:
    """A broken installation, or a module of the same name on the path: one sentence and no traceback."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / f"{name}.py").write_text(code)
    job = "0" * 32
    env = {
        "PYTHONPATH": f"{broken}:{ROOT}",
        "GATE_ENDPOINT": "http://127.0.0.1:9",
        "GATE_TOKEN": "s3cr3t",
        "GITHUB_ACTIONS": "true",
    }
    done = run_gate("wait", job, env=env)
    assert done.returncode == 5, done.stderr
    assert "could not be loaded" in done.stderr
    assert "Traceback" not in done.stderr
    assert "::error title=codearts-gate::" in done.stderr


def test_console_script_ends_with_5_too(tmp_path: Path) -> None:
    """It has an entry point of its own."""
    (tmp_path / "click.py").write_text("import nothing_of_that_name")
    script = Path(sys.executable).parent / "codearts-gate"
    done = subprocess.run(
        [script, "--version"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}"},
    )
    assert done.returncode == 5
    assert done.stderr == (
        "Error: codearts-gate could not be loaded: ModuleNotFoundError: No module named 'nothing_of_that_name'. "
        "Install it again.\n"
    )


def test_modules_of_the_working_directory_are_not_imported(run_gate: Run, tmp_path: Path) -> None:
    """It is a checked-out repository: its click.py would run with the gate's credential."""
    for name in SHADOWS:
        (tmp_path / f"{name}.py").write_text("print('imported'); raise SystemExit(1)")
    done = run_gate("demo")
    assert (done.returncode, "imported" in done.stdout) == (0, False), done.stderr
