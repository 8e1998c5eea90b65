"""Which call comes next: one order of turns, within the request rate.

Of the calls that are due, the one with the first priority has its turn, and within a priority the one that has been due
longest. So nobody starves, and where more is due than the rate allows, all targets wait equally long.
"""

import heapq
import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any

from gate.core.asks import Ask, Priority
from gate.core.schedule import Pace
from gate.value_types import NamedTuple

EXPLAINING = 2
"""Requests that tell why a build did not pass: the other side channels leave them, so that they delay no verdict."""

LOOK_AGAIN = 0.5
"""Seconds after which a side channel is tried again for which the polls left nothing."""


class Turn(NamedTuple):
    """The ask whose turn it is, or else the instant from which on it makes sense to look again."""

    ask: Ask[Any] | None
    look_again: float = math.inf


class Queue:
    """Holds the asks that wait for their turn. Each operation but a side channel's turn takes logarithmic time."""

    def __init__(self, pace: Pace) -> None:
        """Nothing waits yet; `pace` has the rate of requests."""
        self.pace = pace
        self._entries: dict[Ask[Any], int] = {}
        """The asks that wait, each with the number of its valid entry in the heaps below: it changes with each move."""
        self._later: list[tuple[float, int, Ask[Any]]] = []
        """Instant, entry and ask of those whose time has not come."""
        self._due: dict[Priority, list[tuple[float, int, Ask[Any]]]] = {priority: [] for priority in Priority}
        """The same of those whose time has come, but for pauses, which then are over."""
        self._expiring: list[tuple[float, int, Ask[Any]]] = []
        self._numbers = itertools.count()

    def __contains__(self, ask: Ask[Any]) -> bool:
        """Tell whether an ask waits."""
        return ask in self._entries

    def add(self, ask: Ask[Any]) -> None:
        """Let an ask wait for its turn."""
        self._expire_at(ask, ask.expires)
        self._enter(ask)

    def move(self, ask: Ask[Any], not_before: float, priority: Priority = Priority.POLL) -> None:
        """Change the instant and the priority of an ask; nothing happens if it does not wait any more."""
        if ask in self._entries:
            ask.not_before, ask.priority = not_before, priority
            self._enter(ask)

    def begin_anew(self, ask: Ask[Any], now: float, expires: float) -> None:
        """Let the time of an ask that waits begin now and end at an instant; it keeps its place in the order."""
        ask.not_before, ask.expires = now, expires
        self._expire_at(ask, expires)

    def remove(self, ask: Ask[Any]) -> None:
        """Forget an ask, if it still waits."""
        self._entries.pop(ask, None)

    def turn(self, now: float, has_room: Callable[[Ask[Any]], bool]) -> Turn:
        """Take out the ask whose turn it is, and count its request; `has_room` tells whether a thread is free for one.

        A pause (`call` is `None`) costs no request and no thread.
        """
        while self._later and self._later[0][0] <= now:
            instant, number, due = heapq.heappop(self._later)
            if self._entries.get(due) != number:
                continue
            if due.call is None:
                del self._entries[due]
                return Turn(due)
            heapq.heappush(self._due[due.priority], (instant, number, due))
        ready_at = self.pace.ready_at(now)
        look_again = self._later[0][0] if self._later else math.inf
        for priority, heap in self._due.items():
            if not heap or (ask := self._first_with_room(heap, has_room)) is None:
                continue
            if ready_at > now and priority is not Priority.STOP:
                look_again = min(look_again, ready_at)
            elif priority >= Priority.EXPLAIN and not self._leaves_enough(now, priority):
                look_again = min(look_again, now + LOOK_AGAIN)
            else:
                del self._entries[ask]
                self.pace.spend(now)
                self._expire_at(ask, now + ask.seconds)
                return Turn(ask)
        return Turn(None, look_again)

    def expired(self, now: float) -> Iterable[Ask[Any]]:
        """Yield the asks, waiting or under way, that are of no use any more."""
        while self._expiring and self._expiring[0][0] <= now:
            yield heapq.heappop(self._expiring)[2]

    def next_expiry(self) -> float:
        """Return the instant from which on `expired` yields something."""
        return self._expiring[0][0] if self._expiring else math.inf

    def _expire_at(self, ask: Ask[Any], instant: float) -> None:
        if instant < math.inf:
            heapq.heappush(self._expiring, (instant, next(self._numbers), ask))

    def _enter(self, ask: Ask[Any]) -> None:
        self._entries[ask] = number = next(self._numbers)
        heapq.heappush(self._later, (ask.not_before, number, ask))

    def _first_with_room(
        self, heap: list[tuple[float, int, Ask[Any]]], has_room: Callable[[Ask[Any]], bool]
    ) -> Ask[Any] | None:
        """Return the ask of one priority that has been due longest and may start; drop entries that are not valid."""
        passed_over, found = [], None
        while heap and found is None:
            _, number, ask = heap[0]
            if self._entries.get(ask) != number:
                heapq.heappop(heap)
            elif has_room(ask):
                found = ask
            else:
                passed_over.append(heapq.heappop(heap))
        for entry in passed_over:
            heapq.heappush(heap, entry)
        return found

    def _leaves_enough(self, now: float, priority: Priority) -> bool:
        """Tell whether all polls that wait come in time although a request is made for a side channel now."""
        instants = sorted(
            max(ask.not_before, now)
            for ask in self._entries
            if ask.priority < Priority.EXPLAIN and ask.call is not None
        )
        first = 2 + (EXPLAINING if priority is Priority.SIDE else 0)
        return all(self.pace.room(now, instant) >= count for count, instant in enumerate(instants, start=first))
