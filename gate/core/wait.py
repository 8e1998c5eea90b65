"""The loop over all targets: which call is carried out next, and what ends the wait.

It runs in the thread that keeps the deadline. Everything that may block is a call carried out by workers; the loop
itself waits only for their results, and never past the end.
"""

import itertools
import math
import signal
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import field
from enum import Enum, auto
from pathlib import Path
from traceback import walk_tb
from typing import Any, TypeVar

from gate.core.asks import Ask, Ending, Priority, Result
from gate.core.lists import Lists
from gate.core.logs import side_end
from gate.core.outcome import outcome_of, progress_of
from gate.core.ports import CallResult, Context, Interruption, LogLine, Observer, Workers
from gate.core.queue import Queue
from gate.core.refusals import Refusals
from gate.core.retry import Retrier
from gate.core.schedule import Pace
from gate.core.sentences import final_words
from gate.core.target_state import EndedBy
from gate.core.watch import Watch
from gate.durations import spell
from gate.errors import ServiceError, Throttled, TooSlow, TransientError, explain_surroundings
from gate.limits import MAX_CALLS, MAX_CONNECTIONS, MAX_SLOW_CALLS
from gate.model import Target, TargetOutcome, Verdict
from gate.settings import TIMEOUT_OPTION
from gate.value_types import dataclass

SLOW = 1.0
"""Seconds after which a call under way counts as slow: it no longer takes the place of one that may answer."""

LOOKING = 1.5
"""Seconds after the deadline in which builds are looked at once more."""

STOPPING = 2.7
"""Seconds after the deadline, or a signal, in which builds are stopped."""

WIND_UP = 3.0
"""Seconds after the deadline, or a signal, after which the loop ends whatever is under way."""

REPORTING = 1.0
"""Seconds after that in which the reports are written and the output is read. Then the process ends, within 5 s of the
deadline."""

FAIL_FAST_SECONDS = 20.0
"""Seconds for stopping the builds of other targets under `--fail-fast`."""

BUG_HINT = "Please report it to the authors of codearts-gate, with the output of --verbose."

T = TypeVar("T")

PACKAGE = Path(__file__).parent.parent


class _Kind(Enum):
    """What a task is for."""

    VERDICT = auto()
    """The wait depends on it."""
    LIVE = auto()
    """It reads what helps or is shown while builds run; it ends with them."""
    COLLECT = auto()
    """It reads what the report shows beside a verdict."""


@dataclass(slots=True, eq=False)
class _Task:
    """A coroutine under way, and the asks that it waits for."""

    steps: Coroutine[Any, Any, None]
    kind: _Kind
    watch: Watch | None = None
    """The target on whose behalf it asks; `None` for lists."""
    awaited: dict[Ask[Any], Result | None] = field(default_factory=dict)
    """The asks, in their order, with the results so far."""


@dataclass(slots=True, eq=False)
class _Call:
    """A call that a worker carries out."""

    ask: Ask[Any]
    watch: Watch | None
    started: float


