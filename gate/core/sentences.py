"""What is said of a target: while it is waited for, and when the gate ends.

All of it is said from what is known alone, so that no sentence is older than another one. At the end that is `reason`
and `next_step` of one target, and `final_words` of the whole run.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum, auto

from gate.core.target_state import EndedBy, StopResult, TargetState
from gate.core.verdict import has_ended_badly
from gate.durations import spell
from gate.model import State, Verdict
from gate.text import one_line, word
from gate.value_types import NamedTuple


def describe(known: TargetState) -> str:
    """Say in one sentence where the build is or how it ended."""
    number, state, record = known.build_number, known.state, known.record
    if state is None:
        return f"build {number} has not been seen yet" if number else "no build was found yet"
    shown = word(state.word or "(none)")
    if not state.ended:
        unknown = ", a state that is not documented" if state.state is State.UNKNOWN else ""
        return f"build {number} is {shown}{unknown}"
    took = record.duration_seconds if record else None
    after = f" after {spell(took)}" if took else ""
    message = one_line(record.message or "").rstrip(".") if record else ""
    why = f": {message}" if message else ""
    if state.state is State.UNKNOWN:
        return f"build {number} has ended, but its state {shown} does not say how{why}"
    return f"build {number} ended with {shown}{after}{why}"


def introduce(known: TargetState, now: datetime) -> str:
    """Name the build that is judged from now on; `now` by the service's clock."""
    facts = [f"build {known.build_number}"]
    if known.record and known.record.commit:
        facts.append(f"commit {word(known.record.commit[:7])}")
    if known.record and known.record.started_at:
        facts.append(f"started {spell((now - known.record.started_at).total_seconds())} ago")
    if known.expected_seconds:
        facts.append(f"past builds took about {spell(known.expected_seconds)}")
    return ", ".join(facts)


def explanation(known: TargetState) -> str:
    """Say in which stage a build that did not pass ended, and the error of the step that failed; empty if unknown."""
    if known.verdict not in (Verdict.FAILED, Verdict.ABORTED) or known.state is None:
        return ""
    ended_in = next((stage for stage in known.stages if has_ended_badly(stage)), None)
    text = f", in stage {one_line(ended_in.name, limit=120)}" if ended_in else ""
    if known.failed_steps and not (known.record and known.record.message):
        step = known.failed_steps[0]
        code = one_line(step.code, limit=40)
        error = one_line(step.message, limit=300) or code
        error += f" ({code})" if code and error != code else ""
        where = f" in step {one_line(step.step, limit=120)}" if step.step and not ended_in else ""
        text += f"{where}: {error}" if error else where
    return text


def shown_word(known: TargetState) -> str | None:
    """Return the service's own word for the state as it can be shown, if there is one."""
    return word(known.state.word) if known.state and known.state.word else None


