"""Absurd times and durations are unknown ones."""

import math
from datetime import UTC, datetime, timedelta, timezone

from gate.reports.formatting import instant, seconds
from tests.tables import each_row


@each_row(
    ("duration", "expected"),
    [
        (0.0, 0.0),
        (1 / 3, 0.333),
        (7, 7),
        (None, None),
        (-1.0, None),
        (math.nan, None),
        (math.inf, None),
        (1e12, None),
    ],
)
def test_duration_that_cannot_be_is_unknown(duration: float | None, expected: float | None) -> None:
    """A duration is kept to the millisecond, or given up."""
    assert seconds(duration) == expected


@each_row(
    ("moment", "expected"),
    [
        (datetime(2024, 9, 24, 11, 18, 49, 999_999, tzinfo=timezone(timedelta(hours=8))), "2024-09-24T03:18:49Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=8))), None),
        (None, None),
    ],
)
def test_moment_is_written_in_utc(moment: datetime | None, expected: str | None) -> None:
    """Any zone becomes UTC; a moment before the first year is unknown."""
    assert instant(moment) == expected
