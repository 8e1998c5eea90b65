"""`demo` and `simulate` as processes: rehearsals without an account and without a network."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from junitparser import JUnitXml

from gate.cli.rehearsal import descriptions

Run = Callable[..., subprocess.CompletedProcess[str]]
StartGate = Callable[..., "subprocess.Popen[str]"]

CODES = {
    "passing": 0,
    "failing": 1,
    "aborted": 4,
    "schedule-failure": 1,
    "slow": 3,
    "queued": 0,
    "flaky": 0,
    "expired-token": 5,
    "failing-tests": 1,
    "unknown-state": 5,
}
"""The exit code of each scenario; one without a code here fails the tests."""


@pytest.mark.parametrize("scenario", descriptions())
def test_demo_of_every_scenario_ends_in_time(run_gate: Run, tmp_path: Path, scenario: str) -> None:
    """Under ten seconds, with its exit code, its report and a word of where the report lies; no setting is needed."""
    started = time.monotonic()
    done = run_gate("demo", "--scenario", scenario)
    assert time.monotonic() - started < 10
    assert done.returncode == CODES[scenario], done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert "report in gate-report.xml" in done.stderr
    assert len(list(JUnitXml.fromfile(str(tmp_path / "gate-report.xml")))) == 1


def test_demo_without_a_scenario_passes(run_gate: Run, tmp_path: Path) -> None:
    """The default; settings of the environment do not lead it elsewhere, and the report goes where it is told."""
    env = {"GATE_ENDPOINT": "https://nowhere.invalid", "GATE_TOKEN": "s3cr3t", "HTTP_PROXY": "http://127.0.0.1:9"}
    done = run_gate("demo", "--junit", "a/r.xml", env=env)
    assert (done.returncode, done.stdout.startswith("passed ")) == (0, True), done.stderr
    assert (tmp_path / "a/r.xml").is_file()
    assert "s3cr3t" not in done.stdout + done.stderr


def test_demo_lists_every_scenario_with_a_line(run_gate: Run, tmp_path: Path) -> None:
    """And runs none."""
    done = run_gate("demo", "--list")
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert (done.returncode, lines) == (0, dict(descriptions()))
    assert set(lines) >= set(CODES)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_demo_is_interrupted_like_the_real_thing(
    start_gate: StartGate, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    """Its exit code is the gate's, and the report is written."""
    gate = start_gate("demo", "--scenario", "slow")
    assert gate.stderr is not None
    for line in gate.stderr:
        if "RUNNING" in line:
            break
    gate.send_signal(number)
    gate.communicate(timeout=10)
    assert gate.returncode == status
    assert (tmp_path / "gate-report.xml").is_file()


def test_simulate_serves_other_programs_until_it_is_stopped(start_gate: StartGate, run_gate: Run) -> None:
    """One line of JSON says where, with which token, which jobs; another gate and another client can use it."""
    arguments = ("--port", "0", "--scenario", "passing", "--scenario", "failing", "--speed", "100")
    server = start_gate("simulate", *arguments)
    assert server.stdout is not None
    place = json.loads(server.stdout.readline())
    assert set(place) == {"endpoint", "token", "jobs", "ak", "sk", "iam"}
    assert set(place["iam"]) == {"user", "password", "domain", "project"}
    assert list(place["jobs"]) == ["passing", "failing"]
    env = {"GATE_ENDPOINT": place["endpoint"], "GATE_TOKEN": place["token"], "GATE_POLL_INTERVAL": "0.2"}
    targets = [f"{name}={job}" for name, job in place["jobs"].items()]
    assert run_gate("wait", *targets, env=env).returncode == 1
    answer = requests.get(f"{place['endpoint']}/v3/jobs/{place['jobs']['passing']}/status", timeout=10)
    assert answer.status_code == 401
    server.send_signal(signal.SIGTERM)
    out, err = server.communicate(timeout=10)
    assert (server.returncode, out, err) == (0, "", "")


def test_module_is_the_same_program(run_gate: Run) -> None:
    """`python -m gate` (which the tests use) and the console script."""
    script = Path(sys.executable).parent / "codearts-gate"
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (0, run_gate("--version").stdout)
