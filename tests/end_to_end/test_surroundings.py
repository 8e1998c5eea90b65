"""What surrounds the gate: the CI system's job that ends before it does, and secrets among a build's parameters."""

import itertools
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gate.simulator import sample_plans
from gate.simulator.exchange import service_error
from gate.simulator.scenarios import Scenario
from tests.faults.fault_plan import Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.journal import ORDERS, STOPS
from tests.faults.response_faults import ReplaceAnswer
from tests.helpers import RunGate, RunGates, Simulate, environment, error_types

SECRETS = {"DEPLOY_TOKEN": "tok-8d2f", "dbPassword": "p&ss w0rd", "client_secret": "sssh\u00fc", "API_KEY": "k" * 40}
OPEN = {"mode": "fast-mode", "use_key": "true", "pin_key": "123"}


def job_that_repeats(values: Mapping[str, str]) -> Scenario:
    """Return a job whose builds fail and write the values of their parameters to their log."""
    lines = [f"export {value}\n".encode() for value in values.values()]
    return Scenario(name="echo", plan=replace(sample_plans.FAILING, log=lambda: itertools.chain(lines)))


@pytest.mark.parametrize("by_variable", [False, True])
@pytest.mark.parametrize("follow", [(), ("--follow",)])
def test_secret_parameters_are_shown_nowhere(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path, follow: tuple[str, ...], by_variable: bool
) -> None:
    """By the words in their names, in whatever the build and the service repeat; the build gets them as they are."""
    simulator = simulate([job_that_repeats(SECRETS | OPEN)], speed=40)
    pairs = [f"{name}={value}" for name, value in (SECRETS | OPEN).items()]
    options = [] if by_variable else [word for pair in pairs for word in ("--param", pair)]
    env = environment(simulator, **({"GATE_PARAM": "\n".join(pairs)} if by_variable else {}))
    arguments = ("--summary", "s.md", "--outputs", "o.env", "--json", "--verbose", *follow)
    done = run_gate("run", simulator.jobs["echo"], *options, *arguments, env=env)
    assert done.returncode == 1, done.stderr
    [build] = simulator.backend.jobs[simulator.jobs["echo"]].builds
    assert build.parameters == SECRETS | OPEN
    everything = [done.stdout, done.stderr, *(path.read_text() for path in tmp_path.iterdir())]
    assert [(secret, text) for secret in SECRETS.values() for text in everything if secret in text] == []
    assert all(f"export {value}" in done.stderr for value in OPEN.values())
    assert "export ***" in done.stderr


def test_refused_order_repeats_no_secret_parameter(simulate: Simulate, run_gate: RunGate, tmp_path: Path) -> None:
    """The service quotes what it refuses."""
    refusal = ReplaceAnswer(service_error(400, "DEV.CB.0310001", "Invalid value tok-8d2f of parameter DEPLOY_TOKEN."))
    simulator = simulate(["passing"], faults=[Fault(operations=ORDERS, act=refusal, times=None)])
    done = run_gate(
        "run", simulator.jobs["passing"], "--param", "DEPLOY_TOKEN=tok-8d2f", "--verbose", env=environment(simulator)
    )
    assert done.returncode == 5, done.stderr
    assert "Invalid value *** of parameter DEPLOY_TOKEN" in done.stderr
    assert "tok-8d2f" not in done.stderr + (tmp_path / "gate-report.xml").read_text()


def test_job_of_gitlab_that_ends_soon_leaves_time_to_report_and_to_stop(
    slow: FaultySimulator, run_gate: RunGate, tmp_path: Path
) -> None:
    """With 7 s left, the gate takes half of it: the build that it started is stopped, and the report is there."""
    end = datetime.now(UTC) + timedelta(seconds=7)
    started = (end - timedelta(seconds=600)).isoformat(timespec="milliseconds")
    env = environment(slow, GITLAB_CI="true", CI_JOB_STARTED_AT=started, CI_JOB_TIMEOUT="600")
    done = run_gate("run", slow.jobs["slow"], env=env)
    assert done.returncode == 3, done.stderr
    note = r"^the job ends in \d+ s \(CI_JOB_TIMEOUT\), so the gate waits \d s at most$"
    assert re.search(note, done.stderr, re.MULTILINE)
    assert datetime.now(UTC) < end
    assert [entry.build_number for entry in slow.journal.of(*STOPS)] == [58], done.stderr
    assert error_types(tmp_path / "gate-report.xml") == ["GateTimeout"]


LOST = {
    "gate.core.select": ("wait", "{job}"),
    "gate.core.names": ("wait", "passing", "--codearts-project", "{project}"),
    "gate.core.launch": ("run", "{job}"),
    "gate.reports.junit": ("wait", "{job}"),
    "junit_xml": ("wait", "{job}"),
    "gate.reports.result": ("wait", "{job}"),
}
"""Modules that are loaded when they are used, each with a call that uses it."""


@pytest.mark.parametrize("name", LOST)
def test_module_that_is_lost_while_the_gate_runs_is_no_pass(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path, name: str
) -> None:
    """The package is replaced, or the disk goes: nothing is ordered without it, and the report, if any, says so."""
    simulator = simulate(["passing"], speed=300)
    values = {"job": simulator.jobs["passing"], "project": simulator.project}
    command = [argument.format_map(values) for argument in LOST[name]]
    parent, _, last = name.rpartition(".")
    before = f"import sys; sys.modules[{name!r}] = None; {last!r} in dir(sys.modules.get({parent!r})) and delattr("
    before += f"sys.modules[{parent!r}], {last!r})"
    done = run_gate(*command, env=environment(simulator), before=before)
    assert (done.returncode, "passed" in done.stdout) == (5, False), done
    assert not simulator.journal.of(*ORDERS)
    if name != "junit_xml":  # of which a part is loaded here
        assert "a part of the program could not be loaded: ModuleNotFoundError" in done.stderr
        assert ("Install codearts-gate again." in done.stderr, "a bug" in done.stderr) == (True, False)
    report = tmp_path / "gate-report.xml"
    assert not report.exists() or error_types(report) == ["Undetermined"]


LIMITS = {
    "OSError(24, 'Too many open files')": ("too many files are open", "ulimit -n"),
    "MemoryError()": ("there is not enough memory", "ulimit -v"),
}
"""Errors of a machine that is at its limits, each with words of what happened and of what to do."""


@pytest.mark.parametrize("error", LIMITS)
def test_limit_of_the_machine_is_named_and_is_no_bug(
    simulate: Simulate, run_gates: RunGates, tmp_path: Path, error: str
) -> None:
    """In the wait, when a report is made, and when the program is loaded; on stderr and in the reports."""
    simulator = simulate(["passing"], speed=300)
    places = ("gate.codearts.client.Client.record", "gate.reports.junit.render", "gate.cli.resolve.resolve")
    calls = {
        place: {
            "arguments": ["wait", f"{simulator.jobs['passing']}:57"],
            "env": environment(simulator),
            "before": f"def fail(*_, **__): raise {error}\n"
            f"import unittest.mock; unittest.mock.patch({place!r}, fail).start()",
        }
        for place in places
    }
    what, remedy = LIMITS[error]
    for place, done in run_gates(calls).items():
        report = (tmp_path / place / "gate-report.xml").read_text()
        assert (done.returncode, "a bug" in done.stderr + report) == (5, False), (place, done.stderr)
        assert (what in done.stderr, remedy in done.stderr) == (True, True), (place, done.stderr)
