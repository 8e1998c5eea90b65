"""One target from the first question to its outcome."""

import copy
import math
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from gate.core import verdict as judging
from gate.core.asks import Ask, Ending, Priority, Result, pause_until, together
from gate.core.explain import Explanation
from gate.core.forecast import Forecast, forecast
from gate.core.identity import Wanted, contradiction
from gate.core.lists import Lists
from gate.core.logs import Follower
from gate.core.outcome import attempt_of
from gate.core.poll import Poller
from gate.core.ports import Context
from gate.core.retry import Retrier
from gate.core.schedule import pause
from gate.core.sentences import describe, stop_sentence
from gate.core.stopping import stop
from gate.core.target_state import EndedBy, StopResult, TargetState
from gate.core.unit_tests import UnitTestReadings, read_until_agreed
from gate.durations import spell
from gate.errors import (
    Forbidden,
    NoBuildAppeared,
    NotFound,
    OrderNotSent,
    Refused,
    RouteMissing,
    ServiceError,
    TransientError,
    WrongBuild,
)
from gate.model import Order, Record, RecordState, State, Target, Verdict
from gate.vocabulary import NEVER_RAN

if TYPE_CHECKING:
    from gate.core.launch import Launcher
    from gate.core.select import PinnedBuild, Selection

STOPPING_IN_TIME = 20.0
"""Seconds for stopping a build when the gate gives up on it before the deadline."""

STAGES_PAUSE = 15.0
"""Seconds between two readings of the stages of a build that runs, at least."""

STAGES_EXPIRY = 10.0
"""Seconds after which such a reading is of no use."""

APART_AT_THE_DEADLINE = 0.4
"""Seconds between the two readings of a build's unit tests that have to agree, in the last look."""


