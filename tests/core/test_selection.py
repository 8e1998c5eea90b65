"""Which build is judged."""

from typing import Any

import pytest

from gate.errors import Forbidden, GateError, NotFound, RouteMissing, ServiceFailing
from gate.model import ListedBuild, Record, Target, Verdict
from gate.settings import Rules
from tests.core.fakes import EPOCH, JOB, Late, World, build, ended, pinned, record

COMMIT = "2f37dd494927d2c6259417c58e5faeb72bfe7150"
NEWEST = pinned(None)


def judged(world: World) -> tuple[int | None, Verdict]:
    """Wait, and give the build that was judged with its verdict."""
    (outcome,) = world.run()
    return outcome.build_number, outcome.verdict


def by_number(**words: str) -> Any:
    """Return a function that answers with the records of these builds, which have just ended: `b57="SUCCESS"`."""

    def answer(_job: str, number: int) -> Record:
        if f"b{number}" not in words:
            raise NotFound("no such build")
        return ended(10, words[f"b{number}"], number)

    return answer


def test_number_is_taken_as_it_is() -> None:
    """A target with a number needs no list and no newest build."""
    world = World(pinned(7), record=[record(number=7)], builds=[AssertionError("asked for the list")])
    assert judged(world) == (7, Verdict.PASSED)
    assert world.service.times("builds") == []


def test_commit_picks_its_newest_build_not_the_jobs() -> None:
    """A newer build of another commit, and older builds of this one, are not judged."""
    rows = [build(60, commit="f" * 40), build(58, commit=COMMIT), build(57, commit=COMMIT), build(55)]
    world = World(NEWEST, rules=Rules(commit=COMMIT[:7]), builds=[rows], record=[by_number(b58="SUCCESS")])
    assert judged(world) == (58, Verdict.PASSED)


def test_commit_is_judged_however_old_its_build_is() -> None:
    """`--max-age` is for builds that nobody named."""
    world = World(NEWEST, rules=Rules(commit=COMMIT), builds=[[build(commit=COMMIT)]], record=[ended(30 * 86400)])
    assert judged(world) == (57, Verdict.PASSED)


def test_commit_without_a_build_is_waited_for() -> None:
    """The build appears while we wait."""
    lists = [[build(56)], [build(56)], [build(57, commit=COMMIT.upper()), build(56)]]
    records = by_number(b56="SUCCESS", b57="SUCCESS")
    world = World(NEWEST, rules=Rules(commit=COMMIT), builds=lists, record=[records])
    assert judged(world) == (57, Verdict.PASSED)
    assert world.service.times("builds") == [1000.0, 1002.0, 1006.0]


def test_commit_without_a_build_in_time_is_undetermined() -> None:
    """The gate looks a last time when `--appear-timeout` is over, not later."""
    rules = Rules(commit=COMMIT, appear_timeout=31)
    world = World(NEWEST, rules=rules, builds=[[build()]], record=[by_number(b57="SUCCESS")])
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.UNDETERMINED
    assert "commit 2f37dd4" in outcome.reason
    assert "--appear-timeout" in outcome.hint
    assert world.service.times("builds")[-1] == 1031.0


def test_slow_look_before_the_end_is_followed_by_the_last_one() -> None:
    """The answer of the look at 2 s comes after `--appear-timeout`; a build that appears meanwhile is still found."""
    lists = [[build(56)], Late(2.0, [build(56)]), [build(57, commit=COMMIT), build(56)]]
    records = by_number(b56="SUCCESS", b57="SUCCESS")
    world = World(NEWEST, rules=Rules(commit=COMMIT, appear_timeout=3), builds=lists, record=[records])
    assert judged(world) == (57, Verdict.PASSED)


def test_short_commit_that_fits_two_is_undetermined() -> None:
    """Anybody who may push could make a second one that begins like the first."""
    rows = [build(58, commit="2f37dd4" + "0" * 33), build(57, commit=COMMIT)]
    world = World(NEWEST, rules=Rules(commit=COMMIT[:7]), builds=[rows], record=[by_number(b58="SUCCESS")])
    (outcome,) = world.run()
    assert (outcome.build_number, outcome.verdict) == (None, Verdict.UNDETERMINED)
    assert COMMIT in outcome.reason
    assert "full hash" in outcome.hint


@pytest.mark.parametrize(
    ("commit", "verdict"),
    [
        ("f" * 40, Verdict.UNDETERMINED),
        (COMMIT, Verdict.PASSED),
        (COMMIT[:8].upper(), Verdict.PASSED),
        (None, Verdict.PASSED),
        ("trunk", Verdict.PASSED),
    ],
)
def test_record_of_another_commit_never_passes(commit: str | None, verdict: Verdict) -> None:
    """The list says one thing and the record another; what is no hash at all says nothing."""
    found = record("SUCCESS", commit=commit)
    world = World(NEWEST, rules=Rules(commit=COMMIT), builds=[[build(commit=COMMIT)]], record=[found])
    assert judged(world) == (57 if verdict is Verdict.PASSED else None, verdict)


