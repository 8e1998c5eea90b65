"""Waiting for calls to the service: coroutines await an `Ask`, or several of them `together`.

The loop in `gate.core.wait` drives the coroutines. It decides when each call is carried out, by its priority and by who
has been due longest, so no coroutine ever blocks. Nothing else is awaited.
"""

import math
from collections.abc import Callable, Generator, Sequence
from enum import IntEnum
from typing import Any, Generic, TypeVar

from gate.core.target_state import EndedBy
from gate.errors import ServiceError
from gate.model import Verdict
from gate.value_types import NamedTuple, dataclass

T = TypeVar("T")


class Priority(IntEnum):
    """Who goes first where several calls are due; within one priority, who has been due longest."""

    STOP = 0
    """Stopping a build: carried out at once, whatever the request rate, in a thread of its own."""
    URGENT = 1
    """Starting a build, and what has to be known before and after that; in a thread of its own."""
    NEXT = 2
    """A call that is known to be of use now: it has just failed once, or a list says that its build has ended."""
    LIST = 3
    """A list that tells about many builds."""
    POLL = 4
    """Selecting a build, and polling one."""
    EXPLAIN = 5
    """Why a build did not pass, for the line of its verdict: it takes what the rate leaves, and at most a few threads.
    """
    SIDE = 6
    """Any other side channel: the same, and it also leaves what may be needed to explain a verdict."""


@dataclass(slots=True, eq=False)
class Ask(Generic[T]):
    """A call to the service, and when it makes sense. Instants are in seconds on the clock of `Workers`.

    `call` runs in a worker thread and must be a pure request: it changes no state of the gate. Awaiting the ask returns
    its answer, or raises the error that the call ended in; `TooSlow` where there was none by `expires`.
    """

    call: Callable[[], T] | None
    """The request; `None` only waits for the instant `not_before`, see `pause_until`."""
    not_before: float = 0.0
    priority: Priority = Priority.POLL
    expires: float = math.inf
    """The instant from which on the answer is of no use."""
    seconds: float = math.inf
    """Seconds from the start of the call after which the answer is of no use."""
    outlasts_the_wait: bool = False
    """Whether the call, once it is under way, is still waited for when the gate begins to end: an order."""

    def __await__(self) -> Generator[Any, Any, T]:
        """Hand the ask to the loop, and return the answer."""
        (result,) = yield (self,)
        if result.error is not None:
            raise result.error
        return result.value  # type: ignore[no-any-return]  # what `call` returned


class Result(NamedTuple):
    """What one of several asks came to: a value, or the error that the call ended in."""

    value: Any = None
    error: Exception | None = None


class together:  # noqa: N801 - reads as a verb: `await together([...])`
    """Carry out several asks at once; awaiting it returns their results, in the order of the asks."""

    def __init__(self, asks: Sequence[Ask[Any]]) -> None:
        """`asks`: at least one."""
        self._asks = tuple(asks)

    def __await__(self) -> Generator[Any, Any, Sequence[Result]]:
        """Hand the asks to the loop, and return what each came to; only a bug is raised."""
        results: Sequence[Result] = yield self._asks
        for result in results:
            if result.error is not None and not isinstance(result.error, ServiceError):
                raise result.error
        return results


async def pause_until(instant: float) -> None:
    """Wait until an instant; nothing is asked."""
    await Ask(None, instant)


class Ending(Exception):
    """Thrown into what a target waits for, when the gate begins to end before the target has a result."""

    def __init__(self, verdict: Verdict, ended_by: EndedBy, why: str, look_until: float, stop_until: float) -> None:
        """`look_until`, `stop_until`: the instants until which the build is looked at, and is tried to be stopped.

        Nothing is looked at where `look_until` has passed.
        """
        super().__init__(why)
        self.verdict = verdict
        self.ended_by = ended_by
        self.why = why
        self.look_until = look_until
        self.stop_until = stop_until

    @property
    def judge_until(self) -> float:
        """The instant until which a build is looked at that turned out to have ended when it was to be stopped."""
        return self.look_until if self.ended_by is EndedBy.SIGNAL else max(self.look_until, self.stop_until)
