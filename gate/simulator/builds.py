"""Builds: what they are going to do, and what can be seen of them at an instant of the service's clock."""

import hashlib
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

from gate.model import UnitTests
from gate.value_types import NamedTuple

CHINA = timezone(timedelta(hours=8))
"""The zone of the times that people read at the service: in logs, in lists, in daily numbers."""


def uuid_of(*parts: object) -> str:
    """Return the 36-character UUID of these parts, as records and stages have."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, parts))))


def hex_of(*parts: object) -> str:
    """Return the 32 digits of these parts, as jobs, projects and users have."""
    return uuid_of(*parts).replace("-", "")


def commit_of(*parts: object) -> str:
    """Return the 40 digits of these parts, as commits have."""
    return hashlib.sha1("/".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


class SimulatedClock:
    """Real time scaled by `speed`, plus what was advanced by hand.

    With `speed` 0 the clock moves by `advance` only. Safe to use from several threads.
    """

    def __init__(self, *, speed: float = 1.0, start: datetime | None = None) -> None:
        if speed < 0:
            raise ValueError("speed must not be negative")
        self.speed = speed
        self.start = start or datetime.now(UTC)
        self._real_start = time.monotonic()
        self._advanced = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the service's time, in UTC."""
        with self._lock:
            real = time.monotonic() - self._real_start
            return self.start + timedelta(seconds=real * self.speed + self._advanced)

    def set_speed(self, speed: float) -> None:
        """Go on at this speed from the present instant on."""
        with self._lock:
            real = time.monotonic()
            self._advanced += (real - self._real_start) * self.speed
            self._real_start, self.speed = real, speed

    def advance(self, seconds: float) -> None:
        """Move the clock forward by so many seconds at once; a negative number moves it back."""
        with self._lock:
            self._advanced += seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePlan:
    """One stage: how long it takes, how it ends and what it writes to the log."""

    name: str
    seconds: float
    word: str = "SUCCESS"
    log: tuple[str, ...] = ()
    """Lines, spread over the time of the stage. One that ends with a carriage return is written without a newline, as
    programs do that show their progress."""
    error: str = ""
    """What the analysis of a failed build says about the stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildPlan:
    """A child of a multi-job build, created together with it."""

    name: str
    plan: "BuildPlan"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPlan:
    """Everything about a build from its creation to its end.

    Stages run one after another; the first that does not succeed is the last that runs. A build without stages
    never gets an executor: it ends when its time in the queue is over.
    """

    queue: float = 4.0
    """Seconds from creation until an executor takes the build."""
    stages: tuple[StagePlan, ...] = ()
    word: str = "SUCCESS"
    """The word of the ended build."""
    queued_word: str = "QUEUED"
    """The word while queued: the vendor publishes none."""
    running_word: str = "RUNNING"
    """The word while running: the vendor publishes none."""
    branch: str = "master"
    commit: str | None = None
    """The commit that is built; each build has one of its own if this is not given."""
    message: str | None = None
    """The record's `err_msg` once the build has ended."""
    tests: UnitTests | None = None
    """Totals of the unit tests, published when the build has ended."""
    log: Callable[[], Iterable[bytes]] | None = None
    """What is sent in place of the log, for logs that are large or have no end."""

    children: tuple[ChildPlan, ...] = ()
    """The jobs of a multi-job build, each a build of its own; they run one after another if their queues say so."""

    @property
    def run(self) -> tuple[StagePlan, ...]:
        """The stages that run: all up to the first that does not succeed."""
        stop = next((i for i, stage in enumerate(self.stages, 1) if stage.word != "SUCCESS"), len(self.stages))
        return self.stages[:stop]

    @property
    def seconds(self) -> float:
        """How long the stages that run take altogether."""
        return sum(stage.seconds for stage in self.run)

    def queued_for(self, seconds: float) -> "BuildPlan":
        """Return the same plan with so many seconds in the queue; the children begin as much later or earlier."""
        later = seconds - self.queue
        children = [replace(one, plan=one.plan.queued_for(max(one.plan.queue + later, 0))) for one in self.children]
        return replace(self, queue=seconds, children=tuple(children))

    def paced(self, factor: float) -> "BuildPlan":
        """Return the same plan with each stage taking `factor` times as long."""
        return replace(self, stages=tuple(replace(stage, seconds=stage.seconds * factor) for stage in self.stages))


