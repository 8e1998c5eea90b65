"""Builds as time goes by, without a server."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gate.simulator import sample_plans
from gate.simulator.backend import SimulatedJob
from gate.simulator.builds import BuildPlan, BuildView, RunState, SimulatedBuild, StagePlan
from gate.simulator.documents import log_of
from gate.simulator.scenarios import Scenario, Start
from tests.tables import each_row

START = datetime(2026, 1, 1, tzinfo=UTC)


def started(course: BuildPlan) -> SimulatedBuild:
    """Create the first build of a job at `START`."""
    return SimulatedJob(Scenario(name="any"), START).start(START, course)


def view(course: BuildPlan, seconds: float) -> BuildView:
    """See a build with this course so many seconds after its creation."""
    return started(course).at(START + timedelta(seconds=seconds))


@each_row(
    ("seconds", "phase", "word"),
    [
        (0, RunState.QUEUED, "QUEUED"),
        (3.9, RunState.QUEUED, "QUEUED"),
        (4, RunState.RUNNING, "RUNNING"),
        (48.9, RunState.RUNNING, "RUNNING"),
        (49, RunState.ENDED, "SUCCESS"),
        (9999, RunState.ENDED, "SUCCESS"),
    ],
)
def test_time_passing_moves_a_build_from_queue_to_end(seconds: float, phase: RunState, word: str) -> None:
    """A build waits 4 s, runs 45 s and stays ended."""
    seen = view(sample_plans.PASSING, seconds)
    assert (seen.phase, seen.word) == (phase, word)


def test_a_stage_that_fails_is_the_last_that_runs() -> None:
    """The stages after a failed one have no word and no times."""
    words = {stage.name: stage.word for stage in view(sample_plans.FAILING, 999).stages}
    assert words == {
        "initial": "SUCCESS",
        "Cache Check": "SUCCESS",
        "Code CheckOut": "SUCCESS",
        "Maven": "FAILURE",
        "Upload to Release Repo": None,
        "final": None,
    }


def test_a_running_build_shows_the_stage_it_is_in() -> None:
    """While the second stage runs, the first is done and the third has no word yet."""
    seen = view(sample_plans.PASSING, 4 + 7)
    assert [stage.word for stage in seen.stages[:3]] == ["SUCCESS", "RUNNING", None]
    assert seen.stages[1].finished is None


def test_a_stopped_build_is_aborted_with_all_that_was_left() -> None:
    """A stop in the third stage leaves the later ones aborted, in no time."""
    build = started(sample_plans.PASSING)
    build.stopped = START + timedelta(seconds=14)
    seen = build.at(START + timedelta(seconds=14))
    assert (seen.phase, seen.word, seen.finished) == (RunState.ENDED, "ABORTED", build.stopped)
    assert [stage.word for stage in seen.stages] == ["SUCCESS", "SUCCESS", *["ABORTED"] * 4]
    assert {stage.started == stage.finished for stage in seen.stages[3:]} == {True}


def test_a_build_stopped_in_the_queue_never_starts() -> None:
    """A stop before an executor took the build leaves no start and no stages."""
    build = started(sample_plans.PASSING)
    build.stopped = START + timedelta(seconds=2)
    seen = build.at(START + timedelta(seconds=60))
    assert (seen.word, seen.started, seen.stages) == ("ABORTED", None, ())


def test_a_course_without_stages_ends_without_a_start() -> None:
    """A build that no executor takes ends when its time in the queue is over."""
    seen = view(sample_plans.NEVER_SCHEDULED, 8)
    assert (seen.phase, seen.word, seen.started, seen.stages) == (RunState.ENDED, "SCHEDULE_FAILURE", None, ())


def test_words_of_a_course_are_shown_as_they_are() -> None:
    """A course may use any word while queued, running and ended."""
    course = replace(sample_plans.PASSING, queued_word="WAITING", running_word="BUSY", word="DONE")
    assert [view(course, seconds).word for seconds in (0, 10, 99)] == ["WAITING", "BUSY", "DONE"]


def test_a_pace_scales_the_stages_but_not_the_queue() -> None:
    """At twice the pace's length, a course of 45 s takes 90 s."""
    course = sample_plans.PASSING.paced(2)
    assert (course.seconds, course.queue) == (90, 4)


def test_a_log_grows_with_the_build() -> None:
    """A running build's log ends with the stage that is being run."""
    early, late = log_of(view(sample_plans.FAILING, 20)), log_of(view(sample_plans.FAILING, 99))
    assert isinstance(early, bytes)
    assert isinstance(late, bytes)
    assert early.endswith(b"[INFO] [Maven] : stage started\n")
    assert late.startswith(early)
    assert b"cannot find symbol" in late
    assert late.endswith(b"[ERROR] [Maven] : stage ended: FAILURE\n")


def test_a_log_line_is_stamped_with_the_time_in_china() -> None:
    """Midnight UTC is eight in the morning there."""
    log = log_of(view(BuildPlan(queue=0, stages=(StagePlan(name="only", seconds=1),)), 2))
    assert log == (
        b"[2026/01/01 08:00:00.000 GMT+08:00] [INFO] [only] : stage started\n"
        b"[2026/01/01 08:00:01.000 GMT+08:00] [INFO] [only] : stage ended: SUCCESS\n"
    )


def test_builds_of_others_appear_when_their_time_comes() -> None:
    """A start in ten seconds' time is no build before."""
    job = SimulatedJob(Scenario(name="any", starts=(Start(at=10), Start(at=-10)), first_number=7), START)
    assert [build.number for build in job.catch_up(START)] == [7]
    assert job.catch_up(START + timedelta(seconds=9.9)) == []
    assert [build.number for build in job.catch_up(START + timedelta(seconds=10))] == [8]


def test_daily_numbers_count_within_the_day_in_china() -> None:
    """The fourth build of a job is the first of its day, which begins at 16:00 UTC."""
    starts = tuple(Start(at=hours * 3600) for hours in (0, 1, 15, 16))
    job = SimulatedJob(Scenario(name="any", starts=starts), START)
    job.catch_up(START + timedelta(days=1))
    assert [build.daily_number for build in job.builds] == ["20260101.1", "20260101.2", "20260101.3", "20260102.1"]


def test_names_give_the_same_ids_in_every_run() -> None:
    """A job's id follows from its scenario's name, and has the form that the service demands."""
    first, second = (
        SimulatedJob(Scenario(name="passing"), START),
        SimulatedJob(Scenario(name="passing"), START + timedelta(days=1)),
    )
    assert first.id == second.id
    assert first.id == "2777dd946afb580eb780e46e72f098de"
