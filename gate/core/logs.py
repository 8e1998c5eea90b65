"""The logs of builds: shown while they grow (`--follow`), and read when a build has ended. They decide nothing.

A log takes only what the polls leave of the request rate and of the threads, and each call has its seconds, which end
before those of whoever waits for it. What fails or is late is one line.
"""

from collections.abc import Callable, Sequence
from functools import partial

from gate.core.asks import Ask, Priority, Result, pause_until, together
from gate.core.ports import BuildService, Context, LogSink
from gate.errors import CredentialRefused, NotFound, PermanentError, ServiceError, TooSlow, TransientError
from gate.model import LogPiece, LogTail, Target
from gate.value_types import NamedTuple

PIECE_SECONDS = 5.0
"""Seconds that one request for a piece of a growing log may take at most."""

REST_SECONDS = 5.0
"""Seconds after the end of a followed build in which the rest of its log is read."""

REST_PIECE_SECONDS = 2.0
"""Seconds of one request for that: one that hangs holds up the end of the gate."""

MAX_FAILURES = 3
"""Requests in a row that may fail before a log is no longer followed."""

LOOK_PAUSE = 1.0
"""Seconds between two looks at whether a build runs now."""

MARGIN = 0.5
"""Seconds before the end of its time in which a log is read no further, so that what has come can be used."""

STEP_SECONDS = 3.0
"""Seconds that have to be left for trying the log of the failed step first."""

NOT_IN_TIME = "did not come in time"


def side_end(now: float, deadline: float, end: float) -> float:
    """Return until when side channels may be read if all verdicts are there at the instant `now`.

    20 s if `--timeout` leaves a minute, at least 5 s, never behind `end`. The later `now`, the later it is, so that a
    call that starts now can rely on it.
    """
    return min(max(now + 5.0, min(now + 20.0, deadline - 40.0)), end)


class _GrowingLog:
    """How far the log of one build has been read and shown."""

    def __init__(self, number: int, service: BuildService) -> None:
        self.number = number
        self.offset = 0
        self.failures = 0
        self.is_given_up = False
        self.is_at_end = False
        """Whether all of it has been read, after the build has ended."""
        self.line_count = 0
        """Lines that were shown."""
        self.lines = service.log_lines()


class Follower:
    """Shows the logs of a target's builds while they run: of one after the other, if it is ordered again."""

    def __init__(self, target: Target, context: Context) -> None:
        """Nothing is asked yet."""
        self._target = target
        self._context = context
        self._service = context.service
        self._now = context.now
        self._log: _GrowingLog | None = None
        self._is_full = False
        """Whether no more is shown, as it would be too much."""

    def begin(self, number: int) -> None:
        """Follow the log of another build, which has not ended, from its start."""
        self._log = _GrowingLog(number, self._service)

    async def follow(self, running: Callable[[], int | None]) -> None:
        """Read and show the log of the build with which `begin` was called last, as far as it runs.

        It ends when so much was shown that no more is. `running` returns the number of the target's build while it is
        known to run. The service is not asked before: a queued build has no log, and its errors would say nothing.
        """
        while not self._is_full:
            log = self._log
            if log is None or log.number != running() or log.is_given_up:
                await pause_until(self._now() + LOOK_PAUSE)
                continue
            has_more = await self._read(log, Ask(self._call(log), self._now(), Priority.SIDE, seconds=PIECE_SECONDS))
            if not has_more:
                await pause_until(self._now() + self._context.rules.poll_interval)

    async def _read(self, log: _GrowingLog, ask: Ask[LogPiece]) -> bool:
        """Read and show one piece; return whether there is more now."""
        (result,) = await together([ask])
        if result.error is None:
            return self._take(log, result.value)
        log.failures += 1
        is_final = isinstance(result.error, PermanentError) and not isinstance(result.error, NotFound)
        if is_final or log.failures >= MAX_FAILURES:
            log.is_given_up = True
            self._say(f"the log is no longer followed, which does not change the verdict: {result.error}")
        return False

    def _take(self, log: _GrowingLog, piece: LogPiece) -> bool:
        log.failures = 0
        if piece.next_offset < log.offset:  # the log has started again
            self._show(log, log.lines.end())
            log.lines = self._service.log_lines()
        if piece.is_gap:
            self._show(log, log.lines.end())
            self._context.show_log(self._target, ["[a part of the log is missing here: the service left it out]"])
        log.offset = piece.next_offset
        self._show(log, log.lines.add(piece.text))
        return piece.has_more

    def _show(self, log: _GrowingLog, lines: Sequence[str]) -> None:
        log.line_count += len(lines)
        if lines and not self._is_full:
            self._is_full = self._context.show_log(self._target, lines) is False

    def _call(self, log: _GrowingLog) -> Callable[[], LogPiece]:
        return partial(self._service.log_piece, self._target.job_id, log.number, log.offset)

    def _say(self, text: str) -> None:
        self._context.say(self._target, text)

    # After the end of the build.

    async def read_rest(self, number: int, until: float) -> None:
        """Show what the log of build `number`, which has ended, still has, as far as it comes until an instant."""
        log = self._log
        if log is None or log.number != number or log.failures:  # it would probably fail again
            return
        while not (log.is_at_end or log.is_given_up or self._is_full) and self._now() < until:
            ask = Ask(self._call(log), self._now(), Priority.SIDE, until, REST_PIECE_SECONDS)
            (result,) = await together([ask])
            if result.error is not None:
                break
            log.is_at_end = not self._take(log, result.value)
        if log.is_at_end:
            self._show(log, log.lines.end())

    def close(self, number: int, total: int | None, shown_next: int) -> None:
        """Say what of the log of build `number` is missing behind the lines that were shown.

        `total`: its lines, if that is known; `shown_next`: how many of its last lines are shown next.
        """
        log = self._log
        if log is None or log.number != number or log.is_given_up or self._is_full:
            return
        left_out = total - log.line_count - shown_next if total is not None else None
        if left_out is None and not log.is_at_end:
            self._context.show_log(self._target, [f"[the rest of the log {NOT_IN_TIME}]"])
        elif left_out is not None and left_out > 0:
            lines = "1 line" if left_out == 1 else f"{left_out} lines"
            self._context.show_log(self._target, [f"[{lines} of the log left out here]"])


