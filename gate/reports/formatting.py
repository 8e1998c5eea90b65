"""Times and durations as the reports write them. Impossible values, which the service may send, count as unknown."""

from datetime import UTC, datetime

LONGEST = 1e9
"""Seconds (over 30 years) from which on a duration counts as unknown."""


def seconds(duration: float | None) -> float | None:
    """Return a duration in seconds with at most three decimals; `None` if it is unknown or impossible."""
    return round(duration, 3) if duration is not None and 0 <= duration < LONGEST else None


def instant(moment: datetime | None) -> str | None:
    """Return an aware `moment` as ISO 8601 in UTC, to the second: `2024-09-24T03:18:49Z`.

    `None` if it is unknown or outside the calendar, such as the first day of year 1 in a zone east of Greenwich.
    """
    if moment is None:
        return None
    try:
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
    except OverflowError:
        return None
