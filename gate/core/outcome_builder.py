"""What has been found out about one target so far."""

from dataclasses import dataclass
from datetime import datetime

from gate.core import verdict as judging
from gate.durations import spell
from gate.model import Progress, Record, RecordState, Stage, State, Target, TargetOutcome, UnitTests, Verdict
from gate.text import one_line, word

_BAD = (State.FAILED, State.ABORTED)


@dataclass(slots=True, kw_only=True)
class OutcomeBuilder:
    """Grows while the target is watched; the verdict is decided once."""

    target: Target
    build_number: int | None = None
    expected_seconds: float | None = None
    record: Record | None = None
    reading: RecordState | None = None
    polls: int = 0
    verdict: Verdict | None = None
    reason: str = ""
    hint: str = ""
    stages: tuple[Stage, ...] = ()
    tests: UnitTests | None = None
    log_tail: tuple[str, ...] = ()

    def decide(self, verdict: Verdict, reason: str, hint: str = "") -> None:
        """Decide the verdict, unless it has been decided before."""
        if self.verdict is None:
            self.verdict, self.reason, self.hint = verdict, reason, hint

    def has_ended(self) -> bool:
        """Tell whether the build is known to have ended."""
        return self.reading is not None and self.reading.ended

    def take(self, record: Record) -> RecordState:
        """Keep a new record of the build, and read it."""
        self.record, self.reading = record, judging.read(record)
        return self.reading

    def locate(self, stages: tuple[Stage, ...]) -> None:
        """Keep the stages, and name the one that a build that did not pass ended in."""
        self.stages = stages
        ended_in = [stage for stage in stages if stage.state and judging.ENDED_WORDS.get(stage.state) in _BAD]
        if ended_in and self.verdict in (Verdict.FAILED, Verdict.ABORTED) and self.reading:
            self.reason += f", in stage {one_line(ended_in[0].name, limit=120)}"

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
        if self.reading is None:
            return f"build {self.build_number} has not been seen yet" if self.build_number else "no build was found yet"
        state = word(self.reading.word or "(none)")
        if not self.reading.ended:
            unknown = ", a word nobody documents" if self.reading.state is State.UNKNOWN else ""
            return f"build {self.build_number} is {state}{unknown}"
        took = self.record.duration_seconds if self.record else None
        after = f" after {spell(took)}" if took else ""
        message = one_line(self.record.message or "") if self.record else ""
        why = f": {message}" if message else ""
        if self.reading.state is State.UNKNOWN:
            return f"build {self.build_number} has ended, but its state {state} says nothing about how{why}"
        return f"build {self.build_number} ended with {state}{after}{why}"

    def standing(self, now: datetime) -> Progress:
        """Tell how the target stands at `now` by the service's clock."""
        started = self.record.started_at if self.record else None
        return Progress(
            target=self.target,
            build_number=self.build_number,
            word=self._state(),
            running_seconds=(now - started).total_seconds() if started else None,
            expected_seconds=self.expected_seconds,
        )

    def _state(self) -> str | None:
        """Return the service's own word as it can be shown, if there is one."""
        return word(self.reading.word) if self.reading and self.reading.word else None

    def outcome(self) -> TargetOutcome:
        """Return the outcome; a target without a verdict is undetermined."""
        record = self.record or Record(job_id=self.target.job_id, build_number=0)
        return TargetOutcome(
            label=self.target.label,
            job_id=self.target.job_id,
            verdict=self.verdict or Verdict.UNDETERMINED,
            reason=self.reason or "no verdict was reached",
            hint=self.hint,
            build_number=self.build_number,
            state=self._state(),
            branch=record.branch,
            commit=record.commit,
            record_id=record.record_id,
            started_at=record.started_at,
            finished_at=record.finished_at,
            duration_seconds=record.duration_seconds,
            polls=self.polls,
            stages=self.stages,
            tests=self.tests,
            log_tail=self.log_tail,
        )
