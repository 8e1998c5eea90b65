"""The checks that a reader would otherwise do: style, types, imports. They run as they do on the command line."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

CHECKS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
    # What ships runs on these systems too. Tests use pipes and limits that only POSIX has.
    "mypy for Windows": ["mypy", "--platform=win32", "--cache-dir=.mypy_cache/win32", "gate"],
    "mypy for macOS": ["mypy", "--platform=darwin", "--cache-dir=.mypy_cache/darwin", "gate"],
    "import-linter": ["lint-imports"],
}

LARGEST_TRACKED_FILE = 400_000
"""Bytes. What `git clone`, `pip install` and `uses:` fetch grows by every tracked file; nothing here comes near."""


@pytest.mark.ci
@pytest.mark.parametrize("command", CHECKS.values(), ids=CHECKS.keys())
def test_whole_project_passes_the_check(command: list[str]) -> None:
    """Style, types and the floors of imports hold for the whole project."""
    tool = Path(sys.executable).parent / command[0]
    done = subprocess.run([tool, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def tracked_files() -> list[Path]:
    """Return the files that git tracks, as they are in the work tree; one that is about to be removed is left out."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is a source archive: git tracks nothing here")
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_tracked_file_is_large() -> None:
    """A built tool or a recorded answer of hundreds of kilobytes is not tracked."""
    files = tracked_files()
    assert ROOT / "pyproject.toml" in files
    assert [path for path in files if path.stat().st_size > LARGEST_TRACKED_FILE] == []


def test_tracked_files_are_text() -> None:
    """What git tracks can be read in a review: UTF-8 without NUL bytes."""

    def is_text(content: bytes) -> bool:
        try:
            return "\0" not in content.decode()
        except UnicodeDecodeError:
            return False

    assert [path for path in tracked_files() if not is_text(path.read_bytes())] == []
