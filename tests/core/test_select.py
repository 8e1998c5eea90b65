"""Collecting the facts: how a selection waits, what it asks, and what it costs in calls."""

import itertools
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from gate.core.ports import Context
from gate.core.retry import Retrier
from gate.core.select import PinnedBuild, Selection
from gate.errors import (
    Forbidden,
    GaveUp,
    InvalidAnswer,
    NoBuildAppeared,
    NotFound,
    Refused,
    RouteMissing,
    ServiceError,
    ServiceFailing,
    Unauthorised,
    Unreachable,
)
from gate.model import BuildPage, Order, Record, RunningStatus, Target
from gate.settings import Rules
from tests.core.drive import Driver
from tests.core.fakes import JOB
from tests.core.worlds import COMMIT, OTHER_COMMIT, START, World, WorldBuild, WorldService
from tests.tables import each_row


def build(number: int = 57, ends: float = -60.0, word: str = "SUCCESS", **fields: Any) -> WorldBuild:
    """Return a build that ended a minute before the gate's start, by default; created another one before."""
    created = fields.pop("created", min(ends, 0.0) - 60)
    usual: dict[str, Any] = {"starts": created, "checked_out": created, "commit": COMMIT, "branch": "main"}
    return WorldBuild(number=number, created=created, ends=ends, word=word, **(usual | fields))


class Play:
    """One selection in a world of these builds."""

    def __init__(
        self, *builds: WorldBuild, rules: Rules | None = None, number: int | None = None, **fields: Any
    ) -> None:
        """`fields`: those of the world."""
        world = World(mode="", rules=rules or Rules(), number=number, builds=list(builds), deleted=set(), lag=0.0)
        for name, value in fields.items():
            setattr(world, name, value)
        self.world = world
        self.driver = Driver()
        self.service: Any = WorldService(world, self.driver, Random(1))
        self.said: list[str] = []

    def answer(self, name: str, answer: Callable[..., Any]) -> "Play":
        """Replace what the service answers to one question."""

        def replaced(*args: object) -> Any:
            self.service.asked.append(name)
            return answer(*args)

        setattr(self.service, name, replaced)
        return self

    def selection(self, order: Order | None = None) -> Selection:
        """Return the selection."""
        context = Context(
            rules=self.world.rules,
            service=self.service,
            now=self.driver.now,
            chance=lambda: 0.5,
            say=lambda _target, text: self.said.append(text),
            order=order,
            has_answered=lambda: self.driver.has_answered,
        )
        target = Target(job_id=JOB, label="job", build_number=self.world.number)
        return Selection(target, context, Retrier(context, self.said.append))

    def run(self) -> PinnedBuild:
        """Run the selection to its end."""
        return self.driver.run(self.selection().run())

    def number(self) -> int:
        """Return the number of the build that is found."""
        return self.run().build_number

    def fails(self, kind: type[ServiceError] = NotFound) -> str:
        """Return why no build is found; `kind` is exactly the error."""
        with pytest.raises(kind) as caught:
            self.run()
        assert type(caught.value) is kind
        return f"{caught.value} {caught.value.hint}"

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self.driver.clock - START


PASS = Rules(if_none="pass", appear_timeout=30)
OF_COMMIT = Rules(commit=COMMIT, if_none="pass", appear_timeout=30)
OTHER: Any = {"commit": OTHER_COMMIT}


def raising(kind: type[ServiceError], **fields: Any) -> Callable[..., Any]:
    """Return an answer that is an error."""

    def answer(*_: object) -> Any:
        raise kind("trouble", **fields)

    return answer


# None is proven, or it is not said.


def test_none_is_said_where_it_is_proven() -> None:
    """A job whose builds are all of other commits."""
    message = Play(build(**OTHER), build(56, -500, **OTHER), rules=OF_COMMIT).fails(NoBuildAppeared)
    assert f"the job has no build of commit {COMMIT}" in message
    assert "--appear-timeout" in message


