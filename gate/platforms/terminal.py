"""What people read on stderr: a line when something changes, the logs of builds, and how things stand.

In a log, a line says how things stand after a minute of silence; with several targets, every minute. On a terminal, it
is written over each second: one line, or a table with one line for each of several targets.
"""

import contextlib
import math
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

from gate.durations import spell
from gate.model import Outcome, Progress, Target, TargetOutcome, Verdict
from gate.platforms.colours import verdict_mark
from gate.platforms.live_lines import LiveLine, LiveLines
from gate.platforms.platform import MARK, PLAIN, Platform
from gate.platforms.progress import count_states, describe, table
from gate.platforms.repeats import MAX_SINGLE, Repeats
from gate.platforms.shown_logs import MAX_FOLLOWED_BYTES, ShownLogs
from gate.text import one_line

SILENCE = 60.0
"""Seconds without a line after which one is written."""

REDRAW = 1.0
"""Seconds after which live lines are written anew."""

SOON = 0.2
"""The same after news: the table below it should not tell the contrary for long."""

MANY_TARGETS = 10
"""Targets from which on equal messages about them are written as one."""

NO_MORE = f"no more of the builds' logs is shown while they run: {MAX_FOLLOWED_BYTES // 1000} kB have been shown"

_NO_PROBLEM = (Verdict.PASSED, Verdict.SKIPPED, Verdict.STARTED)


