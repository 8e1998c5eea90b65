"""Random stress: the program as a process, with faults of the service, hogs, pauses and signals at random moments.

`python -m tests.end_to_end.stress 1500 --jobs 6` plays so many cases, each in a process of its own and six at a time,
and prints what was wrong. Case 123 alone: `python -m tests.end_to_end.stress 1 --seed 123`.

Half of the processes are started, the others forked (`tests/fork_server.py`). What must hold of each:

- It has ended 5 s after its deadline. One that was stopped (SIGSTOP) and continued after its deadline has 5 s from
  then: it looks at its builds once more and stops its own. What it was stopped for counts, but for a pause that begins
  in its first half second, as that may be before its first line.
- Its exit status is one of the contract, and that of a signal only after a signal.
- What it says of a build is the truth, which the simulator knows; 0 only if all builds have passed.
- Reports are there and valid, and say the same as the exit status.
- Builds are ordered and stopped only where that was asked for.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

from gate.model import UnitTests
from gate.simulator.builds import BuildPlan, SimulatedBuild, StagePlan
from gate.simulator.scenarios import Scenario, Start
from tests.conftest import is_foreign
from tests.faults.catalogue import NAMED_FAULTS, named_fault
from tests.faults.fault_plan import RECORD_ROUTES
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.harness import GRACE, Seen, complaints
from tests.faults.journal import ORDERS, SIGN_IN, STOPS
from tests.faults.list_faults import LISTS, PROJECT_LISTS
from tests.faults.moments import LOGS
from tests.fork_server import start_gate
from tests.helpers import environment

assert sys.platform != "win32"  # which has neither these signals nor terminals

EARLY = 0.5
"""Seconds from the start of a process in which it may not have reached its first line."""

PATIENCE = 10.0
"""Seconds after which a process that should have ended is made to write where its threads are."""

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

OPERATIONS = (
    (), RECORD_ROUTES, RECORD_ROUTES, LISTS, PROJECT_LISTS, ORDERS, STOPS, LOGS, (SIGN_IN,),
    ("ShowBuildRecordFullStages",), ("ShowReportSummary",), ("ShowJobStatus",),
)  # fmt: skip
"""Which requests a fault strikes; none named: all."""

WORDS = ("SUCCESS", "SUCCESS", "SUCCESS", "FAILURE", "ABORTED", "SCHEDULE_FAILURE", "EVAPORATED")
VERDICTS = {"FAILURE": "failed", "SCHEDULE_FAILURE": "failed", "ABORTED": "aborted", "SUCCESS": "passed"}
TESTS = (None, UnitTests(total=4, failures=0, errors=0), UnitTests(total=4, failures=1, errors=0))

FLOODS = [name for name in NAMED_FAULTS if name.startswith("endless")]
"""Faults that keep a processor busy; they are drawn less often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What happens to the requests of one case: a fault of the catalogue, by its name."""

    name: str
    operations: Sequence[str]
    job: int | None
    skip: int
    times: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One process and all that happens to it. Instants are seconds after its start."""

    seed: int
    jobs: Sequence[Scenario]
    command: str
    is_numbered: bool
    is_named: bool
    options: Sequence[str]
    timeout: float
    credential: str
    out: str
    err: str
    is_real: bool
    troubles: Sequence[Trouble]
    hogs: Sequence[tuple[float, float]]
    """Instant and seconds of each."""
    pauses: Sequence[tuple[float, float]]
    signals: Sequence[tuple[float, signal.Signals]]

    def summary(self) -> str:
        """Return what happens to the process, without its jobs: the seed has them."""
        hidden = ("seed", "jobs", "options", "command", "is_numbered", "is_named")
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in hidden}
        return ", ".join(f"{name} {value}" for name, value in fields.items() if value or value is False)


