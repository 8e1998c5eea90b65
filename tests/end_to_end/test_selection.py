"""Which build is judged, through the program: no skip where one may exist, no older one in place of a newer one."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from gate.simulator import sample_plans
from gate.simulator.builds import BuildPlan
from gate.simulator.exchange import Call, HttpAnswer, json_answer, service_error
from gate.simulator.scenarios import Scenario, Start
from gate.simulator.simulator import Answer
from tests.end_to_end.test_right_build import targets_of, verdicts
from tests.faults.fault_plan import RECORD_ROUTES, Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.list_faults import LISTS, EditRows, LaggingList, LateRecord, empty_list, older_rows, without_commits
from tests.faults.response_faults import MISSING, EditAnswer, ReplaceAnswer, ResponseFault
from tests.helpers import RunGate, RunGates, Simulate, environment

COMMIT = "2f37dd494927d2c6259417c58e5faeb72bfe7150"
OF_COMMIT = ("--commit", COMMIT[:8])
HOUR = 3600.0
NO_BUILD = ReplaceAnswer(service_error(422, "DEVCB.00031006", "The build does not exist."))
FAILING = replace(sample_plans.FAILING, commit=COMMIT)
PASSING = replace(sample_plans.PASSING, commit=COMMIT)
UNSCHEDULED = sample_plans.NEVER_SCHEDULED
RUNS = ReplaceAnswer(json_answer({"result": True}))
LATEST = ("ShowRunningStatus",)
STATUS = ("ShowJobStatus",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A job with what its service does wrong."""

    name: str
    starts: tuple[tuple[float, BuildPlan], ...]
    """When its builds are started, in seconds after the simulator's start, and what they do."""
    faults: Callable[[FaultySimulator], tuple[Fault, ...]] = lambda _: ()

    def scenario(self) -> Scenario:
        """Return the job."""
        return Scenario(name=self.name, starts=tuple(Start(at=at, plan=plan) for at, plan in self.starts))


def always(act: ResponseFault, *operations: str, number: int | None = None) -> Fault:
    """Return a fault that strikes each time."""
    return Fault(act=act, operations=operations, build_number=number, times=None)


def simulate_all(simulate: Simulate, situations: tuple[Situation, ...], **options: Any) -> FaultySimulator:
    """Serve a job for each situation."""
    simulator = simulate([situation.scenario() for situation in situations], **options)
    for situation in situations:
        job = simulator.jobs[situation.name]
        simulator.faults.add(*(replace(fault, job_id=job) for fault in situation.faults(simulator)))
    return simulator


OLD = ((-5 * HOUR, sample_plans.PASSING), (-2 * HOUR, sample_plans.PASSING))
"""Builds of other commits, which ended long ago."""


def no_commit(number: int) -> tuple[Fault, ...]:
    """Let the service not know the commit of a build."""
    return (
        always(EditAnswer({"result.commit": None}), *RECORD_ROUTES[:2], number=number),
        always(without_commits(1), *LISTS),
    )