@each_row(
    ("rules", "words"),
    [
        (Rules(appear_timeout=30), "Check that the build gets started, or raise --appear-timeout or --max-age."),
        (OF_COMMIT, "Check --commit, and that the build gets started, or raise --appear-timeout."),
        (
            Rules(commit=COMMIT, branch="main", max_age=9, appear_timeout=30),
            "Check --commit and --branch, and that the build gets started, or raise --appear-timeout or --max-age.",
        ),
    ],
)
def test_advice_names_what_was_asked_for(rules: Rules, words: str) -> None:
    """And no limit that there is not."""
    play = Play(build(57, -5000, **OTHER), build(56, -6000, **OTHER), rules=rules)
    assert words in play.fails(NoBuildAppeared)


def test_advice_about_a_merge_commit_stands_in_the_message() -> None:
    """No push has built it."""
    rules = Rules(commit=COMMIT, if_none="pass", appear_timeout=30, commit_advice="this is a merge commit")
    play = Play(build(**OTHER), build(56, -500, **OTHER), rules=rules)
    assert ". This is a merge commit" in play.fails(NoBuildAppeared)


@each_row(
    "play",
    [
        Play(build(57, -5, "FAILURE", commit=None), build(56, -500, **OTHER), rules=OF_COMMIT),
        Play(build(57, -5, "SCHEDULE_FAILURE", commit=None), rules=OF_COMMIT),
        Play(rules=PASS).answer("is_running", lambda _: True),
        Play(build(**OTHER), rules=OF_COMMIT, nulls=1.0),
        Play(build(**OTHER), rules=OF_COMMIT).answer("build_page", lambda *_: BuildPage((), total=44)),
        Play(build(**OTHER), rules=OF_COMMIT).answer("build_page", lambda *_: BuildPage((), problem="it has no rows")),
        Play(build(57, -5, "FAILURE"), rules=PASS, date_ahead=3600.0, local_ahead=0.0),
        Play(build(57, -5000, says_end=False, created=-5100), rules=PASS),
        Play(build(58, parent=57, created=-100), rules=PASS),
        Play(build(58, 1000, **OTHER), rules=OF_COMMIT),
        Play(build(58, 1000, starts=1000, **OTHER), rules=OF_COMMIT, has_status=False),
        Play(build(**OTHER), rules=OF_COMMIT).answer("running_status", raising(ServiceFailing)),
        Play(*(build(number, -number, **OTHER) for number in range(2, 90)), rules=OF_COMMIT, empties=0.0).answer(
            "build_page", lambda *_: BuildPage((), is_last=False, total=2000)
        ),
        Play(build(**OTHER), rules=OF_COMMIT, has_status=False, has_running=False),
    ],
)
def test_none_is_not_said_where_a_build_may_exist(play: Play) -> None:
    """Each of these ended with exit code 0 under `--if-none pass` although there was, or may be, a build."""
    assert "appeared within 30 s" in play.fails(NotFound)


def test_build_that_only_running_status_names_is_judged() -> None:
    """The list is empty all the time."""
    assert Play(build(57, 500, created=-5), empties=1.0).number() == 57


def test_thirteenth_newest_build_without_commits_in_rows_is_found_at_last() -> None:
    """The list has no commits, so records are read: ten in the first looks, all in the last one."""
    builds = [build(number, -1000 + number, **OTHER) for number in range(46, 58)]
    play = Play(build(45, -990), *builds, rules=OF_COMMIT, loses_commits=1.0)
    assert play.number() == 45
    assert play.elapsed == 30


def test_build_on_a_later_page_is_found_at_once() -> None:
    """Six rows are on a page of the model's list."""
    builds = [build(number, -1000 + number, **OTHER) for number in range(46, 58)]
    play = Play(build(45, -990), *builds, rules=OF_COMMIT)
    assert (play.number(), play.elapsed) == (45, 0)


# An older build is never judged in place of a newer one.


def test_late_parent_is_waited_for() -> None:
    """Its child can be read for 40 s before the parent can be; the build before it is no substitute."""
    play = Play(
        build(59, 100, parent=58, created=-8), build(58, 100, created=-10, late=50), build(57, -20), has_running=False
    )
    assert play.number() == 58
    assert 40 <= play.elapsed < 60


def test_queued_build_that_only_running_status_names_is_waited_for() -> None:
    """Neither list nor record shows build 58 for half a minute."""
    play = Play(build(58, 100, created=-5, starts=90, late=35), build(57, -20), lag=1000.0)
    assert play.number() == 58
    assert play.elapsed >= 30


