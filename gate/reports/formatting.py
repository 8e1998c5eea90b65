"""Times and durations as the reports write them; what the service sent may be absurd, what is written never is."""

from datetime import UTC, datetime

LONGEST = 1e9
"""Seconds from which on a duration (over 30 years) is not believed."""


def seconds(duration: float | None) -> float | None:
    """Return a duration in seconds with at most three decimals; `None` when it is unknown or cannot be one."""
    return round(duration, 3) if duration is not None and 0 <= duration < LONGEST else None


def instant(moment: datetime | None) -> str | None:
    """Return an aware `moment` as ISO 8601 in UTC, to the second: `2024-09-24T03:18:49Z`.

    `None` when it is unknown or lies outside the calendar, as a zero date (year 1) does east of Greenwich.
    """
    if moment is None:
        return None
    try:
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
    except OverflowError:
        return None