def random_case(seed: int) -> Case:
    """Return the case of a seed."""
    chance = Random(seed)

    def maybe(probability: float, *options: str) -> list[str]:
        return list(options) if chance.random() < probability else []

    timeout = round(chance.uniform(1, 4), 2)
    count = chance.choice((1, 1, 1, 1, chance.randint(2, 5), chance.randint(2, 5), chance.randint(6, 12), 30))
    command = chance.choice(("wait", "run"))
    is_numbered = command == "wait" and chance.random() < 0.5
    waits = command == "wait" or chance.random() < 0.9
    options = [
        *maybe(0.3, "--summary", "summary.md"),
        *maybe(0.5, "--outputs", "gate.env"),
        *maybe(0.3, "--json"),
        *maybe(0.2, "--verbose"),
        *maybe(0.1, "--quiet"),
        *maybe(0.5, "--error-budget", f"{chance.choice((0, 0.5, 2, 60))}s"),
        *maybe(0.5, "--request-timeout", f"{chance.choice((0.3, 1, 3, 20))}s"),
        *maybe(0.5, "--poll-interval", f"{chance.choice((0.1, 0.5, 2, 10))}s"),
        *maybe(0.3, "--max-rate", str(chance.choice((30, 60, 300)))),
    ]
    if waits:
        options += [
            *maybe(0.2, "--fail-fast"),
            *maybe(0.3, "--follow"),
            *maybe(0.3, "--log-dir", "logs"),
            *maybe(0.3, "--log-tail", str(chance.choice((0, 3, 10_000)))),
            *maybe(0.2, "--require-tests"),
            *maybe(0.2, "--queue-timeout", f"{chance.uniform(0.1, 2):.1f}s"),
        ]
    if command == "run":
        options += maybe(0.2, "--reuse", "--commit", "c" * 40)
        options += [*maybe(0.3, "--retries", "2"), *maybe(0.2, "--keep-running")] if waits else ["--no-wait"]
    elif is_numbered:
        options += maybe(0.4, "--stop")
    else:
        options += [
            *maybe(0.3, "--if-none", "pass"),
            *maybe(0.5, "--appear-timeout", f"{chance.choice((0, 0.5, 2))}s"),
        ]
    is_named = not is_numbered and chance.random() < 0.2
    end = timeout + 5
    return Case(
        seed=seed,
        jobs=[random_job(chance, f"job-{number}", timeout) for number in range(count)],
        command=command,
        is_numbered=is_numbered,
        is_named=is_named,
        options=options,
        timeout=timeout,
        credential=chance.choice(("token", "token", "aksk", "password")),
        out=chance.choice(("file", "pipe", "pipe", "terminal", "stalled")),
        err=chance.choice(("file", "pipe", "terminal")),
        is_real=chance.random() < 0.5,
        troubles=[random_trouble(chance, count) for _ in range(chance.choice((0, 1, 1, 2, 3)))],
        hogs=[(chance.uniform(0, timeout), chance.uniform(0.1, 0.6)) for _ in range(chance.choice((0, 0, 0, 1)))],
        pauses=sorted(random_pause(chance, end) for _ in range(chance.choice((0, 0, 0, 1, 2)))),
        signals=[(chance.uniform(0, end), chance.choice(SIGNALS)) for _ in range(chance.choice((0, 0, 0, 0, 1, 3)))],
    )


