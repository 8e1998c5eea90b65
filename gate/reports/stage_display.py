"""How a stage is shown. A stage never decides the verdict; the record of the build does."""

from gate.model import Stage, Verdict
from gate.text import one_line

# The words of full-stages and, in lower case, of history-details; compared without case, as nothing depends on them.
_WORDS = {
    "success": Verdict.PASSED,
    "failure": Verdict.FAILED,
    "failed": Verdict.FAILED,
    "error": Verdict.FAILED,
    "schedule_failure": Verdict.FAILED,
    "timeout": Verdict.FAILED,
    "aborted": Verdict.ABORTED,
}


def shown(stage: Stage, verdict: Verdict) -> tuple[Verdict, str]:
    """Return how to show a stage of a build with `verdict` (passed, failed, aborted or skipped), and why in a sentence.

    A stage that did not succeed in a build that passed, or that was not judged, is shown as skipped and never as
    failed; a stage without a result, because it never ran or was still running, is shown as skipped as well.
    """
    word = one_line(stage.state or "", limit=60)
    if not word:
        return Verdict.SKIPPED, "The stage never ran."
    ended = _WORDS.get(word.casefold())
    if ended is None:
        return Verdict.SKIPPED, f"The stage has no result; the service's word for it is {word}."
    if ended is not Verdict.PASSED and verdict in (Verdict.PASSED, Verdict.SKIPPED, Verdict.STARTED):
        return Verdict.SKIPPED, f"The service's word for the stage is {word}, but the build's verdict is {verdict}."
    return ended, f"The stage ended as {word}."
