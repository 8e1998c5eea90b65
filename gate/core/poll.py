"""One pinned build from its first poll to its end: polls at the right time, and no more of them than needed."""

import math
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from gate.core import verdict as judging
from gate.core.asks import Ask, Priority
from gate.core.forecast import Forecast
from gate.core.lists import Lists
from gate.core.ports import Context
from gate.core.retry import HAS_TO_COME_TWICE, Retrier
from gate.core.schedule import pause, steady_pause
from gate.core.sentences import describe, introduce
from gate.core.target_state import TargetState
from gate.durations import spell
from gate.errors import (
    InvalidAnswer,
    NotFound,
    Refused,
    RouteMissing,
    ServiceError,
    TransientError,
    WrongBuild,
)
from gate.model import Record, RecordState, Stage, State, Verdict
from gate.vocabulary import ENDED_STATES, IN_PROGRESS, state_of_part

CONFIRMING_POLLS = 2
"""How often a surprising answer is asked for again before it counts: an ended build with an unknown word, a record that
contradicts what was asked for. The service may still be writing."""

POLL_AGAIN = 0.2
"""Seconds between two tries of the look at the deadline."""

STAGES_LEAD = 1.0
"""Seconds before a poll at which stages are read to take its place: without an answer by then, the poll is made."""

STAGES_WAIT = 60.0
"""Seconds for which stages wait for such a poll at most: where lists put polls off, none is near."""