class Wait:
    """Waits for all targets at once."""

    def __init__(self, targets: Sequence[Target], context: Context, workers: Workers, observer: Observer) -> None:
        """Make a watch for each target; nothing is asked yet."""
        self._has_answered = False
        self._context = context._replace(is_ending=self._must_not_start, has_answered=lambda: self._has_answered)
        self._is_interrupted = context.is_ending
        self._rules = context.rules
        self._workers = workers
        self._observer = observer
        self._queue = Queue(Pace(context.rules.max_rate, workers.now()))
        self._lists = Lists(self._context, self._queue)
        self._watches = [Watch(target, self._context, self._lists) for target in targets]
        self._tasks: dict[_Task, None] = {}
        self._owners: dict[Ask[Any], _Task] = {}
        """The task that waits for each ask. An answer to an ask that is not here changes nothing."""
        self._calls: dict[int, _Call] = {}
        """The calls under way, also those for which nobody waits any more."""
        self._slow: set[Watch] = set()
        """The targets whose last call did not answer in `SLOW` seconds."""
        self._keys = itertools.count(1)
        self._refusals = Refusals()
        self._deadline = math.inf
        self._end = math.inf
        """The instant at which the loop ends, whatever is under way."""
        self._side_until: float | None = None
        """The instant until which side channels are read; known once all verdicts are there."""
        self._ending: Ending | None = None
        self.signal_number: int | None = None
        """The signal that ended the wait, if one did."""

    def run(self, deadline: float) -> list[TargetOutcome]:
        """Wait until every target has a verdict, the instant `deadline` comes, or a signal does.

        Returns the outcome of every target, in the order of the targets.
        """
        self._deadline, self._end = deadline, deadline + WIND_UP
        try:
            self._look_up_names()
            if self._context.order is not None:
                self._carry_out([watch.order() for watch in self._watches])
            self._begin(_Task(self._lists.run(), _Kind.LIVE))
            for watch in self._watches:
                if watch.known.verdict is None and self._observer.shows_stages():
                    self._begin(_Task(watch.watch_stages(self._observer.wants_stages), _Kind.LIVE, watch))
                if watch.known.verdict is None and watch.follows:
                    self._begin(_Task(watch.follow(), _Kind.LIVE, watch))
            self._carry_out([watch.run() for watch in self._watches])
            self._finish_side_channels()
        except Exception as error:
            self.signal_number = None
            for watch in [watch for watch in self._watches if watch.known.verdict is None]:
                self._note_failure(watch, error)
                with suppress(Exception):  # what shows it may be what has failed
                    self._observer.decided(outcome_of(watch.known))
        for task in list(self._tasks):
            self._leave(task)
        return [outcome_of(watch.known) for watch in self._watches]

    def ask(self, steps: Coroutine[Any, Any, T], deadline: float) -> T:
        """Carry out steps that belong to no target, and return what they return.

        Raises the `ServiceError` that they end in, and `Ending` where the deadline or a signal comes before.
        """
        self._deadline, self._end = deadline, deadline + WIND_UP
        answers: list[T] = []
        errors: list[ServiceError | Ending] = []

        async def keep() -> None:
            try:
                answers.append(await steps)
            except (ServiceError, Ending) as error:
                errors.append(error)

        self._begin(_Task(keep(), _Kind.VERDICT))
        self._finish_verdicts()
        for error in errors:
            raise error
        return answers[0]

    @property
    def end(self) -> float:
        """The instant at which everything ends, reports and output included."""
        return self._end + REPORTING

    @property
    def final_words(self) -> str:
        """What to do after the run, in a few sentences."""
        return final_words([watch.known for watch in self._watches])

    # Phases.

    def _look_up_names(self) -> None:
        """Find the jobs that were given by name; where one is not found, nothing is asked about or ordered."""
        targets = [watch.known.target for watch in self._watches]
        named = [target for target in targets if target.name]
        if not named:
            return
        from gate.core.names import find_jobs, with_jobs

        retrier = Retrier(self._context, lambda text: self._context.say(named[0], text))
        try:
            jobs = self.ask(find_jobs({target.name: None for target in named}, self._context, retrier), self._deadline)
            targets = with_jobs(targets, jobs)
        except Ending as ending:
            undecided = [watch for watch in self._watches if watch.known.verdict is None]
            for watch in undecided:
                watch.known.where = "the names of jobs were still being looked up"
                self._decide_by(watch, ending)
        except ServiceError as error:
            undecided = self._watches
            for watch in undecided:
                watch.known.decide(Verdict.UNDETERMINED, EndedBy.ERROR, str(error), error.hint)
        else:
            self._watches = [Watch(target, self._context, self._lists) for target in targets]
            self._context.resolved(targets)
            for target in targets:
                if target.name:
                    self._context.say(target, f"{target.name} is the job {target.job_id}")
            return
        for watch in undecided:
            self._observer.decided(outcome_of(watch.known))

    def _carry_out(self, steps: Sequence[Coroutine[Any, Any, None]]) -> None:
        """Carry out the steps of all watches that have no verdict yet, to their end; `steps` has those of each."""
        for watch, coroutine in zip(self._watches, steps, strict=True):
            if watch.known.verdict is not None:
                coroutine.close()
                continue
            self._begin(task := _Task(coroutine, _Kind.VERDICT, watch))
            if self._ending is not None and task in self._tasks:
                self._end_one(task, self._ending)
        self._finish_verdicts()
        for watch in self._watches:  # what is still under way at the very end has no result
            if self._ending is not None and watch.known.verdict is None:
                self._decide_by(watch, self._ending)
                self._observer.decided(outcome_of(watch.known))

    def _finish_verdicts(self) -> None:
        """Go on until all that was begun for verdicts has ended, or the very end has come."""
        while self._has(_Kind.VERDICT):
            if not self._turn(self._end if self._ending else self._deadline):
                if self._ending is not None:
                    break
                self._end_all(self._timeout_ending())

    def _finish_side_channels(self) -> None:
        """Give what is read for the report some seconds more."""
        self._side_until = until = self._side_end()
        while self._has(_Kind.COLLECT) and self._turn(min(until, self._end)):  # a signal ends them
            pass
        for task in self._tasks:
            if task.kind is _Kind.COLLECT and task.watch is not None and self.signal_number is None:
                task.watch.explanation.say_what_is_missing()

    def _side_end(self) -> float:
        """Return until when the report's side channels are read, at the earliest: as if all verdicts were there."""
        if self._side_until is not None:
            return self._side_until
        return side_end(self._workers.now(), self._deadline, self._end - 1.0)

    def _turn(self, until: float) -> bool:
        """Start what is due, and take one event; return false if the instant `until` has come before that."""
        now = self._workers.now()
        if now >= until:
            return False
        wake_at = min(self._start_due(now), self._queue.next_expiry(), self._observer.due(), until)
        if now >= self._observer.due():
            moment = self._context.service.now()
            self._observer.tick([progress_of(watch.known, moment) for watch in self._watches], now)
            wake_at = min(wake_at, max(self._observer.due(), now))
        match self._workers.next(wake_at):
            case CallResult() as result:
                self._take_result(result)
            case Interruption(number):
                self._interrupt(number)
            case LogLine(text):
                self._observer.debug_line(text)
            case None:
                pass
        self._drop_expired(self._workers.now())
        return True

    # The end.

    def _must_not_start(self) -> bool:
        """Tell, from any thread, whether the gate has begun to end."""
        return self._ending is not None or self._is_interrupted()

    def _timeout_ending(self) -> Ending:
        """Return why the gate ends, and let its last seconds begin.

        They count from the deadline; where this process stood still until they were over, from now: builds are looked
        at and stopped all the same.
        """
        source, start, now = self._rules.timeout_source, self._deadline, self._workers.now()
        if now >= self._end:
            start, self._end = now, now + WIND_UP
        ended_by = EndedBy.TIMEOUT if source == TIMEOUT_OPTION else EndedBy.JOB_END
        why = f"no result within {spell(self._rules.timeout)} ({source})"
        return Ending(Verdict.TIMED_OUT, ended_by, why, start + LOOKING, start + STOPPING)

    def _interrupt(self, number: int) -> None:
        """Begin to end because of a signal; a second one only ends what is read for the report."""
        now = self._workers.now()
        if not self._has(_Kind.VERDICT):
            self._end = now
        if self.signal_number is not None or not self._has(_Kind.VERDICT):
            return
        self.signal_number = number
        self._end = min(self._end, now + WIND_UP)
        why = f"the gate was interrupted by {_signal_name(number)}"
        self._end_all(Ending(Verdict.INTERRUPTED, EndedBy.SIGNAL, why, now, min(now + STOPPING, self._end)))

    def _has(self, kind: _Kind) -> bool:
        return any(task.kind is kind for task in self._tasks)

    def _end_all(self, ending: Ending) -> None:
        """Begin to end every target that is still open, and all that is read for people meanwhile."""
        if self._ending is None:
            self._ending = ending
        for task in list(self._tasks):
            if task.kind is _Kind.LIVE:
                self._leave(task)
        if ending.look_until > self._workers.now():
            self._begin(_Task(self._lists.last_look(ending.look_until), _Kind.LIVE))
        tasks = [task for task in self._tasks if task.kind is _Kind.VERDICT]
        for task in tasks:
            self._end_one(task, ending)
        # Builds that were ordered, while orders of others are under way, are stopped without waiting for these.
        waited_for = {task.watch for task in tasks}
        for watch in self._watches:
            is_open = watch.known.verdict is None and watch not in waited_for
            if is_open and watch.is_pinned and watch.known.target.job_id:
                self._begin(task := _Task(watch.run(), _Kind.VERDICT, watch))
                if task in self._tasks:
                    self._end_one(task, ending)

    def _end_one(self, task: _Task, ending: Ending) -> None:
        """Begin to end one target; an order that is under way is waited for, as the number of its build is to come."""
        if task.watch is not None:
            task.watch.ending = ending
        if any(ask.outlasts_the_wait and ask not in self._queue for ask in task.awaited):
            return
        self._forget(task)
        self._advance(task, ending)

    def _decide_by(self, watch: Watch, ending: Ending) -> None:
        watch.known.decide(ending.verdict, ending.ended_by, ending.why)

    # Tasks.

    def _begin(self, task: _Task) -> None:
        self._tasks[task] = None
        self._advance(task, None)

    def _advance(self, task: _Task, given: Sequence[Result] | Ending | None) -> None:
        """Let a task go on with what it waited for, up to its next asks or its end."""
        task.awaited = {}
        try:
            asks = task.steps.throw(given) if isinstance(given, Ending) else task.steps.send(given)
        except StopIteration:
            self._finish(task)
        except Exception as error:
            self._note_failure(task.watch if task.kind is _Kind.VERDICT else None, error)
            self._finish(task)
        else:
            task.awaited = dict.fromkeys(asks)
            for ask in asks:
                self._owners[ask] = task
                self._queue.add(ask)

    def _finish(self, task: _Task) -> None:
        """Take note that a task has ended; show the verdict of a target that has one now."""
        self._tasks.pop(task, None)
        watch = task.watch
        if watch is None or task.kind is _Kind.LIVE:
            return
        if task.kind is _Kind.COLLECT:
            self._observer.explained(outcome_of(watch.known))
            return
        if watch.known.verdict is None:  # it has a build now, which is judged later
            return
        for other in [other for other in self._tasks if other.watch is watch]:
            self._leave(other)
        outcome = outcome_of(watch.known)
        self._observer.decided(outcome)
        self._begin(_Task(watch.explanation.collect(self._side_end), _Kind.COLLECT, watch))
        passed = outcome.verdict in (Verdict.PASSED, Verdict.SKIPPED, Verdict.STARTED)
        if self._rules.fail_fast and not passed and self._ending is None:
            now = self._workers.now()
            why = f"not judged, because {outcome.label} {outcome.verdict} (--fail-fast)"
            self._end = min(self._end, now + FAIL_FAST_SECONDS)
            self._end_all(Ending(Verdict.SKIPPED, EndedBy.FAIL_FAST, why, now, now + FAIL_FAST_SECONDS))

    def _leave(self, task: _Task) -> None:
        """Stop a task where it is; an answer that still comes is dropped."""
        self._forget(task)
        self._tasks.pop(task, None)
        task.steps.close()

    def _forget(self, task: _Task) -> None:
        """Wait no longer for the asks of a task."""
        for ask in task.awaited:
            self._queue.remove(ask)
            self._owners.pop(ask, None)

    # Calls.

    def _start_due(self, now: float) -> float:
        """Start every call whose turn has come; return the instant from which on it makes sense to look again.

        That is `now` where a task went on without an event: it may have been the last one.
        """
        look_again = math.inf
        while (turn := self._queue.turn(now, lambda ask: self._has_room(ask, now))).ask is not None:
            ask = turn.ask
            # A build is stopped all the same: the file of the token may have a newer one by now.
            may_send = not _decides(ask) or ask.priority is Priority.STOP
            refusal = None if may_send else self._refusals.final
            if ask.call is None or refusal is not None:
                self._resolve(ask, Result(error=refusal))
                look_again = now
                continue
            watch = self._owners[ask].watch
            if watch is not None:
                watch.known.asked = True
            key = next(self._keys)
            self._calls[key] = _Call(ask, watch, now)
            self._workers.submit(key, ask.call)
        slow_at = [call.started + SLOW for call in self._calls.values() if call.started + SLOW > now]
        return min(look_again, turn.look_again, *slow_at)

    def _has_room(self, ask: Ask[Any], now: float) -> bool:
        """Tell whether a thread is free for an ask.

        Stops and orders have threads of their own, and side channels a few. All other calls share `MAX_CONNECTIONS`
        threads; a call that is slow, or for which nobody waits any more, no longer counts there. Targets whose last
        call was slow have a share that they cannot exceed, so that what hangs holds up nobody else.
        """
        if ask.priority in (Priority.STOP, Priority.URGENT):
            return True
        most = MAX_CALLS if self._ending is None else MAX_CALLS + MAX_CONNECTIONS  # the last look has some of its own
        if len(self._calls) >= most:
            return False
        if ask.priority >= Priority.EXPLAIN:
            return sum(call.ask.priority is ask.priority for call in self._calls.values()) < MAX_CONNECTIONS // 2
        if ask.priority in (Priority.LIST, Priority.POLL) and not self._leaves_the_last_look(now):
            return False
        others = [call for call in self._calls.values() if call.ask.priority in _SHARED]
        watch = self._owners[ask].watch
        if watch in self._slow and sum(call.watch in self._slow for call in others) >= MAX_SLOW_CALLS:
            return False
        return sum(call.ask in self._owners and now - call.started < SLOW for call in others) < MAX_CONNECTIONS

    def _leaves_the_last_look(self, now: float) -> bool:
        """Tell whether a request now leaves one for each of several builds, or a burst, at the deadline."""
        pace, left = self._queue.pace, self._deadline - now
        if self._ending is not None or left * pace.per_second > pace.burst:
            return True
        watches = [task.watch for task in self._tasks if task.kind is _Kind.VERDICT]
        wanted = min(sum(watch is not None and watch.is_pinned for watch in watches), pace.burst)
        return wanted < 2 or pace.tokens(now) - 1 + left * pace.per_second >= wanted

    def _drop_expired(self, now: float) -> None:
        """Stop waiting for answers that are of no use any more."""
        for ask in self._queue.expired(now):
            if ask not in self._owners:
                continue
            is_waiting = ask in self._queue
            if is_waiting and self._owners[ask].kind is _Kind.COLLECT and self._has(_Kind.VERDICT):
                until = min(now + ask.expires - ask.not_before, self._side_end())
                if until > now:  # polls may take the whole rate until the last build has ended
                    self._queue.begin_anew(ask, now, until)
                    continue
            self._queue.remove(ask)
            why = "its turn did not come in time" if is_waiting else "no answer in the few seconds that it was given"
            self._resolve(ask, Result(error=TooSlow(why)))

    def _take_result(self, result: CallResult) -> None:
        """Hand the result of a call to the task that waits for it."""
        call = self._calls.pop(result.key)
        now = self._workers.now()
        error = result.error
        self._queue.pace.catch_up(self._context.sent(), now)
        if isinstance(error, TransientError):
            error.lasted = now - call.started
        if isinstance(error, Throttled):
            self._queue.pace.ease(now, self._context.chance())
        if call.ask not in self._owners:
            return
        if call.ask.priority in _SHARED and call.watch is not None:
            is_slow = isinstance(error, TooSlow) or now - call.started >= SLOW
            (self._slow.add if is_slow else self._slow.discard)(call.watch)
        if _decides(call.ask):
            self._has_answered |= error is None
            job = call.watch.known.target.job_id if call.watch else ""
            error = self._refusals.judged(error, job, call.started, now)
        self._resolve(call.ask, Result(result.value, error))

    def _resolve(self, ask: Ask[Any], result: Result) -> None:
        """Note a result, and let the task go on once it has all that it waits for."""
        task = self._owners.pop(ask, None)
        if task is None:
            return
        task.awaited[ask] = result
        if all(found is not None for found in task.awaited.values()):
            self._advance(task, [found for found in task.awaited.values() if found is not None])

    def _note_failure(self, watch: Watch | None, error: Exception) -> None:
        """Decide that the outcome is not known, because the gate has failed; without a target, only say it."""
        for frame in bug_frames(error):
            self._context.debug(frame)
        why, hint = explain_failure(error)
        if watch is None:
            self._context.debug(f"{why}. {hint}")
        else:
            watch.known.decide(Verdict.UNDETERMINED, EndedBy.ERROR, why, hint)


