"""The right build, through the program: no pass, and no stop, for a build that nobody asked about."""

import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gate.simulator import sample_plans
from gate.simulator.builds import BuildPlan, ChildPlan
from gate.simulator.exchange import HttpAnswer, gateway_error, json_answer, service_error
from gate.simulator.scenarios import Scenario, Start
from tests.end_to_end.signal_campaign import SLOW, Case, play
from tests.faults.fault_plan import RECORD_ROUTES, Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.journal import ORDERS
from tests.faults.list_faults import LISTS, LaggingList, LateRecord, older_rows, without_commits
from tests.faults.response_faults import EditAnswer, ReplaceAnswer, ResponseFault
from tests.faults.transport_faults import Drop, TransportFault
from tests.helpers import CLOSED_STDOUT, FULL_DISK, RunGate, RunGates, Simulate, StartGate, environment

COMMIT = "2f37dd494927d2c6259417c58e5faeb72bfe7150"
OF_COMMIT = ("--commit", COMMIT[:8])
PASSING = replace(sample_plans.PASSING, commit=COMMIT)
FAILING = replace(sample_plans.FAILING, commit=COMMIT)


def rebuilt(name: str, first_ended: bool = True) -> Scenario:
    """Return a job with a build of a commit that passes, and a newer one of the same commit that fails."""
    first = Start(at=-100 if first_ended else -20, plan=PASSING)
    return Scenario(name=name, starts=(first, Start(at=-2, plan=FAILING)))


def verdicts(done: "subprocess.CompletedProcess[str]") -> dict[str, str]:
    """Return the verdict and the build of each target by its label."""
    rows = [line.split() for line in done.stdout.splitlines()]
    return {label: f"{verdict} {build.removeprefix('build=')}" for verdict, label, build, *_ in rows}


def targets_of(simulator: FaultySimulator) -> list[str]:
    """Return each job as a target with the name of its scenario."""
    return [f"{name}={job}" for name, job in simulator.jobs.items()]


def test_list_that_lags_does_not_hide_the_newer_build(simulate: Simulate, run_gate: RunGate) -> None:
    """Late lists, lists without commits, a record whose commit comes late, a list that drifts back: it is build 2."""
    names = ["late list", "late list, first runs", "no commits", "commit comes late", "drifts back"]
    labels = [name.replace(", ", "-").replace(" ", "-") for name in names]
    simulator = simulate([rebuilt(label, first_ended="runs" not in label) for label in labels], speed=20)
    jobs = simulator.jobs
    late = LaggingList(simulator=simulator, seconds=15)
    no_commit = EditAnswer({"result.commit": None})
    simulator.faults.add(
        Fault(act=late, operations=LISTS, job_id=jobs["late-list"], times=None),
        Fault(act=late, operations=LISTS, job_id=jobs["late-list-first-runs"], times=None),
        Fault(act=without_commits(1), operations=LISTS, job_id=jobs["no-commits"], times=None),
        Fault(act=without_commits(1), operations=LISTS, job_id=jobs["commit-comes-late"], times=None),
        Fault(act=no_commit, operations=RECORD_ROUTES, job_id=jobs["commit-comes-late"], build_number=2, times=2),
        Fault(act=older_rows(1), operations=LISTS, job_id=jobs["drifts-back"], skip=1, times=None),
        Fault(act=LateRecord(simulator, 12), operations=RECORD_ROUTES, job_id=jobs["drifts-back"], times=None),
    )
    done = run_gate("wait", *targets_of(simulator), *OF_COMMIT, env=environment(simulator), seconds=60)
    assert verdicts(done) == dict.fromkeys(labels, "failed 2"), done.stderr


TROUBLE: dict[str, ResponseFault | TransportFault] = {
    "500": ReplaceAnswer(service_error(500, "CB.00060101", "Internal error.")),
    "429": ReplaceAnswer(gateway_error(429, "0308", "policy user over ratelimit,limit:60,time:1 minute")),
    "page": ReplaceAnswer(HttpAnswer(status=200, body=b"<html>Sign in</html>", content_type="text/html")),
    "403-page": ReplaceAnswer(HttpAnswer(status=403, body=b"<html>Forbidden</html>", content_type="text/html")),
    "reset": Drop(reset=True),
    "half": Drop(),
}


def test_error_at_the_look_behind_the_list_is_no_absence(simulate: Simulate, run_gate: RunGate) -> None:
    """Only the service's own "not found" says that there is no newer build."""
    simulator = simulate([rebuilt(name) for name in TROUBLE], speed=20)
    late = LaggingList(simulator=simulator, seconds=30)
    simulator.faults.add(Fault(act=late, operations=LISTS, times=None))
    for name, act in TROUBLE.items():
        fault = Fault(act=act, operations=RECORD_ROUTES, job_id=simulator.jobs[name], build_number=2)
        simulator.faults.add(fault)
    done = run_gate("wait", *targets_of(simulator), env=environment(simulator), seconds=60)
    assert verdicts(done) == dict.fromkeys(TROUBLE, "failed 2"), done.stderr


