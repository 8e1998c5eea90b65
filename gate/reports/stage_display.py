"""How a stage or a child build is shown. Neither decides the verdict; the record of the build does."""

from collections.abc import Sequence

from gate.model import ChildBuild, Stage, State, Verdict
from gate.text import one_line
from gate.vocabulary import state_of_part

Part = Stage | ChildBuild
"""A part of a build that has a row or a case of its own."""

_RESULTS = {State.SUCCEEDED: Verdict.PASSED, State.FAILED: Verdict.FAILED, State.ABORTED: Verdict.ABORTED}

_MAY_GO_ON = (Verdict.TIMED_OUT, Verdict.INTERRUPTED)
"""Verdicts on builds that had not ended."""

_NOT_RED = (Verdict.PASSED, Verdict.SKIPPED, Verdict.STARTED)


def displayed(part: Part, verdict: Verdict) -> tuple[Verdict, str]:
    """Return how to show a part of a build with `verdict` (passed, failed, aborted or skipped), and why in a sentence.

    A part that did not succeed is shown as skipped, and not as failed, if the build passed or was not judged. A part
    without a result, which never ran or was still running, is shown as skipped as well. Of a build that was aborted,
    the service calls the parts that had not begun `ABORTED` too, with a duration of zero.
    """
    kind = "job" if isinstance(part, ChildBuild) else "stage"
    word = one_line(part.state or "", limit=60)
    if not word:
        ran = "had not begun when the gate ended" if verdict in _MAY_GO_ON else "never ran"
        return Verdict.SKIPPED, f"The {kind} {ran}."
    ended = _RESULTS.get(state_of_part(part))
    if ended is None:
        return Verdict.SKIPPED, f"The {kind} has no result; the service's word for it is {word}."
    if ended is not Verdict.PASSED and verdict in _NOT_RED:
        return Verdict.SKIPPED, f"The service's word for the {kind} is {word}, but the build's verdict is {verdict}."
    if ended is Verdict.ABORTED and part.duration_seconds == 0:
        return Verdict.SKIPPED, f"The {kind} never ran; the service's word for it is {word}."
    return ended, f"The {kind} ended as {word}."


def select_parts(parts: Sequence[Part], count: int) -> Sequence[Part]:
    """Return at most `count` of the parts, in their order; those that succeeded are left out first."""
    if len(parts) <= count:
        return parts
    succeeded = [state_of_part(part) is State.SUCCEEDED for part in parts]
    kept = sorted(range(len(parts)), key=succeeded.__getitem__)[:count]
    return [parts[index] for index in sorted(kept)]
