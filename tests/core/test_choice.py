"""Which build is chosen from what is known: a row for each sentence of the contract's section, and for each way out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from gate.core.choice import (
    MAX_PAGES,
    READS_IN_A_LOOK,
    Asked,
    Choice,
    Found,
    MissingFact,
    NoneProven,
    NotKnown,
    choose,
)
from gate.core.evidence import Evidence, NoAnswer
from gate.core.verdict import interpret
from gate.model import BuildPage, ListedBuild, Record, RunningStatus
from tests.core.fakes import EPOCH, JOB
from tests.tables import each_row

COMMIT, OTHER = "2f37dd494927d2c6259417c58e5faeb72bfe7150", "ffe2ee8" + "0" * 33
NOW = 1000.0
QUIET = RunningStatus(None, None, is_running=False)
REFUSED = NoAnswer("HTTP 404", 0.0, is_refused=True)
COMMIT_ASKED, RECENT_ASKED = Asked(COMMIT), Asked(age_limit=900.0)


def ago(seconds: float) -> datetime:
    """Return the time so many seconds before the look."""
    return EPOCH - timedelta(seconds=seconds)


def ended(number: int, word: str | None = "SUCCESS", seconds_ago: float = 60.0, **fields: Any) -> Record:
    """Return the record of a build that ended so many seconds ago, and was created a minute before that."""
    usual: dict[str, Any] = {"record_id": f"id-{number}", "commit": COMMIT, "branch": "main"}
    times = {"created_at": ago(seconds_ago + 60), "finished_at": ago(seconds_ago)}
    return Record(job_id=JOB, build_number=number, word=word, **(usual | times | fields))


def running(number: int, word: str = "RUNNING", **fields: Any) -> Record:
    """Return the record of a build that was created half a minute ago and has not ended."""
    times: dict[str, Any] = {"created_at": ago(30), "finished_at": None}
    return ended(number, word, **(times | fields))


def row(record: Record, **fields: Any) -> ListedBuild:
    """Return the row of the list about a build."""
    return ListedBuild(
        number=record.build_number,
        commit=record.commit,
        branch=record.branch,
        word=record.word if record.finished_at else None,
        run_word="Finished" if record.finished_at else "Running",
        started_at=record.created_at,
    )._replace(**fields)


def facts(
    *records: Record,
    listed: Sequence[int] | None = None,
    absent: Sequence[int] | None = None,
    odd: Sequence[int] = (),
    status: bool | NoAnswer | None = False,
    told: RunningStatus | NoAnswer | None = None,
    page: dict[str, Any] | None = None,
    seen_ago: float = 600.0,
    local_ahead: float = 0.0,
) -> Evidence:
    """Return what a look found out: these records were read; `listed`: those of them that the list shows (all).

    `absent`: the numbers that have no record (the one after the highest, and the one before the lowest). `told`: the
    answer of running-status (the newest of the records, and whether it has ended).
    """
    numbers = [record.build_number for record in records]
    shown = [record for record in records if listed is None or record.build_number in listed]
    rows = [row(record) for record in sorted(shown, key=lambda one: -one.build_number)]
    evidence = Evidence(began=NOW, now=NOW - seen_ago, clock=EPOCH)
    evidence.local_clock = EPOCH + timedelta(seconds=local_ahead)
    window = (ago(29 * 86400), ago(-86400))
    evidence.note_page(0, BuildPage(rows, total=len(rows), window=window)._replace(**(page or {})))
    for record in records:
        evidence.note_record(record)
    if told is None:
        newest = max(records, key=lambda record: record.build_number, default=None)
        told = QUIET if newest is None else RunningStatus(newest.build_number, "Finished", is_running=False)
        if newest is not None and not interpret(newest).ended:
            told = RunningStatus(newest.build_number, "Running", is_running=True)
    evidence.note_running(told)
    evidence.now = NOW
    around = [max(numbers, default=0) + 1, min(numbers, default=1) - 1] if absent is None else absent
    for number in (*around, max(numbers, default=0) + 2):
        if number not in odd:
            evidence.note_absence(number)
    for number in odd:
        evidence.note_odd(number, "HTTP 404")
    if status is not None:
        evidence.note_status(status)
    return evidence


def judged(evidence: Evidence, asked: Asked) -> int | str:
    """Return the number of the build to judge, or `none`, or why neither is known; in the last look."""
    match choose(evidence, asked, is_last=True):
        case Found(number):
            return number
        case NoneProven():
            return "none"
        case NotKnown(sentence):
            return sentence
        case MissingFact() as need:
            return str(need)


OTHERS = replace(ended(58), commit=OTHER, branch="next")
SINCE = Asked(since=ago(300))

SENTENCES: list[tuple[str, Evidence, Asked, int | str]] = [
    ("the newest build of the commit", facts(OTHERS, ended(57), ended(56)), COMMIT_ASKED, 57),
    ("a short hash", facts(OTHERS, ended(57)), Asked(COMMIT[:7].upper()), 57),
    ("the newest build of the branch", facts(OTHERS, ended(57)), Asked(branch="main"), 57),
    ("the branch in another spelling", facts(OTHERS, ended(57)), Asked(branch="refs/heads/main"), 57),
    ("of commit and branch", facts(ended(58, branch="next"), ended(57)), Asked(COMMIT, "main"), 57),
    ("created since", facts(ended(58, seconds_ago=400), ended(57, seconds_ago=500)), SINCE, "none"),
    ("created since, exactly", facts(ended(57, created_at=ago(300))), SINCE, 57),
    ("created a second before", facts(ended(57, created_at=ago(301))), SINCE, "none"),
    ("its age does not matter", facts(ended(57, seconds_ago=20 * 86400)), COMMIT_ASKED, 57),
    ("unless --max-age is given", facts(ended(57, seconds_ago=1000)), Asked(COMMIT, age_limit=900), "none"),
    ("a newer one that runs, commit unknown", facts(running(58, commit=None), ended(57)), COMMIT_ASKED, "58: commit"),
    (
        "a newer one that runs, branch unknown",
        facts(running(58, branch=None), ended(57)),
        Asked(branch="main"),
        "58: branch",
    ),
    ("a newer one, creation unknown", facts(running(58, created_at=None), ended(57)), SINCE, "58: time of creation"),
    ("the job runs: its newest build", facts(running(58), ended(57)), RECENT_ASKED, 58),
    ("the job is queued: its newest build", facts(running(58, "QUEUED"), ended(57)), RECENT_ASKED, 58),
    ("if not, its newest build", facts(ended(58), ended(57, "FAILURE")), RECENT_ASKED, 58),
    ("provided it ended recently", facts(ended(57, seconds_ago=900)), RECENT_ASKED, 57),
    ("a stale result is not this pipeline's", facts(ended(57, seconds_ago=901)), RECENT_ASKED, "none"),
    (
        "no older one instead of a stale one",
        facts(ended(58, seconds_ago=901), ended(57)),
        RECENT_ASKED,
        "57 ended later",
    ),
    ("a child is not chosen", facts(ended(58, parent_record_id="id-57"), ended(57)), RECENT_ASKED, 57),
    # None, proven.
    ("there is no build at all", facts(absent=[1]), RECENT_ASKED, "none"),
    ("no build of the commit", facts(OTHERS), COMMIT_ASKED, "none"),
    ("no build of the branch", facts(OTHERS), Asked(branch="main"), "none"),
    # The list was read without contradiction ...
    ("null rows", facts(OTHERS, page={"problem": "1 of 2 rows"}), COMMIT_ASKED, "not complete"),
    ("counts 44 and shows 1", facts(OTHERS, page={"total": 44}), COMMIT_ASKED, "counts 44 and shows 1"),
    ("counts 0 and shows 1", facts(OTHERS, page={"total": 0}), COMMIT_ASKED, "counts 0"),
    ("counts 44 and shows none", facts(page={"total": 44}, absent=[1]), RECENT_ASKED, "counts 44 and shows 0"),
    (
        "the list is empty, a build is there",
        facts(OTHERS, listed=[], absent=[59, *range(47, 58)]),
        COMMIT_ASKED,
        "list",
    ),
    (
        "the window is that of another time",
        facts(OTHERS, page={"window": (ago(9), ago(8))}),
        COMMIT_ASKED,
        "another time",
    ),
    ("the list does not count", facts(OTHERS, page={"total": None}), COMMIT_ASKED, "none"),
    # ... and reaches back past every build that could fit ...
    (
        "there is an older build than the list shows",
        facts(OTHERS, replace(OTHERS, build_number=57), listed=[58], absent=[59]),
        COMMIT_ASKED,
        "back to build 57",
    ),
    ("there are more pages", facts(OTHERS, page={"is_last": False}), COMMIT_ASKED, "page=1"),
    (
        "older ones are too old",
        facts(replace(OTHERS, created_at=ago(1000)), absent=[59]),
        Asked(COMMIT, since=ago(300)),
        "none",
    ),
    # ... each of these is known not to fit ...
    (
        "ended before its commit was known",
        facts(ended(58, "FAILURE", 5000, commit=None), ended(57, commit=OTHER)),
        COMMIT_ASKED,
        "58: commit",
    ),
    (
        "never ran, commit unknown",
        facts(ended(58, "SCHEDULE_FAILURE", 5000, commit=None), ended(57, commit=OTHER)),
        COMMIT_ASKED,
        "58 never ran",
    ),
    (
        "never ran, of another branch",
        facts(ended(58, "SCHEDULE_FAILURE", commit=None, branch="next")),
        Asked(COMMIT, "main"),
        "none",
    ),
    (
        "only a child is known",
        facts(ended(58, parent_record_id="id-57"), absent=[59, *range(48, 58)]),
        RECENT_ASKED,
        "not proven",
    ),
    ("its end is not known", facts(ended(57, finished_at=None, seconds_ago=5000)), RECENT_ASKED, "when build 57 ended"),
    ("ended in the future", facts(ended(57, seconds_ago=-3600)), RECENT_ASKED, "in the future"),
    # ... the records behind it say that there is no more ...
    ("an error for the next one", facts(OTHERS, absent=[57], odd=[59]), COMMIT_ASKED, "whether there is a build 59"),
    ("the next one was not asked for", facts(OTHERS, absent=[57]), COMMIT_ASKED, "record=59"),
    # ... and the job neither runs nor is queued.
    ("/status says that it runs", facts(OTHERS, status=True), COMMIT_ASKED, "the job is running"),
    (
        "it is queued",
        facts(OTHERS, told=RunningStatus(58, "InQueue", is_running=False)),
        COMMIT_ASKED,
        "running or queued",
    ),
    ("another build runs", facts(running(58, commit=OTHER)), COMMIT_ASKED, "running or queued"),
    ("an error instead", facts(OTHERS, told=NoAnswer("HTTP 500", NOW)), COMMIT_ASKED, "HTTP 500"),
    (
        "neither is published",
        facts(OTHERS, absent=[59, 60, 57], status=REFUSED, told=REFUSED),
        COMMIT_ASKED,
        "whether the job runs",
    ),
    ("only /status is published", facts(OTHERS, absent=[59, 60, 57], told=REFUSED), COMMIT_ASKED, "none"),
    ("/status was not asked", facts(OTHERS, status=None), COMMIT_ASKED, "status=True"),
    ("no build at all, but only the list says so", facts(absent=[1], told=REFUSED), RECENT_ASKED, "only the list"),
    (
        "the same where the other answer is empty",
        facts(absent=[1], told=RunningStatus()),
        RECENT_ASKED,
        "only the list",
    ),
    # The newest known by any answer.
    (
        "running-status names a newer one",
        facts(ended(57), told=RunningStatus(58, "InQueue", is_running=False)),
        RECENT_ASKED,
        "58 has no record",
    ),
    (
        "an unexplained run",
        facts(ended(57), status=True, told=REFUSED, absent=[58]),
        RECENT_ASKED,
        "the job is running",
    ),
    (
        "an older build that runs explains it",
        facts(ended(57), running(56), status=True, told=REFUSED, absent=[58]),
        RECENT_ASKED,
        57,
    ),
    ("an error of /status alone", facts(ended(57), status=NoAnswer("HTTP 500", NOW)), RECENT_ASKED, 57),
    (
        "errors of both",
        facts(ended(57), status=NoAnswer("HTTP 500", NOW), told=REFUSED, absent=[58]),
        RECENT_ASKED,
        "HTTP 500",
    ),
    (
        "errors of running-status",
        facts(ended(57), told=NoAnswer("HTTP 500", NOW), absent=[58]),
        RECENT_ASKED,
        "HTTP 500",
    ),
    (
        "the same for more than a minute",
        facts(ended(57), told=NoAnswer("HTTP 500", NOW - 61), absent=[58]),
        RECENT_ASKED,
        57,
    ),
    (
        "an unknown parent between",
        facts(ended(59, parent_record_id="id-58"), ended(57), absent=[60, 58, *range(49, 57)]),
        RECENT_ASKED,
        "58 has no record",
    ),
    (
        "an unknown parent anywhere",
        facts(ended(58, parent_record_id="x"), ended(57), absent=[59, *range(47, 57)]),
        RECENT_ASKED,
        "build 58 is a part of",
    ),
    ("a deleted build", facts(ended(59), ended(57, commit=OTHER), absent=[60, 58, 56]), Asked(OTHER), 57),
    (
        "a record that is late",
        facts(ended(59, seconds_ago=9, created_at=ago(20)), ended(57, commit=OTHER), absent=[60, 58], seen_ago=20),
        Asked(OTHER),
        "58 has no record",
    ),
    ("a listed build without a record", facts(running(58), ended(57), absent=[59]), Asked(COMMIT), 58),
    (
        "never ran, commit unknown: the older one",
        facts(ended(58, "SCHEDULE_FAILURE", commit=None), ended(57)),
        COMMIT_ASKED,
        57,
    ),
    (
        "a checkout failed: not the older one",
        facts(ended(58, "FAILURE", 5000, commit=None), ended(57)),
        COMMIT_ASKED,
        "58: commit",
    ),
    # Times.
    ("no finish time, created just now", facts(ended(57, "SCHEDULE_FAILURE", finished_at=None)), RECENT_ASKED, 57),
    (
        "the end by start and duration",
        facts(ended(57, finished_at=None, started_at=ago(950), duration_seconds=60.0)),
        RECENT_ASKED,
        57,
    ),
    ("this machine is an hour ahead", facts(ended(57, "FAILURE"), local_ahead=3600), RECENT_ASKED, 57),
    ("this machine is an hour behind", facts(ended(57, "FAILURE"), local_ahead=-3600), RECENT_ASKED, 57),
    (
        "the service is an hour ahead of its records",
        facts(ended(57, seconds_ago=3700), local_ahead=-3600),
        RECENT_ASKED,
        "contradicts",
    ),
    ("old by both clocks", facts(ended(57, seconds_ago=9000), local_ahead=-3600), RECENT_ASKED, "none"),
    ("ten minutes ahead of the service", facts(ended(57, seconds_ago=-590)), RECENT_ASKED, 57),
    # A short hash.
    (
        "a hash that fits two commits",
        facts(ended(58, commit=COMMIT[:7] + "0" * 33), ended(57)),
        Asked(COMMIT[:7]),
        "several commits",
    ),
]


@each_row(("sentence", "evidence", "asked", "expected"), SENTENCES)
def test_each_sentence_of_the_contract(sentence: str, evidence: Evidence, asked: Asked, expected: int | str) -> None:
    """A number is the build that is judged, `none` a proven absence; anything else stands in why neither is known."""
    said = judged(evidence, asked)
    if isinstance(expected, str) and ": " in expected:
        number, what = expected.split(": ")
        assert said == f"the {what} of build {number} is not known"
    elif isinstance(expected, int) or expected == "none":
        assert said == expected
    else:
        assert expected in str(said)


def test_build_that_is_named_but_has_no_record_keeps_older_ones_from_being_judged() -> None:
    """Only running-status shows the queued build; neither the list nor a record does yet."""
    queued = RunningStatus(58, "InQueue", is_running=False)
    evidence = facts(ended(57), told=queued, absent=[58, 59])
    assert judged(evidence, RECENT_ASKED) == "build 58 has no record yet"


@pytest.mark.parametrize("asked", [RECENT_ASKED, COMMIT_ASKED])
def test_end_that_was_not_met_in_a_hundred_records_judges_nothing(asked: Asked) -> None:
    """There are more builds behind what was read of them."""
    records = [ended(number) for number in range(1, READS_IN_A_LOOK + 1)]
    evidence = facts(*records, listed=[1], absent=[], told=REFUSED)
    evidence.read = {record.build_number for record in records}
    assert "records were read" in str(choose(evidence, asked))


def listed(*rows: ListedBuild, read: Sequence[Record] = ()) -> Evidence:
    """Return what is known of builds that a quiet job's list shows, of which some records were read."""
    evidence = facts(
        *read, absent=[rows[0].number + 1], told=RunningStatus(rows[0].number, "Finished", is_running=False)
    )
    evidence.note_page(0, BuildPage(rows, total=len(rows), window=(ago(29 * 86400), ago(-86400))))
    return evidence


