"""A runner on which the action is installed; the first test that needs it installs it for all."""

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.action.driver import Driver
from tests.tools import node_script


def unsuitable_pip_settings(folder: Path) -> Mapping[str, str]:
    """Return variables of a runner whose pip is set up for something else, in every way that is known to do harm."""
    config = folder / "pip.conf"
    config.write_text(f"[global]\nroot = {folder}/root\n[install]\nuser = true\nno-binary = :all:\n")
    (folder / "constraints.txt").write_text("requests==1.0\n")
    return {
        "PIP_CONFIG_FILE": str(config),
        "PIP_CONSTRAINT": str(folder / "constraints.txt"),
        "PIP_DRY_RUN": "1",
        "PIP_PREFIX": str(folder / "prefix"),
        "PIP_PYTHON": str(folder / "python"),
        "PIP_REQUIRE_HASHES": "1",
        "PIP_TARGET": str(folder / "target"),
        "PIP_USER": "1",
    }


@pytest.fixture
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a runner on which the action is installed."""
    node_script("drive-action.mjs")
    runner = tmp_path_factory.getbasetemp().parent / "runner"
    runner.mkdir(exist_ok=True)
    with ExitStack() as stack, (runner / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not list(runner.glob("codearts-gate/*/ready")):
            workspace = tmp_path_factory.mktemp("workspace")
            step = Driver(stack, workspace, runner).run(unsuitable_pip_settings(runner), targets="none")
            assert step.exit == 2, step.log
    return runner


@pytest.fixture
def driver(tmp_path: Path, runner: Path) -> Iterator[Driver]:
    """Return a driver on this runner, with a workspace of its own."""
    with ExitStack() as stack:
        yield Driver(stack, tmp_path, runner)