class Poller:
    """Polls one target's build until it has ended."""

    def __init__(
        self,
        known: TargetState,
        context: Context,
        retrier: Retrier,
        lists: Lists,
        *,
        check: Callable[[Record], str],
        seen: Callable[[Record], None],
    ) -> None:
        """`check` says how a record contradicts what was asked for; empty if it does not. `seen` takes the first one.

        `lists` may bring polls forward or put them off.
        """
        self._known = known
        self._job = known.target.job_id
        self._rules = context.rules
        self._service = context.service
        self._now = context.now
        self._chance = context.chance
        self._say_state = partial(context.say_state or context.say, known.target)
        self._retrier = retrier
        self._lists = lists
        self._check = check
        self._seen = seen
        self._forecast = Forecast()
        self._warned = False
        self._contradictions = 0
        self._is_put_off = False
        """Whether stages have taken the place of a poll since the last record."""

    async def run(self, number: int, record: Record | None, forecast: Forecast, appearing: float) -> RecordState:
        """Poll again and again until the build has ended, or was queued for longer than `--queue-timeout`.

        An unknown word has to persist. `record`: the build's record, if it has been read just now. `appearing`: for how
        many seconds the build may be unknown to the service.
        """
        self._forecast = forecast
        self._lists.begin(self._job, number)
        try:
            return await self._poll_until_ended(number, record, appearing)
        finally:
            self._lists.end(self._job, number)

    async def _poll_until_ended(self, number: int, record: Record | None, appearing: float) -> RecordState:
        at = self._now()
        give_up = at + appearing
        looks, unknown = 0, 0
        if record is not None and self._check(record):  # it is read again, as the service may still be writing
            record = None
        while True:
            looks += 1
            try:
                found = record or await self._read(number, at)
            except NotFound as error:
                if at >= give_up:
                    raise
                self._retrier.note_retryable(error)
                at = min(self._now() + pause(looks, self._rules.poll_interval, self._chance()), max(give_up, at))
                continue
            record = None
            state = self._note(found)
            unknown = unknown + 1 if state.ended and state.state is State.UNKNOWN else 0
            if state.ended and (state.state is not State.UNKNOWN or unknown > CONFIRMING_POLLS):
                return state
            if self._is_queued_too_long():
                return state
            if unknown:
                at = self._now() + pause(unknown, self._rules.poll_interval, self._chance())
            else:
                at = self._before_queue_timeout(self._next_poll())

    async def last_look(self, number: int, until: float) -> RecordState | None:
        """Poll until there is an answer, or until an instant; `None` when there is none that can be used."""
        at = self._now()
        self._lists.begin(self._job, number)
        try:
            while at < until:
                ask = Ask(partial(self._service.record, self._job, number), at, expires=until)
                try:
                    record = await self._lists.poll(self._job, number, ask)
                except TransientError as error:
                    at = self._now() + max(error.retry_after or 0.0, POLL_AGAIN)
                except HAS_TO_COME_TWICE:
                    if self._known.record is None:
                        break
                    at = self._now() + POLL_AGAIN
                except ServiceError:
                    break
                else:
                    return None if self._check(record) else self._note(record)
        finally:
            self._lists.end(self._job, number)
        return None

    async def _read(self, number: int, at: float) -> Record:
        """Return the build's record; transient errors are retried within the error budget.

        A record that was there before and is not found now may come back. One that contradicts what was asked for is
        asked for again, and raises `WrongBuild` if that persists.
        """
        priority = Priority.POLL
        while True:
            ask = Ask(partial(self._service.record, self._job, number), at, priority)
            try:
                record = await self._lists.poll(self._job, number, ask)
                self._verify(record)
            except ServiceError as error:
                failure = error
                if self._known.record is None and isinstance(error, NotFound):
                    raise
                if self._has_vanished(error):
                    what = f"the record of build {number} has vanished"
                    failure = InvalidAnswer(f"{what}: {error}", status=error.status, hint=error.hint)
            else:
                self._retrier.note_answer()
                return record
            at, priority = self._retrier.note_error(failure), self._retrier.priority

    def _has_vanished(self, error: ServiceError) -> bool:
        """Tell whether an error says that there is no record, where one was before, so that it may come back."""
        is_absence = isinstance(error, (NotFound, RouteMissing)) or (isinstance(error, Refused) and error.status == 404)
        return self._known.record is not None and is_absence

    def _verify(self, record: Record) -> None:
        """Raise `InvalidAnswer` for a record that contradicts what was asked for, and `WrongBuild` if that persists."""
        if not (problem := self._check(record)):
            self._contradictions = 0
            return
        self._contradictions += 1
        kind = WrongBuild if self._contradictions > CONFIRMING_POLLS else InvalidAnswer
        is_numbered = self._known.target.build_number is not None
        hint = "Check the number, and which commit, branch or time is asked for." if is_numbered else WrongBuild.hint
        raise kind(f"build {record.build_number}: {problem}", hint=hint)

    def _note(self, record: Record) -> RecordState:
        """Keep a record of the build, and say what is new."""
        before = self._known.state
        self._is_put_off = False
        moment = self._service.now()
        state = self._known.note_record(record, moment)
        self._known.polls += 1
        self._lists.note(record, state)
        if before is None:
            self._say_state(introduce(self._known, moment))
            self._seen(record)
        if state != before and judging.judge(state) in (None, Verdict.UNDETERMINED):  # else the verdict says it all
            self._say_state(describe(self._known))
        self._warn_about_slowness()
        return state

    def _next_poll(self, ahead: float = 0.0) -> float:
        """Return when to poll a build again that has not ended `ahead` seconds from now."""
        chance, age, plan = self._chance(), self._age(), self._forecast.poll_plan
        if age is not None and plan:
            return self._now() + ahead + plan.pause(age + ahead, chance)
        return self._now() + ahead + steady_pause(self._rules.poll_interval, chance)

    def stages_due(self, number: int, earliest: float) -> float:
        """Return when to read the stages of the build that runs, no sooner than at the instant `earliest`.

        That is just before a poll whose place they can take, or at once if no poll is near.
        """
        next_poll = self._lists.next_poll(self._job, number)
        if STAGES_WAIT < next_poll - earliest < math.inf:
            return earliest
        if self._is_put_off or next_poll - STAGES_LEAD < earliest:
            return math.inf
        return next_poll - STAGES_LEAD

    def take_stages(self, number: int, stages: Sequence[Stage]) -> bool:
        """Move the next poll by the stages of the build, and return whether they say where it is.

        If one runs and none has failed, they take the place of the poll; of one poll at most, as the record is read
        next, whatever they say then. If all have ended, or one has failed, the poll is made now.
        """
        next_poll = self._lists.next_poll(self._job, number)
        states = [state_of_part(stage) for stage in stages]
        if any(map(judging.has_ended_badly, stages)) or (states and all(state in ENDED_STATES for state in states)):
            self._lists.move_poll(self._job, number, self._now())
            return True
        runs = any(state in IN_PROGRESS for state in states)
        if runs and not self._is_put_off and next_poll < math.inf:
            self._is_put_off = True
            self._lists.move_poll(self._job, number, self._next_poll(max(next_poll - self._now(), 0.0)))
        return runs

    def _is_queued_too_long(self) -> bool:
        """Tell whether the build is queued, and has been for as long as `--queue-timeout` allows."""
        left = self._left_in_queue()
        return left is not None and left <= 0

    def _left_in_queue(self) -> float | None:
        """Return for how many seconds more the build may be queued; `None` if it is not, or without a limit."""
        limit, since = self._rules.queue_timeout, self._known.queued_since
        if limit is None or since is None:
            return None
        return (since + timedelta(seconds=limit) - self._service.now()).total_seconds()

    def _before_queue_timeout(self, at: float) -> float:
        """Return the instant of the next poll: no later than that at which the time in the queue is over."""
        left = self._left_in_queue()
        return at if left is None else min(at, self._now() + max(left, 0.0))

    def _warn_about_slowness(self) -> None:
        """Say once that the build takes longer than builds of its job do."""
        age, slow = self._age(), self._forecast.slow_seconds
        if age is not None and slow is not None and age > slow and not self._warned:
            self._warned = True
            self._retrier.say(
                f"build {self._known.build_number} is slower than 95 % of the past builds that passed: it has been "
                f"under way for {spell(age)}, they took at most {spell(slow)}"
            )

    def _age(self) -> float | None:
        """Return for how many seconds the build has been running, by the service's clock; `None` if not known."""
        record, state = self._known.record, self._known.state
        if record is None or record.started_at is None or state is None or state.state is not State.RUNNING:
            return None
        return max((self._service.now() - record.started_at).total_seconds(), 0.0)