def test_build_of_which_no_row_says_enough_is_read_before_an_older_one_is_taken() -> None:
    """Although it is not among the newest ones: it may be the newest of the commit."""
    commits = dict.fromkeys(range(100, 60, -1), OTHER) | {85: None, 84: None, 80: COMMIT}
    builds = [ended(number, commit=commit, seconds_ago=100_000) for number, commit in commits.items()]
    rows = [row(build) for build in sorted(builds, key=lambda build: -build.build_number)]
    read: list[Record] = []
    for number in (85, 84, 80):
        assert choose(listed(*rows, read=read), COMMIT_ASKED) == MissingFact(record=number)
        read.append(ended(number, commit=COMMIT if number == 80 else OTHER, seconds_ago=100_000))
    assert choose(listed(*rows, read=read), COMMIT_ASKED) == Found(80)


def test_builds_behind_one_that_is_too_old_are_not_read_for_the_proof_that_there_is_none() -> None:
    """Each would be a request in the last seconds."""
    newest = ended(58, commit=OTHER, seconds_ago=9 * 86400)
    rows = [row(newest), *(row(ended(number, commit=None), started_at=None) for number in (57, 56))]
    asked = Asked(COMMIT, age_limit=900.0)
    assert isinstance(choose(listed(*rows, read=[newest]), asked, is_last=True), NoneProven)


