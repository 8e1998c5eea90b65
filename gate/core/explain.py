"""What is shown beside a verdict: why a build did not pass, its stages and its log. It decides nothing."""

from collections.abc import Callable
from functools import partial
from typing import Any

from gate.core.asks import Ask, Priority, together
from gate.core.logs import Follower, WantedLog, is_worth_another_try, read_log
from gate.core.ports import Context
from gate.core.target_state import TargetState
from gate.core.verdict import has_ended_badly
from gate.errors import TooSlow
from gate.model import State, Verdict

EXPLAINING = 2.0
"""Seconds in which the stages and the service's analysis are read of a build that did not pass, before its verdict is
shown with them."""

SIDE_SECONDS = 5.0
"""Seconds of one request that the report needs only."""

STAGES, ANALYSIS, CHILDREN, LOG = "the stages", "the analysis", "the child builds", "the log"
QUIET = (ANALYSIS, CHILDREN)
"""Side channels that many hosts or builds do not have: their failure is not worth a line."""

FIELDS = {STAGES: "stages", ANALYSIS: "failed_steps", CHILDREN: "children"}
"""Where the answers of side channels are kept in the state of the target."""


class Explanation:
    """Reads the side channels of one target's build, once there is a verdict."""

    def __init__(
        self, known: TargetState, context: Context, say: Callable[[str], None], follower: Follower | None
    ) -> None:
        """Nothing is asked yet; the answers are kept in `known`. `follower`: what shows the log, with `--follow`."""
        self._known = known
        self._context = context
        self._rules = context.rules
        self._service = context.service
        self._now = context.now
        self._say = say
        self._follower = follower
        self._was_read: set[str] = set()
        """The side channels that were answered, or have failed."""

    async def read_for_the_line(self) -> None:
        """Read why a build did not pass, for the line of its verdict."""
        until = self._now() + EXPLAINING
        await self._aside(self._explaining_calls(), lambda: until, Priority.EXPLAIN)

    def _explaining_calls(self) -> dict[str, Callable[[], Any]]:
        record = self._known.record
        if record is None or record.record_id is None:
            return {}
        calls: dict[str, Callable[[], Any]] = {STAGES: partial(self._service.stages, record.record_id)}
        if self._known.verdict is Verdict.FAILED and not record.message:
            calls[ANALYSIS] = partial(self._service.failed_steps, self._known.target.job_id, record.build_number)
        return calls

    async def collect(self, until: Callable[[], float]) -> None:
        """Read what the report shows beside the verdict: side channels, which never decide.

        `until` returns the instant until which a log is read at most, which is later while other targets have no
        verdict yet; the rest is given half of the time.
        """
        record, verdict = self._known.record, self._known.verdict
        if record is None or record.record_id is None:
            return
        log = WantedLog(
            self._known.target,
            record.build_number,
            record.record_id,
            tail=self._rules.log_tail if verdict is not Verdict.PASSED and not self._is_queued() else 0,
        )

        def early() -> float:
            return self._now() + (until() - self._now()) / 2

        if not self._known.has_ended():
            if verdict is Verdict.TIMED_OUT:
                stages = partial(self._service.stages, record.record_id)
                await self._aside({STAGES: stages}, early)
                self._known.log_tail = await read_log(log._replace(has_ended=False), self._context, None, until)
            return
        calls = self._explaining_calls()
        await self._aside({what: call for what, call in calls.items() if what not in self._was_read}, early)
        has_no_stages = not self._known.stages and record.started_at is not None
        if has_no_stages or self._known.has_children:  # without stages, they may be those of its parts
            await self._aside({CHILDREN: partial(self._service.child_builds, record.record_id)}, early)
        failed = next(filter(has_ended_badly, self._known.stages), None)
        if failed is not None and verdict is Verdict.FAILED:
            log = log._replace(failed_step=failed.step)
        self._known.log_tail = await read_log(log, self._context, self._follower, until)
        self._was_read.add(LOG)

    def _is_queued(self) -> bool:
        """Tell whether the build has not begun to run, so that it has no log yet."""
        return self._known.state is not None and self._known.state.state is State.QUEUED

    def say_what_is_missing(self) -> None:
        """Tell people what was not read beside a verdict when the time for it was over."""
        wants_log = self._rules.log_tail > 0 and self._known.verdict is not Verdict.PASSED
        missing = [what for what in (STAGES, LOG) if what not in self._was_read and (what == STAGES or wants_log)]
        if missing and self._known.has_ended():
            self._say(f"{' and '.join(missing)} could not be read in time, which does not change the verdict")

    async def _aside(
        self, calls: dict[str, Callable[[], Any]], until: Callable[[], float], priority: Priority = Priority.SIDE
    ) -> None:
        """Carry out calls at the same time, those that fail for the moment once more; a failure is one line.

        What explains a verdict and was not answered by the instant that `until` returns is asked for again.
        """
        for is_last in (False, True):
            if not calls:
                break
            expires = until()
            asks = [Ask(call, self._now(), priority, expires, SIDE_SECONDS) for call in calls.values()]
            results = await together(asks)
            failed = {}
            for (what, call), result in zip(calls.items(), results, strict=True):
                is_late = isinstance(result.error, TooSlow) and self._now() >= expires
                if is_late and priority is Priority.EXPLAIN:
                    continue
                if not is_last and is_worth_another_try(result.error):
                    failed[what] = call
                    continue
                self._was_read.add(what)
                if result.error is None:
                    setattr(self._known, FIELDS[what], result.value)
                elif what not in QUIET:
                    self._say(f"{what} could not be read, which does not change the verdict: {result.error}")
            calls = failed
