"""Tab completion: what a shell gets from the program, and what the shells themselves show."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gate.codearts.regions import REGIONS
from gate.simulator.scenarios import SCENARIOS
from tests.conftest import ROOT
from tests.helpers import RunGate

COMPLETE = "_CODEARTS_GATE_COMPLETE"

TYPED = [
    ("wai", {"wait"}),
    ("wait --regi", {"--region"}),
    ("wait --region cn-n", {region for region in REGIONS if region.startswith("cn-n")}),
    ("doctor --region ", set(REGIONS)),
    ("demo --scenario ", set(SCENARIOS)),
    ("simulate --scenario fa", {name for name in SCENARIOS if name.startswith("fa")}),
    ("wait --auth ", {"auto", "token", "aksk", "password"}),
    ("wait --platform g", {"github", "gitlab"}),
]


def words(shell: str, typed: str) -> Mapping[str, str]:
    """Return the variables by which a shell asks what can follow."""
    line = f"codearts-gate {typed}"
    if shell == "fish":
        return {"COMP_WORDS": line, "COMP_CWORD": line.rpartition(" ")[2]}
    return {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}


@pytest.mark.parametrize(("typed", "expected"), TYPED)
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_program_answers_a_shell(run_here: RunGate, shell: str, typed: str, expected: set[str]) -> None:
    """Commands, options, choices, regions and scenarios; stderr stays empty, and the status is 0."""
    done = run_here(env={COMPLETE: f"{shell}_complete", **words(shell, typed)})
    assert (done.returncode, done.stderr) == (0, "")
    if shell == "zsh":  # three lines for each: kind, value, help
        found = set(done.stdout.splitlines()[1::3])
    else:
        found = {line.partition(",")[2].partition("\t")[0] for line in done.stdout.splitlines()}
    assert found == expected


@pytest.mark.parametrize("option", ["--junit", "--summary", "--outputs", "--token-file"])
def test_names_of_files_are_left_to_the_shell(run_here: RunGate, option: str) -> None:
    """It knows them best."""
    done = run_here(env={COMPLETE: "bash_complete", **words("bash", f"wait {option} re")})
    assert (done.returncode, done.stdout) == (0, "file,re\n")


def test_variable_of_completion_decides_nothing(run_here: RunGate) -> None:
    """A pipeline that has it set by mistake waits as always; a shell that nobody knows gets no script."""
    done = run_here("wait", "0" * 32, env={COMPLETE: "bash_complete", **words("bash", "wai")})
    assert (done.returncode, done.stdout) == (2, "")
    done = run_here(env={COMPLETE: "tcsh_source"})
    assert (done.returncode, done.stdout) == (2, "")


@pytest.fixture
def on_the_path(tmp_path: Path) -> Mapping[str, str]:
    """Return the environment of a shell that finds the program, and nothing of the user's."""
    program = tmp_path / "bin" / "codearts-gate"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gate "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "TERM": "dumb"}


def with_shell(name: str) -> pytest.MarkDecorator:
    """Skip a test where a shell is not installed."""
    return pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed")


BASH = f"""
eval "$({COMPLETE}=bash_source codearts-gate)"
COMP_WORDS=(codearts-gate wait --region cn-n) COMP_CWORD=3
complete -p codearts-gate >/dev/null && _codearts_gate_completion codearts-gate cn-n --region
echo "${{COMPREPLY[@]}}"
"""

FISH = f"""
{COMPLETE}=fish_source codearts-gate | source
complete -C "codearts-gate wait --region cn-n"
"""

ZSH = f"""autoload -U compinit && compinit -u && eval "$({COMPLETE}=zsh_source codearts-gate)" && echo is${{:-on}}
"""

NORTH = [region for region in sorted(REGIONS) if region.startswith("cn-n")]


@with_shell("bash")
def test_bash_completes(on_the_path: Mapping[str, str]) -> None:
    """By the line that the reference gives."""
    done = subprocess.run(["bash", "--norc", "-c", BASH], env=on_the_path, capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == (NORTH, "")


@with_shell("fish")
def test_fish_completes(on_the_path: Mapping[str, str]) -> None:
    """By the line that the reference gives."""
    done = subprocess.run(["fish", "-N", "-c", FISH], env=on_the_path, capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == (NORTH, "")


@with_shell("zsh")
def test_zsh_completes(on_the_path: Mapping[str, str]) -> None:
    """By the line that the reference gives; it completes only where somebody types."""
    process, terminal = pty.fork()
    if process == 0:  # pragma: no cover - another program from here on
        os.execvpe("zsh", ["zsh", "-f", "-i"], {**on_the_path, "PS1": "READY> ", "COLUMNS": "200"})  # noqa: S606
    try:
        expect(terminal, lambda text: "READY> " in text)
        os.write(terminal, ZSH.encode())
        expect(terminal, lambda text: "ison" in text)
        os.write(terminal, b"codearts-gate wait --region cn-north-\t")
        text = expect(terminal, lambda text: all(region in text for region in NORTH))
        assert "Error" not in text
    finally:
        os.close(terminal)
        os.kill(process, 9)
        os.waitpid(process, 0)


def expect(terminal: int, condition: Callable[[str], bool], seconds: float = 30) -> str:
    """Read from a terminal until a condition holds for what was read."""
    text, until = "", time.monotonic() + seconds
    while not condition(text):
        assert select.select([terminal], [], [], max(until - time.monotonic(), 0))[0], text
        text += os.read(terminal, 4096).decode(errors="replace")
    return text
