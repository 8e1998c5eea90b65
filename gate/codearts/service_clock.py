"""The service's clock: this machine's, corrected by the `Date` of the service's last answer."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from gate.durations import spell

MAX_SKEW = timedelta(minutes=10)
"""How far this machine's clock may be off without a word; the service refuses signatures older than 15 minutes."""

MOST_AHEAD = timedelta(days=36525)
"""How far the service's clock may be off at most: a `Date` beyond that is nonsense, and could not be reckoned with."""


class ServiceClock:
    """Tells the time of day by the service's clock, as far as it is known; may be used from several threads."""

    def __init__(self, warn: Callable[[str], None] = lambda _: None) -> None:
        """`warn` takes one sentence, once, if this machine's clock is off by more than `MAX_SKEW`."""
        self.ahead: timedelta | None = None
        self._warn = warn
        self._warned = False
        self._lock = threading.Lock()
        self._started, self._started_at = datetime.now(UTC), time.monotonic()

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        return self._here() + (self.ahead or timedelta())

    def _here(self) -> datetime:
        """Return this machine's time of day at the start, carried on by a clock that never jumps."""
        return self._started + timedelta(seconds=time.monotonic() - self._started_at)

    def hear(self, date: str) -> None:
        """Take the `Date` header of an answer; one that cannot be read changes nothing."""
        try:
            ahead = parsedate_to_datetime(date) - self._here()
        except (ValueError, OverflowError, TypeError):  # nonsense, beyond what a date can hold, without a zone
            return
        if abs(ahead) >= MOST_AHEAD:
            return
        with self._lock:
            self.ahead = ahead
            tell = self.is_off and not self._warned
            self._warned = self._warned or tell
        if tell:
            self._warn(f"this machine's clock is {self.difference()} the service's; set it")

    @property
    def is_off(self) -> bool:
        """Whether this machine's clock differs from the service's by more than `MAX_SKEW`."""
        return self.ahead is not None and abs(self.ahead) > MAX_SKEW

    def difference(self) -> str:
        """Say by how much this machine's clock differs: `20 m behind`."""
        ahead = self.ahead or timedelta()
        return f"{spell(abs(ahead).total_seconds())} {'behind' if ahead > timedelta() else 'ahead of'}"
