"""Jobs by name, through the program: as targets of `wait` and `run`, and listed by `jobs`."""

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from gate.simulator.exchange import HttpAnswer, service_error
from gate.simulator.scenarios import SCENARIOS
from tests.faults.fault_plan import Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.journal import ORDERS
from tests.faults.response_faults import ReplaceAnswer
from tests.faults.transport_faults import Silence
from tests.helpers import RunGate, RunGates, Simulate, StartGate, environment, wait_for

LISTS = ("ListProjectJobs", "ShowJobListByProjectId")


def by_name(simulator: FaultySimulator, **more: str) -> dict[str, str]:
    """Return the variables that lead the gate to the simulator and its project."""
    return environment(simulator, GATE_CODEARTS_PROJECT=simulator.project, **more)


def other_operations(simulator: FaultySimulator) -> set[str]:
    """Return the operations that were asked for besides the lists of jobs."""
    return {entry.operation for entry in simulator.journal.entries} - set(LISTS)


def test_named_jobs_are_waited_for_and_reported_by_their_ids(simulate: Simulate, run_gate: RunGate) -> None:
    """One by its name alone, one with a label and a number."""
    simulator = simulate(["passing", "failing"], speed=300)
    done = run_gate("wait", "passing", "broken=failing:57", "--json", env=by_name(simulator))
    found = json.loads(done.stdout)["targets"]
    assert done.returncode == 1, done.stderr
    assert [(one["label"], one["job_id"], one["build_number"], one["verdict"]) for one in found] == [
        ("passing", simulator.jobs["passing"], 57, "passed"),
        ("broken", simulator.jobs["failing"], 57, "failed"),
    ]
    assert len(simulator.journal.of(*LISTS)) == 1


def test_named_jobs_are_built(simulate: Simulate, run_gate: RunGate) -> None:
    """One order for each."""
    simulator = simulate(["passing", "failing"], speed=300)
    done = run_gate("run", "passing", "failing", env=by_name(simulator))
    assert (done.returncode, done.stdout.count("build=58 ")) == (1, 2), done.stderr
    assert sorted(str(entry.job_id) for entry in simulator.journal.of(*ORDERS)) == sorted(simulator.jobs.values())


def test_name_that_is_not_there_ends_the_run_before_anything_else(simulate: Simulate, run_gates: RunGates) -> None:
    """The nearest one is named; the other target is not asked about, and nothing is ordered."""
    simulator = simulate(["passing", "failing"], speed=300)
    env = by_name(simulator)
    calls = {command: {"arguments": [command, "pasing", "failing"], "env": env} for command in ("wait", "run")}
    for command, done in run_gates(calls).items():
        assert done.returncode == 5, command
        assert "no job of the project has the name pasing; the nearest names are passing" in done.stderr
        assert done.stdout == "undetermined pasing build=- state=-\nundetermined failing build=- state=-\n"
    assert other_operations(simulator) == set()


def test_name_without_a_project_is_a_wrong_call(simulate: Simulate, run_gate: RunGate) -> None:
    """Nothing is asked."""
    simulator = simulate(["passing"], speed=300)
    done = run_gate("wait", "passing", env=environment(simulator))
    assert (done.returncode, "has a job id of 7 characters" in done.stderr) == (2, True), done.stderr


def test_name_that_can_be_no_label_is_shown_as_the_id(simulate: Simulate, run_gate: RunGate, tmp_path: Path) -> None:
    """In the lines for machines, in the report and as the name of the log."""
    simulator = simulate([replace(SCENARIOS["passing"], name="\u7f16\u8bd1")], speed=300)
    job = simulator.jobs["\u7f16\u8bd1"]
    done = run_gate("wait", "\u7f16\u8bd1", "--log-dir", "logs", env=by_name(simulator))
    assert (done.returncode, done.stdout) == (0, f"passed {job} build=57 state=SUCCESS\n"), done.stderr
    assert f' name="{job}"' in (tmp_path / "gate-report.xml").read_text()
    assert [path.name for path in (tmp_path / "logs").iterdir()] == [f"{job}.log"]