class NextStep(IntEnum):
    """What has to be done, the most urgent first."""

    CHECK_ORDER = auto()
    STOP = auto()
    LOOK = auto()
    ADVICE = auto()
    GOES_ON = auto()
    KEPT = auto()
    WAIT_AGAIN = auto()
    START_ANOTHER = auto()
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
        f"{{advice}}Build {{number}} goes on ({{option}}). {_WAIT} {_STOP}",
        "Builds {builds} go on ({option}). {to_wait}.",
    ),
    NextStep.LOOK: Sentences("Look at build {number} {place}.", f"Look at builds {{builds}} {_CONSOLE}."),
    NextStep.ADVICE: Sentences("{advice}", "{labels}: {advice}"),
    NextStep.WAIT_AGAIN: Sentences(
        "To judge build {number}: {command}.",
        "Builds {builds} have ended: wait for them by their numbers to judge them.",
    ),
    NextStep.START_ANOTHER: Sentences(
        "To get a result, start another build and wait for it{longer}.",
        "To get results, start other builds and wait for them{longer}.",
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


def reason(known: TargetState) -> str:
    """Return one sentence of facts: why the gate ended, where the build is, and what became of stopping it."""
    number, facts, has_result = known.build_number, [], known.ended_by is EndedBy.RESULT
    why = known.why + (explanation(known) if has_result else "")
    if known.has_unanswered_order and known.ended_by is not EndedBy.ERROR:
        facts.append("a build was ordered, but no answer has come: it may have been started and go on")
    elif known.stop is StopResult.HAD_ENDED and not known.has_ended():
        facts.append(f"build {number} had already ended when it was to be stopped, but its result was not read")
    elif known.where:
        facts.append(known.where)
    if known.trouble and not has_result:
        facts.append(known.trouble)
    if sentence := stop_sentence(known):
        facts.append(sentence)
    joint = "; " if known.ended_by in (EndedBy.ERROR, EndedBy.FAIL_FAST) else ": "
    return why + (joint + "; ".join(facts) if facts else "")


def stop_sentence(known: TargetState) -> str:
    """Say what became of the request to stop the build; empty if there was none, or if the build's end says it."""
    number = known.build_number
    if known.stop is StopResult.REQUESTED:
        because = "because this run started it" if known.is_own else "as --stop says"
        return f"stop requested for build {number}, {because}"
    if not known.has_ended() and known.stop is StopResult.FAILED:
        return f"build {number} could not be stopped and may go on: {known.stop_problem}"
    if not known.has_ended() and known.stop is StopResult.NOT_KNOWN:
        return f"whether build {number} was stopped is not known: {known.stop_problem}"
    return ""


def next_step(known: TargetState) -> str:
    """Return what to do about one target, in a few sentences; empty if nothing is to be done."""
    kind = kind_of_step(known)
    if kind is NextStep.CHECK_ORDER and known.advice:  # the one that names the build that may be the ordered one
        return known.advice
    return SENTENCES[kind].one.format_map(_fields([known])).strip()


def final_words(targets: Sequence[TargetState]) -> str:
    """Return what to do after the run: the step of its only target, or the most urgent needs of several."""
    if len(targets) == 1:
        return next_step(targets[0])
    needs: dict[tuple[NextStep, str], list[TargetState]] = {}
    for known in targets:
        kind = kind_of_step(known)
        if kind is not NextStep.NOTHING:
            needs.setdefault((kind, known.advice if kind is NextStep.ADVICE else ""), []).append(known)
    most_urgent = sorted(needs, key=lambda key: key[0])[:MOST_NEEDS]
    return " ".join(_of_several(kind, needs[kind, advice]) for kind, advice in most_urgent)


def kind_of_step(known: TargetState) -> NextStep:
    """Return what has to be done about one target."""
    if known.has_unanswered_order:
        return NextStep.CHECK_ORDER
    has_ended = known.has_ended() or known.stop in (StopResult.REQUESTED, StopResult.HAD_ENDED)
    may_run = known.build_number is not None and not has_ended and not known.is_disputed
    if may_run and (kind := _step_about_running(known)):
        return kind
    if known.verdict in (Verdict.PASSED, Verdict.SKIPPED, Verdict.STARTED):
        return NextStep.NOTHING
    if known.advice or (known.ended_by is EndedBy.RESULT and known.build_number is not None):
        return NextStep.ADVICE if known.advice else NextStep.LOOK
    is_stopped = known.stop is StopResult.REQUESTED
    if has_ended and not is_stopped:
        return NextStep.WAIT_AGAIN
    after_wait = NextStep.START_ANOTHER if is_stopped else NextStep.RUN_AGAIN
    return NextStep.START_AGAIN if known.is_run else after_wait


def _step_about_running(known: TargetState) -> NextStep | None:
    """Return what has to be done about a build that may go on; `None` if nothing on its account."""
    if known.is_own and (known.keeps_running or known.verdict is Verdict.STARTED):
        return NextStep.KEPT
    if known.is_own or known.stop is not StopResult.NOT_REQUESTED:
        return NextStep.STOP
    is_without_result = known.ended_by in (EndedBy.TIMEOUT, EndedBy.JOB_END, EndedBy.QUEUE_TIMEOUT, EndedBy.SIGNAL)
    return NextStep.GOES_ON if known.record is not None and is_without_result else None


def _of_several(kind: NextStep, targets: Sequence[TargetState]) -> str:
    """Return the sentence about the targets of a run that have one need, where the run has others."""
    if len(targets) > 1 or kind in (NextStep.START_AGAIN, NextStep.RUN_AGAIN):
        return SENTENCES[kind].several.format_map(_fields(targets)).strip()
    return f"{targets[0].target.label}: {next_step(targets[0])}"


def _fields(targets: Sequence[TargetState]) -> dict[str, str]:
    """Return what the sentences name; of several targets, the first one's values where a sentence names one."""
    known = targets[0]
    not_stopped = f"Build {known.build_number} was not stopped, as it may be somebody else's."
    advice = f"{known.advice.rstrip('.')}. " if known.advice else ""
    is_few = len(targets) <= MOST_NAMED
    wait = f"codearts-gate wait{known.connection_options}"
    named = " ".join(
        f"{one.target.label}=".removeprefix(f"{one.target.job_id}=") + f"{one.target.job_id}:{one.build_number}"
        for one in targets
    )
    return {
        "number": str(known.build_number),
        "command": f"{wait} {known.target.job_id}:{known.build_number}",
        "place": f"at {known.build_url}" if known.build_url else _CONSOLE,
        "option": "--no-wait" if known.verdict is Verdict.STARTED else "--keep-running",
        "longer": _LONGER.get(known.ended_by, ""),
        "advice": advice + (not_stopped if known.is_disputed and known.is_run and len(targets) == 1 else ""),
        "builds": _named([f"{one.build_number} ({one.target.label})" for one in targets]),
        "to_wait": f"To wait for them: {wait} {named}" if is_few else "Wait for them by their numbers",
        "labels": _named([one.target.label for one in targets]),
    }


def _named(names: Sequence[str]) -> str:
    """Return a list of names in words, of which those that would be too many are counted."""
    if len(names) > MOST_NAMED:
        return f"{', '.join(names[:MOST_NAMED])} and {len(names) - MOST_NAMED} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
