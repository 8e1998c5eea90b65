"""A world for the wait without threads: workers whose clock moves when waited on, a scripted service, an observer."""

# ruff: noqa: D102 - the methods of the fakes are those of gate.core.ports

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from gate.codearts.log_lines import LogLines
from gate.codearts.masking import Masker
from gate.core.ports import CallResult, Context, Event, Interruption
from gate.core.wait import Wait
from gate.errors import InvalidAnswer, NotFound, OrderNotSent, RouteMissing
from gate.model import (
    BuildPage,
    ChildBuild,
    FailedStep,
    ListedBuild,
    LogPiece,
    LogTail,
    Order,
    Progress,
    ProjectPage,
    Record,
    RunningStatus,
    Stage,
    Started,
    Target,
    TargetOutcome,
    UnitTests,
    Verdict,
)
from gate.settings import Rules

JOB = "1" * 32
OTHER = "2" * 32
EPOCH = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
"""The service's time at the instant 0."""

MOST_CALLS = 50_000
"""Calls and waits in one wait at most: a loop that gets nowhere fails instead of hanging the tests."""


@dataclass(frozen=True)
class Late:
    """An answer that takes `seconds`; infinitely many when the call hangs."""

    seconds: float = math.inf
    item: Any = None


HANG = Late()


class _Delayed(BaseException):
    """Carries a late answer from the service to the workers."""

    def __init__(self, late: Late) -> None:
        super().__init__()
        self.late = late


class FakeWorkers:
    """Carries calls out at once; its clock moves only when somebody waits."""

    def __init__(self) -> None:
        self.clock = 1000.0
        self.busy = 0
        self.turns = 0
        self.submitted: list[float] = []
        self._events: list[tuple[float, int, Event]] = []
        self._count = 0

    def now(self) -> float:
        return self.clock

    def at(self, instant: float, event: Event) -> None:
        """Let an event come at an instant."""
        self._count += 1
        heapq.heappush(self._events, (instant, self._count, event))

    def submit(self, key: int, call: Callable[[], object]) -> None:
        self.busy += 1
        self.submitted.append(self.clock)
        assert len(self.submitted) < MOST_CALLS, "the service is asked without end"
        seconds = 0.0
        try:
            try:
                answer = CallResult(key, value=call())
            except _Delayed as delayed:
                seconds, item = delayed.late.seconds, delayed.late.item
                answer = CallResult(key, error=item) if isinstance(item, Exception) else CallResult(key, value=item)
        except Exception as error:
            answer = CallResult(key, error=error)
        if math.isfinite(seconds):
            self.at(self.clock + seconds, answer)

    def next(self, until: float) -> Event | None:
        self.turns += 1
        assert self.turns < MOST_CALLS, "the loop turns without end"
        if self._events and self._events[0][0] <= max(until, self.clock):
            instant, _, event = heapq.heappop(self._events)
            self.clock = max(self.clock, instant)
            if isinstance(event, CallResult):
                self.busy -= 1
            return event
        assert math.isfinite(until), "the loop waits for ever"
        self.clock = max(self.clock, until)
        return None


class Script:
    """What a method answers, call by call: a value, an error, `Late`; a function is asked; the last item stays."""

    def __init__(self, items: Sequence[Any]) -> None:
        self._items = list(items)

    def __call__(self, *args: object) -> Any:
        item = self._items.pop(0) if len(self._items) > 1 else self._items[0]
        if callable(item):
            item = item(*args)
        if isinstance(item, Late):
            raise _Delayed(item)
        if isinstance(item, BaseException):
            raise item
        return item


