"""From the service's words to a state, from a state to a verdict, from verdicts to an exit code.

The service uses one word in several senses, so every word has the place where it counts:

- a *record*, a stage or a child: the only place whose words tell how a build ended, and one of them that it passed;
- a *run word* (`job_running_status`, `running-status`), which never says how a build ended;
- a *list of jobs* (`last_build_status`), which is a hint only;
- the call's own `status` (`success`) is none of these: `gate.codearts` checks and drops it.

The vendor publishes no complete list of words (ShowJobBuildRecordDetail gives the range of `status` as "N/A"), so this
one is closed and everything else is unknown. Sources: the examples of ShowJobBuildRecordDetail, ListRecords and
ListBriefRecord; the page of ListProjectJobs (2026-02-05) for lists of jobs; a published trial on a real tenant
(David-piex/codearts-mcp, 2026-04-19) for the run words.
"""

from collections.abc import Sequence
from enum import Enum, auto
from typing import assert_never

from gate.model import ProjectRow, Record, RecordState, State, UnitTests, Verdict
from gate.text import counted, one_line

SUCCESS, FINISHED = "SUCCESS", "Finished"


class Place(Enum):
    """Where a word counts. In records it does in exactly this spelling, elsewhere whatever the case."""

    RECORD = auto()
    RUN_WORD = auto()
    JOB_LIST = auto()


_WAITING = (Place.RECORD, Place.RUN_WORD)
"""Words of builds that have not ended count in records in any case, too: they cannot pass one."""

VOCABULARY: Sequence[tuple[str, State, Sequence[Place]]] = (
    (SUCCESS, State.SUCCEEDED, [Place.RECORD]),
    ("FAILURE", State.FAILED, [Place.RECORD]),
    ("SCHEDULE_FAILURE", State.FAILED, [Place.RECORD]),
    ("TIMEOUT", State.FAILED, [Place.RECORD]),
    ("timeout", State.FAILED, [Place.RECORD, Place.JOB_LIST]),  # that of a record was never published
    ("ABORTED", State.ABORTED, [Place.RECORD, Place.JOB_LIST]),
    ("UNKNOWN", State.UNKNOWN, [Place.RECORD]),  # MindSpore's script counts it among the final words
    (FINISHED, State.UNKNOWN, [Place.RECORD, Place.RUN_WORD]),  # ended, but not how
    ("blue", State.SUCCEEDED, [Place.JOB_LIST]),
    ("red", State.FAILED, [Place.JOB_LIST]),
    ("building", State.RUNNING, [*_WAITING, Place.JOB_LIST]),
    ("running", State.RUNNING, _WAITING),
    ("inqueue", State.QUEUED, _WAITING),
    ("queued", State.QUEUED, _WAITING),
    ("waiting", State.QUEUED, _WAITING),
    ("pending", State.QUEUED, _WAITING),
    ("starting", State.QUEUED, _WAITING),
    ("initializing", State.QUEUED, _WAITING),
)

_IN_PROGRESS = (State.RUNNING, State.QUEUED)

ENDED_WORDS = {
    word: state for word, state, places in VOCABULARY if Place.RECORD in places and state not in _IN_PROGRESS
}
WAITING_WORDS = {
    word: state for word, state, places in VOCABULARY if Place.RUN_WORD in places and state in _IN_PROGRESS
}
"""In lower case."""
JOB_LIST_WORDS = {word.lower(): state for word, state, places in VOCABULARY if Place.JOB_LIST in places}
"""In lower case."""

NEVER_RAN = "SCHEDULE_FAILURE"
"""The word of a build that never got an executor, and so did nothing."""


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


def has_last_build_ended(row: ProjectRow) -> bool | None:
    """Return whether a job's last build has ended, by a list of jobs; `None` if the row contradicts itself.

    Also `None` if it says neither.
    """
    state, run_word = JOB_LIST_WORDS.get((row.word or "").lower()), (row.run_word or "").lower()
    is_over = state is not None and state not in _IN_PROGRESS
    has_ended = row.is_finished is True or run_word == FINISHED.lower() or is_over
    is_running = row.is_finished is False or run_word in WAITING_WORDS or state in _IN_PROGRESS
    return None if has_ended == is_running else has_ended


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