class WantedLog(NamedTuple):
    """A build that nobody waits for any more, and what is wanted of its log."""

    target: Target
    number: int
    record_id: str
    tail: int = 0
    """The number of lines that are shown of its end; 0 for none."""
    failed_step: str | None = None
    """The name of the stage that failed (`Stage.step`), if that is known."""
    has_ended: bool = True
    """Whether the build has ended, and so its log."""


async def read_log(
    build: WantedLog, context: Context, follower: Follower | None, until: Callable[[], float]
) -> Sequence[str]:
    """Read the log of a build, until the instant that `until` returns at most; it may become later meanwhile.

    Shows the rest of a followed log, writes the file (`--log-dir`), and returns the last lines for people and reports;
    the last of them says so if they are not the end.
    """
    if follower is not None:
        seconds = until() - context.now()
        await follower.read_rest(build.number, context.now() + min(REST_SECONDS, seconds / 3))
    if context.log_file is not None:
        tail = await _read_to_file(build, context, context.log_file, until)
    elif build.tail:
        tail = await _read_tail(build, context, until, with_step=follower is None)
    else:
        tail = None
    if follower is not None:
        total = tail.line_count if tail is not None and not tail.missing else None
        follower.close(build.number, total, min(build.tail, total or 0))
    if tail is None or not build.tail:
        return ()
    return [*tail.lines, f"[the log {tail.missing}; this is not its end]"] if tail.missing else tail.lines


async def _read_tail(
    build: WantedLog, context: Context, until: Callable[[], float], *, with_step: bool
) -> LogTail | None:
    """Read the end of the log of the step that failed, or else of the whole log.

    The operation for one step is documented, but was never seen to work, so that its failure is no news.
    """
    service, now = context.service, context.now
    if with_step and build.failed_step and until() - now() > STEP_SECONDS:
        call = partial(service.step_log, build.record_id, build.failed_step, build.tail)
        (result,) = await together([_ask(call, context, now() + (until() - now()) / 2)])
        if result.error is None and not result.value.missing:
            of_step: LogTail = result.value
            return of_step
    call = partial(service.log_tail, build.record_id, build.tail)
    (result,) = await together([_ask(call, context, until())])
    if is_worth_another_try(result.error) and context.now() < until():
        (result,) = await together([_ask(call, context, until())])
    if result.error is not None:
        _say_failure(build, context, result.error)
    tail: LogTail | None = result.value
    return tail


async def _read_to_file(
    build: WantedLog, context: Context, new_file: Callable[[Target], LogSink], until: Callable[[], float]
) -> LogTail | None:
    """Read the whole log into a file; what is missing there is said in it, and in one line."""
    result, was_said = await _try_file(build, context, new_file(build.target), until())
    if is_worth_another_try(result.error) and context.now() < until():
        result, was_said = await _try_file(build, context, new_file(build.target), until())
    if result.error is not None and not was_said:
        _say_failure(build, context, result.error)
    tail: LogTail | None = result.value
    return tail


async def _try_file(build: WantedLog, context: Context, file: LogSink, until: float) -> tuple[Result, bool]:
    """Read the whole log into a file once; return also whether people were told that the file is not complete.

    Whatever ends this, nothing is written to the file any more.
    """

    def call(seconds: float) -> LogTail:
        try:
            tail = context.service.whole_log(build.record_id, build.tail, seconds, file.write)
        except ServiceError as error:
            file.finish(f"could not be read: {error}")
            raise
        file.finish(tail.missing or ("" if build.has_ended else "goes on, as the build had not ended"))
        return tail

    result = Result()
    try:
        (result,) = await together([_ask(call, context, until)])
    finally:  # also where nobody waits for the answer any more
        missing = NOT_IN_TIME if file.abandon() else (result.value.missing if result.value else "")
        if missing and not file.has_failed():  # else it is told with the other reports that could not be written
            how = "is not complete" if file.has_begun() else "was not written"
            context.say(build.target, f"{file.path} {how}: the log {missing}")
    return result, bool(missing)


def _ask(call: Callable[[float], LogTail], context: Context, until: float) -> Ask[LogTail]:
    """Return the ask for a call that takes the seconds in which it may read; they are counted from its start."""
    now = context.now
    margin = min(MARGIN, (until - now()) / 4)

    def read() -> LogTail:
        return call(max(ask.expires - margin - now(), 0.0))

    ask = Ask(read, now(), Priority.SIDE, until)
    return ask


def is_worth_another_try(error: Exception | None) -> bool:
    """Tell whether a side channel that has failed may answer a moment later."""
    return isinstance(error, TransientError) and not isinstance(error, CredentialRefused | TooSlow)


def _say_failure(build: WantedLog, context: Context, error: Exception) -> None:
    context.say(build.target, f"the log could not be read, which does not change the verdict: {error}")
