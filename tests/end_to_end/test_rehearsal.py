"""`demo` and `simulate` as processes: rehearsals without an account and without a network."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from junitparser import JUnitXml

from gate.cli.rehearsal import COMMANDS, DEMO_SPEED, DEMO_TIMEOUT, GONE, descriptions, jobs_of, scenarios_of
from tests.faults.faulty_simulator import FaultySimulator
from tests.helpers import CLOSED_STDOUT, RunGate, StartGate

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
    "chatty": 0,
    "multi-job": 0,
    "schedule-failure-once": 1,
    "stuck-in-queue": 3,
    "by-name": 0,
    "several-jobs": 0,
    "reuse": 0,
    "two-steps": 3,
    "whole-log": 0,
}
"""The exit code of each scenario; one without a code here fails the tests."""


QUICKLY = {"GATE_POLL_INTERVAL": "0.2", "GATE_MAX_RATE": "6000"}
"""How often a gate asks here."""

FORMER = {"by-name": ["passed"], "several-jobs": ["passed", "passed"], "two-steps": ["started"]}
"""The verdicts on stdout before the last one."""


LIKE_ANOTHER = {"failing", "schedule-failure", "queued", "unknown-state", "multi-job", "chatty"}
"""Scenarios whose demo runs as that of another one does; what their builds do is in `test_wait` and `test_log_dir`."""


@pytest.mark.parametrize(
    "names", [{*descriptions()} - LIKE_ANOTHER, pytest.param(LIKE_ANOTHER, marks=pytest.mark.ci)], ids=["", "others"]
)
def test_demo_of_every_scenario_ends_with_its_exit_code(start_gate: StartGate, tmp_path: Path, names: set[str]) -> None:
    """With its report, and a word of where the report lies; no setting is needed. All are started at the same time.

    One error is no errors.
    """
    demos = {name: start_gate("demo", "--scenario", name, "--junit", f"{name}.xml") for name in sorted(names)}
    for name, process in demos.items():
        out, err = process.communicate(timeout=60)
        assert process.returncode == CODES[name], (name, err)
        *former, last = out.splitlines()
        assert [line.split()[0] for line in former] == FORMER.get(name, []), out
        assert last.split()[0] == "passed" or process.returncode
        assert err.splitlines()[0].endswith("` does.")
        assert f"report in {name}.xml" in err
        assert err.endswith(f"{GONE}\n") == (process.returncode == 3), err  # "Build 57 may go on", the gate says
        suites = list(JUnitXml.fromfile(str(tmp_path / f"{name}.xml")))
        assert len(suites) == (len(former) + 1 if name != "two-steps" else 1)
        if name == "failing-tests":
            assert "2 failures and 1 error in " in err
        if name == "expired-token":  # which the service has accepted, so that it is of this region and this project
            assert "The token has expired. Get a new one" in err
            assert "another region" not in err
        if name == "flaky":  # it meets each failure, however slowly the gate asks: three requests are not answered
            assert err.count("asking again") == 3, err
            for failure in ("HTTP 500", "HTTP 429", "the connection was closed before the answer"):
                assert failure in err


def test_builds_of_the_demo_take_a_few_seconds() -> None:
    """All but those that outlive a timeout: a demo is watched by somebody who waits."""
    for name in descriptions():
        plans = [start.plan for job in jobs_of(name) for start in job.starts if start.at == 0]
        longest = max((plan.queue + plan.seconds) / DEMO_SPEED for plan in plans)
        if "timeout" in " ".join(COMMANDS.get(name, ())):
            assert longest > DEMO_TIMEOUT
        else:
            assert longest < 5


def test_demo_without_a_scenario_passes(run_gate: RunGate, tmp_path: Path) -> None:
    """The default; settings of the environment do not lead it elsewhere, and the report goes where it is told.

    The log that is followed shows no mask: a newcomer would look for what the gate has hidden, or for its mistake.
    """
    env = {"GATE_ENDPOINT": "https://nowhere.invalid", "GATE_TOKEN": "s3cr3t", "HTTP_PROXY": "http://127.0.0.1:9"}
    done = run_gate("demo", "--junit", "a/r.xml", "--follow", env=env)
    assert (done.returncode, done.stdout.startswith("passed ")) == (0, True), done.stderr
    assert (tmp_path / "a/r.xml").is_file()
    assert "s3cr3t" not in done.stdout + done.stderr
    assert "Building jar" in done.stderr
    assert "***" not in done.stderr


def test_report_of_the_demo_that_cannot_be_written_is_told_by_its_option(run_gate: RunGate, tmp_path: Path) -> None:
    """Nobody has set a variable."""
    (tmp_path / "file").touch()
    done = run_gate("demo", "--junit", "file/r.xml")
    assert (done.returncode, "Error: --junit: The report file/r.xml" in done.stderr) == (2, True), done.stderr


def test_demo_lists_every_scenario_with_a_line(run_gate: RunGate, tmp_path: Path) -> None:
    """And runs none."""
    done = run_gate("demo", "--list")
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert len({line.index(lines[line.split()[0]]) for line in done.stdout.splitlines()}) == 1  # one column
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


def test_simulate_serves_other_programs_until_it_is_stopped(start_gate: StartGate, run_gate: RunGate) -> None:
    """One line of JSON says where, with which token, which jobs; another gate and another client can use it."""
    arguments = ("--port", "0", "--scenario", "passing", "--scenario", "failing", "--speed", "300")
    server = start_gate("simulate", *arguments)
    assert server.stdout is not None
    place = json.loads(server.stdout.readline())
    assert set(place) == {"endpoint", "token", "jobs", "codearts_project", "ak", "sk", "iam"}
    assert set(place["iam"]) == {"user", "password", "domain", "project"}
    assert list(place["jobs"]) == ["passing", "failing"]
    env = {
        "GATE_ENDPOINT": place["endpoint"],
        "GATE_TOKEN": place["token"],
        **QUICKLY,
    }
    targets = [f"{name}={job}" for name, job in place["jobs"].items()]
    assert run_gate("wait", *targets, env=env).returncode == 1
    answer = requests.get(f"{place['endpoint']}/v3/jobs/{place['jobs']['passing']}/status", timeout=10)
    assert answer.status_code == 401
    server.send_signal(signal.SIGTERM)
    out, err = server.communicate(timeout=10)
    assert (server.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize("kind", ["full", "closed", "left"])
def test_simulate_ends_where_nobody_can_learn_its_address(start_gate: StartGate, kind: str) -> None:
    """Its first line could not be written, so that no client would ever come."""
    reader, writer = os.pipe()
    os.close(reader)
    with Path("/dev/full").open("w") as full, os.fdopen(writer, "w") as left:
        server = start_gate(
            "simulate",
            stdout={"full": full, "closed": None, "left": left}[kind],
            before=CLOSED_STDOUT if kind == "closed" else "",
        )
    _, err = server.communicate(timeout=10)
    assert server.returncode == 5, err
    assert err.startswith("Error: the address and the token could not be written to stdout. ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_simulate_ends_at_once_when_it_is_told_to(start_gate: StartGate, number: signal.Signals) -> None:
    """Ctrl-C is the usual way to stop it, and no failure."""
    server = start_gate("simulate")
    assert server.stdout is not None
    server.stdout.readline()
    server.send_signal(number)
    assert server.wait(timeout=5) == 0


def test_simulate_serves_many_jobs_of_one_scenario_in_one_project() -> None:
    """The way to rehearse a pipeline that waits for hundreds of builds."""
    with FaultySimulator(scenarios_of(["passing:3", "failing", "slow:1"])) as simulator:
        assert list(simulator.jobs) == ["passing-1", "passing-2", "passing-3", "failing", "slow-1"]
        assert len(set(simulator.jobs.values())) == 5
        assert len({job.project_id for job in simulator.backend.jobs.values()}) == 1
    with FaultySimulator(scenarios_of(["several-jobs", "failing"])) as simulator:
        assert list(simulator.jobs) == ["api", "web", "docs", "failing"]


def test_simulate_queues_builds_for_as_long_as_it_is_told_to(start_gate: StartGate, run_gate: RunGate) -> None:
    """A pipeline with --queue-timeout can be rehearsed with any job."""
    server = start_gate("simulate", "--queue", "10m", "--speed", "300")
    assert server.stdout is not None
    place = json.loads(server.stdout.readline())
    env = {
        "GATE_ENDPOINT": place["endpoint"],
        "GATE_TOKEN": place["token"],
        **QUICKLY,
    }
    done = run_gate("wait", place["jobs"]["passing"], "--queue-timeout", "1m", env=env)
    assert (done.returncode, "did not run within 1 m (--queue-timeout)" in done.stderr) == (3, True), done.stderr


@pytest.mark.parametrize("family", ["aksk", "password"])
def test_simulate_prints_every_credential_that_it_accepts(
    start_gate: StartGate, run_gate: RunGate, family: str
) -> None:
    """A client that signs requests, or signs in, can be rehearsed too."""
    server = start_gate("simulate", "--speed", "300")
    assert server.stdout is not None
    place = json.loads(server.stdout.readline())
    env = {
        "GATE_ENDPOINT": place["endpoint"],
        "GATE_IAM_ENDPOINT": place["endpoint"],
        "GATE_AUTH": family,
        **QUICKLY,
        "HUAWEICLOUD_SDK_AK": place["ak"],
        "HUAWEICLOUD_SDK_SK": place["sk"],
        **{f"GATE_IAM_{name.upper()}": value for name, value in place["iam"].items()},
    }
    done = run_gate("wait", place["jobs"]["passing"], env=env)
    assert done.returncode == 0, done.stderr


def test_simulate_shows_on_a_terminal_what_to_paste_into_another_one(start_gate: StartGate, run_gate: RunGate) -> None:
    """With these variables, `wait` needs no arguments."""
    pty = pytest.importorskip("pty", reason="Windows has no pseudo-terminals of this kind")
    terminal, inside = pty.openpty()
    server = start_gate("simulate", "--speed", "300", stderr=inside)
    os.close(inside)
    assert server.stdout is not None
    server.stdout.readline()
    with os.fdopen(terminal, encoding="utf-8") as shown:
        lines = [shown.readline() for _ in range(5)]
        exports = [shlex.split(line)[1] for line in lines if line.startswith("export ")]
        env = dict(text.split("=", 1) for text in exports)
        assert set(env) == {"GATE_ENDPOINT", "GATE_TOKEN", "GATE_CODEARTS_PROJECT", "GATE_TARGETS"}, lines
        done = run_gate("wait", env=env | {**QUICKLY})
    assert (done.returncode, done.stdout) == (0, "passed passing build=57 state=SUCCESS\n"), done.stderr


def test_port_that_is_taken_is_a_usage_error(run_gate: RunGate) -> None:
    """No bug of the gate's: the sentence names the option and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_gate("simulate", "--port", port)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Error: --port {port} cannot be used: ")
    assert "0 for a free one" in done.stderr


@pytest.mark.real_start
def test_module_is_the_same_program(run_gate: RunGate) -> None:
    """`python -m gate` (which the tests use) and the console script."""
    script = Path(sys.executable).parent / "codearts-gate"
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (0, run_gate("--version").stdout)
