"""The action as a release has it: action.yml with the one file beside it."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.action.driver import Driver
from tests.conftest import ROOT
from tests.release_build import build_once
from tests.tools import node_script


@pytest.fixture(scope="session")
def action(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the action, whose path has a space."""
    node_script("drive-action.mjs")
    folder = tmp_path_factory.mktemp("the action")
    shutil.copy(build_once(tmp_path_factory).file("*.pyz"), folder)
    shutil.copy(ROOT / "action.yml", folder)
    return folder


@pytest.fixture
def driver(tmp_path: Path, action: Path) -> Iterator[Driver]:
    """Return a driver on a runner whose folders have spaces in their paths."""
    workspace, temp = tmp_path / "work space", tmp_path / "runner temp"
    workspace.mkdir()
    temp.mkdir()
    with ExitStack() as stack:
        yield Driver(stack, action, workspace, temp)
