"""The table of faults and moments. Each row is one process: a few faults at every moment of a wait, or one of a run."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial

from gate.model import Target
from gate.settings import Rules
from gate.simulator import sample_plans
from gate.simulator.scenarios import SCENARIOS, Scenario, Start
from tests.faults import expected
from tests.faults.catalogue import NAMED_FAULTS
from tests.faults.connection_faults import CONNECTION_FAULTS
from tests.faults.fault_plan import RECORD_ROUTES, Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.harness import GRACE, Seen, complaints, flowing, run_gate
from tests.faults.journal import ORDERS, SIGN_IN, STOPS
from tests.faults.list_faults import (
    LIST_LIES,
    LISTS,
    PROJECT_LISTS,
    EditRows,
    JsonRow,
    ListFault,
    empty_list,
    older_rows,
)
from tests.faults.memory import MemoryWait
from tests.faults.moments import LAST_LOOK, LOOK_UP, SIGNING_IN, START, WAITING, Moment
from tests.faults.named_faults import NamedFault, Nature
from tests.helpers import COURSES, environment

SPEED = 50.0
"""Seconds of service time in one second, from the first request on."""

PATIENT = ("--request-timeout", "900ms", "--error-budget", "4s")
"""The service is given up on before the deadline."""
HURRIED = ("--request-timeout", "60s", "--error-budget", "10m")
"""The deadline comes first."""
OPTIONS = ("--poll-interval", "200ms", "--appear-timeout", "1s", "--max-rate", "60000", "--json")

MOST_MEBIBYTES = 256
"""What the gate may take of memory at most: some 30, and its bounds times its connections."""

SEVERAL = dict(zip(("57", "58", "59"), COURSES, strict=True))
"""The verdicts of three builds of one job, by their numbers, where lists are struck."""

CODES = {"failed": 1, "aborted": 4, "timed-out": 3, "undetermined": 5, "passed": 0}
KINDS = {
    "failed": "BuildFailed",
    "aborted": "BuildAborted",
    "timed-out": "GateTimeout",
    "undetermined": "Undetermined",
    "passed": "",
}


@dataclass(slots=True, kw_only=True)
class Row:
    """What came of one fault, or of a few in one process."""

    names: tuple[str, ...]
    kind: str
    verdicts: dict[str, str] = field(default_factory=dict)
    late: float = -999.0
    """Seconds past the deadline; negative when the gate was done before it."""
    mebibytes: float = 0.0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One target: which fault strikes it, when, and whether only once."""

    fault: NamedFault
    moment: Moment
    once: bool

    def __str__(self) -> str:
        return f"{self.fault.name}, {self.moment.name}, {'once' if self.once else 'always'}"


def wait_row(*faults: NamedFault, hurried: bool = False) -> Row:
    """Let faults strike at every moment of a wait, once and always, and judge what the gate makes of them."""
    row = Row(names=tuple(fault.name for fault in faults), kind="wait, deadline first" if hurried else "wait")
    cells = {
        f"{number}.{moment.name}.{'once' if once else 'always'}": Cell(fault=fault, moment=moment, once=once)
        for number, fault in enumerate(faults)
        for moment in WAITING
        for once in ((False,) if hurried or moment.ended else (True, False))
    }
    delaying = any(fault.nature is Nature.DELAYING for fault in faults)
    timeout = 2.5 if hurried else 4.0 if delaying else 40.0
    with ExitStack() as stack:
        scenarios = [cell.moment.scenario(label) for label, cell in cells.items()]
        simulator = stack.enter_context(FaultySimulator(scenarios, speed=0))
        for label, cell in cells.items():
            simulator.faults.add(cell.moment.planned(cell.fault, simulator, simulator.jobs[label], cell.once))
        stack.enter_context(flowing(simulator, SPEED))
        targets = [f"{label}={simulator.jobs[label]}{cell.moment.target}" for label, cell in cells.items()]
        options = (*OPTIONS, *(HURRIED if hurried else PATIENT), "--require-tests")
        seen = _seen(row, simulator, "wait", *targets, *options, timeout=timeout)
    for label, verdict in row.verdicts.items():
        row.problems += _misjudged(cells[label], verdict, hurried)
    if seen and not hurried:
        judged = [label for label, verdict in row.verdicts.items() if verdict == "failed"]
        row.problems += _untold({label: cells[label] for label in judged}, seen)
    return row


