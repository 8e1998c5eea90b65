"""What people read on stderr: a line when something changes, and how things stand.

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
from gate.platforms.platform import PLAIN, Platform
from gate.platforms.progress import LiveLines, summary, table
from gate.text import one_line, tail

SILENCE = 60.0
"""Seconds without a line after which one is written."""

LOG_LIMIT = 100_000
"""Bytes of a build's log that are shown."""


class Terminal:
    """Writes for people; whatever happens to its stream, it never raises."""

    def __init__(
        self, started: float, *, labels: bool, quiet: bool, platform: Platform = PLAIN, stream: TextIO | None = None
    ) -> None:
        """Take the instant of the process's start; `labels`: whether lines name their target."""
        self._started = started
        self._platform = platform
        self._labels = labels
        self._quiet = quiet
        self._stream = stream or sys.stderr
        on_terminal = self._stream.isatty()
        self._colours = platform.colours(on_terminal=on_terminal)
        live = not quiet and platform.can_rewrite(on_terminal=on_terminal)
        self._live = LiveLines(self._stream) if live else None
        self._changes: dict[str, float] = {}
        self._due = started + (1.0 if self._live else SILENCE)

    def due(self) -> float:
        """Return the instant at which `tick` should be called next."""
        return math.inf if self._quiet else self._due

    def say(self, target: Target, text: str, now: float) -> None:
        """Write what changed for a target."""
        self._changes[target.label] = now
        if not self._live and not self._labels:
            self._due = now + SILENCE
        if not self._quiet:
            name = f"{target.label}: " if self._labels else ""
            self.line(f"{_clock(now - self._started)} {name}{one_line(text, limit=500)}")

    def remark(self, text: str) -> None:
        """Write a detail."""
        self.line(f"      {one_line(text, limit=500)}")

    def tick(self, standings: Sequence[Progress], now: float) -> None:
        """Write how things stand: over the live lines, or as a line of its own."""
        text = f"{_clock(now - self._started)} {summary(standings)}"
        if self._live:
            rows = table(standings, self._changes, self._live.size().lines - 1) if self._labels else []
            self._write(self._live.show([*rows, text]))
        else:
            self.line(text)
        self._due = now + (1.0 if self._live else SILENCE)

    def decided(self, outcome: TargetOutcome) -> None:
        """Write a target's verdict, and the end of its log if there is one."""
        if self._quiet:
            return
        name = f"{outcome.label}: " if self._labels else ""
        text = self._platform.without_commands(f"{name}{outcome.verdict}: {one_line(outcome.reason, limit=1000)}")
        self.relay([self._colours.of_verdict(text, outcome.verdict)])
        if outcome.log_tail:
            title = f"the end of the log of build {outcome.build_number}"
            lines = tail(outcome.log_tail, LOG_LIMIT).split("\n")
            self.relay(self._platform.log_section(title, self._platform.quoted(lines)))

    def finish(self, outcome: Outcome, report: str, advice: str = "") -> None:
        """Write the final line: the verdict, the report, the next thing to do; `advice` for when no target has any."""
        others = [target for target in outcome.targets if target.verdict not in (Verdict.PASSED, Verdict.SKIPPED)]
        count = f"{len(outcome.targets) - len(others)} of {len(outcome.targets)} passed, " if self._labels else ""
        next_thing = one_line(others[0].hint, limit=500) if others else advice
        where = f"report in {report}" if report else "no report"
        after = spell(outcome.elapsed_seconds)
        text = f"{outcome.verdict} ({count}exit {outcome.exit_code}) after {after}; {where}. {next_thing}".rstrip()
        self.relay([self._colours.of_verdict(self._platform.without_commands(text), outcome.verdict)])

    def line(self, text: str) -> None:
        """Write a line that gives no command to anybody."""
        self.relay([self._platform.without_commands(text)])

    def relay(self, lines: Iterable[str]) -> None:
        """Write lines as the platform made them."""
        for text in lines:
            self._write(f"{self._live.clear() if self._live else ''}{text}\n")

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()


def _clock(seconds: float) -> str:
    """Write the time since the start as `MM:SS`, or `H:MM:SS`."""
    whole = int(max(seconds, 0))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes:02}:{whole % 60:02}"