def test_limit_of_the_age_is_named() -> None:
    """In the sentence about the build that is too old."""
    assert choose(facts(ended(57, seconds_ago=1000)), RECENT_ASKED, is_last=True) == NoneProven(
        "build 57 ended more than 15 m ago (--max-age)"
    )


def odd_facts(seconds: float, times: int, **fields: Any) -> Evidence:
    """Return facts in which the number after the newest has had the same error so often, for so long."""
    evidence = facts(ended(57), absent=[56], odd=[58], **fields)
    for index in range(1, times):
        evidence.now = NOW - seconds + seconds * index / (times - 1)
        if index == 1:
            evidence.odd_answer = None
            evidence.now = NOW - seconds
            evidence.note_odd(58, "HTTP 404")
            evidence.now = NOW - seconds + seconds * index / (times - 1)
        evidence.note_odd(58, "HTTP 404")
    return evidence


@each_row(
    ("evidence", "is_found"),
    [
        (odd_facts(31, 4), True),
        (odd_facts(29, 4), False),
        (odd_facts(31, 2), False),
        (odd_facts(31, 4, page={"total": 44}), False),
        (odd_facts(31, 4, listed=[]), False),
        (odd_facts(31, 4, told=RunningStatus(58, "Running", is_running=True)), False),
        (odd_facts(31, 4, told=RunningStatus(57, "Running", is_running=True)), False),
    ],
)
def test_count_of_a_coherent_list_stands_for_the_end_after_a_while(evidence: Evidence, is_found: bool) -> None:
    """Where the answer for a build that does not exist is always the same odd one; with a warning, never for none."""
    choice = choose(evidence, RECENT_ASKED, is_last=True)
    assert isinstance(choice, Found) is is_found, choice
    if isinstance(choice, Found):
        assert "HTTP 404" in choice.warning
    assert not isinstance(choose(evidence, Asked(OTHER), is_last=True), NoneProven)


