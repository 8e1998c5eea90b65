"""What has been found out about one target."""

from datetime import UTC, datetime, timedelta

import pytest

from gate.core.outcome import progress_of
from gate.core.target_state import EndedBy, TargetState
from gate.model import Record, Target, Verdict

STARTED = datetime(2024, 9, 24, tzinfo=UTC)


@pytest.mark.parametrize(("word", "running"), [("RUNNING", 90.0), ("FAILURE", 32.0)])
def test_build_that_has_ended_does_not_go_on_counting(word: str, running: float) -> None:
    """It is shown with the time that it took."""
    known = TargetState(target=Target(job_id="1" * 32, label="app"), build_number=57, expected_seconds=60.0)
    now = STARTED + timedelta(seconds=90)
    known.note_record(
        Record(job_id="1" * 32, build_number=57, word=word, started_at=STARTED, duration_seconds=32.0), now
    )
    progress = progress_of(known, now)
    assert (progress.running_seconds, progress.expected_seconds) == (running, 60.0)


def test_time_in_the_queue_counts_from_the_record_or_else_from_the_first_sight() -> None:
    """A record that says nothing of its queue is believed to be new; once the build runs, it is queued no longer."""
    known = TargetState(target=Target(job_id="1" * 32, label="app"), build_number=57)
    known.note_record(Record(job_id="1" * 32, build_number=57, word="QUEUED"), STARTED)
    later = STARTED + timedelta(seconds=40)
    known.note_record(Record(job_id="1" * 32, build_number=57, word="QUEUED"), later)
    assert progress_of(known, later).queued_seconds == 40
    queued_at = STARTED - timedelta(seconds=20)
    known.note_record(Record(job_id="1" * 32, build_number=57, word="QUEUED", queued_at=queued_at), later)
    assert progress_of(known, later).queued_seconds == 60
    known.note_record(Record(job_id="1" * 32, build_number=57, word="RUNNING", queued_at=queued_at), later)
    assert progress_of(known, later).queued_seconds is None


def test_progress_has_an_outcome_once_there_is_a_verdict() -> None:
    """The screen shows why a target did not pass from then on."""
    known = TargetState(target=Target(job_id="1" * 32, label="app"))
    assert progress_of(known, STARTED).outcome is None
    known.decide(Verdict.TIMED_OUT, EndedBy.TIMEOUT, "no result within 1 s (--timeout)")
    outcome = progress_of(known, STARTED).outcome
    assert outcome is not None
    assert outcome.verdict is Verdict.TIMED_OUT
