"""The workflows that build and publish, and the one version that everything names."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gate import __version__
from tests.conftest import ROOT
from tests.test_checks import tracked_files

pytestmark = pytest.mark.ci

GITHUB = ROOT / ".github"
RELEASE = GITHUB / "workflows" / "release.yml"

NAMED_VERSION = re.compile(r"codearts-gate(?:@v|==|/archive/refs/tags/v|/releases/download/v)(\d+\.\d+\.\d+)")


def test_auditor_finds_nothing_in_what_builds_and_publishes() -> None:
    """Zizmor's strictest persona: permissions, pins, concurrency, credentials."""
    zizmor = [str(Path(sys.executable).parent / "zizmor"), "--offline", "--no-progress", "--persona", "auditor"]
    files = [RELEASE, GITHUB / "workflows" / "ci.yml", GITHUB / "dependabot.yml"]
    done = subprocess.run([*zizmor, *map(str, files)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_linter_of_container_files_finds_nothing() -> None:
    """The image itself is built where there is a registry, by the release's workflow."""
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, ROOT / ".ci/Containerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_change_log_has_this_version() -> None:
    """The release's notes are the section of its version."""
    assert f"\n## {__version__}\n\n" in (GITHUB / "CHANGELOG.md").read_text()


def test_whatever_names_a_release_names_this_one() -> None:
    """README, examples and the rest follow `gate/__init__.py`, where the version stands."""
    texts = {path: path.read_text() for path in tracked_files() if path.suffix != ".png"}
    named = {path: set(NAMED_VERSION.findall(text)) for path, text in texts.items() if NAMED_VERSION.search(text)}
    assert ROOT / "README.md" in named
    assert all(versions == {__version__} for versions in named.values()), named
