"""The command that adds the vendor's signer, for each way in which the program is installed."""

import os
import shlex
import sys
import sysconfig
import tomllib
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from gate.codearts import installation
from gate.codearts.installation import SIGNER, how_to_add_signer
from tests.conftest import ROOT

RECEIPT = "[tool]\nrequirements = [{{ name = 'codearts-gate'{} }}]\n"
ADD_BY_PIP = f'-m pip install "{SIGNER}"'


class Machine:
    """Where this Python seems to be installed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._patch = monkeypatch
        self.folder = folder
        self.managed = folder / "stdlib"
        self.managed.mkdir()
        monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(self.managed))
        self.has_pip(True)
        self.lives_in("usr", is_environment=False)

    def lives_in(self, place: str, *, is_environment: bool = True) -> Path:
        """Set the prefix to a folder, which is made."""
        prefix = self.folder / place
        prefix.mkdir(parents=True, exist_ok=True)
        self._patch.setattr(sys, "prefix", str(prefix))
        self._patch.setattr(sys, "base_prefix", str(self.folder / "usr" if is_environment else prefix))
        self._patch.setattr(sys, "executable", str(prefix / "bin" / "python"))
        return prefix

    def has_pip(self, there: bool) -> None:
        """Set whether pip can be imported."""
        found = ModuleSpec("pip", None) if there else None
        self._patch.setattr("importlib.util.find_spec", lambda name: found if name == "pip" else 1 / 0)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    """Return a Python of a system, which manages it by itself."""
    return Machine(monkeypatch, tmp_path)


def test_pipx_adds_to_the_programs_environment(machine: Machine) -> None:
    """Its name is that of the folder: `pipx install --suffix` makes another one."""
    (machine.lives_in("pipx/venvs/codearts-gate-2") / "pipx_metadata.json").touch()
    assert how_to_add_signer() == f'Add it: pipx inject codearts-gate-2 "{SIGNER}"'


def test_pipx_run_takes_the_extra(machine: Machine) -> None:
    """Its environment is thrown away."""
    (machine.lives_in("pipx/.cache/48a5445177ea027") / "pipx_metadata.json").touch()
    assert 'pipx run --spec "codearts-gate[aksk]" codearts-gate' in how_to_add_signer()


@pytest.mark.parametrize(
    ("source", "command"),
    [
        ("", f'uv tool install --with "{SIGNER}" codearts-gate'),
        (", specifier = '==0.1.0'", f'uv tool install --with "{SIGNER}" codearts-gate'),
        (", path = '/a.whl'", f'uv pip install --python {{python}} "{SIGNER}"'),
        (", git = 'https://host.test/x'", f'uv pip install --python {{python}} "{SIGNER}"'),
    ],
    ids=["index", "version", "file", "repository"],
)
def test_uv_tool_adds_to_the_program_where_it_came_from(machine: Machine, source: str, command: str) -> None:
    """The program's name alone would fetch another one, where it did not come from an index."""
    prefix = machine.lives_in("uv/tools/codearts-gate")
    (prefix / "uv-receipt.toml").write_text(RECEIPT.format(source))
    machine.has_pip(False)
    assert how_to_add_signer() == "Add it: " + command.format(python=prefix / "bin/python")


def test_uvx_takes_the_package(machine: Machine) -> None:
    """Its environment lies in uv's cache."""
    machine.lives_in("uv/archive-v0/Xy12")
    assert f'uvx --with "{SIGNER}" codearts-gate' in how_to_add_signer()


def test_environment_has_its_own_pip(machine: Machine) -> None:
    """Also inside of a Python that the system manages; a path with a space is quoted."""
    (machine.managed / "EXTERNALLY-MANAGED").touch()
    prefix = machine.lives_in("my venv")
    assert how_to_add_signer() == f"Add it: {shlex.quote(str(prefix / 'bin/python'))} {ADD_BY_PIP}"


def test_environment_of_uv_has_no_pip(machine: Machine) -> None:
    """`uv venv` makes it without."""
    prefix = machine.lives_in("venv")
    machine.has_pip(False)
    assert how_to_add_signer() == f'Add it: uv pip install --python {prefix / "bin/python"} "{SIGNER}"'


def test_python_of_nobody_is_installed_into(machine: Machine) -> None:
    """As in images of Python, where there is no environment."""
    assert how_to_add_signer() == f"Add it: {machine.folder}/usr/bin/python {ADD_BY_PIP}"


def test_python_of_the_system_gets_an_environment_beside_it(machine: Machine) -> None:
    """PEP 668: pip would refuse. The program moves there, with its extra."""
    (machine.managed / "EXTERNALLY-MANAGED").touch()
    said = how_to_add_signer()
    for command in (
        f"{machine.folder}/usr/bin/python -m venv gate-environment",
        'gate-environment/bin/python -m pip install "codearts-gate[aksk]"',
        "gate-environment/bin/python -m gate",
    ):
        assert command in said


def test_package_is_that_of_the_extra() -> None:
    """Newer versions need a driver of a database."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["optional-dependencies"]["aksk"] == [SIGNER]
    assert project["name"] == installation.PROGRAM


@pytest.mark.parametrize("page", ["REFERENCE.md", "REFERENCE.zh-CN.md"])
def test_reference_has_the_commands(machine: Machine, page: str) -> None:
    """As the program says them."""
    text = (ROOT / ".github" / page).read_text(encoding="utf-8")
    assert f"python3 {ADD_BY_PIP}" in text
    (machine.lives_in("pipx/venvs/codearts-gate") / "pipx_metadata.json").touch()
    assert how_to_add_signer().removeprefix("Add it: ") in text
    (machine.lives_in("uv/tools/codearts-gate") / "uv-receipt.toml").write_text(RECEIPT.format(""))
    assert how_to_add_signer().removeprefix("Add it: ") in text


@pytest.mark.skipif(os.name == "nt", reason="the quotes of a shell")
def test_command_is_one_that_a_shell_takes(machine: Machine) -> None:
    """`<` and `[` mean something to shells."""
    assert shlex.split(how_to_add_signer().removeprefix("Add it: "))[-1] == SIGNER
    assert machine.folder.exists()