@pytest.mark.ci  # takes seconds; core/test_right_build.py has it in virtual time
def test_nothing_that_decides_is_left_out_under_load(simulate: Simulate, run_gate: RunGate) -> None:
    """Thirty targets at a rate for which they are late: none passes on the build before the one that runs."""
    starts = (Start(at=-100, plan=PASSING), Start(at=-2, plan=sample_plans.SLOW))
    simulator = simulate([Scenario(name=f"job-{number}", starts=starts) for number in range(30)])
    simulator.faults.add(Fault(act=LaggingList(simulator=simulator, seconds=30), operations=LISTS, times=None))
    env = environment(simulator, GATE_MAX_RATE="210")
    done = run_gate("wait", *targets_of(simulator), "--timeout", "9s", env=env)
    assert {verdict.split()[0] for verdict in verdicts(done).values()} == {"timed-out"}, done.stdout


def answered_with(number: int) -> Fault:
    """Return a fault that answers orders with the number of a build that was there before."""
    answer = json_answer({"status": "success", "result": {"actual_build_number": str(number)}})
    return Fault(operations=ORDERS, act=ReplaceAnswer(answer), times=None)


@pytest.mark.parametrize("blind", [False, True], ids=["number", "time"])
def test_build_of_somebody_else_is_neither_adopted_nor_stopped(
    simulate: Simulate, run_gate: RunGate, blind: bool
) -> None:
    """An order is answered with a running build: its number was there before, or else its record is too old."""
    simulator = simulate(["slow"], faults=[answered_with(57)])
    simulator.clock.advance(900)
    if blind:
        failing = ReplaceAnswer(service_error(500, "CB.00060101", "Internal error."))
        simulator.faults.add(Fault(act=failing, operations=LISTS, times=None))
    options = ("--timeout", "20s", "--error-budget", "1s")
    done = run_gate("run", simulator.jobs["slow"], *options, env=environment(simulator))
    sentence = "but ordered at" if blind else "but the job had build 57 before it"
    assert (done.returncode, sentence in done.stderr) == (5, True), done.stderr
    assert not simulator.journal.stops


OTHER_BUILDS: dict[str, tuple[tuple[str, ...], dict[str, object], tuple[str, str]]] = {
    "branch": (("--branch", "release/9"), {"result.branch": "master"}, ("master", "release/9")),
    "tag": (("--tag", "v2"), {"result.tag": "v1"}, ("v1", "v2")),
    "commit": (("--commit", COMMIT), {"result.commit": "f" * 40}, ("f" * 40, COMMIT)),
    "parent": ((), {"result.parent_record_id": "another"}, ("multi-job", "another")),
}
"""What is ordered, what the record says, and the words for both."""


def test_build_of_something_else_than_was_ordered_never_passes(simulate: Simulate, run_gates: RunGates) -> None:
    """The record contradicts the order: both values are in the sentence, and the build is left alone."""
    simulators, calls = {}, {}
    for name, (arguments, edit, _) in OTHER_BUILDS.items():
        wrong = Fault(operations=RECORD_ROUTES, act=EditAnswer(edit), build_number=58, times=None)
        simulators[name] = simulator = simulate(["passing"], speed=300, faults=[wrong])
        calls[name] = {"arguments": ["run", simulator.jobs["passing"], *arguments], "env": environment(simulator)}
    for name, done in run_gates(calls).items():
        values = OTHER_BUILDS[name][2]
        unsaid = [value for value in values if value not in done.stdout + done.stderr]
        assert (done.returncode, unsaid) == (5, []), (name, done.stderr)
        assert not simulators[name].journal.stops


def test_build_that_contradicts_the_order_is_not_stopped_after_a_signal(
    simulate: Simulate, start_gate: StartGate
) -> None:
    """One record of another branch decides nothing yet, but from then on the build may be somebody else's."""
    wrong = Fault(operations=RECORD_ROUTES, act=EditAnswer({"result.branch": "master"}), build_number=58, times=None)
    simulator = simulate(["slow"], faults=[wrong])
    env = environment(simulator, GATE_POLL_INTERVAL="30s")
    process = start_gate("run", simulator.jobs["slow"], "--branch", "release/9", env=env)
    assert process.stderr is not None
    assert any("of branch master, not of release/9; asking again" in line for line in process.stderr)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert (process.returncode, simulator.journal.stops) == (143, ())


def test_branch_and_tag_that_agree_pass(simulate: Simulate, run_gates: RunGates) -> None:
    """The comparison holds nobody up who gets what was ordered."""
    simulators = {option: simulate(["passing"], speed=300) for option in ("branch", "tag")}
    calls = {
        option: {
            "arguments": ["run", simulator.jobs["passing"], f"--{option}", "release/9"],
            "env": environment(simulator),
        }
        for option, simulator in simulators.items()
    }
    for option, done in run_gates(calls).items():
        assert done.returncode == 0, (option, done.stderr)