def test_build_that_ended_in_the_future_is_not_fresh() -> None:
    """Its end, or the service's clock, is nonsense; ten minutes are what two clocks may differ by."""
    for seconds, verdict in ((-3600, Verdict.UNDETERMINED), (-500, Verdict.PASSED)):
        world = World(NEWEST, builds=[[build()]], record=[ended(seconds)], rules=Rules(appear_timeout=5))
        assert world.verdict() is verdict


@pytest.mark.parametrize("word", ["FAILURE", "RUNNING"])
def test_build_that_the_list_does_not_have_yet_is_judged(word: str) -> None:
    """The list lags behind; the next number has a record already."""
    world = World(
        NEWEST,
        builds=[[build(57)]],
        unlisted=58,
        record=[
            record(word, 58, finished_at=EPOCH if word == "FAILURE" else None),
            record("FAILURE", 58, finished_at=EPOCH),
        ],
    )
    assert judged(world) == (58, Verdict.FAILED)


def test_build_that_runs_again_is_not_judged_by_what_it_was() -> None:
    """A record that was read while the job was said to run is read anew."""
    world = World(
        NEWEST,
        builds=[[build()]],
        is_running=[True],
        record=[ended(30), NotFound("no build 58"), record("RUNNING"), record("FAILURE")],
    )
    assert judged(world) == (57, Verdict.FAILED)


@pytest.mark.parametrize(("error", "seconds"), [(ServiceFailing("500"), 20), (Forbidden("403"), 1)])
def test_status_that_cannot_be_read_does_not_hold_a_fresh_build(error: GateError, seconds: float) -> None:
    """It is a hint: trouble is waited past, a refusal says nothing."""
    world = World(NEWEST, builds=[[build()]], is_running=[error], record=[ended(30)])
    assert judged(world) == (57, Verdict.PASSED)
    assert world.elapsed < seconds


def test_newest_recent_build_is_judged() -> None:
    """Neither number nor commit: the newest build, if it ended within `--max-age`."""
    world = World(NEWEST, builds=[[build(57), build(56)]], record=[ended(899)])
    assert judged(world) == (57, Verdict.PASSED)


def test_order_of_the_list_does_not_matter() -> None:
    """The newest build has the highest number, not the first place."""
    world = World(NEWEST, builds=[[build(9), build(10), build(8)]], record=[by_number(b10="SUCCESS")])
    assert judged(world) == (10, Verdict.PASSED)


@pytest.mark.parametrize("age", [901, 3 * 3600])
def test_stale_build_is_never_judged(age: float) -> None:
    """A build that ended before `--max-age` is not this pipeline's, however well it ended."""
    world = World(NEWEST, builds=[[build()]], record=[ended(age)], rules=Rules(appear_timeout=60))
    (outcome,) = world.run()
    assert (outcome.build_number, outcome.verdict) == (None, Verdict.UNDETERMINED)
    assert "--max-age" in outcome.reason
    assert world.elapsed == pytest.approx(60)


def test_build_does_not_become_stale_while_we_look() -> None:
    """Its age is measured from the first look: trouble on the way is not the build's fault."""
    running = [True] * 3 + [False]
    world = World(NEWEST, builds=[[build()]], record=[ended(895)], is_running=running)
    assert judged(world) == (57, Verdict.PASSED)
    assert world.elapsed > 5


def test_ended_build_without_any_time_is_stale() -> None:
    """Nobody knows when it ended, so it may be anybody's."""
    world = World(NEWEST, builds=[[build()]], record=[record("SUCCESS")], rules=Rules(appear_timeout=5))
    assert judged(world) == (None, Verdict.UNDETERMINED)


def test_end_is_reckoned_from_start_and_duration() -> None:
    """A record without a finish time is fresh when start and duration say so."""
    fresh = record("SUCCESS", started_at=EPOCH, duration_seconds=20.0)
    assert judged(World(NEWEST, builds=[[build()]], record=[fresh])) == (57, Verdict.PASSED)


@pytest.mark.parametrize("word", ["Running", "InQueue", "QUEUED", "RUNNING", "never heard of it"])
def test_build_that_runs_or_is_queued_now_is_judged(word: str) -> None:
    """The newest build counts while it has not ended."""
    world = World(NEWEST, builds=[[build()]], record=[record(word), record(word), record("SUCCESS")])
    assert judged(world) == (57, Verdict.PASSED)


def test_new_build_that_appears_is_judged_instead_of_the_stale_one() -> None:
    """A stale result is waited past; the record of the stale build is not read twice."""
    world = World(
        NEWEST,
        builds=[[build(56)], [build(56)], [build(57), build(56)]],
        record=[ended(3 * 3600, number=56), record("RUNNING"), record("RUNNING"), record("SUCCESS")],
    )
    assert judged(world) == (57, Verdict.PASSED)
    assert len(world.service.times("record")) == 4


