"""Workers that are forked from a server have what the others have."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worker_server import running

pytestmark = [pytest.mark.ci, pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")]


def run_in_worker(line: str, *arguments: object) -> str:
    """Return what a line of Python writes that is carried out as execnet carries out its own."""
    with running(list(map(str, arguments))) as python:
        command = [*shlex.split(python), "-u", "-c", "import sys; exec(eval(sys.stdin.readline()))"]
        return subprocess.run(
            command, input=f"{line!r}\n", capture_output=True, text=True, check=True, timeout=60
        ).stdout


def test_worker_is_forked_when_the_tests_are_collected() -> None:
    """So it has them already."""
    line = "import sys; print(sys.argv, 'tests.test_durations' in sys.modules)"
    assert run_in_worker(line, "tests/test_durations.py") == "['-c'] True\n"


def test_worker_is_started_where_a_module_cannot_be_imported(tmp_path: Path) -> None:
    """It would otherwise take the module for one without tests."""
    (tmp_path / "test_broken.py").write_text("import no_such_module\n")
    assert run_in_worker("print('pytest' in sys.modules)", tmp_path) == "False\n"