def _misjudged(cell: Cell, verdict: str, hurried: bool) -> Iterator[str]:
    """Say if a verdict is not right."""
    allowed = expected.verdicts(cell.fault, cell.moment, cell.once)
    if hurried:
        allowed = expected.at_early_deadline(cell.fault, cell.moment)
    if verdict not in allowed:
        yield f"{cell}: {verdict}, not {' or '.join(sorted(allowed))}"


def _untold(cells: Mapping[str, Cell], seen: Seen) -> Iterator[str]:
    """Say if nobody was told that side channels failed: each by its label, or many in one line with their number."""
    told = [line for line in seen.err.splitlines() if "does not change the verdict" in line]
    in_sum = sum(int(found[1]) for line in told if (found := re.search(r" (\d+) more targets: ", line)))
    silent = [
        str(cell)
        for label, cell in cells.items()
        if expected.is_told(cell.fault, cell.moment, cell.once) and not any(f" {label}: " in line for line in told)
    ]
    if len(silent) > in_sum:
        yield f"nobody was told of {len(silent)} failures, but of {in_sum} in sum: {silent}"


def refusal_row(*faults: NamedFault) -> Row:
    """Let refusals come three times in a row after each target's first look at its record."""
    row = Row(names=tuple(fault.name for fault in faults), kind="after valid answers")
    names = {f"{number}": fault for number, fault in enumerate(faults)}
    with ExitStack() as stack:
        simulator = stack.enter_context(FaultySimulator([WAITING[1].scenario(name) for name in names], speed=0))
        for name, fault in names.items():
            job_id = simulator.jobs[name]
            simulator.faults.add(Fault(act=fault.make(), operations=RECORD_ROUTES, job_id=job_id, skip=1, times=3))
        stack.enter_context(flowing(simulator, 5))
        targets = [f"{name}={simulator.jobs[name]}:57" for name in names]
        _seen(row, simulator, "wait", *targets, *OPTIONS, "--error-budget", "20s", timeout=40.0)
    for name, verdict in row.verdicts.items():
        if verdict not in (allowed := expected.after_valid_answers(names[name])):
            row.problems.append(f"{names[name].name}: {verdict}, not {' or '.join(sorted(allowed))}")
    return row


def deadline_row(*faults: NamedFault, once: bool) -> Row:
    """Let faults strike the look at the deadline, at builds that have ended shortly before it.

    In virtual time, as a second try has to come within seconds: no process, and nothing depends on the machine's load.
    """
    row = Row(names=tuple(fault.name for fault in faults), kind="last look, once" if once else "last look")
    rules = Rules(timeout=sample_plans.PASSING.seconds + 10, poll_interval=600, error_budget=600, max_rate=60_000)
    for fault in faults:
        simulator = FaultySimulator([WAITING[1].scenario("app")], speed=0)
        job_id = simulator.jobs["app"]
        simulator.faults.add(LAST_LOOK.planned(fault, simulator, job_id, once))
        waiting = MemoryWait(simulator, Target(job_id=job_id, label="app", build_number=57), rules=rules)
        verdict = waiting.run()[0].verdict.token
        simulator.stop()
        row.verdicts[fault.name] = verdict
        if verdict not in (allowed := expected.at_last_look(fault, LAST_LOOK, once)):
            row.problems.append(f"{fault.name}: {verdict}, not {' or '.join(sorted(allowed))}")
        if not any(build.at(simulator.clock.now()).ended for build in simulator.backend.jobs[job_id].builds[-1:]):
            row.problems.append(f"{fault.name}: the build has not ended")
    return row


