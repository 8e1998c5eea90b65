"""Starting the build that is then waited for, and stopping it when the gate gives up on it."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial

from gate.core.identity import Wanted, contradiction
from gate.core.outcome_builder import OutcomeBuilder
from gate.core.ports import Ask, Context, Steps
from gate.core.retrier import Retrier
from gate.core.selection import PinnedBuild, Selection
from gate.errors import GaveUp, OrderNotSent, ServiceError, StartLost, TransientError, WrongBuild
from gate.model import Order, Record, Started

APPEARING = 60.0
"""Seconds for which a build that we have just started may be unknown to the service."""

LOOK_AROUND = 5.0
"""Seconds for looking at the job's newest build, before an order and after the answer to one got lost."""

STOP_REQUEST = 1.2
"""Seconds of one request to stop a build: one that hangs leaves time for a second try, over another connection."""

STOP_AGAIN = 0.3
"""Seconds between two tries to stop a build."""


class Launcher:
    """Starts one build, once."""

    def __init__(self, order: Order, context: Context, retrier: Retrier, builder: OutcomeBuilder) -> None:
        """Nothing is sent yet; what becomes of it is kept in `builder`."""
        self.under_way = False
        """Whether an order may be with the service whose answer has not been taken yet."""
        self.started = False
        """Whether this gate has started the build whose number `builder` has."""
        self.may_have_stopped = False
        """Whether a request to stop the build may have been carried out although its answer got lost."""
        self._order = order
        self._context = context
        self._service = context.service
        self._retrier = retrier
        self._builder = builder
        self._newest_before: int | None = None
        self._ordered_at: datetime | None = None
        self._is_somebody_elses = False

    @property
    def wanted(self) -> Wanted:
        """What the record of the build has to agree with."""
        return Wanted(order=self._order, ordered_at=self._ordered_at)

    def run(self) -> Steps[PinnedBuild]:
        """Start the build and pin it.

        Raises `StartLost` when the answer got lost, and `WrongBuild` for an answer that names a build that was there
        before the order.
        """
        self.started = False
        self._newest_before = yield from self._newest_number()
        try:
            number, self._ordered_at = yield from self._retrier(self._send, urgent=True)
        except StartLost as error:
            raise (yield from self._explain_loss(error)) from error
        finally:
            self.under_way = False
        if self._newest_before is not None and number <= self._newest_before:
            raise WrongBuild(
                f"the order was answered with build {number}, but the job had build {self._newest_before} before it"
            )
        self._builder.build_number, self.started = number, True
        self._retrier.say(f"started build {number}")
        return PinnedBuild(build_number=number, appearing_seconds=APPEARING)

    def check(self, record: Record) -> str:
        """Say how a record contradicts the order; empty if it does not. A build that does is never stopped."""
        told = contradiction(record, self.wanted)
        self._is_somebody_elses = bool(told)
        return told

    def _send(self) -> Started:
        """Order the build, unless the gate has begun to end."""
        self.under_way = True  # before the look at the verdict, which may be decided at any moment
        try:
            return self._service.start(self._builder.target.job_id, self._order, lambda: not self._is_ending())
        except OrderNotSent:
            self.under_way = False
            raise
        except TransientError as error:  # it was not sent
            self.under_way = False
            if not self._is_ending():
                raise
            raise OrderNotSent(f"no build was started: {error}") from error  # and there is no time to try again

    def _is_ending(self) -> bool:
        """Tell whether the gate has begun to end: from then on nothing is started."""
        return self._builder.is_given_up or self._context.is_ending()

    def _newest_number(self) -> Steps[int | None]:
        """Look once for the number of the job's newest build; `None` if that cannot be found out now."""
        selection = Selection(self._builder.target, self._context, self._retrier)
        with suppress(ServiceError):
            return (yield from _within(selection.newest_number(), self._context.now, LOOK_AROUND))
        return None

    def _explain_loss(self, error: StartLost) -> Steps[StartLost]:
        """Return the error for a lost answer, with the newest build if that one is newer than the order."""
        other = yield from self._newest_number()
        if other is None or self._newest_before is None or other <= self._newest_before:
            return error
        command = f"codearts-gate wait {self._builder.target.job_id}:{other}"
        return StartLost(
            f"{error}; since then, the job has build {other}",
            status=error.status,
            code=error.code,
            hint=f"If build {other} is the one that you ordered, wait for it: {command}",
        )

    def stop(self, seconds: float) -> Steps[bool]:
        """Stop the build if this gate has started it, and note what became of that.

        It is tried again until it is done or the seconds are over. Returns whether the build had ended already.
        """
        number, builder = self._builder.build_number, self._builder
        if not self.may_stop or number is None:
            return False
        until = self._context.now() + seconds
        builder.aftermath = f"whether build {number} was stopped is not known"
        at, problem = self._context.now(), "the time was over"
        while at < until:
            try:
                was_running = yield Ask(
                    partial(self._service.stop, self._builder.target.job_id, number, STOP_REQUEST),
                    at,
                    expires=until,
                    urgent=True,
                )
            except TransientError as error:
                problem, at = str(error), self._context.now() + STOP_AGAIN
                self.may_have_stopped |= error.sent
            except ServiceError as error:
                problem, at = str(error), until
            else:
                builder.aftermath = (
                    f"stop requested for build {number}, because this run started it"
                    if was_running or self.may_have_stopped
                    else f"build {number} had already ended when it was to be stopped"
                )
                self._retrier.say(builder.aftermath)
                return not was_running
        if self.may_have_stopped:
            builder.aftermath = f"whether build {number} was stopped is not known, it may go on: {problem}"
        else:
            builder.aftermath = f"build {number} could not be stopped and may go on: {problem}"
        command = self._service.stop_command(self._builder.target.job_id, number) or "use the CodeArts console"
        builder.final_hint = f"Stop build {number} yourself: {command}"
        self._retrier.say(builder.aftermath)
        return False

    @property
    def may_stop(self) -> bool:
        """Whether the build is this gate's own and is to be stopped when the gate gives up on it."""
        keep = self._context.rules.keep_running or self._is_somebody_elses
        return self.started and not keep and not self._builder.has_ended()


def _within(steps: Steps[int], now: Callable[[], float], seconds: float) -> Steps[int]:
    """Carry out steps whose asks are urgent and expire after some seconds; raises `GaveUp` then."""
    until = now() + seconds
    answer, error = None, None
    while True:
        try:
            ask = steps.throw(error) if error else steps.send(answer)
        except StopIteration as stop:
            return int(stop.value)
        assert isinstance(ask, Ask)
        if now() >= until:
            raise GaveUp("no usable answer in time")
        try:
            answer, error = (yield ask._replace(expires=until, urgent=True)), None
        except ServiceError as problem:
            answer, error = None, problem
