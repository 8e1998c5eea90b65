"""What people read on stderr: a line when something changes, the logs of builds, and how things stand.

In a log, a line says how things stand after a minute of silence; with several targets, every minute. On a terminal, a
screen is drawn over and over instead, see `gate.platforms.live_terminal`.
"""

import contextlib
import math
import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TextIO
from urllib.parse import urlsplit

from gate.durations import spell
from gate.model import Outcome, Progress, Target, TargetOutcome, Verdict
from gate.platforms.platform import MARK, PLAIN, Platform
from gate.platforms.progress import count_states, describe
from gate.platforms.repeats import MAX_SINGLE, Repeats
from gate.platforms.shown_logs import MAX_FOLLOWED_BYTES, ShownLogs
from gate.settings import Settings
from gate.text import link, one_line

SILENCE = 60.0
"""Seconds without a line after which one is written."""

MANY_TARGETS = 10
"""Targets from which on equal messages about them are written as one."""

NO_MORE = f"no more of the builds' logs is shown while they run: {MAX_FOLLOWED_BYTES // 1000} kB have been shown"


class Terminal:
    """Writes lines for people; whatever happens to its stream, it never raises."""

    def __init__(
        self, started: float, *, targets: int, quiet: bool, platform: Platform = PLAIN, stream: TextIO | None = None
    ) -> None:
        """Take the instant of the process's start, and the number of targets; of several, lines name their target."""
        self._started = started
        self._platform = platform
        self._has_several = targets > 1
        self._merges_repeats = targets >= MANY_TARGETS
        self._quiet = quiet
        self._stream = stream or sys.stderr
        self._colours = platform.colours(on_terminal=self._stream.isatty())
        self._repeats = Repeats()
        self._logs = ShownLogs(targets)
        self._section = platform.followed()
        self._is_open = False
        self._due = started + SILENCE

    def due(self) -> float:
        """Return the instant at which `tick` should be called next."""
        return math.inf if self._quiet else min(self._due, self._repeats.due())

    def take_targets(self, targets: Sequence[Target]) -> None:
        """Take note of the targets as they are once their jobs are known."""

    def say(self, target: Target, text: str, now: float) -> None:
        """Write what changed for a target; of what many targets have in common, once for all of them."""
        self._note_news(now)
        if self._quiet:
            return
        text = one_line(text, limit=500)
        if not self._merges_repeats or not self._repeats.defer(target.label, text, now):
            self._say(target.label, text, now)

    def say_state(self, target: Target, text: str, now: float) -> None:
        """Write a sentence about the state of a target; a screen shows the state anyway."""
        self.say(target, text, now)

    def debug_line(self, text: str) -> None:
        """Write a detail."""
        self.line(f"      {one_line(text, limit=500)}")

    def tick(self, progress: Sequence[Progress], now: float) -> None:
        """Write how the targets without a verdict stand, after a minute of silence."""
        self._release(now)
        if now < self._due:
            return
        self._due = now + SILENCE
        if undecided := [one for one in progress if one.outcome is None]:
            self.line(f"{self._clock(now)} {self._state_of(undecided)}")

    def leave_screen(self) -> None:
        """Draw the next screen below what others write from now on; lines stay where they are anyway."""

    def shows_stages(self) -> bool:
        """Tell whether there is a screen that shows the stages of builds."""
        return False

    def wants_stages(self, target: Target) -> bool:  # noqa: ARG002 - a screen does
        """Tell whether the stages of the target's build are on the screen now, so that they are worth reading."""
        return False

    def log_lines(self, target: Target, lines: Sequence[str], now: float) -> bool:
        """Write new lines of a running build's log: whole ones, without secrets; return whether more may follow."""
        if self._quiet or not lines:
            return not self._quiet
        self._note_news(now)
        mark = MARK + self._name(target.label)
        shown, is_last = self._logs.follow(target.label, self._platform.quoted(lines), len(mark) - len(MARK))
        if shown:
            opening = [] if self._is_open else self._section.opening()
            piece = self._section.piece([mark + line.removeprefix(MARK) for line in shown])
            self._is_open = True
            self.lines([*opening, *piece])
        if is_last:
            self.close_log()
            self.line(f"{self._clock(now)} {NO_MORE}")
        return self._logs.is_followed

    def close_log(self) -> None:
        """End what `log_lines` has begun; more may follow."""
        if self._is_open:
            self.lines(self._section.closing())
            self._is_open = False

    def decided(self, outcome: TargetOutcome) -> None:
        """Write a target's verdict."""
        if self._quiet:
            return
        self.close_log()
        text = f"{self._name(outcome.label)}{outcome.verdict}: {one_line(outcome.reason, limit=1000)}"
        if outcome.verdict is not Verdict.PASSED and (url := link(outcome.build_url)):
            text += f" {url}"
        self.lines([self._with_verdict(text, outcome.verdict)])

    def explained(self, outcome: TargetOutcome) -> None:
        """Write the end of the log of a build that was shown as decided, as far as it was not shown before."""
        if self._quiet:
            return
        if log := self._logs.end(outcome.label, self._platform.quoted(outcome.telling_log)):
            title = f"{self._name(outcome.label)}the end of the log of build {outcome.build_number}"
            self.lines(self._platform.log_section(title, log))
        if self._logs.is_complete():
            self._release(math.inf)

    def shows_results_on(self, stream: TextIO) -> bool:  # noqa: ARG002 - a screen does
        """Tell whether the results stand on the terminal that shows `stream` too, so that lines would repeat them."""
        return False

    def finish(self, outcome: Outcome, report: str, advice: str = "") -> None:
        """Write the final line: the verdict, the report, the next thing to do; `advice` for when no target has any."""
        self._release(math.inf)
        self.close_log()
        counts = Counter(target.verdict for target in outcome.targets)
        good = Verdict.STARTED if counts[Verdict.STARTED] else Verdict.PASSED
        count = f"{counts[good]} of {len(outcome.targets)} {good}, " if self._has_several else ""
        where = f"report in {report}" if report else "no report"
        after = spell(outcome.elapsed_seconds)
        next_thing = next_step(outcome, advice)
        text = f"{outcome.verdict} ({count}exit {outcome.exit_code}) after {after}; {where}. {next_thing}".rstrip()
        self.lines([self._with_verdict(text, outcome.verdict)])

    def line(self, text: str) -> None:
        """Write a line that gives no command to anybody."""
        self.lines([self._platform.without_commands(text)])

    def lines(self, lines: Iterable[str]) -> None:
        """Write lines as the platform made them."""
        if text := "".join(f"{line}\n" for line in lines):
            self._write(text)

    def _say(self, label: str, text: str, now: float) -> None:
        self.line(f"{self._clock(now)} {self._name(label)}{text}")

    def _name(self, label: str) -> str:
        """Return the start of a line about a target, where there are several."""
        return f"{label}: " if self._has_several else ""

    def _release(self, now: float) -> None:
        """Write the messages that were held back long enough."""
        for text, held in self._repeats.release(now):
            if len(held) > MAX_SINGLE:
                self.line(f"{self._clock(held[-1][1])} {len(held)} more targets: {text}")
            else:
                for label, at in held:
                    self._say(label, text, at)

    def _note_news(self, now: float) -> None:
        """Let the silence of one target begin anew; several have their minute."""
        if not self._has_several:
            self._due = now + SILENCE

    def _state_of(self, undecided: Sequence[Progress]) -> str:
        """Return how targets without a verdict stand."""
        if len(undecided) > 1:
            return count_states(undecided)
        return self._name(undecided[0].target.label) + describe(undecided[0])

    def _with_verdict(self, text: str, verdict: Verdict) -> str:
        return self._colours.of_verdict(self._platform.without_commands(text), verdict)

    def _clock(self, now: float) -> str:
        """Return the time since the start as `MM:SS`, or `H:MM:SS`."""
        whole = int(max(now - self._started, 0))
        hours, minutes = divmod(whole // 60, 60)
        return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes:02}:{whole % 60:02}"

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()