NO_SKIP = (
    Situation(name="checkout-failed", starts=(*OLD, (-100, FAILING)), faults=lambda _: no_commit(3)),
    Situation(name="never-ran", starts=(*OLD, (-100, UNSCHEDULED)), faults=lambda _: no_commit(3)),
    Situation(
        name="counts-44",
        starts=OLD,
        faults=lambda _: (always(EditAnswer({"result.total_record": "44", "result.job_build_states": []}), *LISTS),),
    ),
    Situation(
        name="no-rows",
        starts=OLD,
        faults=lambda _: (always(EditAnswer({"result.job_build_states": MISSING}), *LISTS),),
    ),
    Situation(
        name="null-row", starts=OLD, faults=lambda _: (always(EditAnswer({"result.job_build_states.0": None}), *LISTS),)
    ),
    Situation(
        name="no-number",
        starts=OLD,
        faults=lambda _: (always(EditAnswer({"result.job_build_states.1.number": None}), *LISTS),),
    ),
    Situation(name="status-runs", starts=OLD, faults=lambda _: (always(RUNS, *STATUS),)),
    Situation(name="other-runs", starts=(*OLD, (-20, sample_plans.SLOW))),
    Situation(name="other-is-queued", starts=(*OLD, (-20, replace(sample_plans.QUEUED, queue=9000.0)))),
    Situation(
        name="only-children",
        starts=((-100, replace(sample_plans.MULTI_JOB, commit=COMMIT)),),
        faults=lambda _: (
            always(NO_BUILD, *RECORD_ROUTES, number=1),
            always(EditRows(change=lambda rows: rows[:3]), *LISTS),
        ),
    ),
    Situation(
        name="older-than-the-list",
        starts=OLD,
        faults=lambda _: (always(EditRows(change=lambda rows: rows[:1]), *LISTS),),
    ),
    Situation(
        name="end-is-odd",
        starts=OLD,
        faults=lambda _: (always(ReplaceAnswer(HttpAnswer(status=404, body=b"{}")), *RECORD_ROUTES, number=3),),
    ),
    Situation(
        name="running-status-fails",
        starts=OLD,
        faults=lambda _: (always(ReplaceAnswer(service_error(500, "CB.00060101", "Internal error.")), *LATEST),),
    ),
    Situation(
        name="list-is-empty",
        starts=((-5 * HOUR, PASSING), (-2 * HOUR, sample_plans.PASSING)),
        faults=lambda _: (
            always(EditAnswer({"result.total_record": "0", "result.job_build_states": []}), *LISTS),
            always(ReplaceAnswer(service_error(500, "CB.00060101", "Internal error.")), *RECORD_ROUTES, number=1),
        ),
    ),
)
"""Builds of the commit may exist, or do, and no answer shows them: that is no proof that there is none."""


def test_nothing_is_skipped_where_a_build_may_exist(simulate: Simulate, run_gate: RunGate) -> None:
    """Only the job about which everything is known is skipped under `--if-none pass`."""
    situations = (*NO_SKIP, Situation(name="none", starts=OLD), Situation(name="never-built", starts=()))
    simulator = simulate_all(simulate, situations)
    options = (*OF_COMMIT, "--if-none", "pass", "--appear-timeout", "500ms")
    done = run_gate("wait", *targets_of(simulator), *options, env=environment(simulator), seconds=60)
    expected = {situation.name: "undetermined -" for situation in NO_SKIP} | dict.fromkeys(
        ("none", "never-built"), "skipped -"
    )
    assert verdicts(done) == expected, done.stderr
    assert done.returncode == 5
    assert "but that is not proven: the list of builds counts 44 and shows 0" in done.stderr


@dataclass(frozen=True, slots=True)
class ServiceDate(ResponseFault):
    """Sends a `Date` that is some seconds ahead of the times in the records."""

    simulator: FaultySimulator
    ahead: float

    def shape(self, call: Call, genuine: Answer) -> HttpAnswer | None:
        """See the base class."""
        answer = genuine()
        date = format_datetime(self.simulator.clock.now() + timedelta(seconds=self.ahead), usegmt=True)
        return answer and replace(answer, headers={**answer.headers, "Date": date})


NOW = ((-5 * HOUR, sample_plans.PASSING), (-60, sample_plans.FAILING))


def test_fresh_build_is_judged_not_skipped(simulate: Simulate, run_gate: RunGate) -> None:
    """Its list is empty, its end is not known, or it never ran; a stale build is skipped."""
    no_end = EditAnswer({"result.finish_time": None, "result.duration": None})
    situations = (
        Situation(name="list-is-empty", starts=NOW, faults=lambda _: (always(empty_list(), *LISTS),)),
        Situation(name="no-end", starts=NOW, faults=lambda _: (always(no_end, *RECORD_ROUTES[:2]),)),
        Situation(
            name="never-ran",
            starts=((-60, UNSCHEDULED),),
            faults=lambda _: (always(EditAnswer({"result.finish_time": None}), *RECORD_ROUTES[:2]),),
        ),
        Situation(
            name="row-without-number",
            starts=NOW,
            faults=lambda _: (always(EditAnswer({"result.job_build_states.1.number": "x"}), *LISTS),),
        ),
        Situation(name="stale", starts=OLD),
    )
    simulator = simulate_all(simulate, situations)
    options = ("--if-none", "pass", "--appear-timeout", "500ms", "--log-tail", "0")
    done = run_gate("wait", *targets_of(simulator), *options, env=environment(simulator), seconds=60)
    failed = dict.fromkeys(("list-is-empty", "no-end", "row-without-number"), "failed 2")
    assert verdicts(done) == {**failed, "never-ran": "failed 1", "stale": "skipped -"}, done.stderr


