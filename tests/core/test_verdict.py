"""The service's words as a closed world: one word passes, in one spelling."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate import vocabulary
from gate.core import verdict as judging
from gate.model import ProjectRow, Record, RecordState, State, Verdict
from tests.core.fakes import EPOCH, JOB
from tests.tables import each_row

BARE = ["SUCCESS", "FAILURE", "ABORTED", "SCHEDULE_FAILURE", "UNKNOWN", "TIMEOUT", "Running", "InQueue", "Finished"]
COARSE = ["building", "none", "red", "blue", "aborted", "success", "error", "running", "timeout"]
FOREIGN = ["QUEUED", "STARTING", "WAITING", "PENDING", "INITIALIZING", "FAILED", "CANCELED", "COMPLETED", "ERROR"]
MORE = ["UNSTABLE", "NOT_BUILT", "STOPPED", "finished successfully", "SUCCEEDED", "OK", "true", "PASSED", "JOB", "5"]

WORDS = BARE + COARSE + FOREIGN + MORE
"""Every word of section 2.18 of the API page, and some that only look like them."""

RUN_WORDS = [None, "", "Running", "InQueue", "Finished", "RUNNING", "FINISHED", "SUCCESS", "success", "done"]


def spellings(word: str) -> list[str]:
    """Return a word in every spelling that somebody might send."""
    return sorted(
        {word, word.lower(), word.upper(), word.title(), f" {word}", f"{word} ", f"{word}\n", word.swapcase()}
    )


EVERY_WORD = sorted({spelling for word in WORDS for spelling in spellings(word)})


def made(word: str | None, run_word: str | None, *, finished: bool) -> Record:
    """Return a record with these words."""
    at = EPOCH - timedelta(seconds=5) if finished else None
    return Record(job_id=JOB, build_number=57, word=word, run_word=run_word, finished_at=at)


@each_row("finished", [False, True])
@each_row("run_word", RUN_WORDS)
def test_exactly_one_word_passes_in_every_record(run_word: str | None, finished: bool) -> None:
    """Whatever the run word and the times say, only `SUCCESS` passes, and only when no run word contradicts it."""
    passing = [
        word
        for word in (None, "", *EVERY_WORD)
        if judging.judge(judging.interpret(made(word, run_word, finished=finished))) is Verdict.PASSED
    ]
    assert passing == (["SUCCESS"] if run_word in (None, "Finished") else [])


@each_row(
    ("word", "state", "verdict"),
    [
        ("SUCCESS", State.SUCCEEDED, Verdict.PASSED),
        ("FAILURE", State.FAILED, Verdict.FAILED),
        ("SCHEDULE_FAILURE", State.FAILED, Verdict.FAILED),
        ("TIMEOUT", State.FAILED, Verdict.FAILED),
        ("timeout", State.FAILED, Verdict.FAILED),
        ("ABORTED", State.ABORTED, Verdict.ABORTED),
        ("UNKNOWN", State.UNKNOWN, Verdict.UNDETERMINED),
        ("Finished", State.UNKNOWN, Verdict.UNDETERMINED),
    ],
)
@each_row("run_word", [None, "Finished"])
@each_row("finished", [False, True])
def test_final_word_decides(word: str, state: State, verdict: Verdict, run_word: str | None, finished: bool) -> None:
    """A documented final word ends the wait in both shapes of a record, with or without a finish time."""
    reading = judging.interpret(made(word, run_word, finished=finished))
    assert reading == RecordState(state=state, word=word, ended=True)
    assert judging.judge(reading) is verdict


@each_row("run_word", [word for word in RUN_WORDS if word not in (None, "Finished")])
def test_run_word_other_than_finished_keeps_waiting(run_word: str) -> None:
    """A build whose run word is not `Finished` has not ended, whatever else its record says."""
    for word in (None, *EVERY_WORD):
        reading = judging.interpret(made(word, run_word, finished=True))
        assert (reading.word, reading.ended, judging.judge(reading)) == (run_word, False, None), word


@each_row("word", ["RUNNING", "Running", "running", "building", "InQueue", "QUEUED", "PENDING"])
@each_row("finished", [False, True])
def test_waiting_word_keeps_waiting(word: str, finished: bool) -> None:
    """A record without a run word is believed when it says that the build is under way."""
    reading = judging.interpret(made(word, None, finished=finished))
    assert reading.state in (State.RUNNING, State.QUEUED)
    assert not reading.ended


@each_row("word", [None, "success", "COMPLETED", "red", "blue", "FAILED", "EVAPORATED", "error"])
def test_undocumented_word_ends_only_an_ended_build(word: str | None) -> None:
    """On a running build it is shown and waited with; on an ended one it decides nothing."""
    running, over = (judging.interpret(made(word, None, finished=finished)) for finished in (False, True))
    assert (running.state, running.word, judging.judge(running)) == (State.UNKNOWN, word, None)
    assert judging.judge(over) is Verdict.UNDETERMINED


@each_row("word", ["Running", "InQueue", None, "success"])
def test_finished_run_word_with_no_final_word_decides_nothing(word: str | None) -> None:
    """`Finished` says that a build has ended, and never how."""
    assert judging.judge(judging.interpret(made(word, "Finished", finished=False))) is Verdict.UNDETERMINED


@given(st.none() | st.text(), st.none() | st.text(), st.booleans())
def test_any_words_pass_only_as_success(word: str | None, run_word: str | None, finished: bool) -> None:
    """The world is closed for any text whatever."""
    if judging.judge(judging.interpret(made(word, run_word, finished=finished))) is Verdict.PASSED:
        assert word == "SUCCESS"
        assert run_word in (None, "Finished")


@each_row("state", list(State))
@each_row("over", [False, True])
def test_every_state_has_a_verdict_once_ended(state: State, over: bool) -> None:
    """Only a build that has ended is judged, and only success passes."""
    verdict = judging.judge(RecordState(state=state, word="x", ended=over))
    assert (verdict is None) is not over
    assert (verdict is Verdict.PASSED) is (over and state is State.SUCCEEDED)


CODES = {
    Verdict.PASSED: 0,
    Verdict.FAILED: 1,
    Verdict.TIMED_OUT: 3,
    Verdict.ABORTED: 4,
    Verdict.UNDETERMINED: 5,
    Verdict.SKIPPED: 0,
    Verdict.STARTED: 0,
    Verdict.INTERRUPTED: 130,
}


@each_row("verdict", list(Verdict))
def test_every_verdict_has_its_exit_code(verdict: Verdict) -> None:
    """The contract's table; a new verdict without a code fails here."""
    assert judging.exit_code(verdict) == CODES[verdict]


