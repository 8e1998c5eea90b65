"""A build that is reached by a link, through the program; and starting now, waiting later."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from junitparser import JUnitXml

from gate.simulator import sample_plans
from gate.simulator.exchange import service_error
from gate.simulator.scenarios import Scenario, Start
from tests.faults.fault_plan import Fault
from tests.faults.journal import ORDERS
from tests.faults.list_faults import LISTS
from tests.faults.response_faults import ReplaceAnswer
from tests.faults.transport_faults import Drop
from tests.helpers import RunGate, RunGates, Simulate, StartGate, environment, wait_for

TEMPLATE = "https://devcloud.example/build/{job_id}/{build_number}?region={region}"
REGION = ("--region", "cn-north-4")


def test_link_stands_wherever_the_build_is_named(simulate: Simulate, run_gate: RunGate, tmp_path: Path) -> None:
    """Messages, annotations, summary, JUnit property, JSON and outputs."""
    simulator = simulate(["failing"], speed=300)
    job = simulator.jobs["failing"]
    (tmp_path / "github").touch()
    env = environment(simulator, GITHUB_ACTIONS="true", GITHUB_OUTPUT=str(tmp_path / "github"))
    files = ("--json", "--summary", "s.md", "--outputs", "o.env")
    options = ("--build-url", TEMPLATE, *REGION, *files)
    done = run_gate("wait", job, *options, env=env)
    link = f"https://devcloud.example/build/{job}/57?region=cn-north-4"
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["targets"][0]["url"] == link
    assert f"build 57: {link}" in done.stderr
    (annotation,) = [line for line in done.stderr.splitlines() if line.startswith("::error")]
    assert link in annotation.replace("%3A", ":")
    assert link in (tmp_path / "s.md").read_text()
    assert link in (tmp_path / "gate-report.xml").read_text()
    assert f"={link}\n" in (tmp_path / "o.env").read_text()
    assert f"build-url={link}\n" in (tmp_path / "github").read_text()


def test_number_and_link_outlive_a_gate_that_is_killed(
    simulate: Simulate, start_gate: StartGate, tmp_path: Path
) -> None:
    """A later step finds them as soon as the build is pinned."""
    simulator = simulate(["slow"])
    job = simulator.jobs["slow"]
    options = ("--build-url", TEMPLATE, *REGION, "--outputs", "o.env")
    process = start_gate("run", job, *options, env=environment(simulator))
    outputs = tmp_path / "o.env"
    wait_for(lambda: outputs.exists() and "GATE_BUILD_NUMBER=58\n" in outputs.read_text())
    process.kill()
    process.communicate(timeout=10)
    assert f"https://devcloud.example/build/{job}/58?region=cn-north-4\n" in outputs.read_text()
    assert "GATE_VERDICT=undetermined\n" in outputs.read_text()


def test_build_is_started_now_and_waited_for_later(simulate: Simulate, run_gate: RunGate, tmp_path: Path) -> None:
    """`run --no-wait` names the build and writes no JUnit report; `wait JOB:N` goes on from there."""
    simulator = simulate(["failing"], speed=300)
    job = simulator.jobs["failing"]
    (tmp_path / "gate-report.xml").write_text("<the report of a former run/>")
    done = run_gate("run", job, "--no-wait", "--outputs", "o.env", env=environment(simulator))
    outputs = dict(line.split("=", 1) for line in (tmp_path / "o.env").read_text().splitlines())
    assert (done.returncode, done.stdout.split()[0], outputs["GATE_VERDICT"]) == (0, "started", "started"), done.stderr
    assert not (tmp_path / "gate-report.xml").exists()
    assert simulator.journal.stops == ()
    done = run_gate("wait", f"{job}:{outputs['GATE_BUILD_NUMBER']}", env=environment(simulator))
    assert (done.returncode, "build=58 " in done.stdout) == (1, True), done.stderr


def test_order_that_got_lost_is_not_said_to_have_started(simulate: Simulate, run_gate: RunGate) -> None:
    """With --no-wait, too."""
    simulator = simulate(["passing"], faults=[Fault(operations=ORDERS, act=Drop(reset=True))])
    done = run_gate("run", simulator.jobs["passing"], "--no-wait", "--outputs", "o.env", env=environment(simulator))
    assert (done.returncode, done.stdout.split()[0]) == (5, "undetermined"), done.stderr


POLICIES: dict[str, tuple[tuple[str, ...], bool, int, str]] = {
    "fail": ((), False, 5, "undetermined"),
    "pass": (("--if-none", "pass"), False, 0, "skipped"),
    "service fails": (("--if-none", "pass"), True, 5, "undetermined"),
}
"""Options, whether the service fails, the exit status and the verdict."""


def test_policy_for_no_build_at_all(simulate: Simulate, run_gates: RunGates, tmp_path: Path) -> None:
    """No build appeared: that passes only where it was asked for, and where the service could be asked."""
    broken = ReplaceAnswer(service_error(500, "CB.00060101", "Internal error."))
    limits = ("--appear-timeout", "500ms", "--error-budget", "1s", "--timeout", "20s")
    calls = {}
    for name, (options, failing, *_) in POLICIES.items():
        faults = [Fault(operations=LISTS, act=broken, skip=1, times=None)] if failing else []
        simulator = simulate([Scenario(name="job", starts=(Start(at=-5 * 3600),))], faults=faults)
        arguments = ["wait", simulator.jobs["job"], *limits, *options]
        calls[name] = {"arguments": arguments, "env": environment(simulator)}
    for name, done in run_gates(calls).items():
        *_, status, verdict = POLICIES[name]
        assert (done.returncode, done.stdout.split()[0]) == (status, verdict), (name, done.stderr)
        (suite,) = JUnitXml.fromfile(str(tmp_path / name / "gate-report.xml"))
        assert (suite.skipped, suite.errors) == ((1, 0) if verdict == "skipped" else (0, 1)), name


@pytest.mark.parametrize(("retries", "status"), [(0, 1), (1, 0)])
def test_build_that_never_ran_is_ordered_again(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path, retries: int, status: int
) -> None:
    """Only as often as was asked for; the report has the former try beside the last."""
    simulator = simulate(["schedule-failure-once"], speed=300)
    job = simulator.jobs["schedule-failure-once"]
    done = run_gate("run", job, "--retries", retries, "--json", "--summary", "s.md", env=environment(simulator))
    (target,) = json.loads(done.stdout)["targets"]
    assert (done.returncode, target["build_number"]) == (status, 58 + retries), done.stderr
    assert [attempt["build_number"] for attempt in target["attempts"]] == [58] * retries
    assert len(simulator.journal.of(*ORDERS)) == 1 + retries
    assert "58" in (tmp_path / "s.md").read_text()


def test_failed_build_is_not_ordered_again(simulate: Simulate, run_gate: RunGate) -> None:
    """It ran."""
    simulator = simulate(["failing"], speed=300)
    done = run_gate("run", simulator.jobs["failing"], "--retries", "3", env=environment(simulator))
    assert (done.returncode, len(simulator.journal.of(*ORDERS))) == (1, 1), done.stderr


def test_children_of_a_multi_job_build_are_cases_and_decide_nothing(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path
) -> None:
    """Each child has a case with a name that stays; one that failed fails nothing."""
    first, *others = sample_plans.MULTI_JOB.children
    failing = replace(first, plan=sample_plans.FAILING)
    multi = replace(sample_plans.MULTI_JOB, children=(failing, *others))
    simulator = simulate([Scenario(name="job", starts=(Start(at=-200, plan=multi),))])
    done = run_gate("wait", simulator.jobs["job"], "--json", env=environment(simulator))
    (target,) = json.loads(done.stdout)["targets"]
    (suite,) = JUnitXml.fromfile(str(tmp_path / "gate-report.xml"))
    assert (done.returncode, target["build_number"]) == (0, 1), done.stderr
    names = [child["name"] for child in target["children"]]
    assert names == [child.name for child in multi.children]
    cases = [case.name for case in suite]
    assert [name for name in names if not any(name in case for case in cases)] == []