def test_job_that_runs_all_the_time_keeps_the_older_build_from_being_judged() -> None:
    """A deleted number behind a list that lags, and no running-status: only /status speaks of the build that runs."""
    builds = [build(60, 5000, created=-10), build(57, -20)]
    play = Play(*builds, lag=1000.0, has_running=False, rules=Rules(appear_timeout=60))
    play.answer("build_page", lambda *_: BuildPage([play.service._row(builds[1], 0)], total=1))
    assert "the job is running" in play.fails()
    assert play.elapsed == 60


def test_number_behind_a_deleted_one_is_found_without_running_status() -> None:
    """Two numbers are tried behind the newest known one."""
    builds = [build(59, 5000, created=-10), build(57, -20)]
    play = Play(*builds, has_running=False)
    play.answer("build_page", lambda *_: BuildPage([play.service._row(builds[1], 0)], total=1))
    assert play.number() == 59


def test_more_than_a_hundred_builds_behind_the_list_are_read_in_several_looks() -> None:
    """The list shows the first one only; the end is met in the second look."""
    builds = [build(number, -300 + number) for number in range(1, 150)]
    play = Play(*builds, has_running=False)
    play.answer("build_page", lambda *_: BuildPage([play.service._row(builds[0], 0)], total=1))
    assert play.number() == 149
    assert any("100 records were read" in text for text in play.said)


# Nothing is undetermined without need.


def test_service_date_a_minute_ahead_of_records_changes_nothing() -> None:
    """Ten minutes are allowed between two clocks."""
    assert Play(build(57, 30), date_ahead=60.0).number() == 57
    assert Play(build(57, -5), date_ahead=-500.0).number() == 57


@pytest.mark.parametrize("ahead", [3600.0, -3600.0])
def test_wrong_clock_of_this_machine_changes_nothing(ahead: float) -> None:
    """The service's `Date` and its records agree."""
    assert Play(build(57, -5, "FAILURE"), local_ahead=ahead).number() == 57


def test_commit_that_is_written_after_the_end_is_seen() -> None:
    """An ended record without a commit is read again for a while."""
    play = Play(build(57, -1, checked_out=8), rules=OF_COMMIT)
    assert play.number() == 57
    assert 8 <= play.elapsed < 20


def test_build_that_never_ran_is_judged_without_a_finish_time() -> None:
    """It was created a moment ago."""
    assert Play(build(57, -5, "SCHEDULE_FAILURE", says_end=False)).number() == 57


def test_older_build_of_the_commit_is_judged_when_a_newer_one_never_ran() -> None:
    """Nobody knows the commit of build 58, but it did nothing."""
    assert Play(build(58, -5, "SCHEDULE_FAILURE", commit=None), build(57), rules=OF_COMMIT).number() == 57


@each_row("kind", [Refused, InvalidAnswer, ServiceFailing, Forbidden])
def test_odd_answer_for_the_next_number_is_learned(kind: type[ServiceError]) -> None:
    """Half a minute, then the list's count stands for the end, with a warning."""
    play = Play(build(), absence=kind)
    assert play.number() == 57
    assert 30 <= play.elapsed < 60
    assert any("the service answers with an error for a build that does not exist" in text for text in play.said)


def test_odd_answer_is_no_excuse_for_a_running_job() -> None:
    """The list lags, and running-status names a newer build that has no record yet."""
    play = Play(build(58, 5000, created=-5, late=9000), build(57, -20), absence=Refused, rules=Rules(appear_timeout=90))
    assert "58" in play.fails()


def test_refused_records_end_the_selection_at_once() -> None:
    """A permission that is missing is no odd answer for a build that does not exist."""
    play = Play(build()).answer("record", raising(Forbidden))
    play.fails(Forbidden)
    assert play.elapsed < 5


def test_refused_credential_ends_the_selection_at_once() -> None:
    """Also where only a question about the job is refused."""
    Play(build()).answer("running_status", raising(Unauthorised)).fails(Unauthorised)
    Play(build()).answer("is_running", raising(Unauthorised)).fails(Unauthorised)


def test_service_that_fails_for_ever_uses_up_the_error_budget() -> None:
    """The list cannot be read."""
    play = Play(build(), rules=Rules(error_budget=60)).answer("build_page", raising(Unreachable))
    play.fails(GaveUp)
    assert play.elapsed < 90