def test_deadline_holds_while_the_list_hangs(simulate: Simulate, run_gate: RunGate) -> None:
    """Nothing is ordered, and the run times out."""
    simulator = simulate(["passing"], speed=300, faults=[Fault(operations=LISTS, act=Silence(), times=None)])
    done = run_gate("run", "passing", "--timeout", "1s", env=by_name(simulator))
    assert (done.returncode, other_operations(simulator)) == (3, set()), done.stderr


def test_signal_ends_the_look_up(simulate: Simulate, start_gate: StartGate) -> None:
    """Nothing is ordered afterwards."""
    simulator = simulate(["passing"], speed=300, faults=[Fault(operations=LISTS, act=Silence(), times=None)])
    gate = start_gate("run", "passing", env=by_name(simulator))
    wait_for(lambda: simulator.journal.of(*LISTS))
    gate.send_signal(signal.SIGTERM)
    gate.communicate(timeout=10)
    assert (gate.returncode, other_operations(simulator)) == (143, set())


ROWS = [
    ("no such text", [], 0, "", "no job of the project has 'no such text' in its name."),
    ("ING", ["failing", "passing"], 0, "build 57 failed", ""),
    ("", ["failing", "passing", "slow"], 0, "build 57 runs", ""),
]


@pytest.mark.parametrize(("text", "names", "status", "words", "said"), ROWS)
def test_jobs_of_the_project_are_listed_with_their_last_builds(
    simulate: Simulate, run_gate: RunGate, text: str, names: list[str], status: int, words: str, said: str
) -> None:
    """Whatever the case of the text; that nothing was found is no error."""
    simulator = simulate(["slow", "passing", "failing"], speed=0)
    simulator.clock.advance(60)
    done = run_gate("jobs", *filter(None, [text]), env=by_name(simulator))
    lines = [line.split()[:2] for line in done.stdout.splitlines()]
    assert (done.returncode, lines) == (status, [[name, simulator.jobs[name]] for name in names]), done.stderr
    assert words in done.stdout
    assert said in done.stderr


def test_jobs_are_listed_as_json(simulate: Simulate, run_gate: RunGate) -> None:
    """For programs."""
    simulator = simulate(["passing"], speed=0)
    done = run_gate("jobs", "--json", env=by_name(simulator))
    assert json.loads(done.stdout) == [
        {"name": "passing", "job_id": simulator.jobs["passing"], "build_number": 57, "state": "building"}
    ]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (service_error(422, "DEVCB.00031006", "The project does not exist."), "Check --codearts-project"),
        (service_error(403, "DEVCB.00020003", "no permission"), "Error: the jobs of the project: HTTP 403"),
    ],
)
def test_list_that_cannot_be_read_ends_jobs_with_5(
    simulate: Simulate, run_gate: RunGate, answer: HttpAnswer, words: str
) -> None:
    """With what the service says, and what to do."""
    simulator = simulate(["passing"], faults=[Fault(operations=LISTS, act=ReplaceAnswer(answer), times=None)])
    done = run_gate("jobs", "--request-timeout", "1s", env=by_name(simulator))
    assert (done.returncode, done.stdout) == (5, "")
    assert words in done.stderr


def test_jobs_needs_a_project(simulate: Simulate, run_gate: RunGate) -> None:
    """Which is not that of IAM."""
    done = run_gate("jobs", env=environment(simulate(["passing"])))
    assert (done.returncode, "GATE_CODEARTS_PROJECT" in done.stderr) == (2, True), done.stderr


def test_signal_ends_the_listing(simulate: Simulate, start_gate: StartGate) -> None:
    """As it ends a wait."""
    simulator = simulate(["passing"], faults=[Fault(operations=LISTS, act=Silence(), times=None)])
    gate = start_gate("jobs", env=by_name(simulator))
    wait_for(lambda: simulator.journal.of(*LISTS))
    gate.send_signal(signal.SIGINT)
    gate.communicate(timeout=10)
    assert gate.returncode == 130
