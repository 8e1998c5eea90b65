"""What a release consists of, built once for all tests."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import ROOT


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
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "build_release.py", folder],
        env={**os.environ, "PIP_CACHE_DIR": str(cache), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Return what the build made, twice: in two time zones and under two masks of permissions; one worker builds."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is a source archive: a release is built from a checkout")
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