class Terminal:
    """Writes for people; whatever happens to its stream, it never raises."""

    def __init__(
        self, started: float, *, targets: int, quiet: bool, platform: Platform = PLAIN, stream: TextIO | None = None
    ) -> None:
        """Take the instant of the process's start, and the number of targets; of several, lines name their target."""
        self._started = started
        self._platform = platform
        self._labels = targets > 1
        self._folds = targets >= MANY_TARGETS
        self._quiet = quiet
        self._stream = stream or sys.stderr
        on_terminal = self._stream.isatty()
        self._colours = platform.colours(on_terminal=on_terminal)
        live = not quiet and platform.can_rewrite(on_terminal=on_terminal)
        self._live = LiveLines(self._stream, self._colours) if live else None
        self._marks = live and _can_show(self._stream, "✓✗")
        self._progress: Sequence[Progress] = ()
        self._drawn_at = started
        self._changes: dict[str, float] = {}
        self._repeats = Repeats()
        self._logs = ShownLogs(targets)
        self._section = platform.followed()
        self._is_open = False
        self._due = started + (REDRAW if live else SILENCE)

    def due(self) -> float:
        """Return the instant at which `tick` should be called next."""
        return math.inf if self._quiet else min(self._due, self._repeats.due())

    def say(self, target: Target, text: str, now: float) -> None:
        """Write what changed for a target; of what many targets have in common, once for all of them."""
        self._changes[target.label] = now
        self._note_news(now)
        if self._quiet:
            return
        text = one_line(text, limit=500)
        if not self._folds or not self._repeats.hold(target.label, text, now):
            self._say(target.label, text, now)

    def debug_line(self, text: str) -> None:
        """Write a detail."""
        self.line(f"      {one_line(text, limit=500)}")

    def tick(self, progress: Sequence[Progress], now: float) -> None:
        """Write how things stand: over the live lines, or as a line of its own."""
        self._release(now)
        if now < self._due:
            return
        self._progress, self._drawn_at = progress, now
        if self._live:
            self._write("")
        else:
            self.line(self._standing())
        self._due = now + (REDRAW if self._live else SILENCE)

    def wants_stages(self, target: Target) -> bool:  # noqa: ARG002 - a screen will tell
        """Tell whether the stages of the target's build are on the screen now, so that they are worth reading."""
        return False

    def log_lines(self, target: Target, lines: Sequence[str], now: float) -> None:
        """Write new lines of a running build's log: whole ones, without secrets."""
        if self._quiet or not lines:
            return
        self._note_news(now)
        mark = MARK + self._name(target.label)
        shown, is_last = self._logs.follow(target.label, self._platform.quoted(lines), len(mark) - len(MARK))
        if shown:
            opening = [] if self._is_open else self._section.opening()
            piece = self._section.piece([mark + line.removeprefix(MARK) for line in shown])
            self._is_open = True
            self.relay([*opening, *piece])
        if is_last:
            self.close_log()
            self.line(f"{self._clock(now)} {NO_MORE}")

    def close_log(self) -> None:
        """End what `log_lines` has begun; more may follow."""
        if self._is_open:
            self.relay(self._section.closing())
            self._is_open = False

    def decided(self, outcome: TargetOutcome) -> None:
        """Write a target's verdict, and the end of its log if there is one, as far as it was not shown before."""
        self._progress = [progress for progress in self._progress if progress.target.label != outcome.label]
        if self._quiet:
            return
        self.close_log()
        text = f"{self._name(outcome.label)}{outcome.verdict}: {one_line(outcome.reason, limit=1000)}"
        written = [self._with_verdict(text, outcome.verdict)]
        if log := self._logs.end(outcome.label, self._platform.quoted(outcome.log_tail)):
            title = f"the end of the log of build {outcome.build_number}"
            written += self._platform.log_section(title, log)
        self.relay(written)
        if self._logs.is_complete():
            self._release(math.inf)

    def finish(self, outcome: Outcome, report: str, advice: str = "") -> None:
        """Write the final line: the verdict, the report, the next thing to do; `advice` for when no target has any."""
        self._progress = ()
        self.close_log()
        others = [target for target in outcome.targets if target.verdict not in _NO_PROBLEM]
        passed = sum(target.verdict is Verdict.PASSED for target in outcome.targets)
        count = f"{passed} of {len(outcome.targets)} passed, " if self._labels else ""
        next_thing = one_line(others[0].hint, limit=500) if others else advice
        where = f"report in {report}" if report else "no report"
        after = spell(outcome.elapsed_seconds)
        text = f"{outcome.verdict} ({count}exit {outcome.exit_code}) after {after}; {where}. {next_thing}".rstrip()
        self.relay([self._with_verdict(text, outcome.verdict)])

    def line(self, text: str) -> None:
        """Write a line that gives no command to anybody."""
        self.relay([self._platform.without_commands(text)])

    def relay(self, lines: Iterable[str]) -> None:
        """Write lines as the platform made them."""
        if text := "".join(f"{line}\n" for line in lines):
            self._write(text)

    def _say(self, label: str, text: str, now: float) -> None:
        self.line(f"{self._clock(now)} {self._name(label)}{text}")

    def _name(self, label: str) -> str:
        """Return the start of a line about a target, where there are several."""
        return f"{label}: " if self._labels else ""

    def _release(self, now: float) -> None:
        """Write the messages that were held back long enough."""
        for text, held in self._repeats.release(now):
            if len(held) > MAX_SINGLE:
                self.line(f"{self._clock(held[-1][1])} {len(held)} more targets: {text}")
            else:
                for label, at in held:
                    self._say(label, text, at)

    def _note_news(self, now: float) -> None:
        """Draw the live lines soon; in a log, the silence of one target begins anew, and several have their minute."""
        if self._live:
            self._due = min(self._due, now + SOON)
        elif not self._labels:
            self._due = now + SILENCE

    def _standing(self) -> str:
        """Return how things stand as one line; a table above it shows each of several targets."""
        if len(self._progress) > 1 or (self._live and self._labels):
            text = count_states(self._progress)
        else:
            text = "".join(self._name(progress.target.label) + describe(progress) for progress in self._progress)
        return f"{self._clock(self._drawn_at)} {text}"

    def _frame(self, live: LiveLines) -> list[LiveLine]:
        """Return what stands below all other lines now."""
        if not self._progress:
            return []
        size = live.size()
        rows = table(self._progress, self._changes, size.lines - 1, size.columns) if self._labels else []
        return [*rows, LiveLine(self._standing())]

    def _with_verdict(self, text: str, verdict: Verdict) -> str:
        mark = f"{verdict_mark(verdict)} " if self._marks else ""
        return self._colours.of_verdict(mark + self._platform.without_commands(text), verdict)

    def _clock(self, now: float) -> str:
        """Return the time since the start as `MM:SS`, or `H:MM:SS`."""
        whole = int(max(now - self._started, 0))
        hours, minutes = divmod(whole // 60, 60)
        return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes:02}:{whole % 60:02}"

    def _write(self, text: str) -> None:
        """Write above the live lines, which are shown again in the same write, so that they never vanish."""
        if self._live:
            text = self._live.clear() + text + self._live.show(self._frame(self._live))
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()


def _can_show(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
