"""How targets without a verdict stand, in words: one line each, or one for all."""

from collections import Counter
from collections.abc import Mapping, Sequence

from gate.core.durations import spell
from gate.core.ports import Standing
from gate.core.text import one_line

LABEL_WIDTH = 32
"""Characters that the column of labels takes at most."""


def summary(standings: Sequence[Standing]) -> str:
    """Say how one target stands, or how many wait for what."""
    if len(standings) == 1:
        return describe(standings[0])
    words = Counter(one_line(standing.word or "no build yet", limit=40) for standing in standings)
    counts = ", ".join(f"{count} {word}" for word, count in words.items())
    return f"{len(standings)} targets without a verdict: {counts}"


def describe(standing: Standing) -> str:
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


def table(standings: Sequence[Standing], changes: Mapping[str, float], rows: int) -> list[str]:
    """Give one line for each target; where they are more than `rows`, only those that changed last, the last on top.

    `changes`: the instant of each label's last change.
    """
    if len(standings) > rows:
        latest = sorted(standings, key=lambda standing: -changes.get(standing.target.label, 0.0))
        standings = latest[: max(rows, 0)]
    width = min(max((len(standing.target.label) for standing in standings), default=0), LABEL_WIDTH)
    return [
        f"{one_line(standing.target.label, limit=LABEL_WIDTH):<{width}}  {describe(standing)}" for standing in standings
    ]
