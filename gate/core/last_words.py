"""What is said of a target when the gate ends without having seen its result, and what to do next.

All of it is said from the final state alone, so that no sentence is older than another one: `reason` and `next_step` of
one target, `final_words` of the whole run.
"""

from collections.abc import Sequence
from enum import Enum, IntEnum, auto
from typing import NamedTuple

from gate.model import Target, Verdict


class EndedBy(Enum):
    """What ended the wait for a target."""

    RESULT = auto()
    """The build's own result, or none that was proven (`--if-none pass`), or that it was started (`--no-wait`)."""
    TIMEOUT = auto()
    JOB_END = auto()
    """The timeout that the end of the CI system's job leaves."""
    QUEUE_TIMEOUT = auto()
    SIGNAL = auto()
    ERROR = auto()
    """The service's error, the gate's own, or a record that contradicts what was asked for."""
    FAIL_FAST = auto()
    """Another target that did not pass."""


class StopResult(Enum):
    """What became of the request to stop a build."""

    NOT_REQUESTED = auto()
    REQUESTED = auto()
    """The service accepted the request, or a former one whose answer was lost may have been carried out."""
    HAD_ENDED = auto()
    """The service says that the build had ended before."""
    FAILED = auto()
    """The service refused each request."""
    NOT_KNOWN = auto()
    """A request was sent, and no answer came."""


class End(NamedTuple):
    """The final state of one target, as far as it decides what is said."""

    target: Target
    verdict: Verdict
    ended_by: EndedBy
    why: str
    """Why the gate ended: `no result within 5 s (--timeout)`, or the text of an error, or the whole reason."""
    where: str = ""
    """How far the build was when it was last seen: `build 57 is RUNNING`; empty where `why` says it."""
    trouble: str = ""
    """The last error of the service that was not overcome."""
    advice: str = ""
    """The advice of the error, or of the rule that decided."""
    build_number: int | None = None
    build_url: str | None = None
    is_seen: bool = True
    """Whether a record of the build was read; false also where nobody has seen the number that was asked for."""
    has_ended: bool = False
    """Whether the record says that the build has ended."""
    is_run: bool = False
    """Whether the gate was to start builds."""
    is_own: bool = False
    """Whether this run started the build."""
    is_disputed: bool = False
    """Whether the record contradicts the order: the build may be somebody else's."""
    has_unanswered_order: bool = False
    """Whether an order was sent that may have been accepted, and no number is known."""
    keeps_running: bool = False
    """Whether a build of this run is to go on (`--keep-running`)."""
    stop: StopResult = StopResult.NOT_REQUESTED
    stop_problem: str = ""
    """Why the build could not be stopped, or why that is not known."""


class NextStep(IntEnum):
    """What has to be done, the most urgent first."""

    CHECK_ORDER = auto()
    STOP = auto()
    LOOK = auto()
    ADVICE = auto()
    GOES_ON = auto()
    KEPT = auto()
    WAIT_AGAIN = auto()
    START_AGAIN = auto()
    RUN_AGAIN = auto()
    NOTHING = auto()


class Sentences(NamedTuple):
    """How a need is put into words: for one build, and for several targets together."""

    one: str
    several: str


_WAIT = "To wait for it: {command}."
_STOP = "To stop it: {command} --stop --timeout 1s, or {place}."  # for every shell, and every kind of credential
_CONSOLE = "in the CodeArts console"

_LONGER = {
    EndedBy.TIMEOUT: ", with a longer --timeout if need be",
    EndedBy.JOB_END: ", with more time for the job if need be",
}

SENTENCES = {
    NextStep.CHECK_ORDER: Sentences(
        f"Check {_CONSOLE} whether a build runs, before you start another build.",
        f"Check {_CONSOLE} whether builds of {{labels}} run, before you start others.",
    ),
    NextStep.STOP: Sentences(
        f"{{advice}}Build {{number}} may go on. {_STOP}", f"Builds {{builds}} may go on. Stop them {_CONSOLE}."
    ),
    NextStep.GOES_ON: Sentences(
        f"{{advice}}Build {{number}} may go on, as this run did not start it. {_WAIT} {_STOP}",
        "Builds {builds} may go on, as this run did not start them.",
    ),
    NextStep.KEPT: Sentences(
        f"{{advice}}Build {{number}} goes on ({{option}}). {_WAIT} {_STOP}", "Builds {builds} go on (--keep-running)."
    ),
    NextStep.LOOK: Sentences("Look at build {number} {place}.", f"Look at builds {{builds}} {_CONSOLE}."),
    NextStep.ADVICE: Sentences("{advice}", "{labels}: {advice}"),
    NextStep.WAIT_AGAIN: Sentences(
        "To judge build {number}: {command}.",
        "Builds {builds} have ended: wait for them by their numbers to judge them.",
    ),
    NextStep.START_AGAIN: Sentences(*["To start another build, run the gate again{longer}."] * 2),
    NextStep.RUN_AGAIN: Sentences(*["Run the gate again{longer}."] * 2),
    NextStep.NOTHING: Sentences("", ""),
}
"""What is said of each need; the fields are those of `_fields`."""

MOST_NAMED = 3
"""Targets that the final line names for one need."""

MOST_NEEDS = 3
"""Needs that the final line tells of."""