class Watch:
    """Waits for one target's build and decides its verdict. It is the only writer of what is known of the target."""

    def __init__(self, target: Target, context: Context, lists: Lists) -> None:
        """Start with nothing known but the target; `lists` are shared by all watches."""
        order = context.order
        self.known = TargetState(target=target, build_number=target.build_number, is_run=order is not None)
        self.known.keeps_running = context.rules.keep_running
        self.known.connection_options = context.rules.connection_options
        self.ending: Ending | None = None
        """Why the gate has begun to end, where that came while an order was under way."""
        self._job = target.job_id
        self._context = context
        self._rules = context.rules
        self._service = context.service
        self._now = context.now
        self._lists = lists
        self._say: Callable[[str], None] = lambda text: context.say(target, text)
        self._retrier = Retrier(context, self._say)
        self._launcher = self._new_launcher(order) if order else None
        self._wanted = Wanted(
            commit=context.rules.commit,
            branch=context.rules.branch,
            since=context.rules.since,
            is_chosen=target.build_number is None,
        )
        self._follower = Follower(target, context) if context.rules.follow else None
        self.explanation = Explanation(self.known, context, self._say, self._follower)
        """Reads what is shown beside the verdict."""
        self._reused: PinnedBuild | None = None
        self._test_readings = UnitTestReadings()
        self._poller = self._new_poller()

    def _new_launcher(self, order: Order) -> "Launcher":
        """Return what starts the target's build; it is loaded here, before anything is ordered."""
        from gate.core.launch import Launcher

        return Launcher(order, self._context, self._retrier, self.known)

    @cached_property
    def _selection(self) -> "Selection":
        """What finds the target's build; it is loaded where there is one to find, so not for most numbered targets."""
        from gate.core.select import Selection

        return Selection(self.known.target, self._context, self._retrier)

    @property
    def is_pinned(self) -> bool:
        """Whether the number of the build that is judged is known."""
        return self.known.build_number is not None

    # What the loop carries out.

    async def order(self) -> None:
        """Start the target's build, or find the one that is used again (`--reuse`)."""
        await self._with_verdict(self._order())

    async def run(self) -> None:
        """Wait until there is a verdict."""
        await self._with_verdict(self._follow_status() if self._rules.verdict_from == "status" else self._follow())
        if self.known.verdict in (Verdict.FAILED, Verdict.ABORTED) and self.known.ended_by is EndedBy.RESULT:
            with suppress(Ending):  # the verdict stands, and is shown without an explanation
                await self.explanation.read_for_the_line()

    async def watch_stages(self, wanted: Callable[[Target], bool]) -> None:
        """Read the stages of the build while it runs and `wanted` says that they are shown; and what is usual once.

        They are read ever more rarely when they do not say where the build is, and not again when they are refused.
        """
        has_forecast = False
        due, wait = -math.inf, STAGES_PAUSE
        while True:
            record, now = self.known.record, self._now()
            is_shown = self._running_build() is not None and record is not None and wanted(self.known.target)
            if not is_shown or record is None or record.record_id is None:
                await pause_until(now + 1.0)
                continue
            at = self._poller.stages_due(record.build_number, due) if self.known.live_stages else max(due, now)
            if at > now:
                await pause_until(min(at, now + 1.0))
                continue
            if self.known.expected_seconds is None and not has_forecast:
                has_forecast = True
                page = await self._read_live(partial(self._service.build_page, self._job, 0))
                if page.error is None:
                    self.known.expected_seconds = forecast(page.value.rows, self._rules.poll_interval).seconds
            read = await self._read_live(partial(self._service.stages, record.record_id))
            if read.error is not None and not isinstance(read.error, TransientError):
                return
            tells = False
            if read.error is None and record.build_number == self.known.build_number:
                self.known.live_stages, self.known.live_stages_at = read.value, self._service.now()
                tells = self._poller.take_stages(record.build_number, read.value)
            wait = STAGES_PAUSE if tells else 2 * wait
            due = self._now() + wait

    async def _read_live(self, call: Callable[[], Any]) -> Result:
        """Return what a call for the screen came to; it takes only what the rate leaves."""
        (result,) = await together([Ask(call, self._now(), Priority.SIDE, self._now() + STAGES_EXPIRY)])
        return result

    @property
    def follows(self) -> bool:
        """Whether the log of the build is shown while it grows."""
        return self._follower is not None

    async def follow(self) -> None:
        """Show the log of the build while it runs (`--follow`)."""
        assert self._follower is not None
        await self._follower.follow(self._running_build)

    def _running_build(self) -> int | None:
        """Return the number of the build, if it is known to run."""
        state = self.known.state
        return self.known.build_number if state is not None and state.state is State.RUNNING else None

    # The way to a verdict.

    async def _with_verdict(self, steps: Coroutine[Any, Any, None]) -> None:
        """Carry out steps, and decide what their errors mean."""
        try:
            await steps
            if self.ending is not None and self.known.verdict is None:
                raise self.ending
        except Ending as ending:
            await self._wind_up(ending)
        except NoBuildAppeared as error:
            if self._rules.if_none == "pass":
                why = f"{error}; nothing had to be built (--if-none pass)"
                self.known.decide(Verdict.SKIPPED, EndedBy.RESULT, why)
            else:
                self.known.decide(Verdict.UNDETERMINED, EndedBy.ERROR, str(error), error.hint)
        except ServiceError as error:
            await self._give_up(error)

    async def _order(self) -> None:
        assert self._launcher is not None
        if self._rules.reuse:
            self._reused = await self._selection.reusable()
            if self._reused is not None:
                number = self._reused.build_number
                self._say(f"build {number} of the commit is used, and no other is started (--reuse)")
                self._launcher = None
                self._pin(number)
                self._poller = self._new_poller()
                record = self._reused.record
                if self._rules.no_wait and (record is None or not judging.interpret(record).ended):
                    why = f"build {number} of the commit is used and is not waited for (--reuse, --no-wait)"
                    self.known.decide(Verdict.STARTED, EndedBy.RESULT, why)
                return
        await self._launch()
        if self._rules.no_wait:
            why = f"build {self.known.build_number} was started and is not waited for (--no-wait)"
            self.known.decide(Verdict.STARTED, EndedBy.RESULT, why)

    async def _launch(self) -> None:
        """Start a build, which is then the one that is judged."""
        assert self._launcher is not None
        self._pin(await self._launcher.run())

    async def _follow(self) -> None:
        """Pin a build, poll its record until it has ended, and judge it."""
        pinned = self._reused
        if pinned is None and self._launcher is None and not self.is_pinned:
            pinned = await self._selection.run()
            self._pin(pinned.build_number)
        elif self._launcher is None and pinned is None:
            assert self.known.build_number is not None
            self._pin(self.known.build_number)
        while True:
            state = await self._poll(pinned)
            pinned = None
            if not state.ended:
                await self._wind_up(self._queue_timeout())
                return
            if not self._may_order_again(state):
                await self._judge(state)
                return
            self._say(f"{describe(self.known)}; it never ran, so it is ordered again (--retries)")
            former = copy.copy(self.known)
            self.known.begin_next_attempt(attempt_of(self.known))
            self._poller = self._new_poller()
            try:
                await self._launch()
            except (ServiceError, Ending) as error:
                ending = error if isinstance(error, Ending) else self.ending
                is_interrupted = ending is not None and ending.ended_by is EndedBy.SIGNAL
                if self.known.has_unanswered_order or is_interrupted:
                    raise
                self.known.go_back_to(former)  # its end is the result
                why, hint = f"{describe(self.known)}; it was not ordered again: {error}", getattr(error, "hint", "")
                self.known.decide(judging.judge(state) or Verdict.UNDETERMINED, EndedBy.RESULT, why, hint)
                return
            if self.ending is not None:  # the gate began to end while the order was under way
                raise self.ending

    async def _poll(self, pinned: "PinnedBuild | None") -> RecordState:
        """Poll the build until it has ended; `pinned` is what the selection knows of it."""
        number = self.known.build_number
        assert number is not None
        if pinned is None and self.known.is_own:  # its record may take a while to appear
            return await self._poller.run(number, None, Forecast(), self._rules.appear_timeout)
        if pinned is None:
            try:  # lists may tell about it before its turn has come, and most builds are there
                return await self._poller.run(number, None, Forecast(), 0.0)
            except (NotFound, Forbidden, Refused, RouteMissing):
                if self.known.record is not None:
                    raise
                pinned = await self._selection.run()
        self.known.expected_seconds = pinned.forecast.seconds
        self.known.has_children = pinned.has_children
        return await self._poller.run(number, pinned.record, pinned.forecast, self._rules.appear_timeout)

    def _new_poller(self) -> Poller:
        """Return what polls one build from its first poll to its end."""
        return Poller(self.known, self._context, self._retrier, self._lists, check=self._check, seen=self._note_first)

    def _check(self, record: Record) -> str:
        """Say how a record contradicts what was asked for; empty if it does not."""
        wanted = self._launcher.wanted if self._launcher else self._wanted
        problem = contradiction(record, wanted)
        self.known.is_disputed = bool(problem)
        return problem

    def _pin(self, number: int) -> None:
        """Take a build for the one that is judged, and tell people and later steps its number and its link."""
        self.known.build_number = number
        self.known.build_url = self._context.link(self._job, number, None)
        if self.known.build_url:
            self._say(f"build {number}: {self.known.build_url}")
        self._context.pinned(self.known.target, number, self.known.build_url, self.known.is_own)

    def _note_first(self, record: Record) -> None:
        """Follow the log of a build that has not ended; tell its link, if it needs the project, which records name."""
        if self._follower is not None and not self.known.has_ended():
            self._follower.begin(record.build_number)
        url = self._context.link(self._job, record.build_number, record.project_id)
        if url and self.known.build_url is None:
            self.known.build_url = url
            self._say(f"build {record.build_number}: {url}")
            self._context.pinned(self.known.target, record.build_number, url, self.known.is_own)

    def _may_order_again(self, state: RecordState) -> bool:
        """Tell whether a build that ended in this state never ran, and is to be ordered once more (`--retries`)."""
        tries_left = self._launcher is not None and len(self.known.attempts) < self._rules.retries
        return tries_left and state.ended and state.word == NEVER_RAN

    async def _judge(self, state: RecordState, until: float | None = None) -> None:
        """Judge a build that has ended; with `until`, within the last seconds."""
        verdict = judging.judge(state) or Verdict.UNDETERMINED
        if verdict is Verdict.PASSED and self._rules.require_tests:
            await self._judge_tests(until)
        self.known.decide(verdict, EndedBy.RESULT, describe(self.known))

    async def _judge_tests(self, until: float | None) -> None:
        """Decide against the build unless its unit tests exist and passed (`--require-tests`)."""
        number = self.known.build_number
        assert number is not None
        call = partial(self._service.unit_tests, self._job, number)
        readings = self._test_readings
        if until is None:
            await read_until_agreed(readings, call, self._context, self._retrier)
        else:
            for at in (self._now(), self._now() + APART_AT_THE_DEADLINE):
                (result,) = await together([Ask(call, at, expires=until)])
                if result.error is None:
                    readings.note(result.value)
            if not readings.are_alike:
                why = f"build {number} ended with SUCCESS, but its unit tests could not be read twice alike in time"
                trouble = f": {result.error}" if result.error is not None else ""
                advice = getattr(result.error, "hint", "") or "Run the gate again to judge them."
                self.known.decide(Verdict.TIMED_OUT, EndedBy.TIMEOUT, f"{why}{trouble} (--require-tests)", advice)
                return
        tests = readings.last
        self.known.tests = tests
        verdict, problem = judging.judge_tests(tests)
        if not readings.are_alike:
            verdict, problem = Verdict.UNDETERMINED, "no two readings of its unit tests agree"
        if verdict is not Verdict.PASSED:
            advice = "Let the build publish its unit tests, or drop the option." if tests is None else ""
            why = f"build {number} ended with SUCCESS, but {problem} (--require-tests)"
            self.known.decide(verdict, EndedBy.RESULT, why, advice)

    async def _follow_status(self) -> None:
        """Take the boolean of `/v3/jobs/{job_id}/status` for the verdict (`--verdict status`)."""
        looks, at = 0, self._now()
        while self.known.verdict is None:
            result = await self._retrier(partial(self._service.is_running, self._job), at)
            looks += 1
            self.known.polls += 1
            word = "null" if result is None else str(result).lower()
            self._say(f"/status says {word}; --verdict status takes it for the result, newer pages say 'is running'")
            self._judge_status(result)
            at = self._now() + pause(looks, self._rules.poll_interval, self._context.chance())

    def _judge_status(self, result: bool | None) -> None:
        """Decide by the boolean, unless there is none yet."""
        if result is None:
            return
        verdict, state = (Verdict.PASSED, State.SUCCEEDED) if result else (Verdict.FAILED, State.FAILED)
        word = str(result).lower()
        self.known.state = RecordState(state=state, word=word, ended=True)
        self.known.build_number = None  # /status is about no build
        why = f"/status of the job says {word} (--verdict status)"
        self.known.decide(verdict, EndedBy.RESULT, why, "" if result else "Look at the job in the CodeArts console.")

    # The end without a result.

    def _queue_timeout(self) -> Ending:
        """Return why the gate ends: the build was queued for too long."""
        limit = self._rules.queue_timeout
        assert limit is not None
        why = f"the build did not run within {spell(limit)} (--queue-timeout)"
        return Ending(Verdict.TIMED_OUT, EndedBy.QUEUE_TIMEOUT, why, 0.0, self._now() + STOPPING_IN_TIME)

    async def _wind_up(self, ending: Ending) -> None:
        """Use the last seconds: look once more, and stop a build that is to be stopped.

        A build that has ended by now is judged, whatever was noted when the gate began to end.
        """
        known, present = self.known, ending
        while True:
            try:
                await self._look_and_stop(present)
                break
            except Ending as later:  # the deadline or a signal, while a build was being looked at or stopped
                present = later
        if known.verdict is None:
            is_of_status = self._rules.verdict_from == "status"
            known.where = "/status has said neither true nor false" if is_of_status else describe(known)
            known.trouble = self._retrier.trouble
            known.decide(ending.verdict, ending.ended_by, ending.why, self._retrier.advice if known.trouble else "")

    async def _look_and_stop(self, ending: Ending) -> None:
        await self._last_look(ending.look_until)
        if self.known.verdict is None and self._may_stop():
            had_ended = await stop(self.known, self._context, ending.stop_until)
            if had_ended or self.known.stop is StopResult.NOT_KNOWN:
                await self._last_look(ending.judge_until)
            if sentence := stop_sentence(self.known):
                self._say(sentence)

    async def _last_look(self, until: float) -> None:
        """Poll at once, until an instant at most, and judge a build that has ended."""
        if self._now() >= until or self.known.verdict is not None:
            return
        if self._rules.verdict_from == "status":
            call = partial(self._service.is_running, self._job)
            (result,) = await together([Ask(call, self._now(), expires=until)])
            if result.error is None:
                self._judge_status(result.value)
            return
        if self.known.build_number is None:
            return
        state = await self._poller.last_look(self.known.build_number, until)
        if state is not None and state.ended and not self._was_stopped_here(state):
            await self._judge(state, until)

    def _may_stop(self) -> bool:
        """Tell whether the build is to be stopped when the gate ends before it has: only what is this run's to stop."""
        known = self.known
        is_ours = (known.is_own and not self._rules.keep_running) or self._rules.stop
        return known.build_number is not None and is_ours and not known.is_disputed and not known.has_ended()

    def _was_stopped_here(self, state: RecordState) -> bool:
        """Tell whether a build may have ended by this gate's own request, whose answer got lost: that is no result."""
        is_requested = self.known.stop in (StopResult.REQUESTED, StopResult.NOT_KNOWN)
        return is_requested and state.state is State.ABORTED

    async def _give_up(self, error: ServiceError) -> None:
        """Decide that the outcome is not known, after a build of this run was stopped; one that had ended is judged."""
        known, ending = self.known, self.ending
        verdict, ended_by, why = Verdict.UNDETERMINED, EndedBy.ERROR, str(error)
        if ending is not None:
            verdict, ended_by = ending.verdict, ending.ended_by
            why = f"{ending.why}: {error}" if isinstance(error, OrderNotSent) else why
        if not isinstance(error, WrongBuild) and self._may_stop():
            until = self._now() + STOPPING_IN_TIME
            with suppress(Ending):  # what was not known before the end of the time is not known at it either
                if await stop(known, self._context, until):
                    await self._last_look(until)
        known.decide(verdict, ended_by, why, error.hint)
