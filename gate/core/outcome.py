"""What is known of one target, and the outcome and the progress that follow from it.

`TargetState` has one writer, the target's watch. Everything else here computes something from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gate.core import last_words
from gate.core import verdict as judging
from gate.core.last_words import End, EndedBy, StopResult
from gate.durations import spell
from gate.model import (
    Attempt,
    ChildBuild,
    FailedStep,
    Phase,
    Progress,
    Record,
    RecordState,
    Stage,
    State,
    Target,
    TargetOutcome,
    UnitTests,
    Verdict,
)
from gate.text import one_line, word
from gate.vocabulary import state_of_part


@dataclass(slots=True, kw_only=True)
class TargetState:
    """What is known of one target."""

    target: Target
    is_run: bool = False
    """Whether the gate is to start the build."""
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
    queued_since: datetime | None = None
    """Since when the build has been queued, by the service's clock; `None` once it has run."""
    polls: int = 0
    """Usable answers about the build that is judged."""
    verdict: Verdict | None = None
    ended_by: EndedBy = EndedBy.ERROR
    """What ended the wait, once there is a verdict."""
    why: str = "no verdict was reached"
    """Why the gate ended, or the whole reason; see `End.why`."""
    where: str = ""
    """How far the build was when the gate ended without its result."""
    advice: str = ""
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
    live_stages: Sequence[Stage] = ()
    """The stages as they were last read while the build ran."""
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
        self.record, self.state = record, judging.interpret(record)
        if self.state.state is State.QUEUED:
            self.queued_since = record.queued_at or record.created_at or self.queued_since or now
        else:
            self.queued_since = None
        return self.state

    def begin_next_attempt(self) -> None:
        """Keep the build that never ran as a former attempt, and know nothing of the next one."""
        assert self.build_number is not None
        former = Attempt(self.build_number, shown_word(self), describe(self), self.build_url)
        self.attempts = (*self.attempts, former)
        self.build_number = self.build_url = self.record = self.state = self.queued_since = None
        self.live_stages = ()


def describe(known: TargetState) -> str:
    """Say in one sentence where the build is or how it ended."""
    number, state, record = known.build_number, known.state, known.record
    if state is None:
        return f"build {number} has not been seen yet" if number else "no build was found yet"
    shown = word(state.word or "(none)")
    if not state.ended:
        unknown = ", a state that is not documented" if state.state is State.UNKNOWN else ""
        return f"build {number} is {shown}{unknown}"
    took = record.duration_seconds if record else None
    after = f" after {spell(took)}" if took else ""
    message = one_line(record.message or "").rstrip(".") if record else ""
    why = f": {message}" if message else ""
    if state.state is State.UNKNOWN:
        return f"build {number} has ended, but its state {shown} does not say how{why}"
    return f"build {number} ended with {shown}{after}{why}"


def introduce(known: TargetState, now: datetime) -> str:
    """Name the build that is judged from now on; `now` by the service's clock."""
    facts = [f"build {known.build_number}"]
    if known.record and known.record.commit:
        facts.append(f"commit {word(known.record.commit[:7])}")
    if known.record and known.record.started_at:
        facts.append(f"started {spell((now - known.record.started_at).total_seconds())} ago")
    if known.expected_seconds:
        facts.append(f"past builds took about {spell(known.expected_seconds)}")
    return ", ".join(facts)


def explanation(known: TargetState) -> str:
    """Say in which stage a build that did not pass ended, and the error of the step that failed; empty if unknown."""
    if known.verdict not in (Verdict.FAILED, Verdict.ABORTED) or known.state is None:
        return ""
    ended_in = next((stage for stage in known.stages if has_ended_badly(stage)), None)
    text = f", in stage {one_line(ended_in.name, limit=120)}" if ended_in else ""
    if known.failed_steps and not (known.record and known.record.message):
        step = known.failed_steps[0]
        error = one_line(" ".join(part for part in (step.code, step.message) if part), limit=300)
        where = f" in step {one_line(step.step, limit=120)}" if step.step and not ended_in else ""
        text += f"{where}: {error}" if error else where
    return text


def has_ended_badly(stage: Stage) -> bool:
    """Tell whether a stage failed or was aborted."""
    return state_of_part(stage) in (State.FAILED, State.ABORTED)


def progress_of(known: TargetState, now: datetime) -> Progress:
    """Return the progress of the target at `now` by the service's clock; a build that has ended stands still."""
    record = known.record
    running_seconds = queued_seconds = None
    if record is not None and record.started_at is not None and known.state and known.state.state is not State.QUEUED:
        running_seconds = max((now - record.started_at).total_seconds(), 0.0)
    if known.has_ended() and record is not None:
        running_seconds = record.duration_seconds
    if known.queued_since is not None:
        queued_seconds = max((now - known.queued_since).total_seconds(), 0.0)
    return Progress(
        target=known.target,
        phase=_phase(known),
        build_number=known.build_number,
        word=shown_word(known),
        queued_seconds=queued_seconds,
        running_seconds=running_seconds,
        expected_seconds=known.expected_seconds,
        stages=known.stages or known.live_stages,
        build_url=known.build_url,
        outcome=outcome_of(known) if known.verdict is not None else None,
    )


def _phase(known: TargetState) -> Phase:
    if known.verdict is not None:
        return Phase.DECIDED
    if not known.asked:
        return Phase.NOT_ASKED
    if known.state is None:
        return Phase.SELECTING
    if known.state.ended:
        return Phase.ENDED
    return Phase.QUEUED if known.state.state is State.QUEUED else Phase.RUNNING


def shown_word(known: TargetState) -> str | None:
    """Return the service's own word for the state as it can be shown, if there is one."""
    return word(known.state.word) if known.state and known.state.word else None


def end_of(known: TargetState) -> End:
    """Return what decides on the words at the end."""
    has_result = known.ended_by is EndedBy.RESULT
    return End(
        target=known.target,
        verdict=known.verdict or Verdict.UNDETERMINED,
        ended_by=known.ended_by,
        why=known.why + (explanation(known) if has_result else ""),
        where=known.where,
        trouble="" if has_result else known.trouble,
        advice=known.advice,
        build_number=known.build_number,
        build_url=known.build_url,
        is_seen=known.record is not None,
        has_ended=known.has_ended(),
        is_run=known.is_run,
        is_own=known.is_own,
        is_disputed=known.is_disputed,
        has_unanswered_order=known.has_unanswered_order,
        keeps_running=known.keeps_running,
        stop=known.stop,
        stop_problem=known.stop_problem,
    )


def outcome_of(known: TargetState) -> TargetOutcome:
    """Return the outcome; a target without a verdict is undetermined."""
    record = known.record or Record(job_id=known.target.job_id, build_number=0)
    end = end_of(known)
    return TargetOutcome(
        label=known.target.label,
        job_id=known.target.job_id,
        verdict=end.verdict,
        reason=last_words.reason(end),
        hint=last_words.next_step(end),
        build_number=known.build_number,
        build_url=known.build_url,
        state=shown_word(known),
        branch=record.branch,
        commit=record.commit,
        record_id=record.record_id,
        started_at=record.started_at,
        finished_at=record.finished_at,
        duration_seconds=record.duration_seconds,
        polls=known.polls,
        stages=tuple(known.stages),
        children=tuple(known.children),
        tests=known.tests,
        log_tail=tuple(known.log_tail),
        attempts=tuple(known.attempts),
    )
