"""The progress of targets that have no verdict yet: as one line, as a table, and as the live lines of a terminal."""

import os
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TextIO

from gate.durations import spell
from gate.model import Progress
from gate.text import one_line

LABEL_WIDTH = 32
"""Characters that the column of labels takes at most."""


def summary(standings: Sequence[Progress]) -> str:
    """Say how one target stands, or how many wait for what."""
    if len(standings) == 1:
        return describe(standings[0])
    words = Counter(one_line(standing.word or "no build yet", limit=40) for standing in standings)
    counts = ", ".join(f"{count} {word}" for word, count in words.items())
    return f"{len(standings)} targets without a verdict: {counts}"


def describe(standing: Progress) -> str:
    """Say how one target stands."""
    if standing.build_number is None:
        return "waiting for a build"
    parts = [f"build {standing.build_number} {one_line(standing.word or 'has no state yet', limit=40)}"]
    if standing.running_seconds is not None:
        parts.append(f"for {spell(standing.running_seconds)}")
        if standing.expected_seconds is not None:
            left = standing.expected_seconds - standing.running_seconds
            parts.append(
                f"about {spell(left)} left" if left > 0 else f"usually done in {spell(standing.expected_seconds)}"
            )
    return ", ".join(parts)


def table(standings: Sequence[Progress], changes: Mapping[str, float], rows: int) -> list[str]:
    """Return one line for each target; where they are more than `rows`, only those that changed last, the last on top.

    `changes`: the instant of each label's last change.
    """
    if len(standings) > rows:
        latest = sorted(standings, key=lambda standing: -changes.get(standing.target.label, 0.0))
        standings = latest[: max(rows, 0)]
    width = min(max((len(standing.target.label) for standing in standings), default=0), LABEL_WIDTH)
    return [
        f"{one_line(standing.target.label, limit=LABEL_WIDTH):<{width}}  {describe(standing)}" for standing in standings
    ]


class LiveLines:
    """Knows what is shown now, so that it can be taken away again."""

    def __init__(self, stream: TextIO) -> None:
        """Nothing is shown yet on the terminal behind `stream`."""
        self._stream = stream
        self._shown = 0

    def size(self) -> os.terminal_size:
        """Return the columns and lines that can be written over."""
        try:
            columns, lines = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            columns, lines = 80, 24
        return os.terminal_size((max(columns - 1, 20), max(lines - 1, 1)))

    def clear(self) -> str:
        """Return what takes the shown lines away and leaves the cursor where they began."""
        up = f"\x1b[{self._shown - 1}A" if self._shown > 1 else ""
        self._shown = 0
        return f"\r{up}\x1b[J"

    def show(self, lines: Sequence[str]) -> str:
        """Return what shows these lines in place of those before, each cut to the terminal's width."""
        width = self.size().columns
        text = self.clear() + "\n".join(cut(line, width) for line in lines)
        self._shown = len(lines)
        return text


def cut(line: str, columns: int) -> str:
    """Return as much of `line` as fits into so many columns: ideographs and emoji take two."""
    if line.isascii():
        return line[:columns]
    for end, character in enumerate(line):
        columns -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if columns < 0:
            return line[:end]
    return line
