"""The action's step, run as GitHub's runner does it, by `.ci/drive-action.mjs`."""

import json
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.tools import node_script


@dataclass(frozen=True)
class Step:
    """What the runner made of a run."""

    exit: int | str
    summary: str
    outputs: dict[str, str]
    log: list[str]
    commands: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    def of(self, *names: str) -> list[tuple[str, dict[str, str], str]]:
        """Return the commands of these names."""
        return [command for command in self.commands if command[0] in names]


class Driver:
    """Drives the action in a folder."""

    def __init__(self, stack: ExitStack, action: Path, workspace: Path, temp: Path) -> None:
        """Start nothing yet; `action`: the folder with `action.yml`, `temp`: the runner's for temporary files."""
        self._stack, self.action, self.workspace, self.temp = stack, action, workspace, temp

    def start(self, env: Mapping[str, str] | None = None, /, **inputs: str) -> "subprocess.Popen[str]":
        """Start a run; `env` are the job's variables."""
        return self._drive(env, {"with": {name.replace("_", "-"): value for name, value in inputs.items()}})

    def _drive(self, env: Mapping[str, str] | None, what: Mapping[str, object]) -> "subprocess.Popen[str]":
        """Start the driver, with what to run."""
        folders = {"action": str(self.action), "workspace": str(self.workspace), "temp": str(self.temp)}
        variables = {"GATE_POLL_INTERVAL": "200ms", **(env or {})}  # simulated builds take less than a second
        request = {**folders, "env": variables, **what}
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(node_script("drive-action.mjs"), text=True, **pipes)
        self._stack.enter_context(process)
        self._stack.callback(process.kill)
        assert process.stdin
        process.stdin.write(json.dumps(request))
        process.stdin.close()
        process.stdin = None
        return process

    def finish(self, process: "subprocess.Popen[str]") -> Step:
        """Wait for the end of a run."""
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return Step(**json.loads(out))

    def run(self, env: Mapping[str, str] | None = None, /, **inputs: str) -> Step:
        """Run the action to its end."""
        return self.finish(self.start(env, **inputs))

    def run_workflow(self, text: str, env: Mapping[str, str], **contexts: Mapping[str, object]) -> "Workflow":
        """Run the jobs of a workflow one after another; `contexts` are github, secrets and inputs."""
        process = self._drive(env, {"workflow": text, "contexts": contexts})
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return Workflow(**json.loads(out))


@dataclass(frozen=True)
class Workflow:
    """What the runner made of a workflow; `runs` has an entry for each job."""

    runs: list[dict[str, Any]]
    log: list[str]
    commands: list[tuple[str, dict[str, str], str]]
