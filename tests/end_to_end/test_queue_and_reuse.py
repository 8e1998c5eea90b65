"""A limit for the queue (`--queue-timeout`), and builds that are used again (`run --reuse`), through the program."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gate.simulator import sample_plans
from gate.simulator.exchange import service_error
from gate.simulator.scenarios import Scenario, Start, job_with_past
from tests.faults.fault_plan import Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.journal import ORDERS, STOPS
from tests.faults.response_faults import ReplaceAnswer
from tests.helpers import RunGate, Simulate, StartGate, environment, polled, wait_for

LISTS = ("ListBuildInfoRecordByJobId", "ListBuildInfoRecord")


def commit_of(simulator: FaultySimulator, name: str) -> str:
    """Return the commit of the newest build of a job."""
    return simulator.backend.jobs[simulator.jobs[name]].builds[-1].commit


@pytest.mark.parametrize("command", ["wait", "run"])
def test_build_that_is_queued_for_too_long_is_timed_out(simulate: Simulate, run_gate: RunGate, command: str) -> None:
    """With a reason that says so. One that this run started is stopped, and no other."""
    simulator = simulate(["queued"], speed=40)
    done = run_gate(command, simulator.jobs["queued"], "--queue-timeout", "20s", env=environment(simulator))
    number = 58 if command == "run" else 57
    assert (done.returncode, done.stdout.split()[2]) == (3, f"build={number}"), done.stderr
    assert "did not run within 20 s (--queue-timeout)" in done.stderr
    assert [entry.build_number for entry in simulator.journal.of(*STOPS)] == ([58] if command == "run" else [])


def test_time_in_which_a_build_runs_does_not_count(simulate: Simulate, run_gate: RunGate) -> None:
    """It is queued for 90 s and runs for 45 s, by the service's clock."""
    simulator = simulate(["queued"], speed=300)
    done = run_gate("wait", simulator.jobs["queued"], "--queue-timeout", "100s", env=environment(simulator))
    assert done.returncode == 0, done.stderr


def test_time_before_the_gate_came_counts(simulate: Simulate, run_gate: RunGate) -> None:
    """The record's own times say since when the build has been queued."""
    simulator = simulate(["queued"], speed=0.001)
    simulator.clock.advance(80)
    done = run_gate("wait", simulator.jobs["queued"], "--queue-timeout", "1m", env=environment(simulator))
    assert (done.returncode, "--queue-timeout" in done.stderr) == (3, True), done.stderr


@pytest.mark.parametrize(("scenario", "status"), [("passing", 0), ("failing", 1)])
def test_build_of_the_commit_that_runs_is_used(
    simulate: Simulate, start_gate: StartGate, scenario: str, status: int
) -> None:
    """No other is started, and whatever the gate does, it is not this run's to stop."""
    simulator = simulate([scenario], speed=0)
    arguments = ("--reuse", "--commit", commit_of(simulator, scenario)[:10])
    gate = start_gate("run", simulator.jobs[scenario], *arguments, env=environment(simulator))
    wait_for(lambda: polled(simulator, 57))
    simulator.clock.advance(60)
    out, err = gate.communicate(timeout=30)
    assert (gate.returncode, out.split()[2]) == (status, "build=57"), err
    assert "build 57 of the commit is used, and no other is started (--reuse)" in err
    assert not simulator.journal.of(*ORDERS)


def test_build_that_is_used_again_is_not_waited_for_under_no_wait(simulate: Simulate, run_gate: RunGate) -> None:
    """A later step waits for its number, as for one that was started."""
    simulator = simulate(["slow", "queued"])
    commit = commit_of(simulator, "slow")
    arguments = (*simulator.jobs.values(), "--reuse", "--commit", commit, "--no-wait")
    done = run_gate("run", *arguments, env=environment(simulator))
    assert (done.returncode, [line.split()[::2] for line in done.stdout.splitlines()]) == (
        0, [["started", "build=57"], ["started", "build=58"]],
    ), done.stderr  # fmt: skip
    assert len(simulator.journal.of(*ORDERS)) == 1


