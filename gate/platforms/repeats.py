"""Equal messages about several targets, written as one."""

import math

from gate.value_types import NamedTuple

HOLD_SECONDS = 2.0
"""Seconds for which a message is held back that another target has just had."""

MAX_SINGLE = 2
"""Held messages that are still written each with its label."""


class Repeated(NamedTuple):
    """A message that was held back: its text, and the label and the instant of each target that it is about."""

    text: str
    held: list[tuple[str, float]]


class Repeats:
    """Holds messages back that are equal to one that was just written about another target.

    At the timeout, or when the service fails, dozens of targets have the same to say within a second.
    """

    def __init__(self) -> None:
        """Nothing has been said yet."""
        self._recent: dict[str, tuple[float, set[str], list[tuple[str, float]]]] = {}

    def defer(self, label: str, text: str, now: float) -> bool:
        """Hold a message back if it is a repeat, and tell whether it was; if not, it is to be written at once."""
        since, labels, held = self._recent.get(text, (-math.inf, set(), []))
        if now >= since + HOLD_SECONDS and not held:
            self._recent[text] = (now, {label}, [])
            return False
        if label in labels:
            return False
        labels.add(label)
        held.append((label, now))
        return True

    def due(self) -> float:
        """Return the instant at which `release` should be called next."""
        return min((since + HOLD_SECONDS for since, _, held in self._recent.values() if held), default=math.inf)

    def release(self, now: float) -> list[Repeated]:
        """Return the messages that have been held back long enough; with `now` infinite, all of them."""
        over = [text for text, (since, _, _) in self._recent.items() if now >= since + HOLD_SECONDS]
        released = [Repeated(text, self._recent.pop(text)[2]) for text in over]
        released = [repeated for repeated in released if repeated.held]
        if math.isfinite(now):  # what goes on is still held back
            self._recent |= {text: (now, {label for label, _ in held}, []) for text, held in released}
        return released
