"""One target from the first question to its outcome."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from gate.core import verdict as judging
from gate.core.follower import Follower
from gate.core.identity import Wanted, contradiction
from gate.core.launcher import Launcher
from gate.core.list_hints import ListHints
from gate.core.outcome_builder import OutcomeBuilder
from gate.core.poller import CONFIRMING_POLLS, Poller
from gate.core.ports import Ask, CallResult, Context, Steps
from gate.core.refusals import Refusals
from gate.core.retrier import Retrier
from gate.core.selection import Selection
from gate.errors import (
    CredentialRefused,
    NoBuildAppeared,
    NotFound,
    OrderNotSent,
    ServiceError,
    StartLost,
    TransientError,
    WrongBuild,
)
from gate.model import Progress, Record, RecordState, State, Target, TargetOutcome, UnitTests, Verdict

SIDE_CHANNEL = 5.0
"""Seconds in which stages, log and analysis are read for the report, all at the same time."""

LAST_SIDE_CHANNEL = 1.0
"""The same, after the deadline."""

LAST_POLL = 1.2
"""Seconds for the last poll, which comes with the deadline."""

STOPPING = 3.0
"""Seconds for stopping a build after the deadline or a signal, so that the gate has exited 5 s after that."""

STOPPING_IN_TIME = 20.0
"""The same, when the gate gives up on a build of its own before the deadline."""

ANALYSIS = "the analysis"
QUIET = (ANALYSIS, "the child builds", "the rest of the log")
"""Side channels that many hosts or builds do not have: their failure is not worth a line."""

NEVER_RAN = "SCHEDULE_FAILURE"
"""The word of a build that never got an executor, and so did nothing."""

CONSOLE = "Look at the build in the CodeArts console."


class Watch:
    """Waits for one target's build and decides its verdict."""

    def __init__(self, target: Target, context: Context, hints: ListHints, refusals: Refusals) -> None:
        """Start with nothing known but the target; `hints` and `refusals` are shared by all watches."""
        self._builder = OutcomeBuilder(target=target, build_number=target.build_number)
        self._job = target.job_id
        self._rules = context.rules
        self._service = context.service
        self._now = context.now
        self._say: Callable[[str], None] = lambda text: context.say(target, text)
        self._retrier = Retrier(context, self._say, refusals, target.job_id)
        self._selection = Selection(target, context, self._retrier)
        order = context.order
        self._launcher = Launcher(order, context, self._retrier, self._builder) if order else None
        self._context = context
        self._hints = hints
        self._follower = Follower(self._builder, context, self._say) if context.rules.follow else None
        self._poller = self._new_poller()
        self._has_children = False

    def _new_poller(self) -> Poller:
        """Return what polls one build from its first poll to its end."""
        check = self._launcher.check if self._launcher else self._check_commit
        return Poller(
            self._builder,
            self._context,
            self._retrier,
            check=check,
            hints=self._hints,
            seen=self._announce_link,
            follower=self._follower,
        )

    def _check_commit(self, record: Record) -> str:
        """Say that a record is of another commit than the one that was asked for; empty if it is not."""
        return contradiction(record, Wanted(commit=self._rules.commit))

    def outcome(self) -> TargetOutcome:
        """Return what became of the target."""
        return self._builder.outcome()

    def progress(self, now: datetime) -> Progress:
        """Return where the target is at `now` by the service's clock."""
        return self._builder.progress(now)

    def decide(self, verdict: Verdict, reason: str, hint: str = "") -> None:
        """Decide the verdict from outside, unless there is one."""
        self._builder.decide(verdict, reason, hint)

    def note_poll(self) -> None:
        """Note that the service is asked about this target."""
        self._builder.was_polled = True

    @property
    def must_finish_order(self) -> bool:
        """Whether an order may be with the service whose answer is still to come."""
        return self._launcher is not None and self._launcher.under_way

    def run(self) -> Steps[None]:
        """Wait until there is a verdict, then collect what the report shows beside it."""
        try:
            if self._rules.verdict_from == "status":
                yield from self._follow_status()
            else:
                yield from self._follow_record()
        except NoBuildAppeared as error:
            if self._rules.if_none == "pass":
                self._builder.decide(Verdict.SKIPPED, f"{error}; nothing had to be built (--if-none pass)")
            else:
                self._builder.decide(Verdict.UNDETERMINED, str(error), error.hint)
        except OrderNotSent as error:
            self._builder.decide(self._verdict_without_result(), str(error), error.hint)
        except ServiceError as error:
            yield from self._give_up_on_error(error)
        if self._builder.verdict is not None and not self._builder.given_up and self._builder.record is not None:
            yield from self._collect(SIDE_CHANNEL)

    def give_up(self, verdict: Verdict, why: str) -> None:
        """Note the verdict that holds if the last seconds bring no result. The reason names what is known by now."""
        builder = self._builder
        if builder.given_up is not None:  # because of an error, a moment ago
            return
        trouble = f"; {self._retrier.trouble}" if self._retrier.trouble else ""
        if self.must_finish_order:
            unknown = "a build was ordered, but no answer has come: it may have been started and go on"
            builder.given_up = (verdict, f"{why}: {unknown}", StartLost.hint)
        else:
            builder.given_up = (verdict, f"{why}: {builder.describe()}{trouble}", self._hint_after(verdict))

    def _hint_after(self, verdict: Verdict) -> str:
        """Say what to do about a target that has no result when the gate ends."""
        number = self._builder.build_number
        is_stopped = self._launcher is not None and self._launcher.may_stop
        if number is not None and not is_stopped and not self._builder.has_ended() and self._builder.record is not None:
            command = self._service.stop_command(self._job, number) or "use the CodeArts console"
            return f"Build {number} may go on, as the gate stops only what it started; to stop it: {command}"
        if verdict is Verdict.INTERRUPTED:
            return "Run the gate again to wait for it." if number is not None else "Run the gate again."
        return self._retrier.advice or "Run the gate again, with a longer --timeout if need be."

    def wind_up(self) -> Steps[None]:
        """Use the last seconds: poll once more unless a signal came, stop a build of this run, read the side channels.

        A build that has ended by now is judged, whatever was noted when the gate began to end.
        """
        assert self._builder.given_up is not None
        is_timeout = self._builder.given_up[0] is Verdict.TIMED_OUT
        answered = is_timeout and (yield from self._last_poll())
        if self._builder.verdict is None and self._launcher:
            had_ended = yield from self._launcher.stop(STOPPING)
            if had_ended and is_timeout:  # after a signal, nothing is looked at
                answered = yield from self._last_poll()
        self._builder.decide(*self._builder.given_up)
        if answered:
            yield from self._collect(LAST_SIDE_CHANNEL)

    def _last_poll(self) -> Steps[bool]:
        """Poll at once and judge a build that has ended; tell whether there was an answer."""
        if self._rules.verdict_from == "status":
            with suppress(ServiceError):
                ask = Ask(partial(self._service.is_running, self._job), expires=self._now() + LAST_POLL, urgent=True)
                self._judge_status((yield ask))
            return False
        if self._builder.build_number is None:
            return False
        state = yield from self._poller.last_poll(self._builder.build_number, LAST_POLL)
        if state is not None and state.ended and not self._was_stopped_by_this_run(state):
            yield from self._judge(state, expires=self._now() + LAST_POLL)
        return state is not None

    def _was_stopped_by_this_run(self, state: RecordState) -> bool:
        """Tell whether a build may have ended by this gate's own request, whose answer got lost: that is no result."""
        is_own = self._launcher is not None and self._launcher.may_have_stopped
        return is_own and state.state is State.ABORTED

    def _give_up_on_error(self, error: ServiceError) -> Steps[None]:
        """Decide that the outcome is not known, after a build of this run was stopped; one that had ended is judged."""
        self._builder.given_up = (self._verdict_without_result(), str(error), error.hint)
        if isinstance(error, WrongBuild) or self._launcher is None:
            pass
        elif (yield from self._launcher.stop(STOPPING_IN_TIME)):
            yield from self._last_poll()
        self._builder.decide(*self._builder.given_up)

    def _verdict_without_result(self) -> Verdict:
        """Return the verdict on a target that has no result: why the gate began to end, if it did."""
        return self._builder.given_up[0] if self._builder.given_up else Verdict.UNDETERMINED

    def _collect(self, seconds: float) -> Steps[None]:
        """Read stages, log and analysis for the report, side by side: side channels, which never decide."""
        record = self._builder.record
        if record is None or record.record_id is None:
            return
        calls: dict[str, Callable[[], Any]] = {"the stages": partial(self._service.stages, record.record_id)}
        if self._builder.verdict is not Verdict.PASSED:
            if self._rules.log_tail:
                lines = self._rules.log_tail
                calls["the log"] = partial(self._service.log_tail, record.record_id, lines, seconds * 0.8)
            if self._builder.verdict is Verdict.FAILED and not record.message:
                calls[ANALYSIS] = partial(self._service.failed_steps, self._job, record.build_number)
        if self._follower and self._follower.is_answered:
            calls["the rest of the log"] = self._follower.next_piece(record.build_number)
        found = yield from self._aside(calls, seconds)
        self._builder.explain_failure(found.get("the stages") or (), found.get(ANALYSIS) or ())
        if (tail := found.get("the log")) is not None:
            note = [f"[the log {tail.missing}; this is not its end]"] if tail.missing else []
            self._builder.log_tail = [*tail.lines, *note]
        if self._follower:
            self._follower.show(found.get("the rest of the log"))
        has_no_stages = "the stages" in found and not found["the stages"] and record.started_at is not None
        if has_no_stages or self._has_children:  # without stages, they may be those of its parts
            parts = yield from self._aside(
                {"the child builds": partial(self._service.child_builds, record.record_id)}, seconds
            )
            self._builder.children = parts.get("the child builds") or ()

    def _aside(self, calls: dict[str, Callable[[], Any]], seconds: float) -> Steps[dict[str, Any]]:
        """Carry out calls at the same time, those that fail for the moment once more; a failure is one line.

        A call whose credential was refused is not repeated: a second refusal in a row would end the wait for all.
        """
        expires = self._now() + seconds
        passed = self._builder.verdict is Verdict.PASSED
        found: dict[str, Any] = {}
        for is_last in (False, True):
            # Stages and log tell most of why a build did not pass; five hundred targets need the rate for their polls.
            results: list[CallResult] = yield [
                Ask(call, expires=expires, optional=passed or what == ANALYSIS, may_hang=True, is_retry=is_last)
                for what, call in calls.items()
            ]
            failed = {}
            for (what, call), result in zip(calls.items(), results, strict=True):
                if result.error is None:
                    found[what] = result.value
                elif not is_last and _may_pass(result.error) and self._now() < expires:
                    failed[what] = call
                elif what not in QUIET:
                    self._say(f"{what} could not be read, which does not change the verdict: {result.error}")
            if not (calls := failed):
                break
        return found

    def _follow_record(self) -> Steps[None]:
        """Pin a build, poll its record until it has ended, and judge it."""
        while True:
            pinned = yield from (self._launcher or self._selection).run()
            self._builder.build_number, self._builder.expected_seconds = pinned.build_number, pinned.forecast.seconds
            self._has_children = pinned.has_children
            self._announce(pinned.build_number)
            if self._builder.given_up is not None:  # the gate began to end while the build was being started
                return (yield from self.wind_up())
            if self._rules.no_wait:
                reason = f"build {pinned.build_number} was started and is not waited for (--no-wait)"
                self._builder.decide(Verdict.STARTED, reason)
                return
            state = yield from self._poller.run(pinned)
            if not self._may_order_again(state):
                return (yield from self._judge(state))
            self._say(f"{self._builder.describe()}; it never ran, so it is ordered again (--retries)")
            self._builder.begin_next_attempt()
            self._poller = self._new_poller()

    def _announce(self, number: int) -> None:
        """Tell people and later steps the number of the build, and its link if that is known already."""
        self._builder.build_url = self._context.link(self._job, number, None)
        if self._builder.build_url:
            self._say(f"build {number}: {self._builder.build_url}")
        self._context.pinned(self._builder.target, number, self._builder.build_url)

    def _announce_link(self, record: Record) -> None:
        """Tell the link of the build, if it needs the project, which the first record names."""
        url = self._context.link(self._job, record.build_number, record.project_id)
        if url and self._builder.build_url is None:
            self._builder.build_url = url
            self._say(f"build {record.build_number}: {url}")
            self._context.pinned(self._builder.target, record.build_number, url)

    def _may_order_again(self, state: RecordState) -> bool:
        """Tell whether a build that ended in this state never ran, and is to be ordered once more (`--retries`)."""
        tries_left = self._launcher is not None and len(self._builder.attempts) < self._rules.retries
        return tries_left and state.ended and state.word == NEVER_RAN and not self._builder.is_given_up

    def _judge(self, state: RecordState, expires: float | None = None) -> Steps[None]:
        """Judge a build that has ended; with `expires`, within the last seconds."""
        verdict = judging.judge(state) or Verdict.UNDETERMINED
        if verdict is Verdict.PASSED and self._rules.require_tests:
            yield from self._judge_tests(expires)
        self._builder.decide(verdict, self._builder.describe(), "" if verdict is Verdict.PASSED else CONSOLE)

    def _judge_tests(self, expires: float | None) -> Steps[None]:
        """Decide against the build unless its unit tests exist and passed (`--require-tests`)."""
        number = self._builder.build_number
        assert number is not None
        call = partial(self._service.unit_tests, self._job, number)
        tests: UnitTests | None = None
        if expires is not None:
            try:
                tests = yield Ask(call, expires=expires, urgent=True)
            except ServiceError as error:
                reason = f"build {number} ended with SUCCESS, but its unit tests could not be read in time: {error}"
                hint = error.hint or "Run the gate again to judge them."
                self._builder.decide(self._verdict_without_result(), f"{reason} (--require-tests)", hint)
                return
        else:
            at = self._now()
            for polls in range(1, CONFIRMING_POLLS + 2):
                with suppress(NotFound):  # they may be written a moment later than the build's end
                    tests = yield from self._retrier(call, at)
                if tests is not None:
                    break
                at = self._poller.next_look(polls)
        self._builder.tests = tests
        verdict, problem = judging.judge_tests(tests)
        if verdict is not Verdict.PASSED:
            hint = "Let the build publish its unit tests, or drop the option." if tests is None else CONSOLE
            self._builder.decide(verdict, f"build {number} ended with SUCCESS, but {problem} (--require-tests)", hint)

    def _follow_status(self) -> Steps[None]:
        """Take the boolean of `/v3/jobs/{job_id}/status` for the verdict (`--verdict status`)."""
        polls, at = 0, self._now()
        while self._builder.verdict is None:
            polls += 1
            self._builder.polls += 1
            result = yield from self._retrier(partial(self._service.is_running, self._job), at)
            word = "null" if result is None else str(result).lower()
            self._say(f"/status says {word}; --verdict status takes it for the result, newer pages say 'is running'")
            self._judge_status(result)
            at = self._poller.next_look(polls)

    def _judge_status(self, result: bool | None) -> None:
        """Decide by the boolean, unless there is none yet."""
        if result is None:
            return
        verdict, state = (Verdict.PASSED, State.SUCCEEDED) if result else (Verdict.FAILED, State.FAILED)
        word = str(result).lower()
        self._builder.state = RecordState(state=state, word=word, ended=True)
        self._builder.build_number = None  # /status is about no build
        self._builder.decide(verdict, f"/status of the job says {word} (--verdict status)", CONSOLE)


def _may_pass(error: Exception) -> bool:
    """Tell whether a side channel is worth another try."""
    return isinstance(error, TransientError) and not isinstance(error, CredentialRefused)
