"""The loop over all targets: which call is carried out next, and what ends the wait.

It runs in the thread that keeps the deadline. Everything that may block is a call carried out by workers; the loop
itself waits only for their results, and never past the deadline.
"""

import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from traceback import walk_tb

from gate.core.fair_queue import LIST_KEY, FairQueue
from gate.core.list_hints import ListHints
from gate.core.ports import MAX_HANGING, Ask, CallResult, Context, DebugLine, Interruption, Observer, Steps, Workers
from gate.core.refusals import Refusals
from gate.core.schedule import Pace
from gate.core.watch import Watch
from gate.durations import spell
from gate.errors import Throttled, TooSlow, TransientError
from gate.model import Target, TargetOutcome, Verdict

WIND_UP = 3.5
"""Seconds at the end for a last poll, for stopping a build that was started here, and for what the report shows beside
the verdict; with the time for writing the reports they stay below 5 s."""

BUG_HINT = "Please report it to the authors of codearts-gate, with the output of --verbose."

PACKAGE = Path(__file__).parent.parent


@dataclass(slots=True, eq=False)
class _Run:
    """A watch under way: its steps, and the calls that it waits for."""

    watch: Watch
    steps: Steps[None]
    awaited: dict[int, CallResult | None] = field(default_factory=dict)
    """The keys of the calls, in the order in which they were asked, with the results so far."""
    is_group: bool = False
    """Whether the steps wait for a list of results."""


