"""The tools outside Python that run and judge what the gate delivers; `.ci/run` installs them."""

import os
import re
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from tests.conftest import ROOT

REQUIRED = os.environ.get("GATE_CI") == "1"
"""Whether a missing tool is an error; read here, before tests scrub the environment."""

QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Options of Java for a program of a few seconds: without them, most of it goes into compiling for a long run."""

_FOLDERS = (".ci/node_modules/.bin", ".ci/bin", ".ci/bin/pypi/bin")
_PATH = os.pathsep.join([*(f"{ROOT}/{folder}" for folder in _FOLDERS), os.environ["PATH"]])


def tool(name: str, *, made_with: str = "sh") -> str:
    """Return the path of a tool; without it, the test is left out, or fails where `.ci/run` should have installed it.

    `made_with`: what `.ci/run` makes the tool with, on machines that have that.
    """
    found = shutil.which(name, path=_PATH)
    if found is None and shutil.which(made_with) is None:
        pytest.skip(f"{name} is missing: it is made with {made_with}, which this machine has not")
    return found if found is not None else missing(name)


def node_script(name: str) -> list[str]:
    """Return the command for a script of `.ci/`, which needs the packages there."""
    script = ROOT / ".ci" / name
    for package in re.findall(r"^import .+ from '([^:']+)';$", script.read_text(encoding="utf-8"), re.MULTILINE):
        if not (ROOT / ".ci" / "node_modules" / package).is_dir():
            missing(f"{package}, which {name} needs")
    return [tool("node"), str(script)]


def java() -> str:
    """Return the path of Java, which `.ci/run` leaves to the machine; without it, the test is left out."""
    found = shutil.which("java", path=_PATH)
    if found is None:
        pytest.skip("java is missing on this machine, and .ci/run does not install it")
    return found


def java_archive(name: str) -> Path:
    """Return the path of a Java archive, which `.ci/run` fetches with Maven on machines that have it."""
    archive = ROOT / ".ci" / "bin" / name
    if not archive.exists():
        if shutil.which("mvn") is None:
            pytest.skip(f"{name} is missing: it is fetched with mvn, which this machine has not")
        missing(name)
    return archive


def missing(what: str) -> NoReturn:
    """Leave the test out, or let it fail."""
    if REQUIRED:
        pytest.fail(f"missing: {what}, although .ci/run installs it")
    pytest.skip(f"{what} is missing: .ci/run installs it")
