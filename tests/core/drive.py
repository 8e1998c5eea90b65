"""A driver for one coroutine of the core, in virtual time: calls are carried out in turn, each takes a while."""

import math
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from gate.core.asks import Ask, Result
from gate.errors import TooSlow

T = TypeVar("T")

MOST_CALLS = 20_000
"""Calls in one run at most: a loop that gets nowhere fails instead of hanging the tests."""


class Driver:
    """Carries out the asks of a coroutine; its clock moves only for that."""

    def __init__(self, latency: Callable[[], float] = lambda: 0.0) -> None:
        """`latency` returns how many seconds the next call takes."""
        self.clock = 1000.0
        self.calls = 0
        self.has_answered = False
        """Whether any call has returned an answer."""
        self._latency = latency

    def now(self) -> float:
        """Return the instant."""
        return self.clock

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end and return what it returns."""
        results: Sequence[Result] | None = None
        while True:
            try:
                asks: Sequence[Ask[Any]] = coroutine.send(results)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]  # what the coroutine returns
            results = [self._carry_out(ask) for ask in asks]

    def _carry_out(self, ask: Ask[Any]) -> Result:
        if ask.call is None:
            self.clock = max(self.clock, ask.not_before)
            return Result()
        self.calls += 1
        assert self.calls < MOST_CALLS, "the service is asked without end"
        assert math.isfinite(ask.not_before), "the coroutine waits for ever"
        if ask.not_before >= ask.expires:
            self.clock = max(self.clock, ask.expires)
            return Result(error=TooSlow("no answer in time"))
        self.clock = max(self.clock, ask.not_before)
        if ask.call is None:
            return Result()
        self.clock += self._latency()
        try:
            answer = Result(value=ask.call())
        except Exception as error:
            return Result(error=error)
        self.has_answered = True
        return answer