def test_clocks_of_the_service_that_contradict_each_other_prove_nothing(simulate: Simulate, run_gate: RunGate) -> None:
    """`Date` is an hour ahead of records and of this machine: the build that failed a minute ago may be fresh."""
    simulator = simulate_all(simulate, (Situation(name="job", starts=NOW),))
    simulator.faults.add(Fault(act=ServiceDate(simulator, HOUR), times=None))
    options = ("--if-none", "pass", "--appear-timeout", "500ms")
    done = run_gate("wait", *targets_of(simulator), *options, env=environment(simulator))
    assert (done.returncode, "contradicts the service's" in done.stderr) == (5, True), done.stderr


def test_service_date_minutes_ahead_of_its_records_lets_orders_pass(simulate: Simulate, run_gate: RunGate) -> None:
    """Ten minutes are allowed between two clocks, everywhere."""
    simulator = simulate(["passing"], speed=300)
    simulator.faults.add(Fault(act=ServiceDate(simulator, 500), times=None))
    done = run_gate("run", simulator.jobs["passing"], env=environment(simulator))
    assert done.returncode == 0, done.stderr


OLDER_PASSES = (
    Situation(
        name="late-parent",
        starts=((-100, sample_plans.PASSING), (-4, replace(sample_plans.MULTI_JOB, word="FAILURE"))),
        faults=lambda simulator: (
            always(LateRecord(simulator, 200), *RECORD_ROUTES, number=2),
            always(EditRows(change=lambda rows: [row for row in rows if row["number"] != 2]), *LISTS),
        ),
    ),
    Situation(
        name="queued-unseen",
        starts=((-100, sample_plans.PASSING), (-1, replace(sample_plans.FAILING, queue=100.0))),
        faults=lambda simulator: (
            always(LaggingList(simulator=simulator, seconds=1000), *LISTS),
            always(LateRecord(simulator, 90), *RECORD_ROUTES, number=2),
        ),
    ),
    Situation(
        name="deleted-number",
        starts=((-100, sample_plans.PASSING), (-50, sample_plans.PASSING), (-4, sample_plans.FAILING)),
        faults=lambda _: (
            always(NO_BUILD, *RECORD_ROUTES, number=2),
            always(older_rows(2), *LISTS),
        ),
    ),
    Situation(
        name="hundred-ahead",
        starts=(*((-130.0 + index, sample_plans.PASSING) for index in range(120)), (-2, sample_plans.FAILING)),
        faults=lambda _: (
            always(EditRows(change=lambda rows: rows[-1:]), *LISTS),
            always(EditAnswer({"result.last_build_no": "1"}), *LATEST),
        ),
    ),
)
"""The newest build fails, and an older one has passed."""


def test_older_build_never_passes_for_a_newer_one(simulate: Simulate, run_gate: RunGate) -> None:
    """A late parent, a queued build that only running-status names, a deleted number, a hundred builds to read."""
    simulator = simulate_all(simulate, OLDER_PASSES, speed=60)
    env = environment(simulator)
    done = run_gate("wait", *targets_of(simulator), "--log-tail", "0", env=env, seconds=60)
    newest = {"late-parent": 2, "queued-unseen": 2, "deleted-number": 3, "hundred-ahead": 121}
    assert verdicts(done) == {name: f"failed {number}" for name, number in newest.items()}, done.stderr


