"""A terminal with a screen at its bottom that is drawn again and again, and messages above it."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TextIO

from gate.durations import spell
from gate.model import Outcome, Phase, Progress, Target, TargetOutcome, Verdict
from gate.platforms.live_lines import LiveLines, knows_links
from gate.platforms.marks import marks_for
from gate.platforms.platform import Platform
from gate.platforms.screen import GOOD, Heading, Painter
from gate.platforms.terminal import Terminal, next_step

__all__ = ["Heading", "LiveTerminal"]

REDRAW = 1.0
"""Seconds after which the screen is drawn anew."""

SOON = 0.2
"""The same after news, and at the start."""


class LiveTerminal(Terminal):
    """Writes what a log has no place for on a screen; what is not about a state still is a line."""

    def __init__(
        self,
        started: float,
        targets: Sequence[Target],
        *,
        heading: Heading,
        platform: Platform,
        stream: TextIO,
        environment: Mapping[str, str],
    ) -> None:
        """Draw nothing yet. `started`: the instant of the process's start; `environment` tells of the terminal."""
        super().__init__(started, targets=len(targets), quiet=False, platform=platform, stream=stream)
        self._marks = marks_for(stream, environment)
        self._painter = Painter(heading, self._marks)
        self._live = LiveLines(stream, self._colours, has_links=knows_links(environment))
        self._progress = {target.label: Progress(target, Phase.NOT_ASKED) for target in targets}
        self._staged: frozenset[str] = frozenset()
        self._is_drawn = False
        self._drawn_at = started
        self._due = started + SOON

    def take_targets(self, targets: Sequence[Target]) -> None:
        """Show the targets as they are once their jobs are known."""
        self._progress = {target.label: Progress(target, Phase.NOT_ASKED) for target in targets}

    def tick(self, progress: Sequence[Progress], now: float) -> None:
        """Draw how things stand; not while the terminal takes nothing, so that what was drawn does not pile up."""
        self._release(now)
        for one in progress:
            if self._progress[one.target.label].outcome is None:
                self._progress[one.target.label] = one
        if now < self._due:
            return
        self._drawn_at, self._due = now, now + REDRAW
        self._is_drawn = True
        if not self._is_behind():
            self._write("")

    def leave_screen(self) -> None:
        """Leave the screen where it is, and draw the next one below what a shell writes meanwhile. Writes nothing."""
        self._live.leave()

    def shows_stages(self) -> bool:
        """Tell whether there is a screen that shows the stages of builds."""
        return True

    def wants_stages(self, target: Target) -> bool:
        """Tell whether the stages of the target's build are on the screen now, so that they are worth reading."""
        return target.label in self._staged

    def say_state(self, target: Target, text: str, now: float) -> None:  # noqa: ARG002 - a log has the text
        """Draw the screen soon, which shows the new state."""
        self._note_news(now)

    def decided(self, outcome: TargetOutcome) -> None:
        """Show a verdict on the screen; the end of the log is in the report."""
        former = self._progress[outcome.label]
        self._progress[outcome.label] = former._replace(
            phase=Phase.DECIDED, outcome=outcome, build_number=outcome.build_number, build_url=outcome.build_url
        )
        self.close_log()
        self._due = min(self._due, self._drawn_at + SOON)  # not at once: forty verdicts in a second are five screens

    def explained(self, outcome: TargetOutcome) -> None:
        """Show why a build did not pass, as far as that was read since its verdict was shown."""
        self.decided(outcome)

    def shows_results_on(self, stream: TextIO) -> bool:
        """Tell whether `stream` is shown on this terminal too."""
        try:
            if not stream.isatty():
                return False
            ours, theirs = os.fstat(self._stream.fileno()), os.fstat(stream.fileno())
        except (OSError, ValueError):
            return False
        return (ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino)

    def finish(self, outcome: Outcome, report: str, advice: str = "") -> None:
        """Leave all targets with their verdicts on the screen, and one last line below them."""
        self._release(float("inf"))
        self.close_log()
        final = [
            self._progress[target.label]._replace(
                phase=Phase.DECIDED, build_number=target.build_number, build_url=target.build_url, outcome=target
            )
            for target in outcome.targets
        ]
        size = self._live.size()
        result = self._painter.result(final, round(outcome.elapsed_seconds), size.columns, size.lines)
        counts = Counter(target.verdict for target in outcome.targets)
        others = [f", {counts[one]} {one}" for one in Verdict if one not in (*GOOD, outcome.verdict) and counts[one]]
        count = f"{counts[outcome.verdict]} of {len(outcome.targets)} " if self._has_several else ""
        after = spell(outcome.elapsed_seconds)
        parts = [
            f"{count}{outcome.verdict}{''.join(others)} (exit {outcome.exit_code}) after {after}",
            report or "no report",
            next_step(outcome, advice),
        ]
        text = f" {self._marks.separator} ".join(part for part in parts if part)
        mark = self._marks.of_verdict(outcome.verdict)
        last = self._with_verdict(f"{mark} {text}", outcome.verdict)
        self._is_drawn = False
        super()._write(self._live.clear() + self._live.print(result) + f"{last}\n")

    def _note_news(self, now: float) -> None:
        self._due = min(self._due, now + SOON)

    def _write(self, text: str) -> None:
        """Write above the screen, which is drawn again in the same write, so that it never vanishes."""
        if self._is_drawn:
            size = self._live.size()
            elapsed = self._drawn_at - self._started
            screen = self._painter.live(list(self._progress.values()), elapsed, size.columns, size.lines)
            self._staged = screen.staged
            text = self._live.clear() + text + self._live.draw(screen.lines)
        super()._write(text)

    def _is_behind(self) -> bool:
        """Tell whether the terminal was stopped (Ctrl-S), or is slow."""
        is_behind = getattr(getattr(self._stream, "buffer", None), "is_behind", None)
        return is_behind is not None and is_behind()