TESTS = "ShowReportSummary"
UNIT_TESTS: dict[str, tuple[dict[str, object], str]] = {
    "part-fails": ({"result.sub_summarys.0.failures": 1}, "failed"),
    "part-has-errors": ({"result.sub_summarys.0.errors": "2"}, "failed"),
    "called-false": ({"result.summary.is_success": "false"}, "failed"),
    "part-called-false": ({"result.sub_summarys.0.is_success": "false"}, "failed"),
    "none-succeeded": ({"result.summary.success": 0, "result.sub_summarys.0.success": 0}, "undetermined"),
    "no-parts": ({"result.sub_summarys": []}, "undetermined"),
    "as-they-are": ({"result.summary.is_success": "true"}, "passed"),
}


def test_required_tests_are_read_in_every_stage(simulate: Simulate, run_gate: RunGate) -> None:
    """`--require-tests` passes only what has no failure, and a success, in the summary and in all its parts."""
    jobs = [Scenario(name=name, starts=(Start(at=-100),)) for name in UNIT_TESTS]
    simulator = simulate(jobs)
    for name, (edit, _) in UNIT_TESTS.items():
        simulator.faults.add(Fault(operations=(TESTS,), act=EditAnswer(edit), job_id=simulator.jobs[name], times=None))
    env = environment(simulator)
    done = run_gate("wait", *targets_of(simulator), "--require-tests", "--log-tail", "0", env=env)
    assert verdicts(done) == {name: f"{verdict} 1" for name, (_, verdict) in UNIT_TESTS.items()}, done.stderr


def test_child_of_a_multi_job_build_is_not_judged_for_it(simulate: Simulate, run_gates: RunGates) -> None:
    """The children are newer than their parent: a parent that fails is not passed by them, and the other way round."""

    def parent(word: str, child: BuildPlan) -> BuildPlan:
        children = tuple(ChildPlan(name=name, plan=child) for name in ("compile", "test"))
        return replace(sample_plans.MULTI_JOB, word=word, commit=COMMIT, children=children)

    starts = {"passes": parent("SUCCESS", sample_plans.FAILING), "fails": parent("FAILURE", sample_plans.PASSING)}
    jobs = [Scenario(name=name, starts=(Start(at=-30, plan=plan),)) for name, plan in starts.items()]
    simulator = simulate(jobs, speed=20)
    calls = {
        name: {"arguments": ["wait", *targets_of(simulator), *options], "env": environment(simulator)}
        for name, options in {"newest": (), "commit": OF_COMMIT}.items()
    }
    for done in run_gates(calls).values():
        assert verdicts(done) == {"passes": "passed 1", "fails": "failed 1"}, done.stderr


BEFORE = {"disk": FULL_DISK.format(size=1500), "closed stdout": CLOSED_STDOUT}


@pytest.mark.parametrize("trouble", ["disk", "summary", "closed stdout", "full stdout"])
def test_result_that_cannot_be_written_whole_is_a_pass_nowhere(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path, trouble: str
) -> None:
    """Exit status, stdout, JSON, dotenv, outputs of the step, summary and JUnit agree, or are gone."""
    simulator = simulate([Scenario(name="job", starts=(Start(at=-100),))])
    (tmp_path / "github").touch()
    env = {**environment(simulator), "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(tmp_path / "github")}
    summary = "/dev/full" if trouble == "summary" else "s.md"
    with Path("/dev/full").open("w") as full:
        options: dict[str, Any] = {"stdout": full} if trouble == "full stdout" else {}
        files = ("--outputs", "o.env", "--summary", summary, "--json")
        before = BEFORE.get(trouble, "")
        done = run_gate("wait", f"{simulator.jobs['job']}:1", *files, env=env, before=before, **options)
    assert done.returncode == 5, done.stderr
    written = {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()}
    written["stdout"] = done.stdout or ""
    last_step_outputs = written.pop("github").rpartition("verdict=")[2]
    assert last_step_outputs.startswith("undetermined\nexit-code=5\n") or not last_step_outputs
    for name, text in written.items():
        assert not text or "undetermined" in text.lower(), (name, text)
        assert '"verdict": "passed"' not in text
        assert "GATE_VERDICT=passed" not in text
    assert "undetermined" in done.stderr.splitlines()[-1]


MOMENTS = [
    *(Case(slow=slow, number=signal.SIGTERM) for slow in SLOW),
    Case(slow="handshake", begun=3, number=signal.SIGINT),
    Case(slow="proxy", begun=3, number=signal.SIGHUP, keep_running=True),
]


def test_no_order_is_sent_after_a_signal() -> None:
    """Signals while the gate signs in, connects, orders: nothing is sent any more, nobody else's build is stopped."""
    with ThreadPoolExecutor(len(MOMENTS)) as pool:
        seen = list(pool.map(play, MOMENTS))
    assert [list(one.complaints(case)) for case, one in zip(MOMENTS, seen, strict=True)] == [[]] * len(MOMENTS), seen
    assert [len(one.orders) for one in seen] == [0, 0, 0, 0, 1, 0, 0], seen