class Wait:
    """Waits for all targets at once."""

    def __init__(self, targets: Sequence[Target], context: Context, workers: Workers, observer: Observer) -> None:
        """Make a watch for each target; nothing is asked yet."""
        self._context = context
        self._rules = context.rules
        self._workers = workers
        self._observer = observer
        self._pace = Pace(context.rules.max_rate, workers.now())
        self._queue = FairQueue(self._pace)
        self._hints = ListHints(context, self._queue, self._pace)
        refusals = Refusals()
        self._watches = [Watch(target, context, self._hints, refusals) for target in targets]
        self._open: dict[_Run, None] = {}
        self._asks: dict[int, tuple[_Run | None, Ask]] = {}
        """The asks that wait or are under way, each with the run that gets the answer; lists belong to none."""
        self._calls: dict[int, tuple[list[int], float]] = {}
        """The calls under way: the keys that each answers, and the instant of its start."""
        self._may_hang: set[int] = set()
        """The keys of such asks that wait for their turn or are under way, also if nobody waits for them any more."""
        self._held: dict[int, Ask] = {}
        """Such asks that wait until there are fewer of the others."""
        self._keys = 0
        self._is_winding_up = False
        self.signal_number: int | None = None
        """The signal that ended the wait, if one did."""

    def run(self, deadline: float) -> list[TargetOutcome]:
        """Wait until every target has a verdict, the instant `deadline` comes, or a signal does.

        Returns the outcome of every target, in the order of the targets.
        """
        try:
            for watch in self._watches:
                self._begin(watch, watch.run())
            self.signal_number = self._loop(deadline)
            if self._open:
                self._give_up()
                self._loop(self._workers.now() + WIND_UP)
        except Exception as error:
            self.signal_number = None
            for watch in self._watches:
                self._note_bug(watch, error)
        while self._open:  # under --fail-fast, one that ends takes the others with it
            self._end(next(iter(self._open)))
        return [watch.outcome() for watch in self._watches]

    def _loop(self, deadline: float) -> int | None:
        """Ask and take answers until nothing is open or the deadline comes; return the number of a signal."""
        while self._open and (now := self._workers.now()) < deadline:
            self._start_due(now)
            if now >= self._observer.due():
                moment = self._context.service.now()
                self._observer.tick([run.watch.progress(moment) for run in self._open], now)
            event = self._workers.next(
                min(deadline, self._queue.wake_at(now, has_room=self._workers.has_room()), self._observer.due())
            )
            match event:
                case CallResult():
                    self._take_result(event)
                case Interruption(signal_number):
                    return signal_number
                case DebugLine(text):
                    self._observer.debug_line(text)
                case None:
                    pass
            self._drop_expired(self._workers.now())
        return None

    def _begin(self, watch: Watch, steps: Steps[None]) -> None:
        run = _Run(watch, steps)
        self._open[run] = None
        self._advance(run, None)

    def _advance(self, run: _Run, result: CallResult | list[CallResult] | None) -> None:
        """Let a watch go on with what it waited for, up to its next call or its end."""
        run.awaited = {}
        try:
            if result is None:
                asked = next(run.steps)
            elif isinstance(result, list):
                asked = run.steps.send(result)
            elif result.error is not None:
                asked = run.steps.throw(result.error)
            else:
                asked = run.steps.send(result.value)
        except StopIteration:
            self._end(run)
        except Exception as error:
            self._note_bug(run.watch, error)
            self._end(run)
        else:
            run.is_group = isinstance(asked, list)
            self._wait_for(run, asked if isinstance(asked, list) else [asked])

    def _wait_for(self, run: _Run, asks: Sequence[Ask]) -> None:
        """Let a watch wait for its turn; an optional call is left out while others are overdue."""
        now = self._workers.now()
        left_out = self._queue.is_behind(now) or self._hints.takes_all
        keys = range(self._keys + 1, self._keys + 1 + len(asks))
        self._keys += len(asks)
        run.awaited = dict.fromkeys(keys)
        for key, ask in zip(keys, asks, strict=True):
            if ask.optional and left_out:
                continue
            self._asks[key] = (run, ask)
            if ask.may_hang and not self._is_winding_up:
                self._held[key] = ask
                self._queue.add(key, ask._replace(not_before=ask.expires), now)  # it expires, whatever the others do
            else:
                self._queue.add(key, self._hints.schedule(key, ask, now), now)
        self._release_held(now)
        for key, ask in zip(keys, asks, strict=True):
            if ask.optional and left_out:
                self._resolve(run, CallResult(key))

    def _release_held(self, now: float) -> None:
        """Let asks that may hang have their turn, as long as not too many of them are under way."""
        while self._held and len(self._may_hang) < MAX_HANGING:
            key = next(iter(self._held))
            ask = self._held.pop(key)
            self._may_hang.add(key)
            self._queue.remove(key)
            self._queue.add(key, ask, now)

    def _end(self, run: _Run) -> None:
        """Close a target, and under `--fail-fast` all others with it."""
        self._leave(run)
        outcome = run.watch.outcome()
        self._observer.decided(outcome)
        passed = outcome.verdict in (Verdict.PASSED, Verdict.SKIPPED, Verdict.STARTED)
        if self._rules.fail_fast and not passed and not self._is_winding_up:
            for other in list(self._open):
                reason = f"not judged, because {outcome.label} {outcome.verdict} (--fail-fast)"
                other.watch.decide(Verdict.SKIPPED, reason)
                self._end(other)

    def _leave(self, run: _Run) -> None:
        """Stop a watch where it is; an answer that still comes is dropped."""
        run.steps.close()
        for key in run.awaited:
            self._remove(key)
            self._asks.pop(key, None)
        self._open.pop(run, None)

    def _remove(self, key: int) -> None:
        """Take an ask out of the queue; a call that is under way keeps its worker until it returns."""
        self._queue.remove(key)
        self._held.pop(key, None)
        if key not in self._calls:
            self._may_hang.discard(key)
            self._release_held(self._workers.now())

    def _give_up(self) -> None:
        """Begin the last seconds of every target that is still open."""
        self._is_winding_up = True
        verdict, why = Verdict.TIMED_OUT, f"no result within {spell(self._rules.timeout)} (--timeout)"
        if self.signal_number is not None:
            verdict, why = Verdict.INTERRUPTED, f"the gate was interrupted by {_signal_name(self.signal_number)}"
        for run in list(self._open):
            run.watch.give_up(verdict, why)
            if not run.watch.must_finish_order:  # else the number of its build is still to come
                self._leave(run)
                self._begin(run.watch, run.watch.wind_up())

    def _start_due(self, now: float) -> None:
        """Start every call whose time has come, as far as workers and the request rate allow."""
        if (list_ask := self._hints.next_list(now)) is not None:
            self._asks[LIST_KEY] = (None, list_ask)
            self._queue.add(LIST_KEY, list_ask, now)
        while self._workers.has_room() and (keys := self._queue.take(now)):
            self._calls[keys[0]] = (keys, now)
            for key in keys:
                run, _ = self._asks[key]
                if run is not None:
                    run.watch.note_poll()
            self._workers.submit(keys[0], self._asks[keys[0]][1].call)

    def _drop_expired(self, now: float) -> None:
        """Stop waiting for answers that are of no use any more."""
        for key in self._queue.expired(now):
            self._remove(key)
            self._answer(CallResult(key, error=TooSlow("no answer in the few seconds that it was given")))

    def _take_result(self, result: CallResult) -> None:
        """Hand the result of a call to the watches that wait for it."""
        keys, started = self._calls.pop(result.key)
        if isinstance(result.error, TransientError):
            result.error.lasted = self._workers.now() - started
        if isinstance(result.error, Throttled):
            self._pace.ease(self._workers.now(), self._context.chance())
        if LIST_KEY in keys:
            self._hints.take(result)
        self._may_hang.difference_update(keys)
        self._release_held(self._workers.now())
        for key in keys:
            self._answer(result._replace(key=key))

    def _answer(self, result: CallResult) -> None:
        """Note the result of one ask; an answer that comes too late is dropped."""
        run, _ = self._asks.pop(result.key, (None, None))
        if run is not None:
            self._resolve(run, result)

    def _resolve(self, run: _Run, result: CallResult) -> None:
        """Note a result, and let the watch go on once it has all that it waits for."""
        if result.key not in run.awaited:
            return
        run.awaited[result.key] = result
        results = [found for found in run.awaited.values() if found is not None]
        if len(results) == len(run.awaited):
            self._advance(run, results if run.is_group else results[0])

    def _note_bug(self, watch: Watch, error: Exception) -> None:
        """Decide that the outcome is not known, because the gate has a bug."""
        for frame in bug_frames(error):
            self._context.debug(frame)
        watch.decide(Verdict.UNDETERMINED, describe_bug(error), BUG_HINT)


def _signal_name(number: int) -> str:
    """Return the name of a signal as people know it."""
    if number == signal.SIGINT:
        return "Ctrl-C (SIGINT)"
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


def describe_bug(error: Exception) -> str:
    """Say where the gate failed; the error's own text is left out, because it may quote anything."""
    frames = bug_frames(error)
    own = [frame for frame in frames if frame.startswith(f"{PACKAGE.name}/")]
    place = (own or frames or ["an unknown place"])[-1]
    return f"a bug in the gate: {type(error).__name__} in {place}"


def bug_frames(error: Exception) -> list[str]:
    """Return the places through which an error came, the innermost last: `gate/core/wait.py:57`, without any values."""
    frames = []
    for frame, line in walk_tb(error.__traceback__):
        path = Path(frame.f_code.co_filename)
        name = path.relative_to(PACKAGE.parent).as_posix() if path.is_relative_to(PACKAGE) else path.name
        frames.append(f"{name}:{line}")
    return frames