def list_row(*faults: ListFault, later: bool = False) -> Row:
    """Let faults strike the lists of a CodeArts project each, which are read as more polls are wanted than allowed.

    They must change no verdict, and let nobody wait beyond the deadline. `later`: the first list of each is right.
    """
    row = Row(names=tuple(fault.name for fault in faults), kind="lists, later" if later else "lists")
    scenarios = [scenario for number, fault in enumerate(faults) for scenario in _project(f"p{number}", fault)]
    with ExitStack() as stack:
        simulator = stack.enter_context(FaultySimulator(scenarios, speed=0))
        jobs = simulator.jobs
        projects = [simulator.backend.jobs[jobs[f"p{number}.passed"]].project_id for number in range(len(faults))]
        several = [jobs[f"p{number}.several"] for number in range(len(faults))]
        for fault, project, job in zip(faults, projects, several, strict=True):
            for operations, place in ((PROJECT_LISTS, project), (LISTS, job)):
                simulator.faults.add(_list_fault(fault, simulator, operations, place, later=later))
        stack.enter_context(flowing(simulator, 15))
        targets = [f"p{n}.{name}={jobs[f'p{n}.{name}']}:57" for n in range(len(faults)) for name in COURSES]
        targets += [f"p{n}.several.{build}={job}:{build}" for n, job in enumerate(several) for build in SEVERAL]
        rate = str(20 * len(targets))  # a third of what the targets want
        options = ("--poll-interval", "1s", "--max-rate", rate, *PATIENT[:2], "--error-budget", "10m", "--json")
        seen = _seen(row, simulator, "wait", *targets, *options, "--log-tail", "0", timeout=10.0)
        read = {entry.path for entry in simulator.journal.of(*PROJECT_LISTS, *LISTS)}
    if seen is None:
        return row
    if not any(place in path for path in read for place in (*projects, *several)):
        row.problems.append("no list was read")
    for label, verdict in row.verdicts.items():
        number, course = int(label[1 : label.index(".")]), label.rpartition(".")[2]
        if verdict != SEVERAL.get(course, course):
            row.problems.append(f"{faults[number].name}, {label}: {verdict}")
    return row


def _project(name: str, fault: ListFault) -> Iterator[Scenario]:
    """Return the jobs of a project: one for each verdict, one with three builds, and perhaps a page full of others."""
    for word, plan in COURSES.items():
        yield Scenario(name=f"{name}.{word}", project=name, starts=(Start(plan=plan),), first_number=57)
    starts = tuple(Start(at=number / 10, plan=plan) for number, plan in enumerate(COURSES.values()))
    yield Scenario(name=f"{name}.several", project=name, starts=starts, first_number=57)
    if fault.later_pages_only:
        for number in range(120):
            yield Scenario(name=f"{name}.other-{number}", project=name, starts=(Start(at=-3600.0),))


def _at_lists(fault: NamedFault) -> ListFault:
    """Return a named fault as one that strikes lists."""
    return ListFault(name=fault.name, make=lambda _: fault.make())


def _list_fault(
    fault: ListFault, simulator: FaultySimulator, operations: Sequence[str], place: str, *, later: bool
) -> Fault:
    """Return what strikes the lists of one project or job; `later`: all but the first."""
    return Fault(
        act=fault.make(simulator),
        operations=operations,
        when=lambda call: place in call.path and not (fault.later_pages_only and call.value("page_index") == "0"),
        skip=1 if later else 0,
        times=None,
    )


