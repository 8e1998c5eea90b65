"""CONTRIBUTING and SECURITY speak of files and layers that exist."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

CONTRIBUTING = ROOT / ".github" / "CONTRIBUTING.md"
SECURITY = ROOT / ".github" / "SECURITY.md"

PATH = re.compile(r"(?<![\w/.-])(?:\.ci|\.github|gate|tests|examples)/[\w./*-]*[\w*]")


@pytest.mark.parametrize("guide", [CONTRIBUTING, SECURITY], ids=lambda path: path.name)
def test_every_path_in_a_guide_exists(guide: Path) -> None:
    """A file that moves takes its mention along."""
    paths = PATH.findall(guide.read_text())
    assert paths
    assert [path for path in paths if not list(ROOT.glob(path))] == []


def test_layers_in_the_guide_are_those_that_are_checked() -> None:
    """The picture of the layers says what import-linter holds."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    block = re.search(r"```\n(cli .*?)```", CONTRIBUTING.read_text(), re.DOTALL)
    assert block is not None
    drawn = [re.split(r"\s{2,}", line)[0].rstrip() for line in block[1].splitlines()]
    assert drawn == layers
