"""Collects what is found out about one target, and builds its outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gate.core import verdict as judging
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

_BAD = (State.FAILED, State.ABORTED)


@dataclass(slots=True, kw_only=True)
class OutcomeBuilder:
    """Grows while the target is watched; the verdict is decided once."""

    target: Target
    build_number: int | None = None
    build_url: str | None = None
    expected_seconds: float | None = None
    record: Record | None = None
    state: RecordState | None = None
    polls: int = 0
    was_polled: bool = False
    verdict: Verdict | None = None
    reason: str = ""
    hint: str = ""
    given_up: tuple[Verdict, str, str] | None = None
    """The verdict, reason and hint if the last seconds bring no result; set once the gate has begun to end."""
    aftermath: str = ""
    """What became of a build that this gate had started, when the gate gave up on it."""
    final_hint: str = ""
    """A hint that is more important than that of the verdict."""
    running_stage: str | None = None
    stages: Sequence[Stage] = ()
    children: Sequence[ChildBuild] = ()
    tests: UnitTests | None = None
    log_tail: Sequence[str] = ()
    attempts: Sequence[Attempt] = ()

    def decide(self, verdict: Verdict, reason: str, hint: str = "") -> None:
        """Decide the verdict, unless it has been decided before."""
        if self.verdict is None:
            self.verdict, self.reason, self.hint = verdict, reason, hint

    @property
    def is_given_up(self) -> bool:
        """Whether the gate no longer waits for this target."""
        return self.verdict is not None or self.given_up is not None

    def has_ended(self) -> bool:
        """Tell whether the build is known to have ended."""
        return self.state is not None and self.state.ended

    def take(self, record: Record) -> RecordState:
        """Keep a new record of the build, and return the state that it tells."""
        self.record, self.state = record, judging.interpret(record)
        return self.state

    def begin_next_attempt(self) -> None:
        """Keep the build that never ran as a former attempt, and know nothing of the next one."""
        assert self.build_number is not None
        word = self._shown_word()
        former = Attempt(self.build_number, word, self.describe(), self.build_url)
        self.attempts = (*self.attempts, former)
        self.build_number = self.build_url = self.record = self.state = None

    def explain_failure(self, stages: Sequence[Stage], failed_steps: Sequence[FailedStep]) -> None:
        """Add to the reason in which stage a build that did not pass ended, and the error of the step that failed."""
        self.stages = stages
        if self.verdict not in (Verdict.FAILED, Verdict.ABORTED) or self.state is None:
            return
        ended_in = [stage for stage in stages if stage.state and judging.ENDED_WORDS.get(stage.state) in _BAD]
        if ended_in:
            self.reason += f", in stage {one_line(ended_in[0].name, limit=120)}"
        has_message = self.record is not None and self.record.message
        if failed_steps and not has_message:
            step = failed_steps[0]
            error = one_line(" ".join(part for part in (step.code, step.message) if part), limit=300)
            where = "" if ended_in or not step.step else f" in step {one_line(step.step, limit=120)}"
            self.reason += f"{where}: {error}" if error else where

    def introduce(self, now: datetime) -> str:
        """Name the build that is judged from now on; `now` by the service's clock."""
        facts = [f"build {self.build_number}"]
        if self.record and self.record.commit:
            facts.append(f"commit {word(self.record.commit[:7])}")
        if self.record and self.record.started_at:
            facts.append(f"started {spell((now - self.record.started_at).total_seconds())} ago")
        if self.expected_seconds:
            facts.append(f"past builds took about {spell(self.expected_seconds)}")
        return ", ".join(facts)

    def describe(self) -> str:
        """Say in one sentence where the build is or how it ended."""
        if self.state is None:
            return f"build {self.build_number} has not been seen yet" if self.build_number else "no build was found yet"
        shown = word(self.state.word or "(none)")
        if not self.state.ended:
            unknown = ", a state that is not documented" if self.state.state is State.UNKNOWN else ""
            return f"build {self.build_number} is {shown}{unknown}"
        took = self.record.duration_seconds if self.record else None
        after = f" after {spell(took)}" if took else ""
        message = one_line(self.record.message or "").rstrip(".") if self.record else ""
        why = f": {message}" if message else ""
        if self.state.state is State.UNKNOWN:
            return f"build {self.build_number} has ended, but its state {shown} does not say how{why}"
        return f"build {self.build_number} ended with {shown}{after}{why}"

    def progress(self, now: datetime) -> Progress:
        """Return the progress of the target at `now` by the service's clock; a build that has ended stands still."""
        started = self.record.started_at if self.record else None
        running_seconds = (now - started).total_seconds() if started else None
        if self.has_ended():
            running_seconds = self.record.duration_seconds if self.record else None
        return Progress(
            target=self.target,
            phase=self._phase(),
            build_number=self.build_number,
            word=self._shown_word(),
            running_seconds=running_seconds,
            expected_seconds=None if self.has_ended() else self.expected_seconds,
            stages=(Stage(self.running_stage, "running"),) if self.running_stage else (),
        )

    def _phase(self) -> Phase:
        if not self.was_polled:
            return Phase.NOT_ASKED
        if self.has_ended():
            return Phase.ENDED
        is_queued = self.state is not None and self.state.state is State.QUEUED
        if self.build_number is None or self.state is None:
            return Phase.SELECTING
        return Phase.QUEUED if is_queued else Phase.RUNNING

    def _shown_word(self) -> str | None:
        """Return the service's own word as it can be shown, if there is one."""
        return word(self.state.word) if self.state and self.state.word else None

    def outcome(self) -> TargetOutcome:
        """Return the outcome; a target without a verdict is undetermined."""
        record = self.record or Record(job_id=self.target.job_id, build_number=0)
        if self.verdict is None and self.given_up is not None:
            self.decide(*self.given_up)
        reason = self.reason or "no verdict was reached"
        return TargetOutcome(
            label=self.target.label,
            job_id=self.target.job_id,
            verdict=self.verdict or Verdict.UNDETERMINED,
            reason=f"{reason}; {self.aftermath}" if self.aftermath else reason,
            hint=self.final_hint or self.hint,
            build_number=self.build_number,
            build_url=self.build_url,
            state=self._shown_word(),
            branch=record.branch,
            commit=record.commit,
            record_id=record.record_id,
            started_at=record.started_at,
            finished_at=record.finished_at,
            duration_seconds=record.duration_seconds,
            polls=self.polls,
            stages=tuple(self.stages),
            children=tuple(self.children),
            tests=self.tests,
            log_tail=tuple(self.log_tail),
            attempts=tuple(self.attempts),
        )
