"""The clock of the simulated service, from which every time in an answer is read."""

import threading
import time
from datetime import UTC, datetime, timedelta


class SimulatedClock:
    """Real time scaled by `speed`, plus what was advanced by hand.

    With `speed` 0 the clock moves by `advance` only. Safe to use from several threads.
    """

    def __init__(self, *, speed: float = 1.0, start: datetime | None = None) -> None:
        if speed < 0:
            raise ValueError("speed must not be negative")
        self.speed = speed
        self.start = start or datetime.now(UTC)
        self._real_start = time.monotonic()
        self._advanced = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the service's time, in UTC."""
        real = time.monotonic() - self._real_start
        return self.start + timedelta(seconds=real * self.speed + self._advanced)

    def advance(self, seconds: float) -> None:
        """Move the clock forward by so many seconds at once; a negative number moves it back."""
        with self._lock:
            self._advanced += seconds
