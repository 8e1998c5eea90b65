"""One pinned build from the first poll to its end: polls at the right time, and no more of them than needed."""

from collections.abc import Callable
from functools import partial

from gate.core import verdict as judging
from gate.core.follower import Follower
from gate.core.forecast import Forecast
from gate.core.list_hints import ListHints
from gate.core.outcome_builder import OutcomeBuilder
from gate.core.ports import Ask, Context, Steps
from gate.core.retrier import Retrier
from gate.core.schedule import pause, steady_pause
from gate.core.selection import PinnedBuild
from gate.durations import spell
from gate.errors import InvalidAnswer, NotFound, Refused, RouteMissing, ServiceError, TransientError, WrongBuild
from gate.model import Record, RecordState, State, Verdict

CONFIRMING_POLLS = 2
"""How often a surprising answer is asked for again before it counts: an ended build with an unknown word, one without
unit-test totals, a record that contradicts what was asked for. The service may still be writing."""

POLL_AGAIN = 0.2
"""Seconds between two tries of the look at the deadline."""


class Poller:
    """Polls one target's build until it has ended."""

    def __init__(
        self,
        builder: OutcomeBuilder,
        context: Context,
        retrier: Retrier,
        *,
        check: Callable[[Record], str],
        hints: ListHints,
        seen: Callable[[Record], None],
        follower: Follower | None = None,
    ) -> None:
        """`check` says how a record contradicts what was asked for; empty if it does not. `seen` takes the first one.

        `hints` may bring polls forward or put them off.
        """
        self._builder = builder
        self._job = builder.target.job_id
        self._rules = context.rules
        self._service = context.service
        self._now = context.now
        self._chance = context.chance
        self._retrier = retrier
        self._check = check
        self._seen = seen
        self._hints = hints
        self._follower = follower
        self._forecast = Forecast()
        self._warned = False
        self._contradictions = 0

    def next_look(self, looks: int) -> float:
        """Return when to look again, after look number `looks`, for something that should be there soon."""
        return self._now() + pause(looks, self._rules.poll_interval, self._chance())

    def _next_poll(self) -> float:
        """Return when to poll a build again that has not ended."""
        chance, age, plan = self._chance(), self._age(), self._forecast.poll_plan
        if age is not None and plan:
            return self._now() + plan.pause(age, chance)
        return self._now() + steady_pause(self._rules.poll_interval, chance)

    def run(self, pinned: PinnedBuild) -> Steps[RecordState]:
        """Poll again and again until the build has ended; an unknown word has to persist."""
        self._forecast = pinned.forecast
        self._hints.begin(self._job, pinned.build_number)
        try:
            return (yield from self._poll_until_ended(pinned))
        finally:
            self._hints.end(self._job, pinned.build_number)

    def _poll_until_ended(self, pinned: PinnedBuild) -> Steps[RecordState]:
        number = pinned.build_number
        call = partial(self._read, number)
        poll_of: tuple[str, int] | None = (self._job, number)
        at = self._now()
        give_up = at + min(pinned.appearing_seconds, self._rules.appear_timeout)
        polls, unknown = 0, 0
        record = pinned.record if pinned.record and not self._check(pinned.record) else None
        self._builder.polls += record is not None
        while True:
            polls += 1
            try:
                record = record or (yield from self._retrier(call, at, poll_of=poll_of))
            except NotFound as error:
                poll_of = None  # until there is a record, no list puts a poll off
                if at >= give_up:
                    raise
                self._retrier.note_retryable(error)
                at = min(self.next_look(polls), max(give_up, self._now()))
                continue
            state = self._take(record)
            unknown = unknown + 1 if state.ended and state.state is State.UNKNOWN else 0
            if state.ended and (state.state is not State.UNKNOWN or unknown > CONFIRMING_POLLS):
                return state
            at = self.next_look(unknown) if unknown else self._next_poll()
            if self._follower:
                yield from self._follower.read(record, at)
            record = None

    def last_poll(self, number: int, seconds: float) -> Steps[RecordState | None]:
        """Poll until there is an answer, for some seconds at most; `None` when there is none that can be used."""
        call = partial(self._read, number)
        at = self._now()
        until = at + seconds
        while at < until:
            try:
                record: Record = yield Ask(call, at, expires=until, urgent=True)
            except TransientError as error:
                at = self._now() + max(error.retry_after or 0.0, POLL_AGAIN)
            except ServiceError:
                break
            else:
                return self._builder.take(record)
        return None

    def _read(self, number: int) -> Record:
        """Read the build's record; one that was there before, or its path, and is not found now may come back."""
        self._builder.polls += 1
        try:
            record = self._service.record(self._job, number)
        except (NotFound, RouteMissing, Refused) as error:
            if self._builder.record is None or (isinstance(error, Refused) and error.status != 404):
                raise
            raise InvalidAnswer(f"the record of build {number} has vanished: {error}", status=error.status) from error
        self._verify(record)
        return record

    def _verify(self, record: Record) -> None:
        """Raise `InvalidAnswer` for a record that contradicts what was asked for, and `WrongBuild` if that persists."""
        if not (told := self._check(record)):
            self._contradictions = 0
            return
        self._contradictions += 1
        kind = WrongBuild if self._contradictions > CONFIRMING_POLLS else InvalidAnswer
        raise kind(f"build {record.build_number}: {told}")

    def _take(self, record: Record) -> RecordState:
        """Keep the record; say what is new."""
        before = self._builder.state
        state = self._builder.take(record)
        self._hints.note(record, state)
        if before is None:
            self._retrier.say(self._builder.introduce(self._service.now()))
            self._seen(record)
        if state != before and judging.judge(state) in (None, Verdict.UNDETERMINED):  # else the verdict says it all
            self._retrier.say(self._builder.describe())
        self._warn()
        return state

    def _warn(self) -> None:
        """Say once that the build takes longer than builds of its job do."""
        age, slow = self._age(), self._forecast.slow_seconds
        if age is not None and slow is not None and age > slow and not self._warned:
            self._warned = True
            number = self._builder.build_number
            self._retrier.say(
                f"build {number} is slower than 95 % of the past builds that passed: it has been under way for "
                f"{spell(age)}, they took at most {spell(slow)}"
            )

    def _age(self) -> float | None:
        """Return for how many seconds the build has been running, by the service's clock; `None` if not known."""
        record, state = self._builder.record, self._builder.state
        if record is None or record.started_at is None or state is None or state.state is not State.RUNNING:
            return None
        return max((self._service.now() - record.started_at).total_seconds(), 0.0)
