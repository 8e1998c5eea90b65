"""What has been found out about one target."""

from datetime import UTC, datetime, timedelta

import pytest

from gate.core.outcome_builder import OutcomeBuilder
from gate.model import Record, Target

STARTED = datetime(2024, 9, 24, tzinfo=UTC)


@pytest.mark.parametrize(("word", "running", "expected"), [("RUNNING", 90.0, 60.0), ("FAILURE", 32.0, None)])
def test_build_that_has_ended_does_not_go_on_counting(word: str, running: float, expected: float | None) -> None:
    """While its log is fetched it is shown with the time that it took, and nothing is left of it."""
    builder = OutcomeBuilder(target=Target(job_id="1" * 32, label="app"), build_number=57, expected_seconds=60.0)
    builder.take(Record(job_id="1" * 32, build_number=57, word=word, started_at=STARTED, duration_seconds=32.0))
    progress = builder.progress(STARTED + timedelta(seconds=90))
    assert (progress.running_seconds, progress.expected_seconds) == (running, expected)