def random_job(chance: Random, name: str, timeout: float) -> Scenario:
    """Return a job whose builds end at any time around the deadline, or never ran."""

    def plan() -> BuildPlan:
        seconds = chance.choice((0.2, chance.uniform(0, timeout), chance.uniform(0, timeout + 5), 3600))
        word = chance.choice(WORDS)
        lines = tuple(f"line {number} of a log" for number in range(chance.choice((0, 5, 2000))))
        stages = (
            StagePlan(name="fetch", seconds=seconds / 4, log=lines[:2]),
            StagePlan(name="Maven", seconds=seconds * 3 / 4, word=word, log=lines),
        )
        return BuildPlan(
            queue=chance.choice((0.0, 0.0, chance.uniform(0, timeout))),
            stages=() if word == "SCHEDULE_FAILURE" else stages,
            word=word,
            commit=chance.choice((None, "c" * 40)),
            tests=chance.choice(TESTS),
        )

    past = [Start(at=-9000.0 + 600 * number, plan=plan()) for number in range(chance.choice((0, 0, 3, 12)))]
    present = [Start(at=chance.uniform(-1, 1), plan=plan()) for _ in range(chance.choice((0, 1, 1, 1)))]
    return Scenario(
        name=name,
        plan=plan(),
        first_plans=tuple(plan() for _ in range(chance.choice((0, 0, 1)))),
        starts=tuple(sorted([*past, *present], key=lambda start: start.at)),
        first_number=51,
    )


def random_trouble(chance: Random, jobs: int) -> Trouble:
    """Return a fault at random requests."""
    names = [name for name in NAMED_FAULTS if not NAMED_FAULTS[name].heavy]
    name = chance.choice(names)
    if name in FLOODS and chance.random() < 0.7:
        name = "silence"
    return Trouble(
        name=name,
        operations=chance.choice(OPERATIONS),
        job=chance.choice((None, chance.randrange(jobs))),
        skip=chance.choice((0, 0, 1, 3, 8)),
        times=chance.choice((None, 1, 2, 4)),
    )


def random_pause(chance: Random, end: float) -> tuple[float, float]:
    """Return the instant and the seconds of a pause: most are short, some outlast the deadline."""
    seconds = chance.choice((chance.uniform(0, 0.3), chance.uniform(0, 2), chance.uniform(0, end)))
    return chance.uniform(0, end), seconds


class Stream:
    """What stdout or stderr goes to: a file, a pipe or a terminal that is read, or a pipe that nobody reads."""

    def __init__(self, kind: str, path: Path, stack: ExitStack) -> None:
        """Open it; the descriptors are closed with the stack."""
        self.is_read = kind != "stalled"
        self._path = path
        self._data = bytearray()
        self._reader: threading.Thread | None = None
        if kind == "file":
            self.theirs = os.open(path, os.O_WRONLY | os.O_CREAT)
            self._ours = -1
            return
        self._ours, self.theirs = os.openpty() if kind == "terminal" else os.pipe()
        stack.callback(os.close, self._ours)
        if kind == "stalled":
            os.set_blocking(self.theirs, False)
            with contextlib.suppress(BlockingIOError):
                while os.write(self.theirs, b" " * 4096):
                    pass
            os.set_blocking(self.theirs, True)

    def started(self) -> None:
        """Begin to read; the process has its end now."""
        os.close(self.theirs)
        if self.is_read and self._ours >= 0:
            self._reader = threading.Thread(target=self._read, daemon=True)
            self._reader.start()

    def text(self) -> str:
        """Return what was written, once the process has ended."""
        if self._reader is not None:
            self._reader.join(10)
            return self._data.decode(errors="replace")
        return self._path.read_text(errors="replace") if self._path.exists() else ""

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # how a terminal ends
            while piece := os.read(self._ours, 65536):
                self._data += piece


