"""The totals of a build's unit tests (`--require-tests`): believed when two readings some seconds apart agree.

The service may write them, or those of a further stage, a moment after the build's end.
"""

from collections.abc import Callable
from contextlib import suppress

from gate.core.ports import Context
from gate.core.retry import Retrier
from gate.errors import NotFound
from gate.model import UnitTests

APART = 5.0
"""Seconds between two readings, at most: the steady interval if that is shorter."""

EMPTY_READINGS = 3
"""Readings that have to agree on it that there are no tests, or none of any stage."""

MOST_READINGS = 10
"""Readings after which it is given up on that two agree."""


class UnitTestReadings:
    """The readings of one build's totals so far."""

    def __init__(self) -> None:
        """Nothing has been read yet."""
        self.last: UnitTests | None = None
        self.has_agreed = False
        """Whether the last readings agree, so that they are believed."""
        self.are_alike = False
        """Whether the last two readings agree, whatever they say."""
        self.count = 0
        self._alike_since = 0
        """The number of the first of the last readings that are all alike."""

    def note(self, tests: UnitTests | None) -> None:
        """Take a reading; `None` where the service has no totals."""
        self.count += 1
        if self.count == 1 or tests != self.last:
            self._alike_since = self.count
        self.last = tests
        self.are_alike = self.count > self._alike_since
        is_complete = tests is not None and tests.total > 0 and bool(tests.parts)
        self.has_agreed = self.count - self._alike_since + 1 >= (2 if is_complete else EMPTY_READINGS)


async def read_until_agreed(
    readings: UnitTestReadings, call: Callable[[], UnitTests | None], context: Context, retrier: Retrier
) -> None:
    """Read the totals until two readings agree, or for ten times at most. `call` reads them once.

    Raises what `retrier` raises.
    """

    def read() -> UnitTests | None:
        with suppress(NotFound):  # they may come a moment after the end of the build
            return call()
        return None

    at = context.now()
    while not readings.has_agreed and readings.count < MOST_READINGS:
        readings.note(await retrier(read, at))
        at = context.now() + min(APART, context.rules.poll_interval)
