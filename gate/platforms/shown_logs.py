"""How much of the builds' logs is shown: one limit for the whole run, and nothing twice."""

from collections import defaultdict
from collections.abc import Sequence

from gate.platforms.platform import MARK

MAX_LOG_BYTES = 1_000_000
"""Bytes of all logs together. CI systems cut a job's log (GitLab at 4 MiB), and its last line would be lost."""

MAX_FOLLOWED_BYTES = 900_000
"""Bytes of the logs that are followed; the rest is kept for the ends of failed builds' logs."""

MAX_END_BYTES = 100_000
"""Bytes of the end of one log."""

MAX_LINE_BYTES = 16_000
"""Bytes of one line."""

LEFT_OUT = "  [earlier lines left out]"


class ShownLogs:
    """Counts the bytes of log lines that are shown, and knows the lines that were followed."""

    def __init__(self, targets: int) -> None:
        """`targets`: the number of targets that have no verdict yet."""
        self._without_verdict = targets
        self._left = MAX_LOG_BYTES
        self._followed: dict[str, list[str]] = defaultdict(list)
        self._followed_left = MAX_FOLLOWED_BYTES

    @property
    def is_followed(self) -> bool:
        """Whether more of the logs that are followed is shown."""
        return self._followed_left > 0

    def follow(self, label: str, lines: Sequence[str], overhead: int) -> tuple[list[str], bool]:
        """Return those of the new lines that are still shown, and whether they reach the limit.

        `overhead`: bytes that are added to each line.
        """
        shown: list[str] = []
        if self._followed_left <= 0:
            return shown, False
        for line in map(_shortened, lines):
            size = _size(line) + overhead
            self._followed_left -= size
            if self._followed_left <= 0:
                return shown, True
            self._left -= size
            shown.append(line)
            self._followed[label].append(line)
        return shown, False

    def end(self, label: str, lines: Sequence[str]) -> list[str]:
        """Return the last lines of a log that were not shown and that fit, so that as much is left for each target.

        To be called once for each target, also where it has no log.
        """
        lines = [_shortened(line) for line in lines]
        new = lines[_overlap(self._followed.pop(label, []), lines) :]
        limit = min(self._left // max(self._without_verdict, 1), MAX_END_BYTES)
        self._without_verdict -= 1
        shown = _last(_without_blank_end(new), limit)
        self._left -= sum(map(_size, shown))
        return shown

    def is_complete(self) -> bool:
        """Tell whether the end of each target's log was asked for."""
        return self._without_verdict <= 0


def _last(lines: Sequence[str], limit: int) -> list[str]:
    """Return the last lines that fit into `limit` bytes; where not all do, a line says so."""
    kept: list[str] = []
    left = limit - _size(LEFT_OUT)
    for index, whole_line in enumerate(reversed(lines)):
        line = whole_line if index else _shortened(whole_line, left)
        left -= _size(line)
        if left < 0:
            kept.append(LEFT_OUT)
            break
        kept.append(line)
    return kept[::-1]


def _size(line: str) -> int:
    """Return the bytes of a line in the log, its end included."""
    return len(line.encode()) + 1


def _shortened(line: str, limit: int = MAX_LINE_BYTES) -> str:
    """Return the end of a line that is too long: what a build prints in one line tells at its end how it ended."""
    if _size(line) <= limit:
        return line
    start = f"{MARK}…"
    end = line.encode()[-max(limit - _size(start), 1) :]
    return start + end.decode(errors="ignore")


def _without_blank_end(lines: Sequence[str]) -> Sequence[str]:
    end = len(lines)
    while end and lines[end - 1].rstrip() == MARK.rstrip():
        end -= 1
    return lines[:end]


def _overlap(followed: Sequence[str], end: Sequence[str]) -> int:
    """Return how many of the first lines of `end` are the last ones of `followed`, blank ones aside."""
    followed = _without_blank_end(followed)
    for count in range(min(len(end), len(followed)), 0, -1):
        if end[count - 1] == followed[-1] and end[:count] == followed[-count:]:
            return count
    return 0