def test_build_that_appears_late_is_waited_for_by_its_number(simulate: Simulate, run_gate: RunGate) -> None:
    """It takes a second here; one below a known number ends in ten seconds, which are two here."""
    situations = (
        Situation(name="later", starts=((-100, sample_plans.PASSING), (40, sample_plans.PASSING))),
        Situation(name="below", starts=((-100, sample_plans.PASSING), (-50, sample_plans.PASSING))),
    )
    simulator = simulate_all(simulate, situations, speed=40)
    simulator.faults.add(
        Fault(act=NO_BUILD, operations=RECORD_ROUTES, job_id=simulator.jobs["below"], build_number=1, times=None),
        Fault(act=EditRows(change=lambda rows: rows[:1]), operations=LISTS, job_id=simulator.jobs["below"], times=None),
    )
    targets = [f"later={simulator.jobs['later']}:2", f"below={simulator.jobs['below']}:1"]
    done = run_gate("wait", *targets, "--appear-timeout", "2s", env=environment(simulator), seconds=60)
    assert verdicts(done) == {"later": "passed 2", "below": "undetermined 1"}, done.stderr
    assert "build 2 is not there yet; the newest known one is 1" in done.stderr


def test_branch_and_time_of_creation_select_the_build(simulate: Simulate, run_gates: RunGates) -> None:
    """`--branch` and `--since`, alone and with `--commit`; a record that contradicts them decides nothing."""
    starts = ((-500, replace(PASSING, branch="main")), (-100, replace(FAILING, branch="next")))
    simulator = simulate_all(simulate, (Situation(name="job", starts=starts),))
    now = simulator.clock.now()
    since = [(now - timedelta(seconds=seconds)).isoformat() for seconds in (300, 30)]
    rows = [
        ("", ("--branch", "main"), "passed 1"),
        ("", ("--branch", "main", *OF_COMMIT), "passed 1"),
        ("", ("--branch", "refs/heads/next"), "failed 2"),
        ("", ("--branch", "other"), "undetermined -"),
        ("", ("--since", since[0]), "failed 2"),
        ("", ("--since", since[1]), "undetermined -"),
        ("", ("--branch", "main", "--since", since[0], "--if-none", "pass"), "skipped -"),
        (":1", ("--branch", "next"), "undetermined 1"),
        (":1", ("--since", since[0]), "undetermined 1"),
    ]
    common = ("--appear-timeout", "500ms", "--log-tail", "0")
    calls = {
        str(row): {
            "arguments": ["wait", f"job={simulator.jobs['job']}{number}", *options, *common],
            "env": environment(simulator),
        }
        for row, (number, options, _) in enumerate(rows)
    }
    for done, (number, options, expected) in zip(run_gates(calls).values(), rows, strict=True):
        assert verdicts(done) == {"job": expected}, (number, options, done.stderr)


def test_merge_commit_of_a_pull_request_is_named(simulate: Simulate, run_gate: RunGate) -> None:
    """No build of it exists; the message has the variable with the branch's commit."""
    simulator = simulate_all(simulate, (Situation(name="job", starts=OLD),))
    places = {"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/pull/12/merge", "GITHUB_SHA": COMMIT}
    env = environment(simulator, **places)
    done = run_gate("wait", *targets_of(simulator), *OF_COMMIT, "--appear-timeout", "500ms", "--json", env=env)
    assert done.returncode == 5
    reason = json.loads(done.stdout)["targets"][0]["reason"]
    assert "merge commit of pull request 12" in reason
    assert "github.event.pull_request.head.sha" in reason


def test_refused_second_order_does_not_hide_that_the_first_build_said_no(simulate: Simulate, run_gate: RunGate) -> None:
    """`--retries`: the verdict is that of the build that never ran."""
    simulator = simulate([Scenario(name="job", plan=UNSCHEDULED)], speed=50)
    refused = ReplaceAnswer(service_error(400, "DEV.CB.032011", "The task id parameter is illegal."))
    simulator.faults.add(Fault(act=refused, operations=("ExecuteJob",), skip=1, times=None))
    done = run_gate("run", simulator.jobs["job"], "--retries", "1", env=environment(simulator))
    assert (done.returncode, "it was not ordered again" in done.stderr) == (1, True), done.stderr