def order_row(*faults: NamedFault) -> Row:
    """Let a fault strike each order but the last of a run; a build is never started twice, and the last one passes."""
    row = Row(names=tuple(fault.name for fault in faults), kind="orders" if len(faults) > 1 else "order")
    labels = [*(f"{number}" for number in range(len(faults))), "last"]
    with ExitStack() as stack:
        scenarios = [replace(SCENARIOS["passing"], name=label) for label in labels[: -1 if len(faults) == 1 else None]]
        simulator = stack.enter_context(FaultySimulator(scenarios, speed=0))
        for label, fault in zip(labels, faults, strict=False):
            simulator.faults.add(Fault(act=fault.make(), operations=ORDERS, job_id=simulator.jobs[label], times=None))
        stack.enter_context(flowing(simulator, SPEED))
        targets = [f"{label}={job_id}" for label, job_id in simulator.jobs.items()]
        if _seen(row, simulator, "run", *targets, *OPTIONS[:2], *OPTIONS[4:], *PATIENT, timeout=20.0) is None:
            return row
        for label, verdict in row.verdicts.items():
            allowed = {"passed"} if label == "last" else expected.after_order(faults[int(label)], START)
            if verdict not in allowed:
                row.problems.append(f"{label}: {verdict}, not {' or '.join(sorted(allowed))}")
        for job in simulator.backend.jobs.values():
            if len([build for build in job.builds if build.number > 57]) > 1:
                row.problems.append(f"{job.scenario.name}: two builds were started")
    return row


def name_row(fault: NamedFault, *, once: bool) -> Row:
    """Let a fault strike the list in which the job of a target is looked up by its name."""
    row = Row(names=(fault.name,), kind="name, once" if once else "name")
    with ExitStack() as stack:
        simulator = stack.enter_context(FaultySimulator(["passing"], speed=0))
        simulator.faults.add(Fault(act=fault.make(), operations=PROJECT_LISTS, times=1 if once else None))
        stack.enter_context(flowing(simulator, SPEED))
        timeout = 4.0 if fault.nature is Nature.DELAYING else 20.0
        _judge_name(row, simulator, expected.after_look_up(fault, LOOK_UP, once), timeout)
    return row


def named_list_row(lie: ListFault) -> Row:
    """Let the list lie in which the job of a target is looked up: the job is not there, or two have its name."""
    row = Row(names=(lie.name,), kind="name, wrong list")
    with ExitStack() as stack:
        simulator = stack.enter_context(FaultySimulator(["passing"], speed=0))
        simulator.faults.add(Fault(act=lie.make(simulator), operations=PROJECT_LISTS, times=None))
        stack.enter_context(flowing(simulator, SPEED))
        _judge_name(row, simulator, {"undetermined"}, 20.0)
    return row


def _judge_name(row: Row, simulator: FaultySimulator, allowed: set[str], timeout: float) -> None:
    """Let the gate build the job "passing" by its name; nothing may be asked or ordered unless the job is known."""
    project = ("--codearts-project", simulator.project)
    if _seen(row, simulator, "run", "passing", *project, *OPTIONS[:2], *OPTIONS[4:], *PATIENT, timeout=timeout) is None:
        return
    if row.verdicts["passing"] not in allowed:
        row.problems.append(f"{row.verdicts['passing']}, not {' or '.join(sorted(allowed))}")
    others = {entry.operation for entry in simulator.journal.entries} - {*PROJECT_LISTS, ""}
    if others and row.verdicts["passing"] != "passed":
        row.problems.append(f"asked although the job was not known: {', '.join(sorted(others))}")


def _twice(rows: list[JsonRow]) -> list[JsonRow]:
    """Give every row a second time, as another job of the same name."""
    return [*rows, *({**row, "id": row["id"][::-1]} for row in rows)]


def _each(**values: object) -> Callable[[FaultySimulator], EditRows]:
    """Return what gives every row other values."""
    return lambda _: EditRows(change=lambda rows: [{**row, **values} for row in rows])


NAME_LIES = (
    ListFault(name="the job is not listed", make=lambda _: older_rows()),
    ListFault(name="no jobs", make=lambda _: empty_list()),
    ListFault(name="one name twice", make=lambda _: EditRows(change=_twice)),
    ListFault(name="jobs without names", make=_each(job_name=None)),
    ListFault(name="names of another case", make=_each(job_name="Passing")),
    ListFault(name="names of other types", make=_each(job_name=7)),
    ListFault(name="jobs without ids", make=_each(id=None)),
    ListFault(name="ids that are paths", make=_each(id="../../x")),
)
"""Lists in which no job, or more than one, has the name of a target."""