@pytest.mark.parametrize(("scenario", "number", "ordered"), [("slow", 57, "false"), ("queued", 58, "true")])
def test_later_step_stops_only_what_the_first_one_has_started(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path, scenario: str, number: int, ordered: str
) -> None:
    """The first one tells by `GATE_ORDERED` whether it started the build, in the form in which `GATE_STOP` takes it."""
    simulator = simulate(["slow", "queued"])
    job = simulator.jobs[scenario]
    arguments = (job, "--reuse", "--commit", commit_of(simulator, "slow"), "--no-wait", "--outputs", "gate.env")
    done = run_gate("run", *arguments, "--json", env=environment(simulator))
    told = dict(line.split("=", 1) for line in (tmp_path / "gate.env").read_text().splitlines())
    assert (told["GATE_BUILD_NUMBER"], told["GATE_ORDERED"]) == (str(number), ordered), done.stderr
    assert json.loads(done.stdout)["targets"][0]["ordered"] == (ordered == "true")
    env = environment(simulator, GATE_STOP=told["GATE_ORDERED"])
    done = run_gate("wait", f"{job}:{number}", "--timeout", "1s", env=env)
    assert done.returncode == 3, done.stderr
    assert [one.build_number for one in simulator.journal.of(*STOPS)] == ([58] if ordered == "true" else [])


def test_build_that_is_used_again_is_never_stopped(simulate: Simulate, run_gate: RunGate) -> None:
    """It was not started here."""
    simulator = simulate(["slow"])
    arguments = ("--reuse", "--commit", commit_of(simulator, "slow"), "--timeout", "1500ms")
    done = run_gate("run", simulator.jobs["slow"], *arguments, env=environment(simulator))
    assert (done.returncode, done.stdout.split()[2]) == (3, "build=57"), done.stderr
    assert not simulator.journal.of(*ORDERS, *STOPS)


def test_result_of_a_build_that_has_passed_is_taken(simulate: Simulate, run_gate: RunGate) -> None:
    """Also one of last week."""
    simulator = simulate([Scenario(name="job", starts=(Start(at=-5 * 86400),))])
    arguments = ("--reuse", "--commit", commit_of(simulator, "job"))
    for option in ([], ["--no-wait"]):
        done = run_gate("run", simulator.jobs["job"], *arguments, *option, env=environment(simulator))
        assert (done.returncode, done.stdout.split()[::2]) == (0, ["passed", "build=1"]), done.stderr
    assert not simulator.journal.of(*ORDERS)


@pytest.mark.parametrize("why", ["it failed", "there is none", "the list is refused"])
def test_where_there_is_nothing_to_use_a_build_is_started(simulate: Simulate, run_gate: RunGate, why: str) -> None:
    """Nothing is passed on old evidence."""
    past = replace(job_with_past("job", "", sample_plans.FAILING), plan=sample_plans.PASSING)
    simulator = simulate([past], speed=300)
    simulator.clock.advance(60)
    commit = "a" * 40 if why == "there is none" else commit_of(simulator, "job")
    if why == "the list is refused":
        refusal = ReplaceAnswer(service_error(403, "DEVCB.1", "No permission."))
        simulator.faults.add(Fault(operations=LISTS, act=refusal, times=None))
    done = run_gate("run", simulator.jobs["job"], "--reuse", "--commit", commit, env=environment(simulator))
    assert (done.returncode, done.stdout.split()[2]) == (0, "build=58"), done.stderr
    assert len(simulator.journal.of(*ORDERS)) == 1


def test_of_several_jobs_each_is_used_or_started_by_itself(simulate: Simulate, run_gate: RunGate) -> None:
    """A job that has built the commit is used, the other one is built."""
    commit = "c" * 40
    built = Scenario(name="built", starts=(Start(at=-100, plan=replace(sample_plans.PASSING, commit=commit)),))
    simulator = simulate([built, Scenario(name="not-built")], speed=300)
    targets = [f"{name}={job_id}" for name, job_id in simulator.jobs.items()]
    done = run_gate("run", *targets, "--reuse", "--commit", commit, env=environment(simulator))
    assert done.returncode == 0, done.stderr
    assert [str(entry.job_id) for entry in simulator.journal.of(*ORDERS)] == [simulator.jobs["not-built"]]
