"""The largest outcome that the gate is made for: 500 targets with 200 stages and long logs."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from gate.model import Outcome, Stage, TargetOutcome, Verdict
from gate.reports import junit, result, summary

START = datetime(2024, 9, 24, tzinfo=UTC)
STAGES = [
    Stage(f"構建 {number}", "FAILURE" if number % 2 else "SUCCESS", START, duration_seconds=3.25)
    for number in range(200)
]
LOG = ["[ERROR] <x> é " + "x" * 80] * 1000


@pytest.fixture(scope="module")
def largest() -> Outcome:
    """Return an outcome whose texts would fill 80 MB."""
    targets = [
        TargetOutcome(
            label=f"service_{number}",
            job_id="0" * 32,
            verdict=Verdict.FAILED,
            reason="Build 57 ended as FAILURE.",
            build_number=57,
            started_at=START,
            duration_seconds=900.0,
            stages=STAGES,
            log_tail=LOG,
        )
        for number in range(500)
    ]
    return Outcome(
        verdict=Verdict.FAILED, exit_code=1, started_at=START, elapsed_seconds=1.0, api_calls=1, targets=targets
    )


@pytest.mark.parametrize(
    ("render", "limit"),
    [(junit.render, 10_000_000), (summary.render, summary.LIMIT), (result.results, result.RESULTS_LIMIT)],
    ids=["junit", "summary", "results"],
)
def test_largest_outcome_is_rendered_in_time_and_stays_small(
    largest: Outcome, render: Callable[[Outcome], str | bytes], limit: int
) -> None:
    """Reports are written in the seconds after the deadline, and CI systems refuse larger ones.

    About half a second of the processor is used; cleaning all of the texts takes over ten.
    """
    before = time.process_time()
    text = render(largest)
    assert time.process_time() - before < 10.0
    assert 100_000 < len(text if isinstance(text, bytes) else text.encode()) <= limit
