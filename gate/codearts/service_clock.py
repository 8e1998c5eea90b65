"""The service's clock: this machine's clock, corrected by the `Date` header of the service's last answer."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from gate.durations import spell

MAX_SKEW = timedelta(minutes=10)
"""Users are warned of a larger difference of the clocks; the service refuses signatures older than 15 minutes."""

MAX_CORRECTION = timedelta(days=36525)
"""The largest difference that is believed: a larger one would overflow when times are computed with it."""


class ServiceClock:
    """The time of day by the service's clock, as far as it is known. Thread-safe."""

    def __init__(self, warn: Callable[[str], None] = lambda _: None) -> None:
        """`warn` is called once with a sentence when this machine's clock is wrong by more than `MAX_SKEW`."""
        self.ahead: timedelta | None = None
        self._warn = warn
        self._warned = False
        self._lock = threading.Lock()
        self._started, self._started_at = datetime.now(UTC), time.monotonic()

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        return self.local_now() + (self.ahead or timedelta())

    def local_now(self) -> datetime:
        """Return this machine's time of day, taken once at the start and advanced by a monotonic clock."""
        return self._started + timedelta(seconds=time.monotonic() - self._started_at)

    def update(self, date: str) -> None:
        """Take over the `Date` header of an answer; an unreadable one is ignored."""
        try:
            ahead = parsedate_to_datetime(date) - self.local_now()
        except (ValueError, OverflowError, TypeError):  # not a date, out of range, without a time zone
            return
        if abs(ahead) >= MAX_CORRECTION:
            return
        with self._lock:
            self.ahead = ahead
            must_warn = self.is_off and not self._warned
            self._warned = self._warned or must_warn
        if must_warn:
            self._warn(f"this machine's clock is {self.difference()} the service's clock; correct it")

    @property
    def is_off(self) -> bool:
        """Whether the two clocks differ by more than `MAX_SKEW`."""
        return self.ahead is not None and abs(self.ahead) > MAX_SKEW

    def difference(self) -> str:
        """Return how much this machine's clock differs, such as `20 m behind`."""
        ahead = self.ahead or timedelta()
        return f"{spell(abs(ahead).total_seconds())} {'behind' if ahead > timedelta() else 'ahead of'}"
