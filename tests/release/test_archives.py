"""What the wheel and the source archive hold, and that a commit gives the same bytes each time."""

import subprocess
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

from gate import __version__
from tests.conftest import ROOT
from tests.release_build import Release
from tests.test_checks import tracked_files

pytestmark = pytest.mark.ci


def test_release_is_three_files_and_their_sums(release: Release) -> None:
    """The version stands in the names of the archives; the one file has a name that links can keep."""
    names = {path.name for path in release.folder.iterdir()}
    wheel, source = f"codearts_gate-{__version__}-py3-none-any.whl", f"codearts_gate-{__version__}.tar.gz"
    assert names == {wheel, source, "codearts-gate.pyz", "SHA256SUMS"}
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(command, cwd=release.folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.count(": OK\n")) == (0, 3)


def test_second_build_gives_the_same_bytes(release: Release) -> None:
    """Time zone, permissions and the order of sets leave no trace."""
    for path in sorted(release.folder.iterdir()):
        assert path.read_bytes() == (release.again / path.name).read_bytes(), path.name


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
