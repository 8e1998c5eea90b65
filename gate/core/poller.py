"""One pinned build from the first poll to its end: polls at the right time, and no more of them than needed."""

from collections.abc import Callable, Sequence
from functools import partial

from gate.core import verdict as judging
from gate.core.follower import Follower
from gate.core.forecast import Forecast
from gate.core.outcome_builder import OutcomeBuilder
from gate.core.ports import Ask, Context, Steps
from gate.core.retrier import Retrier
from gate.core.schedule import FIRST_PAUSES, pause
from gate.core.selection import PinnedBuild
from gate.durations import spell
from gate.errors import InvalidAnswer, NotFound, Refused, RouteMissing, ServiceError, TransientError, WrongBuild
from gate.model import ListedBuild, Record, RecordState, State, Verdict

CONFIRMING_POLLS = 2
"""How often a surprising answer is asked for again before it counts: an ended build with an unknown word, one without
unit-test totals, a record that contradicts what was asked for. The service may still be writing."""

POLL_AGAIN = 0.2
"""Seconds between two tries of the look at the deadline."""

LIST_TRUST_SECONDS = 120.0
"""Seconds for which a list is believed that nothing has changed: lists were seen to lag behind their builds."""


class Poller:
    """Polls one target's build until it has ended."""

    def __init__(
        self,
        builder: OutcomeBuilder,
        context: Context,
        retrier: Retrier,
        *,
        check: Callable[[Record], str],
        shares: bool,
        seen: Callable[[Record], None],
        follower: Follower | None = None,
    ) -> None:
        """`check` says how a record contradicts what was asked for; empty if it does not. `seen` takes the first one.

        `shares`: whether other targets are builds of the same job, so that one list tells about all of them.
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
        self._shares = shares
        self._follower = follower
        self._forecast = Forecast()
        self._warned = False
        self._contradictions = 0
        self._read_at = 0.0

    def next_poll(self, polls: int) -> float:
        """Return the instant of the poll that follows poll number `polls`."""
        chance, age, plan = self._chance(), self._age(), self._forecast.poll_plan
        if age is not None and plan and polls > len(FIRST_PAUSES):
            return self._now() + plan.pause(age, chance)
        return self._now() + pause(polls, self._rules.poll_interval, chance)

    def run(self, pinned: PinnedBuild) -> Steps[RecordState]:
        """Poll again and again until the build has ended; an unknown word has to persist."""
        self._forecast = pinned.forecast
        at = self._now()
        give_up = at + min(pinned.appearing_seconds, self._rules.appear_timeout)
        polls, unknown = 0, 0
        record = pinned.record if pinned.record and not self._check(pinned.record) else None
        self._builder.polls += record is not None
        while True:
            polls += 1
            try:
                record = record or (yield from self._poll(pinned.build_number, at))
            except NotFound as error:
                if at >= give_up:
                    raise
                self._retrier.note_retryable(error)
                at = min(self.next_poll(polls), max(give_up, self._now()))
                continue
            state = self._take(record)
            unknown = unknown + 1 if state.ended and state.state is State.UNKNOWN else 0
            if state.ended and (state.state is not State.UNKNOWN or unknown > CONFIRMING_POLLS):
                return state
            at = self.next_poll(unknown or polls)
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

    def _poll(self, number: int, at: float) -> Steps[Record]:
        """Return the build's record. It is not read anew while a list that targets share says that nothing changed."""
        known = self._builder.record
        listed = known and self._shares and at - self._read_at < LIST_TRUST_SECONDS
        if known and listed and not (yield from self._has_news(number, at)):
            self._builder.polls += 1
            return known
        record: Record = yield from self._retrier(partial(self._read, number), at)
        self._read_at = self._now()
        if known and listed and judging.interpret(record) == self._builder.state:
            self._shares = False  # the list promised more than it kept, and would double the calls
        return record

    def _has_news(self, number: int, at: float) -> Steps[bool]:
        """Tell by the job's list whether the build is in another state than it was, ended, or not listed.

        A list that cannot be read tells nothing, and is no trouble of the build's.
        """
        call = partial(self._service.builds, self._job)
        try:
            builds: Sequence[ListedBuild] = yield Ask(call, at, coalesce=("builds", self._job, None))
        except TransientError:
            return True
        except ServiceError:
            self._shares = False
            return True
        for build in builds:
            if build.number == number:
                row = Record(job_id=self._job, build_number=number, word=build.word, run_word=build.run_word)
                state, known = judging.interpret(row), self._builder.state
                return state.ended or known is None or state.state != known.state
        return True

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
