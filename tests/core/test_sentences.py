"""What is said at the end, from the final state: situation x mode x what must and must not be said."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

from gate.core.sentences import NextStep, final_words, kind_of_step, next_step, reason
from gate.core.target_state import EndedBy, StopResult, TargetState
from gate.model import Record, RecordState, State, Target, Verdict
from tests.tables import each_row

JOB = "1" * 32
TARGET = Target(job_id=JOB, label="app")
COMMAND = f"codearts-gate wait {JOB}:58"
NO_RESULT = "no result within 5 s (--timeout)"
LINK = "https://builds.example/58"

TIMED_OUT: dict[str, Any] = {
    "verdict": Verdict.TIMED_OUT, "ended_by": EndedBy.TIMEOUT, "why": NO_RESULT,
}  # fmt: skip
INTERRUPTED: dict[str, Any] = {
    "verdict": Verdict.INTERRUPTED, "ended_by": EndedBy.SIGNAL, "why": "the gate was interrupted by Ctrl-C (SIGINT)",
}  # fmt: skip
REFUSED: dict[str, Any] = {
    "verdict": Verdict.UNDETERMINED, "ended_by": EndedBy.ERROR, "why": "not authorised", "advice": "Use a new token.",
}  # fmt: skip
FAILED: dict[str, Any] = {
    "verdict": Verdict.FAILED, "ended_by": EndedBy.RESULT, "why": "build 58 ended with FAILURE", "has_ended": True,
}  # fmt: skip
RUNNING: dict[str, Any] = {"build_number": 58, "where": "build 58 is RUNNING"}
OWN: dict[str, Any] = {"is_run": True, "is_own": True}
STOPPED: dict[str, Any] = {**OWN, "stop": StopResult.REQUESTED}
KEPT: dict[str, Any] = {**OWN, "keeps_running": True}
STARTED: dict[str, Any] = {"has_ended": False, "verdict": Verdict.STARTED}


def ended(target: Target = TARGET, *, has_ended: bool = False, is_seen: bool = True, **facts: Any) -> TargetState:
    """Return a final state. `is_seen`: whether a record was read; `has_ended`: whether that says so of the build."""
    state = RecordState(State.UNKNOWN, None, has_ended)
    record = Record(job_id=JOB, build_number=58) if is_seen else None
    return TargetState(target=target, state=state, record=record, **facts)


@each_row(
    ("facts", "said", "not_said"),
    [
        # wait
        ({**TIMED_OUT}, ["Run the gate again, with a longer --timeout"], ["Build", "stop"]),
        ({**TIMED_OUT, **RUNNING}, ["this run did not start it", f"{COMMAND}.", f"{COMMAND} --stop"], ["again"]),
        ({**TIMED_OUT, **RUNNING, "is_seen": False}, ["Run the gate again"], ["may go on"]),
        ({**TIMED_OUT, **RUNNING, "build_url": LINK}, [f"at {LINK}."], ["console"]),
        ({**TIMED_OUT, "ended_by": EndedBy.QUEUE_TIMEOUT, **RUNNING}, ["may go on"], ["longer --timeout"]),
        ({**TIMED_OUT, "advice": "Check --endpoint."}, ["Check --endpoint."], ["again"]),
        ({**TIMED_OUT, **RUNNING, "advice": "Check --endpoint."}, ["Check --endpoint. Build 58 may go on"], []),
        ({**TIMED_OUT, **RUNNING, "has_ended": True}, ["To judge build 58"], ["may go on", "stop"]),
        ({**INTERRUPTED}, ["Run the gate again."], ["longer", "Build"]),
        ({**INTERRUPTED, **RUNNING}, ["this run did not start it", COMMAND], ["again"]),
        ({**REFUSED, **RUNNING}, ["Use a new token."], ["may go on", "again"]),
        ({**FAILED, "build_number": 58}, ["Look at build 58 in the CodeArts console."], ["stop", "again"]),
        ({**FAILED, "build_number": 58, "build_url": LINK}, [f"Look at build 58 at {LINK}."], ["console"]),
        ({**FAILED, "build_number": 58, "advice": "Publish unit tests."}, ["Publish unit tests."], ["Look"]),
        ({**FAILED, "verdict": Verdict.PASSED, "build_number": 58}, [], ["build", "Build", "gate"]),
        # wait --stop
        (
            {**TIMED_OUT, **RUNNING, "stop": StopResult.REQUESTED},
            ["start another build", "wait for it, with a longer --timeout"], ["may go on", "again"],
        ),
        ({**INTERRUPTED, **RUNNING, "stop": StopResult.REQUESTED}, ["start another build"], ["again", "longer"]),
        ({**TIMED_OUT, **RUNNING, "stop": StopResult.FAILED}, ["may go on", "--stop"], ["did not start"]),
        # run
        ({**TIMED_OUT, "is_run": True}, ["start another build", "longer --timeout"], ["Build"]),
        ({**TIMED_OUT, **RUNNING, **STOPPED}, ["To start another build, run the gate"], ["may go on", "wait"]),
        ({**INTERRUPTED, **RUNNING, **STOPPED}, ["To start another build"], ["may go on", "wait for", "longer"]),
        ({**INTERRUPTED, **RUNNING, **OWN, "stop": StopResult.FAILED}, ["may go on", "--stop"], ["again"]),
        ({**INTERRUPTED, **RUNNING, **OWN, "stop": StopResult.NOT_KNOWN}, ["may go on", "--stop"], ["again"]),
        ({**INTERRUPTED, **RUNNING, **OWN, "stop": StopResult.HAD_ENDED}, [f"judge build 58: {COMMAND}."], ["--stop"]),
        ({**INTERRUPTED, **RUNNING, **OWN}, ["may go on", "--stop"], ["did not start", "again"]),
        ({**INTERRUPTED, "is_run": True, "has_unanswered_order": True}, ["before you start another"], ["again"]),
        ({**REFUSED, **RUNNING, **OWN, "stop": StopResult.FAILED}, ["Use a new token. Build 58 may go on"], []),
        ({**REFUSED, **RUNNING, **OWN, "is_disputed": True}, ["was not stopped, as it"], ["--stop", "may go on"]),
        ({**REFUSED, "is_run": True, "has_unanswered_order": True}, ["Use a new token."], ["again"]),
        ({**TIMED_OUT, **RUNNING, "is_run": True}, ["this run did not start it"], ["another build"]),  # --reuse
        # run --keep-running and --no-wait
        ({**TIMED_OUT, **RUNNING, **KEPT}, ["goes on (--keep-running)", COMMAND], ["did not start", "again"]),
        ({**INTERRUPTED, **RUNNING, **KEPT}, ["goes on (--keep-running)"], ["again", "only what"]),
        ({**FAILED, **RUNNING, **OWN, **STARTED}, ["(--no-wait)", COMMAND, f"{COMMAND} --stop"], ["Look"]),
        # --fail-fast
        ({**TIMED_OUT, "ended_by": EndedBy.FAIL_FAST, "verdict": Verdict.SKIPPED, **RUNNING}, [], ["Build", "again"]),
        (
            {**TIMED_OUT, "ended_by": EndedBy.FAIL_FAST, "verdict": Verdict.SKIPPED, **RUNNING, **OWN,
             "stop": StopResult.FAILED},
            ["Build 58 may go on"], ["again"],
        ),
    ],
)  # fmt: skip
def test_next_step_fits_the_situation(facts: dict[str, Any], said: list[str], not_said: list[str]) -> None:
    """It says what can be done now, and nothing that is not so; for the only target, the final line says the same."""
    end = ended(**facts)
    text = next_step(end)
    assert [words for words in said if words not in text] == [], text
    assert [words for words in not_said if words in text] == [], text
    assert final_words([end]) == text


@each_row(
    ("facts", "text"),
    [
        ({**TIMED_OUT, **RUNNING}, f"{NO_RESULT}: build 58 is RUNNING"),
        ({**TIMED_OUT, **RUNNING, "trouble": "HTTP 500"}, f"{NO_RESULT}: build 58 is RUNNING; HTTP 500"),
        (
            {**TIMED_OUT, **RUNNING, **STOPPED},
            f"{NO_RESULT}: build 58 is RUNNING; stop requested for build 58, because this run started it",
        ),
        (
            {**TIMED_OUT, **RUNNING, "stop": StopResult.REQUESTED},
            f"{NO_RESULT}: build 58 is RUNNING; stop requested for build 58, as --stop says",
        ),
        (
            {**TIMED_OUT, **RUNNING, **OWN, "stop": StopResult.HAD_ENDED},
            f"{NO_RESULT}: build 58 had already ended when it was to be stopped, but its result was not read",
        ),
        (
            {**TIMED_OUT, **RUNNING, **OWN, "stop": StopResult.FAILED, "stop_problem": "HTTP 403"},
            f"{NO_RESULT}: build 58 is RUNNING; build 58 could not be stopped and may go on: HTTP 403",
        ),
        (
            {**TIMED_OUT, **RUNNING, **OWN, "stop": StopResult.NOT_KNOWN, "stop_problem": "no answer"},
            f"{NO_RESULT}: build 58 is RUNNING; whether build 58 was stopped is not known: no answer",
        ),
        (
            {**TIMED_OUT, **OWN, "where": "build 58 ended with ABORTED", "build_number": 58, "has_ended": True,
             "stop": StopResult.NOT_KNOWN, "stop_problem": "no answer"},
            f"{NO_RESULT}: build 58 ended with ABORTED",
        ),
        (
            {**INTERRUPTED, "is_run": True, "where": "no build was found yet", "has_unanswered_order": True},
            f"{INTERRUPTED['why']}: a build was ordered, but no answer has come: it may have been started and go on",
        ),
        (
            {**REFUSED, **STOPPED, "build_number": 58},
            "not authorised; stop requested for build 58, because this run started it",
        ),
    ],
)  # fmt: skip
def test_reason_tells_the_final_state_once(facts: dict[str, Any], text: str) -> None:
    """Where the build is, and what became of stopping it, do not contradict each other."""
    assert reason(ended(**facts)) == text


def every_end() -> Iterator[TargetState]:
    """Return every combination of the facts that can occur."""
    booleans = itertools.product([False, True], repeat=5)
    for is_run, is_own, keeps, has_ended, unanswered in booleans:
        if (is_own or keeps or unanswered) and not is_run:
            continue
        for ended_by, stop, number, verdict in itertools.product(EndedBy, StopResult, [None, 58], Verdict):
            needs_number = is_own or has_ended or stop is not StopResult.NOT_REQUESTED
            if (number is None and needs_number) or (number and unanswered):
                continue
            if keeps and stop is not StopResult.NOT_REQUESTED:
                continue
            where = f"build {number} is RUNNING" if number and not has_ended else ""
            yield ended(
                verdict=verdict, ended_by=ended_by, why="why", where=where, build_number=number, has_ended=has_ended,
                is_run=is_run, is_own=is_own, has_unanswered_order=unanswered, keeps_running=keeps, stop=stop,
                stop_problem="no answer",
            )  # fmt: skip


def test_no_two_sentences_of_one_end_contradict_each_other() -> None:
    """Whatever the facts: what was stopped does not go on, what this run started is its own, and advice is short."""
    for end in every_end():
        text = f"{reason(end)} | {next_step(end)}"
        assert len(next_step(end)) < 400, text
        assert "None" not in text, end
        if end.stop in (StopResult.REQUESTED, StopResult.HAD_ENDED) or end.has_ended():
            assert "go on" not in text, end
        if end.is_own:
            assert "did not start" not in text, end
        if end.is_run:
            assert "Run the gate again" not in text, end  # that would start another build, which has to be said
        elif end.build_number is None:
            assert "stop" not in text, end
        if kind_of_step(end) is NextStep.NOTHING:
            assert not next_step(end)
        assert not re.search(r"\.\.|  |[^.]$", next_step(end)), text


def labelled(label: str, **facts: Any) -> TargetState:
    """Return the final state of one of several targets."""
    return ended(Target(job_id=JOB, label=label), **facts)


def test_final_words_name_every_target_that_needs_the_same() -> None:
    """Of two running builds, both are named; of many, the rest is counted."""
    text = final_words([labelled("a", **TIMED_OUT, **RUNNING), labelled("b", **TIMED_OUT, **RUNNING)])
    assert text == "Builds 58 (a) and 58 (b) may go on, as this run did not start them."
    many = final_words([labelled(f"t{number}", **TIMED_OUT, **RUNNING) for number in range(500)])
    assert many == "Builds 58 (t0), 58 (t1), 58 (t2) and 497 more may go on, as this run did not start them."


def test_final_words_say_how_to_wait_for_builds_that_were_only_started() -> None:
    """Of a few, the command can be pasted."""
    builds = [labelled(label, **STARTED, **RUNNING, **OWN) for label in ("a", JOB)]
    text = f"Builds 58 (a) and 58 ({JOB}) go on (--no-wait). To wait for them: "
    assert final_words(builds) == f"{text}codearts-gate wait a={JOB}:58 {JOB}:58."
    kept = final_words([labelled(f"t{number}", **TIMED_OUT, **RUNNING, **KEPT) for number in range(500)])
    assert kept.endswith(" and 497 more go on (--keep-running). Wait for them by their numbers.")


def test_final_words_begin_with_what_is_most_urgent() -> None:
    """A build that could not be stopped costs money; then come those that failed. What passed is not named."""
    ends = [
        labelled("a", **FAILED, build_number=57),
        labelled("b", **{**FAILED, "verdict": Verdict.PASSED}, build_number=57),
        labelled("c", **INTERRUPTED, **RUNNING, **OWN, stop=StopResult.FAILED),
    ]
    text = final_words(ends)
    assert text.startswith("c: Build 58 may go on.")
    assert text.endswith("a: Look at build 57 in the CodeArts console.")
    assert "b:" not in text


def test_failed_build_comes_before_one_that_only_goes_on() -> None:
    """It is why the run is red."""
    ends = [labelled("a", **TIMED_OUT, **RUNNING), labelled("b", **FAILED, build_number=57)]
    assert final_words(ends).startswith("b: Look at build 57 in the CodeArts console. a: Build 58 may go on")


def test_equal_advice_is_given_once() -> None:
    """A refused credential is one problem, whatever the number of targets."""
    ends = [labelled("a", **REFUSED), labelled("b", **REFUSED), labelled("c", **FAILED, build_number=58)]
    assert final_words(ends) == "c: Look at build 58 in the CodeArts console. a and b: Use a new token."