_SHARED = (Priority.NEXT, Priority.LIST, Priority.POLL)


def _decides(ask: Ask[Any]) -> bool:
    """Tell whether a verdict depends on a call."""
    return ask.priority < Priority.EXPLAIN and ask.priority is not Priority.LIST


def _signal_name(number: int) -> str:
    """Return the name of a signal as people know it."""
    if number == signal.SIGINT:
        return "Ctrl-C (SIGINT)"
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


def explain_failure(error: BaseException) -> tuple[str, str]:
    """Say what kept the gate from its work, and what to do: its surroundings, or else a bug."""
    return explain_surroundings(error) or (describe_bug(error), BUG_HINT)


def describe_bug(error: BaseException) -> str:
    """Say where the gate failed; the error's own text is left out, because it may quote anything."""
    frames = bug_frames(error)
    own = [frame for frame in frames if frame.startswith(f"{PACKAGE.name}/")]
    place = (own or frames or ["an unknown place"])[-1]
    return f"a bug in the gate: {type(error).__name__} in {place}"


def bug_frames(error: BaseException) -> list[str]:
    """Return the places through which an error came, the innermost last: `gate/core/wait.py:57`, without any values."""
    frames = []
    for frame, line in walk_tb(error.__traceback__):
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(PACKAGE):
            path = path.relative_to(PACKAGE.parent)
        name = path.name if path.is_absolute() else path.as_posix()  # the one file's modules have relative paths
        frames.append(f"{name}:{line}")
    return frames