def test_newer_build_after_pinning_changes_nothing() -> None:
    """Somebody starts build 58, which fails; ours is 57."""
    words = iter(["RUNNING"] * 5)
    world = World(
        NEWEST,
        builds=[[build(57)], [build(58), build(57)]],
        record=[lambda _job, number: record(next(words, "SUCCESS") if number == 57 else "FAILURE", number)],
    )
    assert judged(world) == (57, Verdict.PASSED)
    assert len(world.service.times("builds")) == 1


def test_list_that_drifts_to_empty_does_not_lose_the_build() -> None:
    """The list has been seen to go empty while the job's builds could be read."""
    world = World(NEWEST, builds=[[], [], [build()]], record=[record("RUNNING"), record("SUCCESS")])
    assert judged(world) == (57, Verdict.PASSED)


def test_job_without_builds_is_undetermined_in_time() -> None:
    """An empty list is no pass."""
    world = World(NEWEST, builds=[[]], rules=Rules(appear_timeout=20))
    assert judged(world) == (None, Verdict.UNDETERMINED)


def test_running_job_whose_newest_build_ended_is_waited_for() -> None:
    """`/status` says that it runs while the newest listed build has ended: the new one is not listed yet."""
    world = World(
        NEWEST,
        builds=[[build(56)], [build(56)], [build(57), build(56)]],
        is_running=[True],
        record=[ended(30, number=56), ended(0)],
    )
    assert judged(world) == (57, Verdict.PASSED)


def test_fresh_build_is_judged_although_status_insists() -> None:
    """Older pages give `/status` another meaning, so it is believed for ten seconds only."""
    world = World(NEWEST, builds=[[build()]], is_running=[True], record=[ended(30)])
    assert judged(world) == (57, Verdict.PASSED)
    assert 10 <= world.elapsed < 20


def test_stale_build_is_not_judged_although_status_says_true() -> None:
    """`true` never makes an old result one of ours."""
    world = World(NEWEST, builds=[[build()]], is_running=[True], record=[ended(3 * 3600)], rules=Rules(timeout=400))
    assert judged(world) == (None, Verdict.UNDETERMINED)


def test_host_without_the_status_route_is_judged_by_records() -> None:
    """The hint is not needed."""
    world = World(NEWEST, builds=[[build()]], is_running=[RouteMissing("404")], record=[ended(30)])
    assert judged(world) == (57, Verdict.PASSED)


def test_unknown_job_ends_the_wait_at_once() -> None:
    """There is nothing to appear."""
    world = World(NEWEST, builds=[NotFound("no such job")])
    assert judged(world) == (None, Verdict.UNDETERMINED)
    assert world.elapsed == 0


def test_listed_build_whose_record_is_not_there_yet_is_waited_for() -> None:
    """A build is listed before its record can be read."""
    world = World(NEWEST, builds=[[build()]], record=[NotFound("422"), NotFound("422"), record("RUNNING"), ended(0)])
    assert judged(world) == (57, Verdict.PASSED)


def test_listed_build_whose_record_never_comes_is_undetermined_in_time() -> None:
    """The wait for it is bounded by `--appear-timeout`."""
    world = World(NEWEST, builds=[[build()]], record=[NotFound("422")], rules=Rules(appear_timeout=30))
    (outcome,) = world.run()
    assert outcome.verdict is Verdict.UNDETERMINED
    assert "57" in outcome.reason
    assert world.elapsed == pytest.approx(30)


def test_pinned_build_may_take_a_moment_to_be_readable() -> None:
    """A record is not always readable at once."""
    world = World(pinned(), record=[NotFound("422"), NotFound("422"), record("SUCCESS")])
    assert judged(world) == (57, Verdict.PASSED)


def test_pinned_build_that_does_not_exist_is_undetermined_soon() -> None:
    """Ten seconds of grace, not the whole timeout."""
    world = World(pinned(), record=[NotFound("422")])
    assert judged(world) == (57, Verdict.UNDETERMINED)
    assert world.elapsed == pytest.approx(10)


def test_expectation_is_the_median_of_builds_that_passed() -> None:
    """Failed builds and those without a duration do not count."""
    past = [(50.0, "SUCCESS"), (5.0, "FAILURE"), (70.0, "SUCCESS"), (None, "SUCCESS"), (60.0, "SUCCESS")]
    rows = [ListedBuild(number=57)] + [
        build(56 - i, duration_seconds=took, word=word) for i, (took, word) in enumerate(past)
    ]
    world = World(NEWEST, builds=[rows], record=[record("RUNNING"), record("SUCCESS")])
    world.run()
    assert "past builds took about 1 m" in " ".join(world.observer.said)


def test_two_targets_on_one_job_pin_their_own_builds() -> None:
    """One by number, one by newness."""
    targets = [Target(job_id=JOB, build_number=7, label="old"), Target(job_id=JOB, label="new")]
    world = World(*targets, builds=[[build(57), build(7)]], record=[by_number(b7="SUCCESS", b57="FAILURE")])
    old, new = world.run()
    assert (old.build_number, old.verdict) == (7, Verdict.PASSED)
    assert (new.build_number, new.verdict) == (57, Verdict.FAILED)