def test_status_that_contradicts_running_status_for_a_minute_counts_no_more() -> None:
    """Older pages give /status another meaning; running-status names the newest build and says that it has finished."""
    evidence = facts(ended(57))
    evidence.now = NOW - 30
    evidence.note_status(True)
    evidence.now = NOW
    assert "the job is running" in str(choose(evidence, RECENT_ASKED))
    evidence.disputed_since = NOW - 60
    choice = choose(evidence, RECENT_ASKED)
    assert isinstance(choice, Found)
    assert "/status" in choice.warning


def test_unsorted_list_is_read_to_its_end() -> None:
    """The newest build may be on any of its pages."""
    evidence = facts(ended(57))
    rows = [row(ended(56)), row(ended(57))]
    evidence.note_page(0, BuildPage(rows, is_last=False))
    assert choose(evidence, RECENT_ASKED) == MissingFact(page=1)
    for index in range(1, MAX_PAGES):
        evidence.note_page(index, BuildPage([row(ended(57 - index))], is_last=False))
    assert "not sorted" in str(choose(evidence, RECENT_ASKED))


def test_list_that_repeats_its_first_page_is_not_read_on_for_ever() -> None:
    """The service ignores the number of the page."""
    evidence = facts(OTHERS, page={"is_last": False})
    evidence.note_page(1, evidence.pages[0])
    assert "back to build 58 only" in judged(evidence, COMMIT_ASKED)  # type: ignore[operator]


