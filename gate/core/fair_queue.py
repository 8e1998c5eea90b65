"""Which call comes next: calls come when they are due, and as the request rate allows.

When more is due than the rate allows, the pauses of all targets are stretched by one factor: a target that wants a poll
after 2 s waits a fifth of the time of one that wants it after 10 s, and no target starves. (This is start-time fair
queueing: Goyal, Vin and Cheng 1996.) A call without a pause goes before them. So do calls that expire soon, calls that
had their turn before and failed, and polls of builds that a list says have ended; behind these, the next list.
"""

import heapq
import math
from collections.abc import Hashable

from gate.core.ports import Ask
from gate.core.schedule import Pace

FIRST, SECOND = -2.0, -1.0
"""The turns of calls that go before all others: those that are known to be of use at once, and lists."""

LIST_KEY = -1
"""The key of the ask that reads a list."""

OVERDUE = 60.0
"""Seconds that a call may wait for its turn before optional calls are left out."""


class FairQueue:
    """Holds the asks that wait. Each has a key; keys rise. Each operation takes logarithmic time."""

    def __init__(self, pace: Pace) -> None:
        """Nothing waits yet; `pace` has the rate of requests."""
        self._pace = pace
        self._waiting: dict[int, Ask] = {}
        self._same_call: dict[Hashable, set[int]] = {}
        self._later: list[tuple[float, float, int, int]] = []
        """Instant, turn, key and place of the asks whose time has not come."""
        self._due: list[tuple[float, int, float, int]] = []
        """Turn, key, instant and place of those whose time has come."""
        self._places: dict[int, int] = {}
        """The place of each ask, which is new when it is moved; entries with an older one are not valid any more."""
        self._last_place = 0
        self._expiring: list[tuple[float, int]] = []
        self._urgent: list[int] = []
        self._virtual_time = 0.0

    def add(self, key: int, ask: Ask, now: float) -> None:
        """Let an ask wait for its turn."""
        self._waiting[key] = ask
        if ask.urgent:
            self._urgent.append(key)
        if ask.coalesce is not None:
            self._same_call.setdefault(ask.coalesce, set()).add(key)
        if ask.expires < math.inf:
            heapq.heappush(self._expiring, (ask.expires, key))
        self._place(key, ask, now)

    def __contains__(self, key: int) -> bool:
        """Tell whether an ask waits."""
        return key in self._waiting

    def move(self, key: int, not_before: float, now: float, *, is_next: bool = False) -> bool:
        """Change the instant from which an ask may have its turn; return false if it does not wait any more.

        `is_next`: it goes before the asks that wait for their turn.
        """
        if key not in self._waiting:
            return False
        self._waiting[key] = self._waiting[key]._replace(not_before=not_before, is_retry=is_next)
        self._place(key, self._waiting[key], now)
        return True

    def _place(self, key: int, ask: Ask, now: float) -> None:
        """Give an ask its place in the order."""
        # Rounded, so that asks with the same pause keep the order in which they came.
        turn = round(self._virtual_time + max(ask.not_before - now, 0.0), 3)
        if ask.expires < math.inf or ask.is_retry:
            turn = FIRST
        elif key == LIST_KEY:
            turn = SECOND
        self._last_place += 1
        self._places[key] = self._last_place
        heapq.heappush(self._later, (max(ask.not_before, now), turn, key, self._last_place))

    def remove(self, key: int) -> None:
        """Forget an ask, if it still waits."""
        ask = self._waiting.pop(key, None)
        self._places.pop(key, None)
        if ask is not None and ask.coalesce is not None:
            same = self._same_call[ask.coalesce]
            same.discard(key)
            if not same:
                del self._same_call[ask.coalesce]

    def take(self, now: float) -> list[int]:
        """Return the keys of all asks that the next call answers, and count the call; empty when it is too early."""
        if key := self._next_urgent(now):
            self._pace.spend(now)
            return self._pop_coalesced(key)
        while self._later and self._later[0][0] <= now:
            at, turn, key, place = heapq.heappop(self._later)
            heapq.heappush(self._due, (turn, key, at, place))
        while self._due:
            turn, key, _, place = self._due[0]
            is_valid = self._places.get(key) == place
            if is_valid and self._pace.ready_at(now) > now:
                break
            heapq.heappop(self._due)
            if is_valid:
                self._pace.spend(now)
                self._virtual_time = max(self._virtual_time, turn)
                return self._pop_coalesced(key)
        return []

    def _next_urgent(self, now: float) -> int:
        """Return the key of an urgent ask that is due, and 0 if there is none."""
        for key in list(self._urgent):
            if key not in self._waiting:
                self._urgent.remove(key)
            elif self._waiting[key].not_before <= now:
                self._urgent.remove(key)
                return key
        return 0

    def is_behind(self, now: float) -> bool:
        """Tell whether the request rate has kept the next call waiting for long."""
        return bool(self._due) and now - self._due[0][2] > OVERDUE

    def expired(self, now: float) -> list[int]:
        """Return the keys of the asks, waiting or taken, that are of no use any more; each is returned once."""
        keys = []
        while self._expiring and self._expiring[0][0] <= now:
            keys.append(heapq.heappop(self._expiring)[1])
        return keys

    def wake_at(self, now: float, *, has_room: bool) -> float:
        """Return the instant from which `take` (if there is room for a call) or `expired` may return something."""
        limit = self._expiring[0][0] if self._expiring else math.inf
        if not has_room or not self._waiting:
            return limit
        urgent = [self._waiting[key].not_before for key in self._urgent if key in self._waiting]
        if urgent:
            limit = min(limit, max(min(urgent), now))
        if not self._due and not self._later:
            return limit
        return min(limit, max(now if self._due else self._later[0][0], self._pace.ready_at(now)))

    def _pop_coalesced(self, key: int) -> list[int]:
        """Take an ask out, and with it those that are answered by the same call."""
        coalesce = self._waiting[key].coalesce
        keys = [key] if coalesce is None else [key, *sorted(self._same_call[coalesce] - {key})]
        for one in keys:
            self.remove(one)
        return keys
