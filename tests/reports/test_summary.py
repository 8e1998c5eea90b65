"""What the summary leaves out when it grows too large."""

from datetime import UTC, datetime

import pytest

from gate.model import Outcome, Stage, TargetOutcome, Verdict
from gate.reports import summary

START = datetime(2024, 9, 24, tzinfo=UTC)


def outcome(count: int, *, verdict: Verdict = Verdict.FAILED) -> Outcome:
    """Return an outcome with many targets, each with 20 stages and 100 kB of log."""
    targets = [
        TargetOutcome(
            label=f"service_{number}",
            job_id="0" * 32,
            verdict=verdict,
            reason="Build 57 ended as FAILURE.",
            build_number=57,
            state="FAILURE",
            stages=[
                Stage(name=f"Stage {part}", state="FAILURE", started_at=START, duration_seconds=1) for part in range(20)
            ],
            log_tail=["x" * 99] * 1000,
        )
        for number in range(count)
    ]
    return Outcome(verdict=verdict, exit_code=1, started_at=START, elapsed_seconds=1.0, api_calls=1, targets=targets)


@pytest.mark.parametrize(
    ("count", "limit", "logs", "stages", "sections"),
    [
        (1, summary.LIMIT, True, True, True),
        (100, summary.LIMIT, True, True, True),
        (200, 500_000, False, True, True),
        (500, 200_000, False, False, True),
        (500, 50_000, False, False, False),
    ],
)
def test_large_summary_loses_logs_then_stages_then_sections(
    count: int, limit: int, logs: bool, stages: bool, sections: bool
) -> None:
    """The summary stays within its limit, names every target in its table, and says when it was shortened."""
    text = summary.render(outcome(count), limit)
    assert len(text.encode()) <= limit
    assert text.count("| ❌ failed |") == count
    assert ("</details>" in text, "| Stage |" in text, "**Reason:**" in text) == (logs, stages, sections)
    assert ("Shortened" in text) != logs


def test_log_of_a_build_that_passed_is_left_out() -> None:
    """A log is there to find out what went wrong."""
    assert "</details>" not in summary.render(outcome(1, verdict=Verdict.PASSED))


def test_stages_without_times_give_no_chart() -> None:
    """A chart needs a start and a duration."""
    target = TargetOutcome(
        label="app",
        job_id="0" * 32,
        verdict=Verdict.PASSED,
        reason="Ended.",
        stages=[Stage(name="Maven", state="SUCCESS")],
    )
    text = summary.render(
        Outcome(
            verdict=Verdict.PASSED, exit_code=0, started_at=START, elapsed_seconds=1.0, api_calls=1, targets=[target]
        )
    )
    assert "| Maven | ✅ SUCCESS | — |" in text
    assert "mermaid" not in text