@dataclass(slots=True, kw_only=True)
class Run:
    """What became of a process."""

    case: Case
    arguments: Sequence[str]
    seen: Seen
    out_is_read: bool
    allowed: float
    """By when it had to end, in seconds after its start."""
    signalled: set[int] = field(default_factory=set)
    simulator: FaultySimulator
    ended: datetime
    """When it had ended, by the simulator's clock."""
    files: Mapping[str, str]
    load: float

    def problems(self) -> Iterator[str]:
        """Say what must never be."""
        case, seen = self.case, self.seen
        if seen.seconds > self.allowed:
            yield f"{seen.seconds - self.allowed:.1f} s too late: {seen.err[-6000:]}"
        if signal.SIGINT in self.signalled and "KeyboardInterrupt" in seen.err and "/gate/" not in seen.err:
            return  # Ctrl-C before the program's first line: Python itself ends, with status 1, or the fork server
        allowed = {0, 1, 3, 4, 5, *(128 + number for number in self.signalled), *(-number for number in self.signalled)}
        has_died = seen.status < 0
        has_report = "--no-wait" not in case.options and not has_died
        yield from complaints(
            seen if has_report or seen.report else replace(seen, report=b"<testsuites/>"),
            self.simulator.token,
            allowed=allowed,
            is_terminal="terminal" in (case.out, case.err),
        )
        if has_report and not seen.report:
            yield "no report"
        yield from self._contradictions()
        yield from self._lies()
        yield from self._excesses()

    def _contradictions(self) -> Iterator[str]:
        """Say where reports and exit status do not say the same."""
        seen = self.seen
        if seen.status < 0:
            return
        outputs = self.files.get("gate.env", "")
        if outputs and f"GATE_EXIT_CODE={seen.status}\n" not in outputs:
            yield f"exit status {seen.status}, but outputs {outputs!r}"
        if seen.report and seen.status == 0 and set(seen.report_kinds().values()) - {"", "skipped"}:
            yield f"exit status 0, but {seen.report_kinds()}"
        if seen.report and seen.status in (1, 3, 4, 5) and not any(seen.report_kinds().values()):
            yield f"exit status {seen.status}, but nothing wrong in the report"
        if self.case.out in ("file", "pipe") and len(self._document() or ()) < len(self.case.jobs):
            yield f"exit status {seen.status}, but stdout lacks verdicts: {seen.out[-500:]!r}"

    def _document(self) -> list[tuple[str, str, int | None]] | None:
        """Return verdict, label and build number of each target, as stdout says them; `None` where it does not."""
        out = self.seen.out
        if "--json" in self.case.options:
            try:
                targets = json.loads(out[out.index("{") :])["targets"]
            except ValueError:
                return None
            return [(one["verdict"], one["label"], one["build_number"]) for one in targets]
        lines = [line.split() for line in out.splitlines() if " build=" in line and " state=" in line]
        known = {job.name for job in self.case.jobs}
        found = [line for line in lines if len(line) >= 4 and line[1] in known]
        numbers = [line[2].removeprefix("build=") for line in found]
        return [
            (line[0], line[1], int(number) if number.isdigit() else None)
            for line, number in zip(found, numbers, strict=True)
        ]

    def _lies(self) -> Iterator[str]:
        """Say which verdicts are not true."""
        told = self._document() or []
        builds = {job.scenario.name: job.builds for job in self.simulator.backend.jobs.values()}
        for verdict, label, number in told:
            build = next((one for one in builds[label] if one.number == number), None)
            if verdict in ("passed", "failed", "aborted") and (build is None or verdict not in self._truths(build)):
                yield f"{label}: {verdict}, but build {number} is {build and build.at(self.ended).word}"
            if verdict == "started" and "--no-wait" not in self.case.options:
                yield f"{label}: started"
            if verdict == "skipped" and "--fail-fast" not in self.case.options and self._has_recent(builds[label]):
                yield f"{label}: skipped, but it has builds"
        if self.seen.status == 0 and "--no-wait" not in self.case.options and "pass" not in self.case.options:
            for label, several in builds.items():
                if not any("passed" in self._truths(build) for build in several):
                    yield f"exit status 0, but no build of {label} has passed"

    def _truths(self, build: SimulatedBuild) -> set[str]:
        """Return the verdicts that are true of a build."""
        view = build.at(self.ended)
        if not view.ended or view.word not in VERDICTS:
            return set()
        verdict, tests = VERDICTS[view.word], build.plan.tests
        if verdict == "passed" and "--require-tests" in self.case.options:
            return set() if tests is None else {"failed"} if tests.failures else {"passed"}
        return {verdict}

    def _has_recent(self, builds: Sequence[SimulatedBuild]) -> bool:
        """Tell whether a job has a build that `--max-age` lets be judged, and that was there for a while."""
        start = self.simulator.clock.start
        ends = [build.at(start).finished for build in builds if build.created < start - timedelta(seconds=1)]
        return any(end is None or end > start - timedelta(minutes=14) for end in ends)

    def _excesses(self) -> Iterator[str]:
        """Say what was ordered or stopped that should not be."""
        case, journal = self.case, self.simulator.journal
        orders = Counter(str(entry.job_id) for entry in journal.of(*ORDERS) if entry.status == 200)
        limit = 0 if case.command == "wait" else 3 if "--retries" in case.options else 1
        if max(orders.values(), default=0) > limit:
            yield f"{max(orders.values())} orders of one job"
        may_stop = "--stop" in case.options or (case.command == "run" and "--keep-running" not in case.options)
        stops = [entry for entry in journal.of(*STOPS) if entry.job_id]
        if stops and not may_stop:
            yield "builds were stopped"
        for entry in stops:
            job = self.simulator.backend.jobs[str(entry.job_id)]
            others = {self.simulator.clock.start + timedelta(seconds=start.at) for start in job.scenario.starts}
            is_own = any(one.number == entry.build_number and one.created not in others for one in job.builds)
            if case.command == "run" and not is_own:
                yield f"build {entry.build_number}, which somebody else had started, was stopped"