def sign_in_row(fault: NamedFault, *, once: bool = False) -> Row:
    """Let a fault strike when the gate signs in as an IAM user."""
    row = Row(names=(fault.name,), kind="sign-in")
    with ExitStack() as stack:
        simulator = stack.enter_context(FaultySimulator(["failing"], speed=0))
        simulator.clock.advance(100)
        simulator.faults.add(Fault(act=fault.make(), operations=(SIGN_IN,), times=1 if once else None))
        job_id, env = simulator.jobs["failing"], environment(simulator, "password")
        timeout = 4.0 if fault.nature is Nature.DELAYING else 20.0
        seen = _seen(row, simulator, "wait", f"{job_id}:57", *OPTIONS, *PATIENT, timeout=timeout, env=env)
        if seen and simulator.iam.account.password in seen.out + seen.err + seen.report.decode():
            row.problems.append("the password was shown")
        allowed = expected.after_sign_in(fault, SIGNING_IN, once)
        if seen and row.verdicts[job_id] not in allowed:
            row.problems.append(f"{row.verdicts[job_id]}, not {' or '.join(sorted(allowed))}")
    return row


def stop_row(fault: NamedFault, *, once: bool = False) -> Row:
    """Let a fault strike when a build that the gate has started is stopped.

    Only what is true may be said of it, and a fault that strikes once leaves no build behind.
    """
    row = Row(names=(fault.name,), kind="stop, once" if once else "stop")
    with ExitStack() as stack:
        simulator = stack.enter_context(FaultySimulator(["slow"], speed=1))
        simulator.faults.add(Fault(act=fault.make(), operations=STOPS, times=1 if once else None))
        job_id = simulator.jobs["slow"]
        seen = _seen(row, simulator, "run", job_id, *OPTIONS[:2], *OPTIONS[4:], timeout=4.0)
        if seen is None:
            return row
        if row.verdicts[job_id] != "timed-out":
            row.problems.append(f"{row.verdicts[job_id]}, not timed-out")
        stopped = any(build.stopped for build in simulator.backend.jobs[job_id].builds)
        if once and not stopped and fault.nature is not Nature.PERMANENT and not fault.hangs:
            row.problems.append("the build goes on")
        if "stop requested" in seen.err and not stopped:
            row.problems.append("nobody was told to stop, but the gate says so")
        if "could not be stopped" in seen.err and stopped:
            row.problems.append("the build was stopped, but the gate says that it could not be")
        said = ("stop requested", "could not be stopped", "was stopped is not known", "ended with ABORTED")
        if not any(sentence in seen.err for sentence in said):
            row.problems.append("nothing is said of what became of the build")
    return row


def _seen(
    row: Row, simulator: FaultySimulator, *arguments: str, timeout: float, env: Mapping[str, str] | None = None
) -> Seen | None:
    """Run the gate and note what must never be; `None` when there is nothing more to judge."""
    usual = {"GATE_ENDPOINT": simulator.endpoint, "GATE_TOKEN": simulator.token}
    seen = run_gate(*arguments, timeout=timeout, env=env or usual)
    row.late, row.mebibytes = seen.seconds - timeout, seen.mebibytes
    row.problems += complaints(seen, simulator.token)
    if seen.mebibytes > MOST_MEBIBYTES:
        row.problems.append(f"{seen.mebibytes:.0f} MiB of memory")
    if row.late > GRACE:
        row.problems.append(f"{row.late:.1f} s past the deadline")
    if row.problems:
        return None
    row.problems += _disagreements(row, seen)
    return seen


