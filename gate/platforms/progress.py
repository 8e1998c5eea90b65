"""The progress of targets that have no verdict yet, as one line of a log."""

from collections import Counter
from collections.abc import Sequence

from gate.durations import spell
from gate.model import Phase, Progress, State
from gate.text import one_line
from gate.vocabulary import state_of_part

COUNTED_WORDS = 8
"""Different states of targets that are counted, each, in one line."""


def count_states(targets: Sequence[Progress]) -> str:
    """Return how many targets are in which state."""
    counts = Counter(_counted(progress) for progress in targets).most_common(COUNTED_WORDS)
    parts = [f"{count} {word}" for word, count in counts]
    if others := len(targets) - sum(count for _, count in counts):
        parts.append(f"{others} in other states")
    noun = "target" if len(targets) == 1 else "targets"
    return f"{len(targets)} {noun} without a verdict: {', '.join(parts)}"


def describe(progress: Progress) -> str:
    """Return how one target stands."""
    parts = [_state(progress)]
    if running := next((stage for stage in progress.stages if state_of_part(stage) is State.RUNNING), None):
        parts.append(f"stage {one_line(running.name, limit=40)}")
    if progress.phase is Phase.QUEUED and progress.queued_seconds is not None:
        parts.append(f"for {spell(progress.queued_seconds)}")
    if progress.phase is Phase.RUNNING and progress.running_seconds is not None:
        parts.append(f"for {spell(progress.running_seconds)}")
        if progress.expected_seconds is not None:
            left = progress.expected_seconds - progress.running_seconds
            parts.append(
                f"about {spell(left)} left" if left > 0 else f"usually done in {spell(progress.expected_seconds)}"
            )
    return ", ".join(parts)


def _state(progress: Progress) -> str:
    match progress.phase:
        case Phase.NOT_ASKED:
            return "not asked about yet"
        case Phase.SELECTING if progress.build_number is None:
            return "waiting for a build"
        case Phase.SELECTING:
            return f"waiting for build {progress.build_number}"
        case Phase.ENDED | Phase.DECIDED:
            word = f" ({one_line(progress.word, limit=40)})" if progress.word else ""
            return f"build {progress.build_number} has ended{word}, not judged yet"
        case _:
            return f"build {progress.build_number} {_word(progress)}"


def _counted(progress: Progress) -> str:
    match progress.phase:
        case Phase.NOT_ASKED:
            return "not asked about yet"
        case Phase.SELECTING:
            return "without a build"
        case Phase.ENDED | Phase.DECIDED:
            return "ended"
        case _:
            return _word(progress)


def _word(progress: Progress) -> str:
    return one_line(progress.word, limit=40) if progress.word else progress.phase.value
