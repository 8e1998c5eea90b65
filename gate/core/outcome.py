"""The outcome and the progress of a target, which follow from what is known of it."""

from datetime import datetime

from gate.core.sentences import describe, next_step, reason, shown_word
from gate.core.target_state import TargetState
from gate.model import Attempt, Phase, Progress, Record, State, TargetOutcome, Verdict


def progress_of(known: TargetState, now: datetime) -> Progress:
    """Return the progress of the target at `now` by the service's clock; a build that has ended stands still."""
    record = known.record
    running_seconds = queued_seconds = None
    stages_age = 0.0
    if record is not None and record.started_at is not None and known.state and known.state.state is not State.QUEUED:
        running_seconds = max((now - record.started_at).total_seconds(), 0.0)
    if known.has_ended() and record is not None:
        running_seconds = record.duration_seconds
    if known.queued_since is not None:
        queued_seconds = max((now - known.queued_since).total_seconds(), 0.0)
    if known.live_stages_at is not None:
        stages_age = max((now - known.live_stages_at).total_seconds(), 0.0)
    return Progress(
        target=known.target,
        phase=_phase(known),
        build_number=known.build_number,
        word=shown_word(known),
        queued_seconds=queued_seconds,
        running_seconds=running_seconds,
        expected_seconds=known.expected_seconds,
        stages=known.stages or known.live_stages,
        stages_age=stages_age,
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


def outcome_of(known: TargetState) -> TargetOutcome:
    """Return the outcome; a target without a verdict is undetermined."""
    record = known.record or Record(job_id=known.target.job_id, build_number=0)
    return TargetOutcome(
        label=known.target.label,
        job_id=known.target.job_id,
        verdict=known.verdict or Verdict.UNDETERMINED,
        reason=reason(known),
        hint=next_step(known),
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
        is_own=known.is_own,
    )


def attempt_of(known: TargetState) -> Attempt:
    """Return the account of a build that never ran and is ordered again."""
    assert known.build_number is not None
    return Attempt(known.build_number, shown_word(known), describe(known), known.build_url)
