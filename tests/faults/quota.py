"""A limit of the rate of requests, as the gateway has one for each user."""

import threading
from collections import deque
from datetime import datetime, timedelta

from gate.simulator.builds import SimulatedClock
from gate.simulator.exchange import Call, HttpAnswer, throttled
from gate.simulator.simulator import Answer
from tests.faults.response_faults import ResponseFault

WINDOW = timedelta(minutes=1)


class Quota(ResponseFault):
    """Answers 429 (APIGW.0308) to requests beyond `limit` in any minute of service time; those do not count.

    Used as the act of a fault that never ends: `Fault(act=Quota(60, simulator.clock), times=None)`.
    """

    def __init__(self, limit: int, clock: SimulatedClock) -> None:
        self.refused = 0
        self._limit = limit
        self._clock = clock
        self._admitted: deque[datetime] = deque()
        self._lock = threading.Lock()

    def shape(self, call: Call, genuine: Answer) -> HttpAnswer | None:
        """See the base class."""
        return genuine() if self._admit(self._clock.now()) else throttled(self._limit)

    def _admit(self, now: datetime) -> bool:
        with self._lock:
            while self._admitted and self._admitted[0] <= now - WINDOW:
                self._admitted.popleft()
            if len(self._admitted) >= self._limit:
                self.refused += 1
                return False
            self._admitted.append(now)
            return True
