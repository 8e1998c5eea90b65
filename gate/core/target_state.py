"""What is known of one target. It has one writer, the target's watch.

What is said and shown of the target follows from it: see `gate.core.sentences` and `gate.core.outcome`.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from enum import Enum, auto

from gate.core.verdict import interpret
from gate.model import (
    Attempt,
    ChildBuild,
    FailedStep,
    Record,
    RecordState,
    Stage,
    State,
    Target,
    UnitTests,
    Verdict,
)
from gate.value_types import dataclass


class EndedBy(Enum):
    """What ended the wait for a target."""

    RESULT = auto()
    """The build's own result, or none that was proven (`--if-none pass`), or that it was started (`--no-wait`)."""
    TIMEOUT = auto()
    JOB_END = auto()
    """The timeout that the end of the CI system's job leaves."""
    QUEUE_TIMEOUT = auto()
    SIGNAL = auto()
    ERROR = auto()
    """The service's error, the gate's own, or a record that contradicts what was asked for."""
    FAIL_FAST = auto()
    """Another target that did not pass."""


class StopResult(Enum):
    """What became of the request to stop a build."""

    NOT_REQUESTED = auto()
    REQUESTED = auto()
    """The service accepted the request, or a former one whose answer was lost may have been carried out."""
    HAD_ENDED = auto()
    """The service says that the build had ended before."""
    FAILED = auto()
    """The service refused each request."""
    NOT_KNOWN = auto()
    """A request was sent, and no answer came."""


@dataclass(slots=True, kw_only=True)
class TargetState:
    """What is known of one target."""

    target: Target
    is_run: bool = False
    """Whether the gate is to start the build."""
    connection_options: str = ""
    """See `Rules`."""
    asked: bool = False
    """Whether the service has been asked about it."""
    build_number: int | None = None
    build_url: str | None = None
    expected_seconds: float | None = None
    """How long past builds of the job ran."""
    has_children: bool = False
    """Whether the build is known to consist of others."""
    record: Record | None = None
    """The last record of the build; that of an attempt before it is in `attempts`."""
    state: RecordState | None = None
    """What `record` says, or the boolean of `--verdict status`."""
    ordered_at: datetime | None = None
    """When this run sent the order of the build, by the service's clock."""
    queued_since: datetime | None = None
    """Since when the build has been queued, by the service's clock; `None` once it has run."""
    polls: int = 0
    """Usable answers about the build that is judged."""
    verdict: Verdict | None = None
    ended_by: EndedBy = EndedBy.ERROR
    """What ended the wait, once there is a verdict."""
    why: str = "no verdict was reached"
    """Why the gate ended: `no result within 5 s (--timeout)`, or the text of an error, or the whole reason."""
    where: str = ""
    """How far the build was when the gate ended without its result; empty where `why` says it."""
    advice: str = ""
    """The advice of the error, or of the rule that decided."""
    trouble: str = ""
    """The last error of the service that was not overcome, when the gate ended."""
    is_own: bool = False
    """Whether this run started the build."""
    is_disputed: bool = False
    """Whether a record contradicts what was asked for: the build may be somebody else's, and is never stopped."""
    has_unanswered_order: bool = False
    """Whether an order was sent that may have been accepted, and no number is known."""
    keeps_running: bool = False
    """Whether the build is to go on when the gate ends before it has."""
    stop: StopResult = StopResult.NOT_REQUESTED
    stop_problem: str = ""
    """Why the build could not be stopped, or why that is not known."""
    live_stages: Sequence[Stage] = ()
    """The stages as they were last read while the build ran."""
    live_stages_at: datetime | None = None
    """The service's time of that reading."""
    stages: Sequence[Stage] = ()
    """The stages as they were read after its end."""
    children: Sequence[ChildBuild] = ()
    tests: UnitTests | None = None
    log_tail: Sequence[str] = ()
    failed_steps: Sequence[FailedStep] = ()
    attempts: Sequence[Attempt] = ()
    """The builds before this one that never ran (`--retries`)."""

    def decide(self, verdict: Verdict, ended_by: EndedBy, why: str, advice: str = "") -> None:
        """Decide the verdict, unless it has been decided before; what is said follows from the final state."""
        if self.verdict is None:
            self.verdict, self.ended_by, self.why, self.advice = verdict, ended_by, why, advice

    def has_ended(self) -> bool:
        """Tell whether the build is known to have ended."""
        return self.state is not None and self.state.ended

    def note_record(self, record: Record, now: datetime) -> RecordState:
        """Keep a new record of the build, and return the state that it tells; `now` by the service's clock."""
        self.record, self.state = record, interpret(record)
        if self.state.state is State.QUEUED:
            self.queued_since = self._start_of_queue(record, now)
        else:
            self.queued_since = None
        return self.state

    def _start_of_queue(self, record: Record, now: datetime) -> datetime:
        """Return since when a build is queued: by its record, but not after it was seen so, nor before its order.

        The clock of records may differ from that of the service's answers.
        """
        since = min(record.queued_at or record.created_at or now, self.queued_since or now)
        return since if self.ordered_at is None else max(since, self.ordered_at)

    def begin_next_attempt(self, former: Attempt) -> None:
        """Keep the build that never ran as a former attempt, and know nothing of the next one."""
        self.attempts = (*self.attempts, former)
        self.build_number = self.build_url = self.record = self.state = self.queued_since = self.ordered_at = None
        self.is_own = False
        self.live_stages, self.live_stages_at = (), None

    def go_back_to(self, former: "TargetState") -> None:
        """Know again what was known when `former` was copied from this: whoever has this state sees that."""
        for one in fields(self):
            setattr(self, one.name, getattr(former, one.name))