def _disagreements(row: Row, seen: Seen) -> Iterator[str]:
    """Say where exit status, document, report and last line do not say the same; keep the verdicts."""
    document = json.loads(seen.out)
    kinds = seen.report_kinds()
    row.verdicts = {target["label"]: target["verdict"] for target in document["targets"]}
    for target in document["targets"]:
        if kinds[target["label"]] != KINDS[target["verdict"]]:
            yield f"{target['label']}: {kinds[target['label']]!r} in the report"
        if len(target["reason"].split()) < 3:
            yield f"{target['label']}: no reason: {target['reason']!r}"
    status = min((CODES[verdict] for verdict in row.verdicts.values()), key=(1, 4, 3, 5, 0).index)
    if (seen.status, document["exit_code"]) != (status, status):
        yield f"exit status {seen.status}, not {status}"
    advice = seen.err.splitlines()[-1].partition("gate-report.xml.")[2]
    if status and len(advice.split()) < 3:
        yield f"the last line says nothing to do: {seen.err.splitlines()[-1]}"


def rows() -> Sequence[partial[Row]]:
    """Return every row of the table, the slow ones first.

    Faults that let the gate wait are tried in fours, as each of them holds up all targets of its process.
    """
    faults = tuple(NAMED_FAULTS.values())
    hanging = [fault for fault in faults if fault.hangs]
    exclusive = [fault for fault in faults if fault.exclusive]
    delaying = [fault for fault in faults if fault.nature is Nature.DELAYING and not fault.exclusive]
    refusals = [fault for fault in faults if fault.nature is Nature.PERMANENT and not fault.may_mean_late]
    quick = [fault for fault in faults if not (fault.exclusive or fault.hangs or fault.asks_to_wait)]
    together = [fault for fault in quick if fault not in delaying and not fault.refuses_credential][::2]
    others = [fault for fault in faults if fault not in exclusive and fault not in delaying]
    of_lists = [_at_lists(fault) for fault in faults if not fault.refuses_credential]
    return (
        *(partial(stop_row, fault) for fault in (*CONNECTION_FAULTS[::4], *faults[::20])),
        *(partial(stop_row, fault, once=True) for fault in (*CONNECTION_FAULTS[1:7:2], *faults[2::17])),
        *(partial(refusal_row, fault) for fault in refusals if fault.exclusive),
        partial(refusal_row, *(fault for fault in refusals if not fault.exclusive)),
        *(partial(deadline_row, *quick[index::4], once=once) for index in range(4) for once in (True, False)),
        *(partial(wait_row, *hanging[index : index + 3], hurried=True) for index in range(0, len(hanging), 3)),
        *(partial(list_row, *LIST_LIES[index::3], later=later) for index in range(3) for later in (True, False)),
        *(partial(list_row, *of_lists[index : index + 8]) for index in range(0, len(of_lists), 8)),
        # One that refuses the credential would end the process before any record was read.
        *(partial(list_row, _at_lists(fault), later=True) for fault in faults if fault.refuses_credential),
        *(partial(order_row, fault) for fault in (*CONNECTION_FAULTS[::3], *faults[::16])),
        *(partial(order_row, *together[index::9]) for index in range(9)),
        *(partial(name_row, fault, once=False) for fault in (*CONNECTION_FAULTS[::5], *faults[3::17])),
        *(partial(name_row, fault, once=True) for fault in (*CONNECTION_FAULTS[2::5], *faults[7::17])),
        *(partial(named_list_row, lie) for lie in NAME_LIES),
        *(partial(sign_in_row, fault) for fault in (*CONNECTION_FAULTS[::6], *faults[1::18])),
        *(partial(sign_in_row, fault, once=True) for fault in (*CONNECTION_FAULTS[1::6], *faults[5::24])),
        *(partial(wait_row, fault) for fault in exclusive),
        *(partial(wait_row, *delaying[index : index + 4]) for index in range(0, len(delaying), 4)),
        *(partial(wait_row, *others[index : index + 8]) for index in range(0, len(others), 8)),
    )
