"""A build and what can be seen of it at an instant."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from gate.simulator.build_plan import BuildPlan, StagePlan
from gate.simulator.ids import uuid_of


class Phase(StrEnum):
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
            return BuildView(build=self, phase=Phase.ENDED, word=word, started=started, finished=end, now=now)
        if started is None:
            return BuildView(build=self, phase=Phase.QUEUED, word=self.plan.queued_word, now=now)
        return BuildView(build=self, phase=Phase.RUNNING, word=self.plan.running_word, started=started, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildView:
    """A build as it is at `now`."""

    build: SimulatedBuild
    phase: Phase
    word: str
    now: datetime
    started: datetime | None = None
    finished: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether the build has a result."""
        return self.phase is Phase.ENDED

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
