"""The frozen value types that all packages share."""

import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from gate.value_types import NamedTuple, dataclass


class State(StrEnum):
    """Where a build is, as the service says it; the service's own word is kept beside it."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED = "aborted"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """What the gate decides about a target."""

    PASSED = "passed"
    FAILED = "failed"
    ABORTED = "aborted"
    TIMED_OUT = "timed out"
    UNDETERMINED = "undetermined"
    INTERRUPTED = "interrupted"
    SKIPPED = "skipped"
    """Not judged: no build appeared and `--if-none pass` was given, or another target ended the run (`--fail-fast`)."""
    STARTED = "started"
    """A build was started and is not waited for (`run --no-wait`)."""

    @property
    def token(self) -> str:
        """The verdict as one word without spaces, as stdout has it: `timed-out`."""
        return self.value.replace(" ", "-")


def is_label(text: str) -> bool:
    """Tell whether a text can be the label of a target, which also names a file."""
    return bool(re.fullmatch(r"[A-Za-z0-9._-]{1,64}", text)) and text not in (".", "..")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the user asked to wait for."""

    job_id: str
    """Empty while only the job's name is known."""
    name: str = ""
    """The name by which the job was given, if it was."""
    build_number: int | None = None
    label: str
    """Names the target. A job's name that can be no label stands here until the job's id takes its place."""

    @property
    def job(self) -> str:
        """The job as the user has given it."""
        return self.name or self.job_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to build, for every target of `run`: with which parameters, of a branch, tag or commit."""

    parameters: Sequence[tuple[str, str]] = ()
    branch: str | None = None
    tag: str | None = None
    commit: str | None = None


class ListedBuild(NamedTuple):
    """One row of a job's list of builds."""

    number: int
    commit: str | None = None
    started_at: datetime | None = None
    duration_seconds: float | None = None
    word: str | None = None
    run_word: str | None = None
    branch: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The service's account of one build.

    `word` is the build's outcome as the service spells it; `run_word` is the run state (`Running`, `InQueue`,
    `Finished`), which only some routes have. Neither has been judged yet.
    """

    job_id: str
    build_number: int
    word: str | None = None
    run_word: str | None = None
    record_id: str | None = None
    branch: str | None = None
    tag: str | None = None
    commit: str | None = None
    parent_record_id: str | None = None
    """The record of the multi-job build of which this build is a child; `None` for a build of its own."""
    project_id: str | None = None
    """The CodeArts project of the job (`devcloud_project_id`)."""
    daily_number: str | None = None
    """The number of the build within its day, `YYYYMMDD.n`; lists of jobs name builds by it."""
    created_at: datetime | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration_seconds: float | None = None
    message: str | None = None


class RecordState(NamedTuple):
    """A record, read: the state, the service's word for it, and whether the build has ended."""

    state: State
    word: str | None
    ended: bool


class Stage(NamedTuple):
    """A part of a build; `state` is the service's own word, `None` or empty when the stage never ran."""

    name: str
    state: str | None = None
    started_at: datetime | None = None
    duration_seconds: float | None = None
    step: str | None = None
    """The service's own name for it, by which its log is asked for."""


class UnitTests(NamedTuple):
    """Totals of a build's unit tests, or of those of one stage."""

    total: int
    failures: int
    errors: int
    successes: int | None = None
    is_success: bool | None = None
    """What the service says of them as a whole; `None` when it says nothing."""
    parts: tuple["UnitTests", ...] = ()
    """The totals of each stage that ran tests."""
    name: str = ""
    """The stage, where these are the totals of one."""


class BuildPage(NamedTuple):
    """One page of the list of a job's builds, newest first."""

    rows: Sequence[ListedBuild] = ()
    """The readable rows."""
    is_last: bool = True
    """Whether the page is not full, so that there is nothing behind it."""
    total: int | None = None
    """How many builds the list itself counts on all its pages; `None` when it does not say."""
    problem: str = ""
    """How the page contradicts itself, or what in it cannot be read; empty if nothing."""
    window: tuple[datetime, datetime] | None = None
    """The time in which the listed builds were created, as it was asked for."""


class RunningStatus(NamedTuple):
    """What `running-status` says of a job; each part is `None` when it says nothing readable."""

    build_number: int | None = None
    """The job's latest build."""
    run_word: str | None = None
    """That build's run word: `InQueue`, `Running`, `Finished`."""
    is_running: bool | None = None