class FakeService:
    """A service whose methods follow scripts, one for all jobs or one for each."""

    def __init__(self, workers: FakeWorkers, scripts: Mapping[str, Any]) -> None:
        self._workers = workers
        self._scripts: dict[tuple[str, str | None], Script] = {}
        self.asked: list[tuple[str, float]] = []
        self.highest: dict[str, int] = {}
        """The highest number of each listed job that has a record; the scripts are not asked beyond it."""
        self.unlisted = 0
        """The highest number that has a record although it may not be listed."""
        for name, items in scripts.items():
            for job, of_job in items.items() if isinstance(items, dict) else [(None, items)]:
                self._scripts[name, job] = Script(of_job)

    def _play(self, name: str, key: str, *args: object) -> Any:
        self.asked.append((name, self._workers.clock))
        script = self._scripts.get((name, key)) or self._scripts[name, None]
        return script(key, *args)

    def times(self, name: str) -> list[float]:
        """Return the instants at which a method was called."""
        return [instant for called, instant in self.asked if called == name]

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self._workers.clock - 1000)

    def local_now(self) -> datetime:
        return self.now()

    def running_status(self, job_id: str) -> RunningStatus:
        said: RunningStatus = self._play("running_status", job_id)
        return said if said.build_number else said._replace(build_number=self.highest.get(job_id))

    def is_running(self, job_id: str) -> bool | None:
        return self._play("is_running", job_id)  # type: ignore[no-any-return]

    def build_page(self, job_id: str, page: int) -> BuildPage:
        rows: Sequence[ListedBuild] = self._play("builds", job_id, page)
        listed = max((row.number for row in rows), default=0)
        if listed:
            self.highest[job_id] = max(self.highest.get(job_id, 0), self.unlisted, listed)
        return BuildPage(rows, total=len(rows))

    def record(self, job_id: str, build_number: int) -> Record:
        if build_number > self.highest.get(job_id, math.inf):
            self.asked.append(("behind the list", self._workers.clock))
            raise NotFound("no such build")
        found: Record = self._play("record", job_id, build_number)
        if found.build_number != build_number:  # as the client has it
            raise InvalidAnswer(f"build {build_number}: the answer is about another one, {found.build_number}")
        return found

    def stages(self, record_id: str) -> Sequence[Stage]:
        return self._play("stages", record_id)  # type: ignore[no-any-return]

    def unit_tests(self, job_id: str, build_number: int) -> UnitTests | None:
        return self._play("unit_tests", job_id, build_number)  # type: ignore[no-any-return]

    def log_tail(self, record_id: str, lines: int, seconds: float) -> LogTail:
        found = self._play("log_tail", record_id, lines, seconds)
        return found if isinstance(found, LogTail) else LogTail(found, len(found))

    def whole_log(self, record_id: str, lines: int, seconds: float, write: Callable[[str], None]) -> LogTail:
        return self._play("whole_log", record_id, lines, seconds, write)  # type: ignore[no-any-return]

    def step_log(self, record_id: str, step: str, lines: int, seconds: float) -> LogTail:
        return self._play("step_log", record_id, step, lines, seconds)  # type: ignore[no-any-return]

    def log_lines(self) -> LogLines:
        return LogLines(Masker(tuple))

    def log_piece(self, job_id: str, build_number: int, offset: int) -> LogPiece:
        return self._play("log_piece", job_id, build_number, offset)  # type: ignore[no-any-return]

    def failed_steps(self, job_id: str, build_number: int) -> Sequence[FailedStep]:
        return self._play("failed_steps", job_id, build_number)  # type: ignore[no-any-return]

    def child_builds(self, record_id: str) -> Sequence[ChildBuild]:
        return self._play("child_builds", record_id)  # type: ignore[no-any-return]

    def project_page(self, project_id: str, page: int) -> ProjectPage:
        return self._play("project_page", project_id, page)  # type: ignore[no-any-return]

    def jobs_page(self, project_id: str, page: int, search: str) -> ProjectPage:
        return self._play("jobs_page", project_id, page, search)  # type: ignore[no-any-return]

    def start(self, job_id: str, order: Order, may_send: Callable[[], bool]) -> Started:
        ordered_at = self.now()
        if not may_send():
            raise OrderNotSent("no build was started")
        number = self._play("start", job_id)
        self.highest[job_id] = max(self.highest.get(job_id, 0), number)
        return Started(number, ordered_at)

    def stop(self, job_id: str, build_number: int, seconds: float) -> bool:
        return self._play("stop", job_id, build_number)  # type: ignore[no-any-return]


