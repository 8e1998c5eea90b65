"""The Jenkins examples' shell steps, run as Jenkins does: `sh -xe`, in a process group that an abort terminates.

The gate comes from this environment, in which `pip install` finds it already; making another one would take too long.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.end_to_end.test_run import wait_for
from tests.faults.faulty_simulator import FaultySimulator

EXAMPLES = ROOT / "examples" / "jenkins"
PIPELINE = "\n".join(re.findall(r"\bsh(?: |\(script: )'([^']*)'", (EXAMPLES / "Jenkinsfile").read_text()))
SCRIPTS = {"freestyle": (EXAMPLES / "freestyle.sh").read_text(), "pipeline": PIPELINE}

Step = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def step(tmp_path: Path) -> Iterator[Step]:
    """Return a function that starts a script as a step in a workspace."""
    tools = tmp_path / "tools"
    for folder in (tools, tmp_path / ".gate"):
        folder.mkdir()
    (tmp_path / ".gate" / "bin").symlink_to(Path(sys.executable).parent)
    python = tools / "python3"
    python.write_text('#!/bin/sh\n[ "$*" = "-m venv .gate" ]\n')
    python.chmod(0o755)
    path = os.pathsep.join([str(tools), os.environ["PATH"]])
    with ExitStack() as stack:

        def start(script: str, environment: Mapping[str, str]) -> "subprocess.Popen[str]":
            process = subprocess.Popen(
                ["sh", "-xe", "-c", script],
                cwd=tmp_path,
                env={**os.environ, "PATH": path, "JENKINS_URL": "x", **environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


def environment(simulator: FaultySimulator) -> Mapping[str, str]:
    """Return the variables that Jenkins would have set."""
    return {
        "GATE_PACKAGE": "codearts-gate",
        "GATE_ENDPOINT": simulator.endpoint,
        "GATE_TOKEN": simulator.token,
        "GATE_TARGETS": next(iter(simulator.jobs.values())),
        "GATE_POLL_INTERVAL": "200ms",
        "GATE_MAX_AGE": "10h",
        "GATE_OUTPUTS": "gate.properties",
    }


def test_pipeline_has_its_shell_steps() -> None:
    """The steps were found: one installs, the other starts the gate."""
    assert PIPELINE.splitlines()[1:] == [".gate/bin/codearts-gate run"]


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
@pytest.mark.parametrize(("scenario", "status"), [("passing", 0), ("failing", 1)])
def test_step_ends_with_the_exit_code_and_prints_no_secret(
    simulate: Callable[..., FaultySimulator], step: Step, tmp_path: Path, script: str, scenario: str, status: int
) -> None:
    """The code is the gate's, the files for later steps are there, and the trace of the shell names no secret."""
    simulator = simulate([scenario], speed=100)
    process = step(script, environment(simulator))
    out, _ = process.communicate(timeout=120)
    assert process.returncode == status, out
    assert "+ .gate/bin/codearts-gate" in out
    assert simulator.token not in out
    assert (tmp_path / "gate-report.xml").exists()
    assert f"GATE_EXIT_CODE={status}\n" in (tmp_path / "gate.properties").read_text()


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_aborted_step_reports_and_stops_only_what_it_started(
    simulate: Callable[..., FaultySimulator], step: Step, tmp_path: Path, script: str
) -> None:
    """SIGTERM to the whole group ends the gate, which writes its report; a build that it started is stopped."""
    simulator = simulate(["slow"])
    process = step(script, environment(simulator))
    wait_for(lambda: simulator.journal.of("ShowJobBuildRecordDetail"), seconds=60)
    os.killpg(process.pid, signal.SIGTERM)
    out, _ = process.communicate(timeout=30)  # ends when the gate has closed its streams too
    assert "interrupted (exit 143)" in out
    assert '<error type="Interrupted"' in (tmp_path / "gate-report.xml").read_text()
    assert "GATE_EXIT_CODE=143\n" in (tmp_path / "gate.properties").read_text()
    started = script is PIPELINE
    assert simulator.journal.stops == (((simulator.jobs["slow"], 58),) if started else ())