@each_row(("asked", "is_advised"), [(COMMIT_ASKED, True), (COMMIT_ASKED._replace(since=ago(100)), False)])
def test_how_old_a_build_may_be_is_asked_for_only_if_it_was_not_said(asked: Asked, is_advised: bool) -> None:
    """The list may not reach back far enough all the same, as two clocks may differ."""
    evidence = facts(OTHERS, replace(OTHERS, build_number=57), listed=[58], absent=[59])
    choice = choose(evidence, asked, is_last=True)
    assert isinstance(choice, NotKnown)
    assert "back to build 57" in choice.sentence
    assert ("--since" in choice.hint) is is_advised


def test_old_builds_without_a_commit_are_looked_up_in_the_last_look_only() -> None:
    """Ten in each look; but none is not said before all are known."""
    records = [replace(ended(number, seconds_ago=9000), commit=OTHER) for number in range(50, 41, -1)]
    rows = [row(ended(number, seconds_ago=9000, commit=None)) for number in range(51, 20, -1)]
    evidence = facts(*records, ended(51, commit=OTHER), absent=[52])
    evidence.note_page(0, BuildPage(rows, total=len(rows)))
    assert choose(evidence, COMMIT_ASKED) == NotKnown(f"the job has no build of commit {COMMIT}")
    assert choose(evidence, COMMIT_ASKED, is_last=True) == MissingFact(record=41)


@each_row(
    ("change", "expected"),
    [
        (lambda evidence: evidence.note_record(replace(ended(57), commit=None)), 57),
        (lambda evidence: evidence.note_record(replace(ended(57), branch=None)), 57),
        (lambda evidence: evidence.note_page(0, BuildPage([row(ended(57), commit=None)], total=1)), 57),
    ],
)
def test_what_was_said_once_is_not_forgotten(change: Callable[[Evidence], None], expected: int) -> None:
    """Lists lose commits and rows, and so may records."""
    evidence = facts(ended(57))
    change(evidence)
    assert judged(evidence, Asked(COMMIT, "main")) == expected


def test_ended_record_without_a_commit_is_read_again_for_a_while() -> None:
    """The commit is written a few seconds after the end."""
    evidence = facts(ended(57, commit=None, seconds_ago=5))
    evidence.begin_look()
    evidence.note_running(RunningStatus(57, "Finished", is_running=False))
    evidence.note_absence(58)
    assert choose(evidence, COMMIT_ASKED) == MissingFact(record=57)
    old: Choice | MissingFact = choose(facts(ended(57, commit=None, seconds_ago=5000)), COMMIT_ASKED)
    assert old == NotKnown("the commit of build 57 is not known")
