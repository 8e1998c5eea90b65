"""`.ci/run` prints and counts what runs beside the tests, whatever becomes of them; all its commands are stand-ins."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.ci

COMMANDS = ("bash", "cat", "dirname", "grep", "mktemp", "renice", "rm", "sed", "sort")

README = "<!-- tests -->\n```sh\n.venv/bin/python -m pytest\n```\n"

RELEASE = 'echo "$1: the release"; exit $RELEASE'

TESTS = """\
case "$*" in
*last-failed*) exit 1 ;;
*hypothesis-profile*) exit $MORE ;;
*) exit $SUITE ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with `.ci/run` and scripts in the place of all that it starts."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "README.md").write_text(README)
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", tmp_path / ".ci")
    (tmp_path / "bin").mkdir()
    for name in COMMANDS:
        found = shutil.which(name)
        assert found is not None, name
        (tmp_path / "bin" / name).symlink_to(found)
    scripts = {
        **dict.fromkeys(("bin/npm", "bin/python3", "bin/rsync"), ""),
        ".ci/check-release": RELEASE,
        ".venv/bin/python": TESTS,
    }
    for name, script in scripts.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!{tmp_path}/bin/bash\n{script}\n")
        path.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(("suite", "more", "release"), [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 7), (1, 0, 7)], ids=str)
def test_whatever_fails_the_check_of_the_release_is_told_and_counts(
    checkout: Path, suite: int, more: int, release: int
) -> None:
    """Its log is printed once, and the run passes only where the suite, CI's tests and the release are right."""
    env = {"PATH": str(checkout / "bin"), "HOME": str(checkout), "TMPDIR": str(checkout)}
    codes = {"SUITE": str(suite), "MORE": str(more), "RELEASE": str(release)}
    done = subprocess.run(
        [checkout / ".ci/run"], env={**env, **codes}, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode == 0) == (suite == more == release == 0), done.stdout + done.stderr
    assert done.stdout.count(": the release\n") == 1, done.stdout + done.stderr
    assert ("build_and_check_release ended with 7" in done.stderr) == (release == 7)
    assert not list(checkout.glob("tmp*"))