def reason(end: End) -> str:
    """Return one sentence of facts: why the gate ended, where the build is, and what became of stopping it."""
    number, facts = end.build_number, []
    if end.has_unanswered_order and end.ended_by is not EndedBy.ERROR:
        facts.append("a build was ordered, but no answer has come: it may have been started and go on")
    elif end.stop is StopResult.HAD_ENDED and not end.has_ended:
        facts.append(f"build {number} had already ended when it was to be stopped, but its result was not read")
    elif end.where:
        facts.append(end.where)
    if end.trouble:
        facts.append(end.trouble)
    if sentence := stop_sentence(end):
        facts.append(sentence)
    joint = "; " if end.ended_by in (EndedBy.ERROR, EndedBy.FAIL_FAST) else ": "
    return end.why + (joint + "; ".join(facts) if facts else "")


def stop_sentence(end: End) -> str:
    """Say what became of the request to stop the build; empty if there was none, or if the build's end says it."""
    number = end.build_number
    if end.stop is StopResult.REQUESTED:
        because = "because this run started it" if end.is_own else "as --stop says"
        return f"stop requested for build {number}, {because}"
    if not end.has_ended and end.stop is StopResult.FAILED:
        return f"build {number} could not be stopped and may go on: {end.stop_problem}"
    if not end.has_ended and end.stop is StopResult.NOT_KNOWN:
        return f"whether build {number} was stopped is not known: {end.stop_problem}"
    return ""


def next_step(end: End) -> str:
    """Return what to do about one target, in a few sentences; empty if nothing is to be done."""
    kind = kind_of_step(end)
    if kind is NextStep.CHECK_ORDER and end.advice:  # the one that names the build that may be the ordered one
        return end.advice
    return SENTENCES[kind].one.format_map(_fields([end])).strip()


def final_words(ends: Sequence[End]) -> str:
    """Return what to do after the run: the step of its only target, or the most urgent needs of several."""
    if len(ends) == 1:
        return next_step(ends[0])
    needs: dict[tuple[NextStep, str], list[End]] = {}
    for end in ends:
        kind = kind_of_step(end)
        if kind is not NextStep.NOTHING and end.verdict is not Verdict.STARTED:
            needs.setdefault((kind, end.advice if kind is NextStep.ADVICE else ""), []).append(end)
    most_urgent = sorted(needs, key=lambda key: key[0])[:MOST_NEEDS]
    return " ".join(_of_several(kind, needs[kind, advice]) for kind, advice in most_urgent)


def kind_of_step(end: End) -> NextStep:
    """Return what has to be done about one target."""
    if end.has_unanswered_order:
        return NextStep.CHECK_ORDER
    has_ended = end.has_ended or end.stop in (StopResult.REQUESTED, StopResult.HAD_ENDED)
    if end.build_number is not None and not has_ended and not end.is_disputed and (kind := _step_about_running(end)):
        return kind
    if end.verdict in (Verdict.PASSED, Verdict.SKIPPED, Verdict.STARTED):
        return NextStep.NOTHING
    if end.advice or (end.ended_by is EndedBy.RESULT and end.build_number is not None):
        return NextStep.ADVICE if end.advice else NextStep.LOOK
    if has_ended and end.stop is not StopResult.REQUESTED:
        return NextStep.WAIT_AGAIN
    return NextStep.START_AGAIN if end.is_run else NextStep.RUN_AGAIN


def _step_about_running(end: End) -> NextStep | None:
    """Return what has to be done about a build that may go on; `None` if nothing on its account."""
    if end.is_own and (end.keeps_running or end.verdict is Verdict.STARTED):
        return NextStep.KEPT
    if end.is_own or end.stop is not StopResult.NOT_REQUESTED:
        return NextStep.STOP
    is_without_result = end.ended_by in (EndedBy.TIMEOUT, EndedBy.JOB_END, EndedBy.QUEUE_TIMEOUT, EndedBy.SIGNAL)
    return NextStep.GOES_ON if end.is_seen and is_without_result else None


def _of_several(kind: NextStep, ends: Sequence[End]) -> str:
    """Return the sentence about the targets of a run that have one need, where the run has others."""
    if len(ends) > 1 or kind in (NextStep.START_AGAIN, NextStep.RUN_AGAIN):
        return SENTENCES[kind].several.format_map(_fields(ends)).strip()
    return f"{ends[0].target.label}: {next_step(ends[0])}"


def _fields(ends: Sequence[End]) -> dict[str, str]:
    """Return what the sentences name; of several targets, the first one's values where a sentence names one."""
    end = ends[0]
    not_stopped = f"Build {end.build_number} was not stopped, as it may be somebody else's."
    advice = f"{end.advice.rstrip('.')}. " if end.advice else ""
    return {
        "number": str(end.build_number),
        "command": f"codearts-gate wait {end.target.job_id}:{end.build_number}",
        "place": f"at {end.build_url}" if end.build_url else _CONSOLE,
        "option": "--no-wait" if end.verdict is Verdict.STARTED else "--keep-running",
        "longer": _LONGER.get(end.ended_by, ""),
        "advice": advice + (not_stopped if end.is_disputed and end.is_run and len(ends) == 1 else ""),
        "builds": _named([f"{end.build_number} ({end.target.label})" for end in ends]),
        "labels": _named([end.target.label for end in ends]),
    }


def _named(names: Sequence[str]) -> str:
    """Return a list of names in words, of which those that would be too many are counted."""
    if len(names) > MOST_NAMED:
        return f"{', '.join(names[:MOST_NAMED])} and {len(names) - MOST_NAMED} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