class RunState(StrEnum):
    """Where a build is; the values are the run words that ShowBuildInfoRecord sends as `job_running_status`."""

    QUEUED = "InQueue"
    RUNNING = "Running"
    ENDED = "Finished"


class LogEntry(NamedTuple):
    """A text that a stage wrote to the log, and when."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageView:
    """One stage of a build at an instant; `word` is `None` while the stage has not run."""

    name: str
    position: int
    word: str | None = None
    started: datetime | None = None
    finished: datetime | None = None
    log: tuple[LogEntry, ...] = ()


@dataclass(slots=True, kw_only=True)
class SimulatedBuild:
    """One run of a job. Everything but `stopped` is fixed when the build is created."""

    job_id: str
    number: int
    daily_number: str
    plan: BuildPlan
    created: datetime
    branch: str
    commit: str
    tag: str | None
    parameters: Mapping[str, str]
    project_id: str
    parent_record_id: str | None = None
    """The record of the multi-job build that this build is a child of."""
    name: str = ""
    """The name of a child within its multi-job build."""
    stopped: datetime | None = None

    @property
    def record_id(self) -> str:
        """The `build_record_id`, which is not the `id` of the record's own row."""
        return uuid_of(self.job_id, self.number, "record")

    def at(self, now: datetime) -> "BuildView":
        """Return what can be seen of the build at `now`."""
        start = self.created + timedelta(seconds=self.plan.queue)
        end = start + timedelta(seconds=self.plan.seconds)
        word = self.plan.word
        if self.stopped is not None and self.stopped < end:
            end, word = self.stopped, "ABORTED"
        started = start if self.plan.stages and start <= min(now, end) else None
        if now >= end:
            return BuildView(build=self, phase=RunState.ENDED, word=word, started=started, finished=end, now=now)
        if started is None:
            return BuildView(build=self, phase=RunState.QUEUED, word=self.plan.queued_word, now=now)
        return BuildView(build=self, phase=RunState.RUNNING, word=self.plan.running_word, started=started, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildView:
    """A build as it is at `now`."""

    build: SimulatedBuild
    phase: RunState
    word: str
    now: datetime
    started: datetime | None = None
    finished: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether the build has a result."""
        return self.phase is RunState.ENDED

    @property
    def stages(self) -> tuple[StageView, ...]:
        """The stages as they are now; none before an executor took the build."""
        if self.started is None:
            return ()
        views, start, runs = [], self.started, len(self.build.plan.run)
        for position, plan in enumerate(self.build.plan.stages):
            views.append(self._stage(plan, position=position, start=start, runs=position < runs))
            start += timedelta(seconds=plan.seconds)
        return tuple(views)

    def _stage(self, plan: StagePlan, *, position: int, start: datetime, runs: bool) -> StageView:
        """Return one stage that would start at `start`, if it runs at all.

        What an abort left undone is `ABORTED` too, in no time, as in the vendor's example of
        ShowBuildRecordFullStages.
        """
        end = self.finished or self.now
        view = StageView(name=plan.name, position=position, log=_written(plan, start, end) if runs else ())
        finish = start + timedelta(seconds=plan.seconds)
        if runs and finish <= end:
            return replace(view, word=plan.word, started=start, finished=finish)
        if runs and start <= end and not self.ended:
            return replace(view, word="RUNNING", started=start)
        if self.ended and self.word == "ABORTED":
            return replace(view, word="ABORTED", started=min(start, end), finished=end)
        return view


def _written(plan: StagePlan, start: datetime, end: datetime) -> tuple[LogEntry, ...]:
    """Return what a stage that starts at `start` has written until `end`."""
    step = timedelta(seconds=plan.seconds) / (len(plan.log) + 1)
    entries = (LogEntry(start + step * number, text) for number, text in enumerate(plan.log, 1))
    return tuple(entry for entry in entries if entry.at <= end)