@pytest.mark.parametrize(("number", "code"), [(2, 130), (15, 143)])
def test_interrupted_exits_with_the_signal(number: int, code: int) -> None:
    """128 plus the signal's number, as shells do."""
    assert judging.exit_code(Verdict.INTERRUPTED, number) == code


@each_row(
    ("verdicts", "combined"),
    [
        ([Verdict.PASSED], Verdict.PASSED),
        ([Verdict.PASSED] * 3, Verdict.PASSED),
        ([Verdict.PASSED, Verdict.UNDETERMINED], Verdict.UNDETERMINED),
        ([Verdict.UNDETERMINED, Verdict.TIMED_OUT], Verdict.TIMED_OUT),
        ([Verdict.TIMED_OUT, Verdict.ABORTED], Verdict.ABORTED),
        ([Verdict.ABORTED, Verdict.UNDETERMINED, Verdict.FAILED], Verdict.FAILED),
        ([Verdict.FAILED, Verdict.SKIPPED], Verdict.FAILED),
        ([Verdict.PASSED, Verdict.SKIPPED], Verdict.UNDETERMINED),
        ([Verdict.FAILED, Verdict.INTERRUPTED], Verdict.INTERRUPTED),
        ([], Verdict.UNDETERMINED),
        ([Verdict.STARTED], Verdict.STARTED),
        ([Verdict.STARTED, Verdict.PASSED], Verdict.STARTED),  # `run --reuse --no-wait`
        ([Verdict.STARTED] * 2, Verdict.STARTED),
        ([Verdict.STARTED, Verdict.UNDETERMINED], Verdict.UNDETERMINED),
        ([Verdict.SKIPPED], Verdict.UNDETERMINED),
    ],
)
def test_verdicts_combine_by_the_contracts_order(verdicts: list[Verdict], combined: Verdict) -> None:
    """Any failed, else any aborted, else any timed out, else any undetermined; no target is no pass."""
    assert judging.combine(verdicts) is combined


def test_skipped_targets_pass_only_where_that_was_asked_for() -> None:
    """`--if-none pass`: a target without a build is no obstacle, and a run without any build is skipped."""
    both = [Verdict.PASSED, Verdict.SKIPPED]
    assert judging.combine(both, skipped_passes=True) is Verdict.PASSED
    assert judging.combine([Verdict.SKIPPED] * 2, skipped_passes=True) is Verdict.SKIPPED
    assert judging.combine([*both, Verdict.FAILED], skipped_passes=True) is Verdict.FAILED
    assert judging.combine([], skipped_passes=True) is Verdict.UNDETERMINED


def test_combination_passes_only_if_all_passed() -> None:
    """Every combination of up to three verdicts, in every order."""
    for size in (1, 2, 3):
        for verdicts in itertools.product(Verdict, repeat=size):
            combined = judging.combine(verdicts)
            assert (combined is Verdict.PASSED) is all(verdict is Verdict.PASSED for verdict in verdicts)
            assert combined is judging.combine(tuple(reversed(verdicts)))


@each_row(
    ("fields", "expected"),
    [
        ({"word": "blue"}, True),
        ({"word": "red"}, True),
        ({"word": "Aborted"}, True),
        ({"word": "timeout"}, True),
        ({"word": "building"}, False),
        ({"word": "none"}, None),
        ({"word": "SUCCESS"}, None),
        ({"run_word": "Finished"}, True),
        ({"run_word": "InQueue"}, False),
        ({"is_finished": True}, True),
        ({"is_finished": False}, False),
        ({"word": "blue", "run_word": "Running"}, None),
        ({}, None),
    ],
)
def test_row_of_a_list_of_jobs_says_whether_the_last_build_has_ended(
    fields: dict[str, Any], expected: bool | None
) -> None:
    """A hint; what contradicts itself says nothing."""
    assert judging.has_last_build_ended(ProjectRow(job_id=JOB, **fields)) is expected


def test_words_of_lists_never_pass_a_record() -> None:
    """One table has all words, each with the places where it counts."""
    assert set(vocabulary.ENDED_WORDS) & {"blue", "red", "building", "aborted"} == set()
    assert [word for word, state in vocabulary.ENDED_WORDS.items() if state is State.SUCCEEDED] == [vocabulary.SUCCESS]
