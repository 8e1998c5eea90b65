"""Who is asked next: looks come when they are due, and as the request rate allows.

When more is due than the rate allows, the pauses of all targets are stretched by one factor: who wanted a look after
2 s waits a fifth of the time of who wanted one after 10 s, and nobody starves. (This is start-time fair queueing:
Goyal, Vin and Cheng 1996.) Who wanted no pause at all goes before them. What is soon of no use goes first, and so does
who was refused when it was his turn.
"""

import heapq
import math
from collections.abc import Hashable

from gate.core.ports import Ask
from gate.core.schedule import Pace

LONG = 60.0
"""Seconds for which an ask may wait for its turn before others do without what they can spare."""


class FairQueue:
    """Holds the asks that wait; each is known by its key, and each operation takes logarithmic time."""

    def __init__(self, pace: Pace) -> None:
        """Nothing waits yet; `pace` has the rate of requests."""
        self._pace = pace
        self._waiting: dict[int, Ask] = {}
        self._alike: dict[Hashable, set[int]] = {}
        self._later: list[tuple[float, float, int]] = []
        self._due: list[tuple[float, int, float]] = []
        self._late: list[tuple[float, int]] = []
        self._urgent: list[int] = []
        self._turn = 0.0

    def add(self, key: int, ask: Ask, now: float) -> None:
        """Let an ask wait for its turn; keys rise."""
        self._waiting[key] = ask
        if ask.urgent:
            self._urgent.append(key)
        if ask.share is not None:
            self._alike.setdefault(ask.share, set()).add(key)
        turn = round(self._turn + max(ask.at - now, 0.0), 3)  # so that those who want the same come as they asked
        if ask.until < math.inf:
            heapq.heappush(self._late, (ask.until, key))
        if ask.until < math.inf or ask.refused:
            turn = -1.0
        heapq.heappush(self._later, (max(ask.at, now), turn, key))

    def remove(self, key: int) -> None:
        """Forget an ask, if it still waits."""
        ask = self._waiting.pop(key, None)
        if ask is not None and ask.share is not None:
            self._alike[ask.share].discard(key)

    def take(self, now: float) -> list[int]:
        """Return the keys of all asks that the next call answers, and count the call; empty when it is too early."""
        while self._urgent:
            if (key := self._urgent.pop()) in self._waiting:
                self._pace.spend(now)
                return self._company(key)
        while self._later and self._later[0][0] <= now:
            at, turn, key = heapq.heappop(self._later)
            heapq.heappush(self._due, (turn, key, at))
        while self._due:
            turn, key, _ = self._due[0]
            if key in self._waiting and self._pace.ready_at(now) > now:
                break
            heapq.heappop(self._due)
            if key in self._waiting:
                self._pace.spend(now)
                self._turn = max(self._turn, turn)
                return self._company(key)
        return []

    def is_behind(self, now: float) -> bool:
        """Tell whether the next one has been kept waiting by the request rate for long."""
        return bool(self._due) and now - self._due[0][2] > LONG

    def late(self, now: float) -> list[int]:
        """Return the keys of the asks, waiting or taken, that are of no use any more; each is given once."""
        keys = []
        while self._late and self._late[0][0] <= now:
            keys.append(heapq.heappop(self._late)[1])
        return keys

    def wake_at(self, now: float, *, room: bool) -> float:
        """Return the instant from which `take` (if there is `room` for a call) or `late` may give something."""
        limit = self._late[0][0] if self._late else math.inf
        if not room or not self._waiting:
            return limit
        if self._urgent:
            return now
        return min(limit, max(now if self._due else self._later[0][0], self._pace.ready_at(now)))

    def _company(self, key: int) -> list[int]:
        """Take an ask out, and with it those that share its answer."""
        share = self._waiting[key].share
        keys = [key] if share is None else [key, *sorted(self._alike[share] - {key})]
        for one in keys:
            self.remove(one)
        return keys
