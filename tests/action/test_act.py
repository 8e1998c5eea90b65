"""The self-test workflow, executed by nektos/act, the runner that people use on their own machines."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.tools import tool

pytestmark = pytest.mark.ci

GIT = ["git", "-c", "user.name=someone", "-c", "user.email=someone@example.com", "-c", "init.defaultBranch=main"]


def test_self_test_passes_in_act(tmp_path: Path) -> None:
    """`uses: ./` works, both builds end as they should, and the workflow's own inspection of the outputs agrees.

    Host mode needs no container; act replaces the check-out by the folder that it runs in.
    """
    act = tool("act")
    repository = tmp_path / "repository"
    unwanted = (".git", ".venv", ".*_cache", "__pycache__", "node_modules", "bin", "dist")
    shutil.copytree(ROOT, repository, ignore=shutil.ignore_patterns(*unwanted))
    for arguments in (
        ["init"],
        ["add", "."],
        ["commit", "-m", "x"],
        ["remote", "add", "origin", "https://x.invalid/y/z"],
    ):
        subprocess.run([*GIT, *arguments], cwd=repository, check=True, capture_output=True)
    workflow = ("-W", ".github/workflows/self-test.yml")
    done = subprocess.run(
        [act, "push", "-P", "ubuntu-latest=-self-hosted", "--matrix", "system:ubuntu-latest", *workflow],
        cwd=repository,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Success - Main Stop the simulator" in done.stdout  # act, unlike GitHub, ends no process that is left
    assert "| passed 0, failed 1 failure, FAILURE" in done.stdout
    assert re.search(r"::notice title=codearts-gate(%3A|:) app passed::", done.stdout)
    assert re.search(r"::error title=codearts-gate(%3A|:) app failed::", done.stdout)
