"""When to ask next: the steady interval, the back-off after trouble, and the request rate of the whole process."""

from bisect import bisect_right
from collections import deque

FIRST_PAUSES = (2.0, 4.0, 8.0)
"""Seconds before the second, third and fourth look for something that should be there soon, unless the steady interval
is shorter. A build that runs is polled at the steady interval from the start: early polls cost calls, which are worth
more spread over the whole build."""

JITTER = 0.2
"""Pauses vary by this share up and down, so that gates that start together do not ask together."""

BACKOFF_FIRST, BACKOFF_MOST = 1.0, 60.0
"""Bounds in seconds of the pause after trouble."""

RETRY_AFTER_MOST = 120.0
"""Seconds that a `Retry-After` may hold a target at most: the gateway's own window is one minute (APIGW.0308)."""


def vary(chance: float, share: float = JITTER) -> float:
    """Return a factor that differs from 1 by this share at most, for a random number from 0 to 1."""
    return 1 + share * (2 * chance - 1)


def steady_pause(interval: float, chance: float) -> float:
    """Return the seconds between two polls of a build that runs; `chance`: a random number from 0 to 1."""
    return interval * vary(chance)


def pause(looks: int, interval: float, chance: float) -> float:
    """Return the seconds between look number `looks` (from 1) and the next one.

    `interval`: the steady interval in seconds. `chance`: a random number from 0 to 1.
    """
    first = FIRST_PAUSES[looks - 1] if looks <= len(FIRST_PAUSES) else interval
    return min(first, interval) * vary(chance)


def backoff(failures: int, interval: float, chance: float, retry_after: float | None = None) -> float:
    """Return the seconds to wait after the `failures`-th failure in a row (from 1).

    The bound doubles from 1 s up to the steady interval (or 60 s); the pause is between half the bound and the bound.
    A `retry_after` the service asked for is never undercut, up to 120 s.
    """
    bound = min(BACKOFF_FIRST * 2.0 ** min(failures, 16), max(interval, BACKOFF_FIRST), BACKOFF_MOST)
    return max(bound * (0.5 + 0.5 * chance), min(retry_after or 0.0, RETRY_AFTER_MOST))


class Pace:
    """The request rate of the whole process: spends tokens, halves on throttling, creeps back up afterwards.

    Additive increase, multiplicative decrease. A burst of a few requests is free, so that a single target never waits;
    no minute has more requests than the rate, those of the burst included.
    """

    BURST = 10.0
    """Requests that may be sent at once; less at low rates, a sixth of a minute's."""
    LEAST = 2.0
    """Requests a minute that are always allowed."""
    CLIMB = 12.0
    """Minutes without throttling in which the rate would rise from nothing to its ceiling."""
    MINUTE = 61.0
    """Seconds in which there are no more requests than the rate says. A second more than a minute, because one request
    may travel longer than another."""
    CALM = 5.0
    """Seconds for which further throttling is put down to the rate before it was halved."""

    def __init__(self, per_minute: float, now: float) -> None:
        """Start at the ceiling `per_minute`; `now` is an instant in seconds on the clock used for all calls."""
        self.ceiling = self.rate = per_minute
        self._tokens = self.burst
        self._updated = now
        self._eased = float("-inf")
        self._sent: deque[float] = deque()
        """The instants of the requests of the last minute."""
        self._spent = 0

    @property
    def burst(self) -> float:
        """Return how many requests may be sent at once."""
        return max(min(self.BURST, self.rate / 6), 1.0)

    @property
    def per_second(self) -> float:
        """Return how many requests a second may be sent without end."""
        return self.rate / self.MINUTE

    def ready_at(self, now: float) -> float:
        """Return the instant at which the next request may be sent."""
        self._refill(now)
        by_tokens = now if self._tokens >= 1 else now + (1 - self._tokens) / self.per_second
        limit = max(int(self.rate), 1)
        by_minute = self._sent[-limit] + self.MINUTE if len(self._sent) >= limit else now
        return max(by_tokens, by_minute, now)

    def tokens(self, now: float) -> float:
        """Return how many requests may be sent at once now."""
        self._refill(now)
        return self._tokens

    def room(self, now: float, at: float) -> float:
        """Return how many requests may be sent until the instant `at` so that none waits for its turn then."""
        self._refill(now)
        by_tokens = self._tokens + self.per_second * (at - now)
        if at >= now + self.MINUTE:
            return by_tokens
        still_count = len(self._sent) - bisect_right(self._sent, at - self.MINUTE)
        return min(by_tokens, max(int(self.rate), 1) - still_count)

    def spend(self, now: float) -> None:
        """Count a request that is being sent."""
        self._refill(now)
        self._tokens -= 1
        self._spent += 1
        self._sent.append(now)
        while self._sent[0] <= now - self.MINUTE:
            self._sent.popleft()

    def catch_up(self, sent: int, now: float) -> None:
        """Count the requests that calls have made beside their first one: for another path, another token, a sign-in.

        `sent`: how many the process has sent so far.
        """
        for _ in range(sent - self._spent):
            self.spend(now)

    def ease(self, now: float, chance: float = 0.0) -> None:
        """Halve the rate: the service throttled. More of the same within a few seconds does not halve it again.

        `chance`, a random number from 0 to 1, keeps gates that were throttled together from coming back together.
        """
        self._refill(now)
        if now - self._eased >= max(60 / self.rate, self.CALM):
            self.rate = max(self.rate / 2, min(self.LEAST, self.ceiling))
            self._eased = now
        self._tokens = min(self._tokens, -chance)

    def _refill(self, now: float) -> None:
        passed = max(now - self._updated, 0.0)
        self._updated = max(now, self._updated)
        self._tokens = min(self._tokens + passed * self.per_second, self.burst)
        self.rate = min(self.rate + passed * self.ceiling / (60 * self.CLIMB), self.ceiling)