def next_step(outcome: Outcome, advice: str) -> str:
    """Return the next thing to do after the run, or `advice` if there is none."""
    return one_line(outcome.advice or advice, limit=1000)


def open_terminal(settings: Settings, started: float, platform: Platform, stream: TextIO | None = None) -> Terminal:
    """Return what writes on stderr, or on `stream`: a screen where lines can be written over, else lines."""
    quiet, targets = settings.reports.quiet, settings.targets
    stream = stream or sys.stderr
    if quiet or not platform.can_rewrite(on_terminal=stream.isatty()):
        return Terminal(started, targets=len(targets), quiet=quiet, platform=platform, stream=stream)
    from gate.platforms.live_terminal import Heading, LiveTerminal

    place = settings.region or urlsplit(settings.connection.endpoint).hostname or ""
    heading = Heading(place, settings.rules.timeout, on_interrupt(settings))
    return LiveTerminal(started, targets, heading=heading, platform=platform, stream=stream, environment=os.environ)


def on_interrupt(settings: Settings) -> str:
    """Say what Ctrl-C does."""
    builds = "builds" if len(settings.targets) > 1 else "build"
    if settings.order is not None and not settings.rules.keep_running:
        return f"Ctrl-C stops the {builds} started here" if settings.rules.reuse else f"Ctrl-C stops the {builds}"
    if settings.rules.stop:
        return f"Ctrl-C stops the {builds}"
    return f"Ctrl-C ends the gate; {'builds go' if builds == 'builds' else 'the build goes'} on"
