"""A limit of the rate of requests, as the gateway has it for each user."""

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from gate.simulator.answers import Answer, gateway_error
from gate.simulator.clock import ServiceClock
from gate.simulator.shapes import Shape

WINDOW = timedelta(minutes=1)


class Quota(Shape):
    """Answers 429 (APIGW.0308) to requests beyond `limit` in any minute of service time; those do not count.

    The act of a fault that never ends: `Fault(act=Quota(60, simulator.clock), times=None)`.
    """

    def __init__(self, limit: int, clock: ServiceClock) -> None:
        self.refused = 0
        self._limit = limit
        self._clock = clock
        self._admitted: deque[datetime] = deque()
        self._lock = threading.Lock()

    def shape(self, genuine: Callable[[], Answer]) -> Answer:
        """See the base class."""
        if self._admit(self._clock.now()):
            return genuine()
        message = (
            f"The throttling threshold has been reached: policy user over ratelimit,limit:{self._limit},time:1 minute"
        )
        return gateway_error(429, "0308", message)

    def _admit(self, now: datetime) -> bool:
        with self._lock:
            while self._admitted and self._admitted[0] <= now - WINDOW:
                self._admitted.popleft()
            if len(self._admitted) >= self._limit:
                self.refused += 1
                return False
            self._admitted.append(now)
            return True
