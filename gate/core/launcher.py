"""Launcher the build that is then waited for, and stopping it when the gate gives up on it."""

from collections.abc import Sequence
from contextlib import suppress

from gate.core.outcome_builder import OutcomeBuilder
from gate.core.ports import Ask, Context, Steps
from gate.core.retrier import Retrier
from gate.core.selection import PinnedBuild, newest
from gate.errors import Refused, ServiceError, StartLost, TransientError
from gate.model import ListedBuild, Order

APPEARING = 60.0
"""Seconds for which a build that we have just started may be unknown to the service."""

LOOK_AROUND = 5.0
"""Seconds for looking at the job's newest build after the answer to an order got lost."""

STOPPING = 3.0
"""Seconds for stopping a build, so that the gate has exited 5 s after its deadline."""


class Launcher:
    """Starts one build, once."""

    def __init__(self, order: Order, context: Context, asking: Retrier, findings: OutcomeBuilder) -> None:
        """Nothing is sent yet; what becomes of it is kept in `findings`."""
        self.under_way = False
        """Whether an order may be with the service whose answer has not been taken yet."""
        self.started = False
        self._order = order
        self._service = context.service
        self._keep_running = context.rules.keep_running
        self._asking = asking
        self._findings = findings

    def run(self) -> Steps[PinnedBuild]:
        """Start the build and pin it; raises `StartLost`, with what the job's newest build is by now."""
        try:
            number = yield from self._asking(self._start)
        except StartLost as error:
            other = yield from self._newest_number()
            if other is None:
                raise
            command = f"codearts-gate wait {self._order.job_id}:{other}"
            raise StartLost(
                f"{error}; the job's newest build is now {other}",
                status=error.status,
                code=error.code,
                hint=f"If build {other} is the one that you ordered, wait for it: {command}",
            ) from error
        finally:
            self.under_way = False
        self._findings.build_number, self.started = number, True
        self._asking.say(f"started build {number}")
        return PinnedBuild(build_number=number, appearing_seconds=APPEARING, ordered_at=self._service.now())

    def _start(self) -> int:
        """Order the build, unless the gate has begun to end meanwhile."""
        self.under_way = True  # before the look at the verdict, which may be decided at any moment
        if self._findings.verdict is not None:
            self.under_way = False
            raise Refused("no build was started: the gate was ending")
        try:
            return self._service.start(self._order)
        except TransientError:
            self.under_way = False  # it was never sent
            raise

    def _newest_number(self) -> Steps[int | None]:
        """Look for the number of the job's newest build, once."""
        until = self._asking.now() + LOOK_AROUND
        with suppress(ServiceError):
            builds: Sequence[ListedBuild] = yield Ask(lambda: self._service.builds(self._order.job_id), until=until)
            found = newest(builds)
            return found.number if found else None
        return None

    def stop(self) -> Steps[None]:
        """Stop the build, if this gate has started one, and note what became of that."""
        number = self._findings.build_number
        if not self.started or number is None or self._keep_running or self._findings.has_ended():
            return
        reason = self._findings.reason
        self._findings.reason = f"{reason}; whether build {number} was stopped is not known"  # if there is no time left
        told = yield from self._stop(number)
        self._asking.say(f"build {number}: {told}")
        self._findings.reason = f"{reason}; {told}"

    def _stop(self, number: int) -> Steps[str]:
        """Stop a build, and say what became of that."""
        try:
            told: str = yield Ask(
                lambda: self._service.stop(self._order.job_id, number),
                until=self._asking.now() + STOPPING,
                urgent=True,
            )
        except ServiceError as error:
            return f"it could not be stopped and may go on: {error}"
        return told
