"""The loop over all targets: who is asked next, and what ends the wait.

It runs in the thread that keeps the deadline. Everything that may block is a call carried out by workers; the loop
itself waits only for their answers, and never past the deadline.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gate.core.fair_queue import FairQueue
from gate.core.ports import Ask, CallResult, Context, DebugLine, Interruption, Observer, Steps, Workers
from gate.core.schedule import Pace
from gate.core.watch import Watch
from gate.durations import spell
from gate.errors import Throttled, TooSlow
from gate.model import Target, Verdict

WIND_UP = 3.5
"""Seconds at the end for stopping a build that was started here, and for what the report shows beside the verdict; with
the time for writing the reports they stay below 5 s."""


BUG_HINT = "Please report it to the authors of codearts-gate, with the output of --verbose."


@dataclass(slots=True, eq=False)
class _Run:
    """A watch under way: its steps, and the key of the ask it waits for."""

    watch: Watch
    steps: Steps[None]
    key: int = 0


class Wait:
    """Waits for all targets at once."""

    def __init__(self, targets: Sequence[Target], context: Context, workers: Workers, observer: Observer) -> None:
        """Make a watch for each target; nothing is asked yet."""
        builds = Counter(target.job_id for target in targets)
        self.watches = [Watch(target, context, shares=builds[target.job_id] > 1) for target in targets]
        self._rules = context.rules
        self._service = context.service
        self._chance = context.chance
        self._workers = workers
        self._observer = observer
        self._pace = Pace(context.rules.max_rate, workers.now())
        self._turns = FairQueue(self._pace)
        self._open: dict[_Run, None] = {}
        self._asks: dict[int, tuple[_Run, Ask]] = {}
        self._answering: dict[int, list[int]] = {}
        self._keys = 0

    def run(self, deadline: float) -> int | None:
        """Wait until every target has a verdict, the instant `deadline` comes, or a signal does.

        Returns the number of the signal that ended the wait, if one did.
        """
        try:
            for watch in self.watches:
                self._begin(watch, watch.run())
            signal_number = self._loop(deadline)
            if self._open:
                self._give_up(signal_number)
                self._loop(self._workers.now() + WIND_UP)
        except Exception as error:
            signal_number = None
            for watch in self.watches:
                watch.findings.decide(Verdict.UNDETERMINED, describe_bug(error), BUG_HINT)
        while self._open:  # under --fail-fast, one that ends takes the others with it
            self._end(next(iter(self._open)))
        return signal_number

    def _loop(self, deadline: float) -> int | None:
        """Ask and take answers until nothing is open or the deadline comes; give the number of a signal."""
        while self._open and (now := self._workers.now()) < deadline:
            self._start_due(now)
            if now >= self._observer.due():
                moment = self._service.now()
                self._observer.tick([run.watch.findings.standing(moment) for run in self._open], now)
            event = self._workers.next(
                min(deadline, self._turns.wake_at(now, room=self._workers.has_room()), self._observer.due())
            )
            match event:
                case CallResult():
                    self._answer(event)
                case Interruption(signal_number):
                    return signal_number
                case DebugLine(text):
                    self._observer.remark(text)
                case None:
                    pass
            self._drop_late(self._workers.now())
        return None

    def _begin(self, watch: Watch, steps: Steps[None]) -> None:
        run = _Run(watch, steps)
        self._open[run] = None
        self._step(run, None)

    def _step(self, run: _Run, answer: CallResult | None) -> None:
        """Let a watch go on with an answer, up to its next ask or its end."""
        run.key = 0
        try:
            if answer is None:
                ask = next(run.steps)
            elif answer.error is not None:
                ask = run.steps.throw(answer.error)
            else:
                ask = run.steps.send(answer.value)
        except StopIteration:
            self._end(run)
        except Exception as error:
            run.watch.findings.decide(Verdict.UNDETERMINED, describe_bug(error), BUG_HINT)
            self._end(run)
        else:
            self._wait_for(run, ask)

    def _wait_for(self, run: _Run, ask: Ask) -> None:
        """Let a watch wait for its turn with an ask; one that can be spared is left out while others are overdue."""
        now = self._workers.now()
        if ask.spare and self._turns.is_behind(now):
            self._step(run, CallResult(0))
            return
        self._keys += 1
        run.key = self._keys
        self._asks[run.key] = (run, ask)
        self._turns.add(run.key, ask, now)

    def _end(self, run: _Run) -> None:
        """Close a target, and under `--fail-fast` all others with it."""
        self._leave(run)
        outcome = run.watch.findings.outcome()
        self._observer.decided(outcome)
        if self._rules.fail_fast and outcome.verdict not in (Verdict.PASSED, Verdict.SKIPPED):
            for other in list(self._open):
                reason = f"not waited for any longer (--fail-fast): {outcome.label} {outcome.verdict}"
                other.watch.findings.decide(Verdict.SKIPPED, reason)
                self._end(other)

    def _leave(self, run: _Run) -> None:
        """Stop a watch where it is; an answer that still comes is dropped."""
        run.steps.close()
        self._turns.remove(run.key)
        self._asks.pop(run.key, None)
        self._open.pop(run, None)

    def _give_up(self, signal_number: int | None) -> None:
        """Decide about every target that is still open, and begin its last seconds."""
        given_up = list(self._open)
        for run in given_up:  # all before the first of them ends: under --fail-fast, it takes the others with it
            if signal_number is None:
                run.watch.give_up(Verdict.TIMED_OUT, f"no result within {spell(self._rules.timeout)} (--timeout)")
            else:
                run.watch.give_up(Verdict.INTERRUPTED, f"the gate was interrupted by signal {signal_number}")
            if not (run.watch.starting and run.watch.starting.under_way):  # else its number is still to come
                self._leave(run)
        for run in given_up:
            if run not in self._open:
                self._begin(run.watch, run.watch.wind_up())

    def _start_due(self, now: float) -> None:
        """Start every ask whose time has come, as far as workers and the request rate allow."""
        while self._workers.has_room() and (keys := self._turns.take(now)):
            self._answering[keys[0]] = keys
            self._workers.submit(keys[0], self._asks[keys[0]][1].call)

    def _drop_late(self, now: float) -> None:
        """Stop waiting for answers that are of no use any more."""
        for key in self._turns.late(now):
            self._turns.remove(key)
            self._go_on(key, CallResult(key, error=TooSlow("no answer in the few seconds that it was given")))

    def _answer(self, answer: CallResult) -> None:
        """Take an answer to the watches that wait for it."""
        if isinstance(answer.error, Throttled):
            self._pace.ease(self._workers.now(), self._chance())
        for key in self._answering.pop(answer.key):
            self._go_on(key, answer)

    def _go_on(self, key: int, answer: CallResult) -> None:
        """Let the watch that waits for an ask go on; an answer that comes too late is dropped."""
        run, _ = self._asks.pop(key, (None, None))
        if run is not None:
            self._step(run, answer)


def describe_bug(error: Exception) -> str:
    """Say where the gate failed; the error's own text is left out, because it may quote anything."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "nowhere"
    return f"a bug in the gate: {type(error).__name__} in {place}"
