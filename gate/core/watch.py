"""One target from the first look to its outcome."""

from collections.abc import Callable
from contextlib import suppress

from gate.core import verdict as judging
from gate.core.launcher import Launcher
from gate.core.outcome_builder import OutcomeBuilder
from gate.core.poller import SECOND_LOOKS, Poller
from gate.core.ports import Ask, Context, Steps, T
from gate.core.retrier import Retrier
from gate.core.selection import Selection
from gate.errors import NotFound, ServiceError, StartLost
from gate.model import RecordState, State, Target, Verdict

SIDE_CHANNEL = 5.0
"""Seconds that a side channel (stages, log) may take at most."""

LAST_SIDE_CHANNEL = 1.5
"""The same, after the deadline."""

CONSOLE = "Look at the build in the CodeArts console."


class Watch:
    """Waits for one target's build and decides its verdict."""

    def __init__(self, target: Target, context: Context, *, shares: bool = False) -> None:
        """Start with nothing known but the target; `shares`: whether others are builds of the same job."""
        self.findings = OutcomeBuilder(target=target, build_number=target.build_number)
        self._job = target.job_id
        self._rules = context.rules
        self._service = context.service
        self._now = context.now
        self._say: Callable[[str], None] = lambda text: context.say(target, text)
        self._asking = Retrier(context, self._say)
        self._selection = Selection(target, context, self._asking)
        self._looking = Poller(self.findings, context, self._asking, shares=shares)
        order = context.order
        self.starting = Launcher(order, context, self._asking, self.findings) if order else None

    def run(self) -> Steps[None]:
        """Wait until there is a verdict, then collect what the report shows beside it."""
        try:
            if self._rules.verdict_from == "status":
                yield from self._follow_status()
            else:
                yield from self._follow_record()
        except ServiceError as error:
            self.findings.decide(Verdict.UNDETERMINED, str(error), error.hint)
        else:
            yield from self.collect()

    def give_up(self, verdict: Verdict, why: str) -> None:
        """Decide a verdict on a target whose build has not ended as far as the gate knows."""
        number = self.findings.build_number
        trouble = f"; {self._asking.trouble}" if self._asking.trouble else ""
        if self.starting and self.starting.under_way:
            unknown = "a build was ordered, but no answer has come: it may have been started and go on"
            self.findings.decide(verdict, f"{why}: {unknown}", StartLost.hint)
            return
        if number is None or (self.findings.record is None and not self.starting):
            hint = self._asking.advice or "Run the gate again, with a longer --timeout if need be."
        elif self.starting and not self._rules.keep_running:
            hint = "Run it again, with a longer --timeout if need be."
        else:
            command = self._service.stop_command(self._job, number) or "use the CodeArts console"
            hint = f"Build {number} may go on, as the gate stops only what it started; to stop it: {command}"
        self.findings.decide(verdict, f"{why}: {self.findings.describe()}{trouble}", hint)

    def wind_up(self) -> Steps[None]:
        """Stop a build that this gate started, then collect what the report shows beside the verdict."""
        if self.starting:
            yield from self.starting.stop()
        if self.findings.verdict is Verdict.TIMED_OUT:
            yield from self.collect(LAST_SIDE_CHANNEL)

    def collect(self, seconds: float = SIDE_CHANNEL) -> Steps[None]:
        """Fetch stages and log for the report: side channels, which never decide, for some seconds each."""
        record_id = self.findings.record.record_id if self.findings.record else None
        if record_id is None:
            return
        passed = self.findings.verdict is Verdict.PASSED
        stages = yield from self._aside("the stages", lambda: self._service.stages(record_id), seconds, spare=passed)
        self.findings.locate(tuple(stages or ()))
        lines = self._rules.log_tail
        if lines and not passed:
            log = yield from self._aside("the log", lambda: self._service.log_tail(record_id, lines), seconds)
            self.findings.log_tail = tuple(log or ())

    def _aside(self, what: str, call: Callable[[], T], seconds: float, *, spare: bool = False) -> Steps[T | None]:
        """Ask once, for some seconds at most; an error is one line."""
        try:
            answer: T | None = yield Ask(call, until=self._now() + seconds, spare=spare)
        except ServiceError as error:
            self._say(f"{what} could not be read, which changes no verdict: {error}")
            return None
        return answer

    def _follow_record(self) -> Steps[None]:
        """Pin a build, look at its record until it has ended, and judge it."""
        pinned = yield from (self.starting or self._selection).run()
        self.findings.build_number, self.findings.expected_seconds = pinned.build_number, pinned.expectation.seconds
        if self.findings.verdict is not None:  # the gate gave up while the build was being started
            return (yield from self.wind_up())
        reading = yield from self._looking.run(pinned)
        verdict = judging.judge(reading) or Verdict.UNDETERMINED
        if verdict is Verdict.PASSED and self._rules.require_tests:
            yield from self._judge_tests(pinned.build_number)
        self.findings.decide(verdict, self.findings.describe(), "" if verdict is Verdict.PASSED else CONSOLE)

    def _judge_tests(self, number: int) -> Steps[None]:
        """Decide against the build unless its unit tests exist and passed (`--require-tests`)."""
        at, tests = self._now(), None
        for looks in range(1, SECOND_LOOKS + 2):
            with suppress(NotFound):  # they may be written a moment later than the build's end
                tests = yield from self._asking(lambda: self._service.unit_tests(self._job, number), at)
            if tests is not None:
                break
            at = self._looking.next_look(looks)
        self.findings.tests = tests
        if tests is None or tests.total == 0:
            reason = f"build {number} ended with SUCCESS, but the service has no unit tests of it (--require-tests)"
            self.findings.decide(
                Verdict.UNDETERMINED, reason, "Let the build publish its unit tests, or drop the option."
            )
        elif tests.failures or tests.errors or tests.is_success is False:
            bad = f"{tests.failures} failures and {tests.errors} errors in {tests.total} unit tests (--require-tests)"
            self.findings.decide(Verdict.FAILED, f"build {number} ended with SUCCESS, but has {bad}", CONSOLE)

    def _follow_status(self) -> Steps[None]:
        """Take the boolean of `/v3/jobs/{job_id}/status` for the verdict (`--verdict status`)."""
        looks, at = 0, self._now()
        while True:
            looks += 1
            self.findings.polls += 1
            result = yield from self._asking(lambda: self._service.is_running(self._job), at)
            word = "null" if result is None else str(result).lower()
            self._say(f"/status says {word}; --verdict status takes it for the result, newer pages say 'is running'")
            if result is not None:
                verdict, state = (Verdict.PASSED, State.SUCCEEDED) if result else (Verdict.FAILED, State.FAILED)
                self.findings.reading = RecordState(state=state, word=word, ended=True)
                self.findings.build_number = None  # whatever was asked for, /status is about no build
                self.findings.decide(verdict, f"/status of the job says {word} (--verdict status)", CONSOLE)
                return
            at = self._looking.next_look(looks)
