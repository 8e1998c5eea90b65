"""What the wheel and the source archive hold, and that a commit gives the same bytes each time."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

from gate import __version__
from tests.conftest import ROOT
from tests.release.test_locks import pins
from tests.release_build import Release
from tests.test_checks import tracked_files

pytestmark = pytest.mark.ci


def test_release_is_four_files_and_their_sums(release: Release) -> None:
    """The version stands in the names of the archives; the one file has a name that links can keep."""
    names = {path.name for path in release.folder.iterdir()}
    wheel, source = f"codearts_gate-{__version__}-py3-none-any.whl", f"codearts_gate-{__version__}.tar.gz"
    assert names == {wheel, source, "codearts-gate.pyz", "codearts-gate.cdx.json", "SHA256SUMS"}
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(command, cwd=release.folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.count(": OK\n")) == (0, 4)


def test_second_build_gives_the_same_bytes(release: Release) -> None:
    """Time zone, permissions and the order of sets leave no trace."""
    for path in sorted(release.folder.iterdir()):
        assert path.read_bytes() == (release.again / path.name).read_bytes(), path.name


def test_bill_of_materials_names_what_the_one_file_holds(release: Release) -> None:
    """Each distribution with its version and licence; what is only needed to build is not in it."""
    document = json.loads(release.file("*.cdx.json").read_text())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"]["version"] == __version__
    held = {part["name"].lower().replace("_", "-"): part for part in document["components"]}
    pinned = pins("requirements.txt") | pins("requirements-aksk.txt")
    assert {name: part["version"] for name, part in held.items()} == {name: pinned[name] for name in held}
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {*(re.split("[<>=]", need)[0] for need in dependencies), "huaweicloudsdkcore", "pyasn1", "six"} <= set(held)
    assert "flit-core" not in held
    assert all(part["licenses"] and part["purl"] == f"pkg:pypi/{name}@{part['version']}" for name, part in held.items())


def test_commit_of_a_release_adds_the_one_file_and_its_sum(release: Release, tmp_path: Path) -> None:
    """It stands on the commit that was built, and differs from it by the file and the stamps in the examples."""

    def git(*arguments: str, **env: str) -> str:
        command = ["git", "-c", "user.name=someone", "-c", "user.email=someone@example.com", *arguments]
        done = subprocess.run(command, cwd=clone, env={**os.environ, **env}, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--shared", ROOT, clone], check=True)
    for path in tracked_files():  # as they are in the work tree
        shutil.copy(path, clone / path.relative_to(ROOT))
    git("add", "--all")
    git("commit", "--allow-empty", "-q", "-m", "work tree")
    before = git("status", "--porcelain")
    env = {f"GIT_{who}_{what}": "x@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    command = [clone / ".ci/commit_release", release.folder]
    variables = {**os.environ, **env, "GITHUB_REPOSITORY": "someone/gate"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    made = done.stdout.strip()
    assert (git("rev-parse", f"{made}^"), git("status", "--porcelain")) == (git("rev-parse", "HEAD"), before)
    changed = git("diff", "--name-only", "HEAD", made).splitlines()
    assert "codearts-gate.pyz" in changed
    assert all(name == "codearts-gate.pyz" or name.startswith("examples/") for name in changed)
    digest = hashlib.sha256(release.file("*.pyz").read_bytes()).hexdigest()
    texts = {name: git("show", f"{made}:{name}") for name in changed if name.startswith("examples/")}
    assert not [name for name, text in texts.items() if "0" * 64 in text or "OWNER/" in text]
    assert digest in texts["examples/gitlab/template.yml"]
    assert git("ls-tree", made, "codearts-gate.pyz").startswith("100755 blob ")
    git("checkout", "-q", made)
    assert (clone / "codearts-gate.pyz").read_bytes() == release.file("*.pyz").read_bytes()


def test_wheel_holds_the_package_and_nothing_else(release: Release) -> None:
    """Exactly the tracked files of `gate/` are installed, and what the index shows is there."""
    tracked = {path.relative_to(ROOT).as_posix() for path in tracked_files() if path.is_relative_to(ROOT / "gate")}
    with zipfile.ZipFile(release.file("*.whl")) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
        metadata = HeaderParser().parsestr(wheel.read(f"codearts_gate-{__version__}.dist-info/METADATA").decode())
    assert held == tracked
    assert metadata["Version"] == __version__
    assert "Programming Language :: Python :: 3.11" in metadata.get_all("Classifier", [])
    assert metadata.get_all("Project-URL")


def test_source_archive_holds_the_repository(release: Release) -> None:
    """Whoever unpacks it has the tests, the examples and the action too; git's own work is all that is missing."""
    with tarfile.open(release.file("*.tar.gz")) as archive:
        held = {str(Path(*Path(name).parts[1:])) for name in archive.getnames()}
    tracked = {path.relative_to(ROOT).as_posix() for path in tracked_files()}
    assert held == tracked | {"PKG-INFO"}
