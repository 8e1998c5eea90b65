"""Asking until there is an answer: the error budget, the back-off, and what people are told meanwhile."""

from collections.abc import Callable
from typing import TypeVar

from gate.core.asks import Ask, Priority
from gate.core.ports import Context
from gate.core.schedule import backoff
from gate.durations import spell
from gate.errors import (
    GaveUp,
    NotFound,
    Refused,
    RouteMissing,
    ServiceError,
    TransientError,
    Untrusted,
)

T = TypeVar("T")

REQUESTS_PER_CALL = 3
"""Request timeouts that one call lasts at most: a request, a sign-in, and the request once more. What a call lasts
beyond that is time in which this machine slept."""


HAS_TO_COME_TWICE = (NotFound, RouteMissing, Refused, Untrusted)
"""Permanent errors that may be wrong where the service has answered before: a gateway that is being changed, a proxy.
What is about the credential is counted for the whole run (`gate.core.refusals`)."""


class Retrier:
    """Asks the service on behalf of one target. A transient error is a poll without an answer.

    So is the first permanent error, apart from those about the credential, once the service has answered about any
    target; the second one without an answer between them ends the wait.

    The error budget counts the time in which this target was asked and got no usable answer: how long its failed calls
    took, and the pauses after them. Waiting for a turn behind other targets, or a machine that slept, does not count.
    """

    def __init__(self, context: Context, say: Callable[[str], None]) -> None:
        """`say` shows people one sentence about the target."""
        self.trouble = "the service has not answered yet"
        """The last error, in words; empty after a usable answer."""
        self.advice = ""
        """What to do about the last error."""
        self.say = say
        self._now = context.now
        self._chance = context.chance
        self._rules = context.rules
        self._longest_call = REQUESTS_PER_CALL * context.request_timeout
        self._has_answered = context.has_answered
        self._is_doubted = False
        self._failures = 0
        self._failing_since = 0.0
        self._failing_seconds = 0.0

    async def __call__(self, call: Callable[[], T], not_before: float = 0.0, priority: Priority = Priority.POLL) -> T:
        """Carry out `call` at the instant `not_before` or later, until it returns an answer; return that.

        Raises what `note_error` raises.
        """
        turn = priority
        while True:
            try:
                answer = await Ask(call, not_before, turn)
            except ServiceError as error:
                not_before = self.note_error(error)
                turn = min(priority, self.priority)
            else:
                self.note_answer()
                return answer

    @property
    def priority(self) -> Priority:
        """Whose turn the next try has: the first one after a failure comes soon, as it may pass by itself.

        Further ones wait with the polls of all targets: those that keep failing must not hold up the others.
        """
        return Priority.NEXT if self._failures == 1 else Priority.POLL

    def note_answer(self) -> None:
        """Take note of a usable answer: the error budget is whole again."""
        if self._failures:
            self.say(f"the service answers again, after {spell(self._now() - self._failing_since)}")
        self._is_doubted = False
        self._failures, self._failing_seconds, self.trouble = 0, 0.0, ""

    def note_retryable(self, error: ServiceError) -> None:
        """Note an error answer that a later look may replace by another one; people are told when it is new."""
        trouble = f"the last answer was an error: {error}"
        if trouble != self.trouble:
            self.say(f"{error}; asking again")
        self.trouble, self.advice = trouble, error.hint

    def note_error(self, error: ServiceError) -> float:
        """Count an error that may pass; return the instant of the next try. Raises any other.

        Raises `GaveUp` when the error budget is used up.
        """
        if isinstance(error, TransientError):
            return self.note_failure(error)
        if not self._has_answered() or self._is_doubted or not isinstance(error, HAS_TO_COME_TWICE):
            raise error
        self._is_doubted = True
        return self.note_failure(error.as_transient())

    def note_failure(self, error: TransientError) -> float:
        """Count a failure; return the instant of the next try. Raises `GaveUp` when the error budget is used up."""
        now = self._now()
        if not self._failures:
            self._failing_since = now
        self._failures += 1
        self._failing_seconds += min(error.lasted, self._longest_call)
        self.trouble, self.advice = f"the last answer was an error: {error}", error.hint
        if self._failing_seconds >= self._rules.error_budget:
            source = self._rules.error_budget_source
            of_option = f" ({source})" if source else ""
            raise GaveUp(
                f"no usable answer for {spell(self._failing_seconds)}{of_option}: {error}",
                status=error.status,
                code=error.code,
                hint=error.hint,
            ) from error
        pause = backoff(self._failures, self._rules.poll_interval, self._chance(), error.retry_after)
        self._failing_seconds += pause
        self.say(f"{error}; asking again in {spell(pause)}")
        return now + pause