class ProjectRow(NamedTuple):
    """A job in the list of a project's jobs, with what the list says of the job's last build."""

    job_id: str
    build_number: int | None = None
    daily_number: str | None = None
    word: str | None = None
    """The list's own word for the result (`blue`, `red`, `building`, ...), which is not a record's."""
    run_word: str | None = None
    is_finished: bool | None = None
    name: str | None = None
    """The job's name, which people know it by."""


class ProjectPage(NamedTuple):
    """One page of the list of a project's jobs; `is_last` if there is nothing behind it."""

    rows: Sequence[ProjectRow]
    is_last: bool = True


class JobConfig(NamedTuple):
    """The name of a job, and the CodeArts project that it belongs to."""

    name: str | None
    project_id: str | None


class LogPiece(NamedTuple):
    """A part of the log of a build that may still be running, as the service sent it: it may hold secrets."""

    text: str
    next_offset: int
    has_more: bool
    is_gap: bool = False
    """Whether something is missing before it."""


class LogTail(NamedTuple):
    """The last lines of the log of a build that has ended, or of what came of it."""

    lines: Sequence[str]
    line_count: int = 0
    """Lines that came."""
    missing: str = ""
    """Why the rest of the log did not come, to follow "the log"; empty for a complete one."""


class FailedStep(NamedTuple):
    """What the service's analysis says of a step that failed."""

    step: str
    code: str
    message: str


class ChildBuild(NamedTuple):
    """A build that is part of a multi-job build; `state` is the service's own word."""

    name: str
    state: str | None = None
    build_number: int | None = None
    started_at: datetime | None = None
    duration_seconds: float | None = None


class Attempt(NamedTuple):
    """A build of this run that never got an executor and was ordered again (`run --retries`)."""

    build_number: int
    state: str | None
    reason: str
    build_url: str | None = None


class Started(NamedTuple):
    """A build that was started."""

    build_number: int
    ordered_at: datetime
    """The time by the service's clock immediately before the first byte of the order was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOutcome:
    """What became of one target."""

    label: str
    job_id: str
    verdict: Verdict
    reason: str
    """One sentence of facts, never empty."""
    hint: str = ""
    """What to do next, or empty."""
    build_number: int | None = None
    state: str | None = None
    """The service's own word."""
    branch: str | None = None
    commit: str | None = None
    record_id: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration_seconds: float | None = None
    polls: int = 0
    stages: Sequence[Stage] = ()
    tests: UnitTests | None = None
    log_tail: Sequence[str] = ()
    """The last lines of the build's log, as the service sent them."""
    build_url: str | None = None
    """The link to the build, from `--build-url`."""
    attempts: Sequence[Attempt] = ()
    """The tries before this build, the first one first."""
    children: Sequence[ChildBuild] = ()
    """The builds of which a multi-job build consists."""
    is_own: bool = False
    """Whether this run started the build."""

    @property
    def telling_log(self) -> Sequence[str]:
        """The last lines of the log, where they can tell why the target did not pass.

        A build that ended well, and was judged by something else (`--require-tests`), says nothing of that at its end.
        """
        return () if self.verdict is Verdict.PASSED or self.state == "SUCCESS" else self.log_tail


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything that the reports need; complete when the last target has a verdict."""

    verdict: Verdict
    exit_code: int
    started_at: datetime
    elapsed_seconds: float
    api_calls: int
    targets: Sequence[TargetOutcome]
    advice: str = ""
    """What to do next, for the whole run; empty if nothing is to be done."""


class Phase(StrEnum):
    """How far the gate is with a target, as the screen counts it."""

    NOT_ASKED = "not asked"
    """The target's turn has not come yet."""
    SELECTING = "selecting"
    """The build to judge is being looked for, waited for, or ordered."""
    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"
    """The build has ended, but has no verdict yet."""
    DECIDED = "decided"


class Progress(NamedTuple):
    """Where a target is now; every field is true at the instant for which it was made."""

    target: Target
    phase: Phase
    build_number: int | None = None
    word: str | None = None
    """The service's own word for the state; `None` before there was a record."""
    queued_seconds: float | None = None
    """For how long the build has been queued, or was before it ran, by the service's clock."""
    running_seconds: float | None = None
    """For how long the build has been running, or ran, by the service's clock."""
    expected_seconds: float | None = None
    """How long past builds of the job ran; `None` when that is not known."""
    stages: Sequence[Stage] = ()
    """The stages as they were last read, in their order; empty where they were not read."""
    stages_age: float = 0.0
    """Seconds since then."""
    build_url: str | None = None
    outcome: "TargetOutcome | None" = None
    """What became of the target, once it is decided."""