@dataclass
class Recording:
    """An observer that keeps what it is told."""

    said: list[str] = field(default_factory=list)
    decisions: list[TargetOutcome] = field(default_factory=list)
    explanations: list[TargetOutcome] = field(default_factory=list)
    ticks: list[float] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    next_tick: float = math.inf

    def due(self) -> float:
        return self.next_tick

    def say(self, target: Target, text: str, now: float) -> None:
        self.said.append(text)

    def log_lines(self, target: Target, lines: Sequence[str]) -> bool:
        self.log += lines
        return True

    def debug_line(self, text: str) -> None:
        self.remarks.append(text)

    def tick(self, standings: Sequence[Progress], now: float) -> None:
        self.ticks.append(now)
        self.next_tick = now + 60

    def shows_stages(self) -> bool:
        return False

    def wants_stages(self, target: Target) -> bool:
        return False

    def explained(self, outcome: TargetOutcome) -> None:
        self.explanations.append(outcome)

    def decided(self, outcome: TargetOutcome) -> None:
        self.decisions.append(outcome)


class World:
    """One wait in a scripted world."""

    def __init__(
        self,
        *targets: Target,
        rules: Any = None,
        chance: Any = 0.5,
        unlisted: Any = 0,
        order: Any = None,
        further_requests: Any = 0,
        **scripts: Any,
    ) -> None:
        """`further_requests`: how many more each of the first ten calls sends than one."""
        self.workers = FakeWorkers()
        usual: dict[str, Any] = {
            "record": [NotFound("no such build")],
            "is_running": [False],
            "builds": [[]],
            "running_status": [RunningStatus(is_running=False)],
            "stages": [[]],
            "log_tail": [LogTail((), 0)],
            "step_log": [RouteMissing("no such path")],
            "unit_tests": [None],
            "failed_steps": [[]],
            "child_builds": [[]],
            "project_page": [ProjectPage(())],
        }
        self.service = FakeService(self.workers, usual | scripts)
        self.service.unlisted = unlisted
        self.observer = Recording()
        self.rules: Rules = rules or Rules()
        self.signal: int | None = None
        self.context = Context(
            rules=self.rules,
            service=self.service,
            now=self.workers.now,
            chance=chance if callable(chance) else lambda: chance,
            say=lambda target, text: self.observer.say(target, text, self.workers.now()),
            order=order,
            sent=lambda: (calls := len(self.workers.submitted)) + further_requests * min(calls, 10),
            show_log=self.observer.log_lines,
        )
        self.wait = Wait(targets or (pinned(),), self.context, self.workers, self.observer)

    def run(self) -> list[TargetOutcome]:
        """Wait to the end."""
        outcomes = self.wait.run(1000 + self.rules.timeout)
        self.signal = self.wait.signal_number
        return outcomes

    def verdict(self) -> Verdict:
        """Wait to the end and give the only target's verdict."""
        (outcome,) = self.run()
        return outcome.verdict

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self.workers.clock - 1000

    def interrupt(self, seconds: float, signal_number: int = 2) -> None:
        """Let a signal come so many seconds after the start."""
        self.workers.at(1000 + seconds, Interruption(signal_number))


def pinned(number: int | None = 57, job: str = JOB, label: str = "app") -> Target:
    """Return a target."""
    return Target(job_id=job, build_number=number, label=label)


def record(word: str | None = "SUCCESS", number: int = 57, job: str = JOB, **fields: Any) -> Record:
    """Return a record that knows no times."""
    return Record(job_id=job, build_number=number, word=word, **fields)


def ended(seconds_ago: float, word: str = "SUCCESS", number: int = 57, **fields: Any) -> Record:
    """Return the record of a build that had ended so many seconds before the start."""
    return record(word, number, finished_at=EPOCH - timedelta(seconds=seconds_ago), **fields)


def build(number: int = 57, **fields: Any) -> ListedBuild:
    """Return a row of the list of builds."""
    return ListedBuild(number=number, **fields)
