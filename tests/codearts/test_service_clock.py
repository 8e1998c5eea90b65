"""The service's clock, as the answers tell it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from gate.codearts.service_clock import ServiceClock
from tests.tables import each_row


def date(minutes: float) -> str:
    """Return a `Date` header for a time that is so many minutes from now."""
    return format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)


def test_clock_without_an_answer_is_this_machines() -> None:
    """Before the first answer, the time is the local one."""
    assert abs(ServiceClock().now() - datetime.now(UTC)) < timedelta(seconds=1)


@each_row("minutes", [-600, -9, 0, 9, 600])
def test_time_follows_the_date_of_the_last_answer(minutes: float) -> None:
    """The service's time is returned, whatever the difference is."""
    clock = ServiceClock()
    clock.update(date(5))
    clock.update(date(minutes))
    assert abs(clock.now() - datetime.now(UTC) - timedelta(minutes=minutes)) < timedelta(seconds=3)


@each_row("text", ["", "yesterday", "Thu, 32 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 2026 00:00:00 -0000"])
def test_date_that_cannot_be_read_changes_nothing(text: str) -> None:
    """A header without a time or without a zone is ignored."""
    clock = ServiceClock()
    clock.update(text)
    assert clock.ahead is None


@pytest.mark.parametrize(("minutes", "words"), [(11, "behind the service's"), (-11, "ahead of the service's")])
def test_wrong_clock_is_reported_once(minutes: float, words: str) -> None:
    """A difference of more than ten minutes is one warning, however many answers show it."""
    told: list[str] = []
    clock = ServiceClock(told.append)
    for _ in range(3):
        clock.update(date(minutes))
    assert len(told) == 1
    assert words in told[0]


@pytest.mark.parametrize("minutes", [9, -9])
def test_clock_that_is_nearly_right_is_not_reported(minutes: float) -> None:
    """A difference of up to ten minutes is not reported."""
    told: list[str] = []
    ServiceClock(told.append).update(date(minutes))
    assert told == []
