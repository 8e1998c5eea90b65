"""Retrier until there is an answer: the error budget, the back-off, and what people are told meanwhile."""

from collections.abc import Callable, Hashable

from gate.core.ports import Ask, Context, Steps, T
from gate.core.schedule import backoff
from gate.durations import spell
from gate.errors import GaveUp, ServiceError, Throttled, TransientError


class Retrier:
    """Asks for one target. A transient error is a poll without an answer, and is given the error budget."""

    def __init__(self, context: Context, say: Callable[[str], None]) -> None:
        """`say` takes sentences for people."""
        self.now = context.now
        self.chance = context.chance
        self.trouble = "the service has not answered yet"
        self.advice = ""
        self._rules = context.rules
        self.say = say
        self._failures = 0
        self._failing_since = 0.0

    def __call__(self, call: Callable[[], T], at: float = 0.0, share: Hashable = None) -> Steps[T]:
        """Carry out `call` at the instant `at` or later, again and again until it gives an answer.

        Asks with one `share` get one answer. Raises `GaveUp` when transient errors fill the error budget; permanent
        errors pass through.
        """
        refused = False
        while True:
            try:
                answer: T = yield Ask(call, at, share=share, refused=refused)
            except TransientError as error:
                at, refused = self._retry_at(error), isinstance(error, Throttled)
            else:
                if self._failures:
                    self.say(f"the service answers again, after {spell(self.now() - self._failing_since)}")
                self._failures, self.trouble = 0, ""
                return answer

    def puzzle(self, error: ServiceError) -> None:
        """Take note of an answer that may still become another one; it is told when it is news."""
        trouble = f"the last answer was an error: {error}"
        if trouble != self.trouble:
            self.say(f"{error}; asking again")
        self.trouble, self.advice = trouble, error.hint

    def _retry_at(self, error: TransientError) -> float:
        """Count a failure; give the instant of the next try, or raise `GaveUp`."""
        now = self.now()
        if not self._failures:
            self._failing_since = now
        self._failures += 1
        self.trouble, self.advice = f"the last answer was an error: {error}", error.hint
        failing_for = now - self._failing_since
        if failing_for >= self._rules.error_budget:
            raise GaveUp(
                f"no usable answer for {spell(failing_for)} (--error-budget): {error}",
                status=error.status,
                code=error.code,
                hint=error.hint,
            ) from error
        pause = backoff(self._failures, self._rules.poll_interval, self.chance(), error.retry_after)
        self.say(f"{error}; asking again in {spell(pause)}")
        return now + pause
