"""From the service's words to a state, from a state to a verdict, from verdicts to an exit code."""

from collections.abc import Sequence
from typing import assert_never

from gate.model import ListedBuild, ProjectRow, Record, RecordState, Stage, State, UnitTests, Verdict
from gate.text import counted, one_line
from gate.vocabulary import ENDED_WORDS, FINISHED, IN_PROGRESS, JOB_LIST_WORDS, WAITING_WORDS, state_of_part


def interpret(record: Record) -> RecordState:
    """Return what a record says: the state, the word for it, and whether the build has ended.

    A word that nobody documents leaves the state unknown. The build then counts as ended only when the record has a
    finish time, or the run word says so.
    """
    if record.run_word is not None and record.run_word != FINISHED:
        state = WAITING_WORDS.get(record.run_word.lower(), State.UNKNOWN)
        return RecordState(state=state, word=record.run_word, ended=False)
    finished = record.run_word == FINISHED or record.finished_at is not None
    if record.word is None:
        return RecordState(state=State.UNKNOWN, word=None, ended=finished)
    if record.word in ENDED_WORDS:
        return RecordState(state=ENDED_WORDS[record.word], word=record.word, ended=True)
    if record.word.lower() in WAITING_WORDS and record.run_word is None:
        return RecordState(state=WAITING_WORDS[record.word.lower()], word=record.word, ended=False)
    return RecordState(state=State.UNKNOWN, word=record.word, ended=finished)


def interpret_row(row: ListedBuild) -> RecordState:
    """Return what a row of a job's list of builds says; its words are those of records."""
    return interpret(Record(job_id="", build_number=row.number, word=row.word, run_word=row.run_word))


def has_last_build_ended(row: ProjectRow) -> bool | None:
    """Return whether a job's last build has ended, by a list of jobs; `None` if the row contradicts itself.

    Also `None` if it says neither.
    """
    state, run_word = JOB_LIST_WORDS.get((row.word or "").lower()), (row.run_word or "").lower()
    is_over = state is not None and state not in IN_PROGRESS
    has_ended = row.is_finished is True or run_word == FINISHED.lower() or is_over
    is_running = row.is_finished is False or run_word in WAITING_WORDS or state in IN_PROGRESS
    return None if has_ended == is_running else has_ended


def has_ended_badly(stage: Stage) -> bool:
    """Tell whether a stage failed or was aborted."""
    return state_of_part(stage) in (State.FAILED, State.ABORTED)


def judge(state: RecordState) -> Verdict | None:
    """Return the verdict on a build in this state; `None` while it has not ended."""
    if not state.ended:
        return None
    match state.state:
        case State.SUCCEEDED:
            return Verdict.PASSED
        case State.FAILED:
            return Verdict.FAILED
        case State.ABORTED:
            return Verdict.ABORTED
        case State.UNKNOWN | State.QUEUED | State.RUNNING:
            return Verdict.UNDETERMINED
        case _:
            assert_never(state.state)


def judge_tests(tests: UnitTests | None) -> tuple[Verdict, str]:
    """Return the verdict on a build's unit tests, and what is wrong with them unless they passed.

    They pass only if the summary and the totals of every stage are there, none has a failure or an error, at least one
    test succeeded, and the service does not call any of them unsuccessful.
    """
    if tests is None or tests.total == 0:
        return Verdict.UNDETERMINED, "the service has no unit tests of it"
    for part in (tests, *tests.parts):
        where = f" of {one_line(part.name, limit=60)}" if part.name else ""
        if part.failures or part.errors:
            problems = f"{counted(part.failures, 'failure')} and {counted(part.errors, 'error')}"
            return Verdict.FAILED, f"its unit tests{where} have {problems} in {counted(part.total, 'test')}"
        if part.is_success is False:
            return Verdict.FAILED, f"the service calls its unit tests{where} unsuccessful"
    if not tests.parts:
        return Verdict.UNDETERMINED, "the service has no unit tests of its stages"
    if not any(part.successes for part in (tests, *tests.parts)):
        return Verdict.UNDETERMINED, f"none of its {tests.total} unit tests is said to have succeeded"
    return Verdict.PASSED, ""


PRECEDENCE = (Verdict.INTERRUPTED, Verdict.FAILED, Verdict.ABORTED, Verdict.TIMED_OUT, Verdict.UNDETERMINED)


def combine(verdicts: Sequence[Verdict], *, skipped_passes: bool = False) -> Verdict:
    """Combine the targets' verdicts into one; passed only if there is at least one and every one passed.

    `skipped_passes`: whether a target for which no build appeared is no obstacle (`--if-none pass`).
    """
    for verdict in PRECEDENCE:
        if verdict in verdicts:
            return verdict
    relevant = [verdict for verdict in verdicts if not (skipped_passes and verdict is Verdict.SKIPPED)]
    if verdicts and not relevant:
        return Verdict.SKIPPED
    if relevant and all(verdict in (Verdict.PASSED, Verdict.STARTED) for verdict in relevant):
        return Verdict.STARTED if Verdict.STARTED in relevant else Verdict.PASSED
    return Verdict.UNDETERMINED


def exit_code(verdict: Verdict, signal_number: int | None = None) -> int:
    """Return the exit code of a combined verdict; an interrupted run ends with 128 plus the signal's number.

    `combine` returns `SKIPPED` and `STARTED` only where the user has asked for that (`--if-none pass`, `--no-wait`).
    """
    match verdict:
        case Verdict.PASSED | Verdict.SKIPPED | Verdict.STARTED:
            return 0
        case Verdict.FAILED:
            return 1
        case Verdict.TIMED_OUT:
            return 3
        case Verdict.ABORTED:
            return 4
        case Verdict.UNDETERMINED:
            return 5
        case Verdict.INTERRUPTED:
            return 128 + (signal_number or 2)
        case _:
            assert_never(verdict)