def play(seed: int) -> tuple[int, list[str], str, float, float]:
    """Play a case; return its seed, what was wrong, its exit status, the seconds past its time, and the load."""
    case = random_case(seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        simulator = stack.enter_context(FaultySimulator(case.jobs, speed=1))
        run = supervise(case, simulator, folder, stack)
        what = f"{' '.join(run.arguments)}\n    {case.summary()}; load {run.load:.1f}"
        problems = [f"{shortened(problem)}\n    {what}" for problem in run.problems()]
    return seed, problems, str(run.seen.status), run.seen.seconds - run.allowed, run.load


def shortened(text: str) -> str:
    """Return the first and the last lines of a long text."""
    lines = [line[:300] for line in text.splitlines()]
    return "\n".join(lines if len(lines) < 60 else [*lines[:5], "...", *lines[-50:]])


def arguments_of(case: Case, simulator: FaultySimulator) -> list[str]:
    """Return the arguments of the program."""
    numbers = {
        job.scenario.name: job.builds[-1].number if job.builds else 51 for job in simulator.backend.jobs.values()
    }
    targets = [
        name if case.is_named else f"{name}={job}" + (f":{numbers[name]}" if case.is_numbered else "")
        for name, job in simulator.jobs.items()
    ]
    project = ["--codearts-project", simulator.project] if case.is_named else []
    return [case.command, *targets, *project, *case.options, "--timeout", f"{case.timeout}s"]


def supervise(case: Case, simulator: FaultySimulator, folder: Path, stack: ExitStack) -> Run:
    """Start the process, let everything happen to it, and see it end."""
    jobs = list(simulator.jobs.values())
    for trouble in case.troubles:
        job = None if trouble.job is None else jobs[trouble.job]
        fault = named_fault(
            trouble.name, operations=trouble.operations, job_id=job, skip=trouble.skip, times=trouble.times
        )
        simulator.faults.add(fault)
    out, err = (Stream(kind, folder / name, stack) for kind, name in ((case.out, "out"), (case.err, "err")))
    clean = {name: value for name, value in os.environ.items() if not is_foreign(name)}
    env = {**clean, "HOME": str(folder), "TERM": "xterm", **environment(simulator, case.credential)}
    arguments = arguments_of(case, simulator)
    load = os.getloadavg()[0]
    process = start_gate(
        arguments, env=env, is_real=case.is_real, cwd=folder, stdin=subprocess.DEVNULL,
        stdout=out.theirs, stderr=err.theirs,
    )  # fmt: skip
    started = time.monotonic()  # the fork server has been started by now
    stack.callback(end, process)
    out.started()
    err.started()
    signalled: set[int] = set()
    pauses: list[tuple[float, float]] = []

    def send(number: signal.Signals) -> None:
        process.send_signal(number)
        signalled.add(number)

    def pause(number: signal.Signals) -> None:
        process.send_signal(number)
        now = time.monotonic() - started
        pauses.append((now, now)) if number == signal.SIGSTOP else pauses.append((pauses.pop()[0], now))

    def hog(seconds: float) -> None:
        command = ["timeout", f"{seconds:.2f}", "sh", "-c", "while :; do :; done"]
        stack.callback(subprocess.Popen(command).wait)

    events: list[tuple[float, Callable[[], object]]] = []
    events += [(at, partial(hog, seconds)) for at, seconds in case.hogs]
    events += [(at, partial(send, number)) for at, number in case.signals]
    for at, seconds in merged(case.pauses):
        events += [(at, partial(pause, signal.SIGSTOP)), (at + seconds, partial(pause, signal.SIGCONT))]
    events.sort(key=lambda event: event[0])
    allowed = case.timeout + GRACE
    while process.poll() is None:
        now = time.monotonic() - started
        while events and events[0][0] <= now:
            events.pop(0)[1]()
        uncounted = sum(until - at for at, until in pauses if at < EARLY)
        continued = max((until for _, until in pauses), default=0.0)
        allowed = max(case.timeout + uncounted, continued) + GRACE
        if now > allowed + PATIENCE and not events:
            process.send_signal(signal.SIGABRT)
            process.wait(10)
        time.sleep(0.005)
    seconds = time.monotonic() - started
    report = folder / "gate-report.xml"
    files = {path.name: path.read_text() for path in folder.glob("gate.env")}
    seen = Seen(
        status=process.returncode, out=out.text() if out.is_read else "", err=err.text(),
        report=report.read_bytes() if report.exists() else b"", seconds=seconds, mebibytes=0.0,
    )  # fmt: skip
    return Run(
        case=case, arguments=arguments, seen=seen, out_is_read=out.is_read, allowed=allowed, signalled=signalled,
        simulator=simulator, ended=simulator.clock.now(), files=files, load=load,
    )  # fmt: skip


def merged(pauses: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return pauses that do not overlap, for the same time; in the order of time."""
    result: list[tuple[float, float]] = []
    for at, seconds in sorted(pauses):
        if result and at <= sum(result[-1]):
            result[-1] = (result[-1][0], max(sum(result[-1]), at + seconds) - result[-1][0])
        else:
            result.append((at, seconds))
    return result


def end(process: "subprocess.Popen[str]") -> None:
    """Kill a process that is still there."""
    process.kill()
    process.wait()


def main() -> int:
    """Play cases, print what was wrong and what was counted; return 1 if something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0, help="of the first case")
    parser.add_argument("--jobs", type=int, default=6, help="cases at a time")
    given = parser.parse_args()
    started, statuses, wrong, late, loads = time.monotonic(), Counter[str](), 0, [], []
    seeds = range(given.seed, given.seed + given.count)
    with ProcessPoolExecutor(given.jobs, multiprocessing.get_context("spawn")) as pool:
        for seed, problems, status, after, load in pool.map(play, seeds):
            statuses[status] += 1
            late.append(after)
            loads.append(load)
            wrong += bool(problems)
            for problem in problems:
                print(f"seed {seed}: {problem}", flush=True)
    print(f"{given.count} processes in {time.monotonic() - started:.0f} s, {wrong} with problems")
    print("exit statuses: " + ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items())))
    print(f"the latest ended {max(late):.1f} s after its time was over")
    print(f"load {sum(loads) / len(loads):.1f}, at most {max(loads):.1f}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
