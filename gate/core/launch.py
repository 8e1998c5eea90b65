"""Starting a build, once."""

from functools import partial

from gate.core.asks import Ask, Priority
from gate.core.identity import Wanted
from gate.core.ports import Context
from gate.core.retry import Retrier
from gate.core.select import Selection
from gate.core.target_state import TargetState
from gate.errors import OrderNotSent, ServiceError, StartLost, TransientError, WrongBuild
from gate.model import Order, Started

LOOK_AROUND = 5.0
"""Seconds for looking at the job's newest build, before an order and after the answer to one got lost."""


class Launcher:
    """Starts the build of one target, once."""

    def __init__(self, order: Order, context: Context, retrier: Retrier, known: TargetState) -> None:
        """Nothing is sent yet; what becomes of it is kept in `known`."""
        self._order = order
        self._context = context
        self._service = context.service
        self._retrier = retrier
        self._known = known
        self._newest_before: int | None = None

    @property
    def wanted(self) -> Wanted:
        """What the record of the build has to agree with."""
        return Wanted(order=self._order, ordered_at=self._known.ordered_at)

    async def run(self) -> int:
        """Start the build, which from then on is the target's, and return its number.

        Raises `StartLost` when the answer got lost, `OrderNotSent` when the gate began to end before, and `WrongBuild`
        for an answer that names a build that was there before the order.
        """
        known = self._known
        known.is_own = False
        self._newest_before = await self._newest_number()
        try:
            number, known.ordered_at = await self._send()
        except StartLost as error:
            raise await self._explain_loss(error) from error
        if self._newest_before is not None and number <= self._newest_before:
            raise WrongBuild(
                f"the order was answered with build {number}, but the job had build {self._newest_before} before it"
            )
        known.build_number, known.is_own = number, True
        self._retrier.say(f"started build {number}")
        return number

    async def _send(self) -> Started:
        """Order the build. What was not sent, and what the service refused to admit, is tried again.

        While the answer is awaited, and when it got lost, the order counts as one that may have been accepted.
        """
        job, at = self._known.target.job_id, self._context.now()
        while True:
            call = partial(self._service.start, job, self._order, self._may_send)
            self._known.has_unanswered_order = True
            try:
                started = await Ask(call, at, Priority.URGENT, outlasts_the_wait=True)
            except StartLost:
                raise
            except TransientError as error:
                self._known.has_unanswered_order = False
                if not self._may_send():  # there is no time to try again
                    raise OrderNotSent(f"no build was started: {error}") from error
                at = self._retrier.note_failure(error)
            except Exception:
                self._known.has_unanswered_order = False
                raise
            else:
                self._known.has_unanswered_order = False
                self._retrier.note_answer()
                return started

    def _may_send(self) -> bool:
        """Tell, from any thread, whether an order may still be sent."""
        return not self._context.is_ending()

    async def _newest_number(self) -> int | None:
        """Look once for the number of the job's newest build; `None` if that cannot be found out now."""
        selection = Selection(self._known.target, self._context, self._retrier)
        try:
            return await selection.newest_number(self._context.now() + LOOK_AROUND)
        except ServiceError:
            return None

    async def _explain_loss(self, error: StartLost) -> StartLost:
        """Return the error for a lost answer, with the newest build if that one is newer than the order."""
        other = await self._newest_number() if self._may_send() else None
        if other is None or self._newest_before is None or other <= self._newest_before:
            return error
        command = f"codearts-gate wait{self._known.connection_options} {self._known.target.job_id}:{other}"
        return StartLost(
            f"{error}; since then, the job has build {other}",
            status=error.status,
            code=error.code,
            hint=f"If build {other} is the one that you ordered, wait for it: {command}",
        )