def test_host_without_running_status_is_asked_for_it_once() -> None:
    """The path is not published."""
    play = Play(build(**OTHER), rules=OF_COMMIT, has_running=False)
    play.fails(NoBuildAppeared)
    assert play.service.asked.count("running_status") == 1


def test_list_of_a_wrong_clock_is_read_again() -> None:
    """The window of time was computed with this machine's clock, before the service's was known."""
    play = Play(build())
    real = play.service.build_page
    windows = iter([play.service.now().replace(year=2020)])

    def answer(job: str, page: int) -> BuildPage:
        found: BuildPage = real(job, page)
        assert found.window is not None
        return found._replace(window=next(((at, at) for at in windows), found.window))

    assert play.answer("build_page", answer).number() == 57
    assert play.service.asked.count("build_page") > 1


# A target with a number.


def test_number_costs_one_call() -> None:
    """Its record is handed on."""
    play = Play(build(57, 500), number=57)
    pinned = play.run()
    assert (pinned.build_number, pinned.record is not None, play.service.asked) == (57, True, ["record"])


def test_number_above_every_known_one_is_waited_for() -> None:
    """Build 58 appears after twelve seconds, and after four minutes."""
    for created in (12.0, 240.0):
        play = Play(build(58, 900, created=created), build(57), number=58)
        assert play.number() == 58
        assert created <= play.elapsed < created + 12
    assert "build 58 is not there yet; the newest known one is 57; waiting for it, at most 5 m" in play.said


@pytest.mark.parametrize("number", [None, 58])
def test_waiting_is_not_announced_where_there_is_no_time_for_it(number: int | None) -> None:
    """`--appear-timeout 0` looks, and that is all."""
    play = Play(build(57, -5000), number=number, rules=Rules(appear_timeout=0))
    with pytest.raises(NotFound):
        play.run()
    assert not [text for text in play.said if "waiting" in text]


def test_number_above_every_known_one_is_waited_for_until_the_time_is_over() -> None:
    """`--appear-timeout`."""
    play = Play(build(57), number=60, rules=Rules(appear_timeout=40))
    said = play.fails(NotFound)
    assert said.startswith("build 60 is not there after 40 s; the newest known one is 57 ")
    assert said.endswith(" Check the build number, or raise --appear-timeout.")
    assert play.elapsed == 40


def test_number_below_a_known_one_ends_soon() -> None:
    """Ten seconds, in which a record may be late."""
    play = Play(build(58), number=57)
    said = play.fails(NotFound)
    assert said == "build 57 is not there after 10 s; the newest known one is 58 Check the build number."
    assert play.elapsed == 10


def test_number_that_is_listed_is_waited_for() -> None:
    """Its record is late, and a newer build is known."""
    play = Play(build(58, 900, created=-2), build(57, 900, created=-3, late=30), number=57)
    assert play.number() == 57
    assert play.elapsed >= 27


@each_row("kind", [Refused, InvalidAnswer, ServiceFailing, Forbidden])
def test_number_is_waited_for_where_the_answer_for_a_missing_build_is_odd(kind: type[ServiceError]) -> None:
    """The record of another build can be read."""
    play = Play(build(58, 900, created=20), build(57), number=58, absence=kind)
    assert play.number() == 58


@each_row("kind", [Refused, Forbidden, Unauthorised])
def test_number_whose_record_is_refused_ends_at_once(kind: type[ServiceError]) -> None:
    """No record can be read: that is no build that is not there yet."""
    play = Play(build(57), number=57).answer("record", raising(kind))
    play.fails(kind)
    assert play.elapsed < 5


def test_number_of_an_unknown_job_ends_at_once() -> None:
    """The list says that there is no such job."""
    play = Play(number=57).answer("build_page", raising(NotFound))
    play.fails(NotFound)
    assert play.elapsed == 0


def test_number_is_waited_for_on_a_host_without_lists() -> None:
    """They say nothing then."""
    play = Play(build(57, 900, created=12), number=57).answer("build_page", raising(RouteMissing))
    assert play.number() == 57


