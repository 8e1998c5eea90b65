"""What a release consists of, built once for all tests of a run, or by `.ci/run` before them."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import ROOT

PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
"""Where more versions of Python may be, which are put on the path for the build."""

GIVEN = os.environ.get("GATE_RELEASE")
"""The folder in which `.ci/run` has built both; read here, before tests scrub the environment."""


class Release(NamedTuple):
    """What the build made, and the same made once more under other circumstances."""

    folder: Path
    again: Path

    def file(self, pattern: str) -> Path:
        """Return the only file of the release whose name fits `pattern`."""
        (found,) = self.folder.glob(pattern)
        return found


def build(folder: Path, cache: Path, **environment: str) -> None:
    """Build a release into `folder`."""
    path = os.pathsep.join([*map(str, sorted(PYENV.glob("versions/3.1[1-9].*/bin"))), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "build_release.py", folder],
        env={**os.environ, "PATH": path, "PIP_CACHE_DIR": str(cache), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def build_once(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Build a release twice: in two time zones and under two masks of permissions; one worker builds for all."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is a source archive: a release is built from a checkout")
    if GIVEN:
        return Release(Path(GIVEN, "first"), Path(GIVEN, "second"))
    shared = tmp_path_factory.getbasetemp().parent / "release"
    shared.mkdir(exist_ok=True)
    made = Release(shared / "first", shared / "second")
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made.again / "SHA256SUMS").exists():
            build(made.folder, shared / "cache", TZ="UTC")
            mask = os.umask(0o077)
            try:
                build(made.again, shared / "cache", TZ="Asia/Shanghai", PYTHONHASHSEED="7")
            finally:
                os.umask(mask)
    return made
