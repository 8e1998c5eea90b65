"""The progress of targets that have no verdict yet: as one line, and as a table."""

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence

from gate.durations import spell
from gate.model import Phase, Progress
from gate.platforms.colours import Colour
from gate.platforms.columns import fitted, width
from gate.platforms.live_lines import LiveLine
from gate.text import one_line

LABEL_COLUMNS = 32
"""Columns that the labels take at most."""

LEAST_LABEL_COLUMNS = 8
"""Columns that the labels keep on a narrow terminal."""

COUNTED_WORDS = 8
"""Different states of targets that are counted, each, in one line."""


def count_states(targets: Sequence[Progress]) -> str:
    """Return how many targets are in which state."""
    counts = Counter(_word(progress) for progress in targets).most_common(COUNTED_WORDS)
    parts = [f"{count} {word}" for word, count in counts]
    if others := len(targets) - sum(count for _, count in counts):
        parts.append(f"{others} in other states")
    noun = "target" if len(targets) == 1 else "targets"
    return f"{len(targets)} {noun} without a verdict: {', '.join(parts)}"


def describe(progress: Progress) -> str:
    """Return how one target stands."""
    parts = [_state(progress)]
    if progress.running_seconds is not None:
        parts.append(f"for {spell(progress.running_seconds)}")
        if progress.expected_seconds is not None:
            left = progress.expected_seconds - progress.running_seconds
            parts.append(
                f"about {spell(left)} left" if left > 0 else f"usually done in {spell(progress.expected_seconds)}"
            )
    if progress.stages:
        parts.insert(1, f"stage {one_line(progress.stages[0].name, limit=40)}")
    return ", ".join(parts)


def table(targets: Sequence[Progress], changes: Mapping[str, float], rows: int, columns: int) -> list[LiveLine]:
    """Return one line for each target; of more than `rows`, those that changed last, the latest on top.

    `changes`: the instant of each label's last change. On a narrow terminal, the labels are shortened before the states
    are.
    """
    if len(targets) > rows:
        targets = heapq.nlargest(rows, targets, key=lambda progress: changes.get(progress.target.label, 0.0))
    longest = max((width(progress.target.label) for progress in targets), default=0)
    left = columns - 4 - max((width(_state(progress)) for progress in targets), default=0)
    label_columns = min(longest, LABEL_COLUMNS, max(left, LEAST_LABEL_COLUMNS))
    return [_row(progress, label_columns) for progress in targets]


def _row(progress: Progress, label_columns: int) -> LiveLine:
    is_under_way = progress.running_seconds is not None
    mark, colour = ("*", Colour.YELLOW) if is_under_way else ("-", Colour.GREY)
    return LiveLine(f"{mark} {fitted(progress.target.label, label_columns)}  {describe(progress)}", colour)


def _state(progress: Progress) -> str:
    if progress.build_number is None:
        return "waiting for a build" if progress.phase is not Phase.NOT_ASKED else "not asked about yet"
    return f"build {progress.build_number} {_word(progress)}"


def _word(progress: Progress) -> str:
    if progress.phase is Phase.NOT_ASKED:
        return "not asked about yet"
    without_word = "without a build" if progress.build_number is None else "without a state"
    return one_line(progress.word, limit=40) if progress.word else without_word