@each_row("kind", [NotFound, RouteMissing, Refused])
@each_row("name", ["build_page", "record", "running_status", "is_running"])
def test_permanent_error_in_place_of_one_answer_may_pass(name: str, kind: type[ServiceError]) -> None:
    """The list was read before, and shows the build that appears meanwhile; no question is given up for it."""
    play = Play(build(58, 60, created=3), build(57, -5000))
    right, calls = getattr(play.service, name), itertools.count(1)

    def answer(*arguments: Any) -> Any:
        if play.elapsed > 1 and next(calls) == 1:
            raise kind("trouble")
        return right(*arguments)

    play.answer(name, answer)
    assert play.number() == 58
    assert play.elapsed < 30


# Around an order.


def newest(play: Play, seconds: float = 5.0) -> int:
    """Look once for the newest number."""
    return play.driver.run(play.selection().newest_number(play.driver.clock + seconds))


def test_newest_number_is_that_of_any_answer() -> None:
    """The list lags; running-status, or the records behind the list, know more."""
    builds = (build(58, 900, created=-5), build(57))
    assert newest(Play(*builds, lag=1000.0)) == 58
    assert newest(Play(*builds, has_running=False)) == 58
    assert newest(Play()) == 0


def test_newest_number_that_cannot_be_found_out_in_time_is_an_error() -> None:
    """The list fails."""
    with pytest.raises(Unreachable):
        newest(Play(build()).answer("build_page", raising(Unreachable)))


def reused(play: Play, commit: str | None = COMMIT) -> int | None:
    """Look once for a build to use again."""
    pinned = play.driver.run(play.selection(Order(commit=commit)).reusable())
    return pinned and pinned.build_number


def test_build_of_the_commit_that_runs_or_has_passed_is_used_again() -> None:
    """However old it is."""
    assert reused(Play(build(58, **OTHER), build(57, -90_000))) == 57
    assert reused(Play(build(57, 500))) == 57


@each_row(
    "play",
    [
        Play(build(58, -30, "FAILURE"), build(57)),
        Play(build(58, -30, "ABORTED"), build(57)),
        Play(build(58, **OTHER)),
        Play(),
        Play(build(58, 500, checked_out=400), build(57)),
        Play(build(57)).answer("record", raising(Forbidden)),
        Play(build(57)).answer("is_running", lambda _: True),
        Play(build(57), rules=Rules(error_budget=5)).answer("build_page", raising(Unreachable)),
    ],
)
def test_build_is_not_used_again_otherwise(play: Play) -> None:
    """It ended otherwise, there is none, or that is not known; it is said why."""
    assert reused(play) is None
    assert play.said


def test_nothing_is_used_again_without_a_commit() -> None:
    """Nothing is asked."""
    play = Play(build())
    assert reused(play, None) is None
    assert play.service.asked == []


# What is handed on, and what it costs.


def test_multi_job_build_is_known_as_one() -> None:
    """Its children were seen."""
    assert Play(build(58, 100, parent=57, created=-5), build(57, 100, created=-9)).run().has_children
    assert not Play(build(57, 100)).run().has_children


def test_forecast_comes_from_the_rows() -> None:
    """The median of builds that passed."""
    builds = [build(number, -100 * (60 - number), created=-100 * (60 - number) - 40) for number in range(50, 57)]
    assert Play(build(57, 100, created=-5), *builds).run().forecast.seconds == 40


@each_row(
    ("play", "calls"),
    [
        (Play(build(57, 500)), 4),
        (Play(build(57)), 5),
        (Play(build(57, 500), rules=OF_COMMIT), 4),
        (Play(build(58, **OTHER), build(57), rules=OF_COMMIT), 5),
        (Play(build(57), has_running=False), 6),
    ],
)
def test_selection_costs_at_most_two_calls_more_than_before(play: Play, calls: int) -> None:
    """Before: the list, the number after the newest, the record, and /status where it has ended: three or four."""
    play.run()
    assert len(play.service.asked) == calls


def test_record_is_handed_on_if_it_was_read_in_this_look() -> None:
    """An ended one that is known from an earlier look is not."""
    assert isinstance(Play(build(57)).run().record, Record)
    play = Play(build(57), rules=Rules(appear_timeout=60))
    answers = iter([True, True])
    play.answer("running_status", lambda _: RunningStatus(57, "Finished", is_running=next(answers, False)))
    assert play.run().record is None


def test_build_is_no_past_build_of_itself() -> None:
    """The first build of a job has none to be compared with."""
    assert Play(build(57)).run().forecast.seconds is None
    assert Play(build(56, ends=-500.0), build(57)).run().forecast.seconds is not None
