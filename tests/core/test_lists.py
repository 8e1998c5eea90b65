"""Lists say what to poll next, and never decide: lists that are right, late, wrong, refused and empty."""

import itertools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from statistics import mean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.core.lists import MAX_ERRORS, TRIAL_PAGES, Lists
from gate.core.queue import Queue
from gate.core.schedule import Pace
from gate.errors import CredentialRefused, Forbidden, InvalidAnswer, ServiceFailing
from gate.model import ListedBuild, ProjectPage, ProjectRow, Record, Target, Verdict
from gate.settings import Rules
from tests.conftest import with_few_examples
from tests.core.fakes import EPOCH, JOB, World, build, record
from tests.tables import each_row

PAGE_SIZE = 100
Change = Callable[[ProjectRow], ProjectRow]


def as_it_is(row: ProjectRow) -> ProjectRow:
    """Change nothing."""
    return row


class Crowd:
    """Jobs of one project, each with build 7 under way, which ends after so many seconds and fails at every third."""

    def __init__(
        self, ends: Sequence[float], *, others: int = 0, first: int = 0, rules: Rules | None = None, **scripts: Any
    ) -> None:
        """`first`: the number in the first job's id."""
        self.ends = {f"{index:032x}": end for index, end in enumerate(ends, start=first)}
        self.jobs = [*self.ends, *(f"{index:032x}" for index in range(10_000, 10_000 + others))]
        self.seen: dict[str, float] = {}
        self._rows: dict[tuple[str, bool], ProjectRow] = {}
        targets = [Target(job_id=job, build_number=7, label=str(index)) for index, job in enumerate(self.ends)]
        usual: dict[str, Any] = {"record": [self.record], "project_page": [self.page()]}
        self.world = World(*targets, rules=rules or Rules(timeout=4000), **(usual | scripts))

    def expected(self, job: str) -> Verdict:
        """Return the right verdict."""
        return Verdict.FAILED if int(job, 16) % 3 == 0 else Verdict.PASSED

    def has_ended(self, job: str, lag: float = 0.0) -> bool:
        """Tell whether a job's build had ended some seconds ago."""
        return self.world.elapsed - lag >= self.ends.get(job, 0.0)

    def record(self, job: str, number: int) -> Record:
        """Return the truth, and note when it was told."""
        fields: dict[str, Any] = {"project_id": "p", "daily_number": "20260101.3", "started_at": EPOCH}
        if not self.has_ended(job):
            return record("RUNNING", number, job, **fields)
        self.seen.setdefault(job, self.world.elapsed)
        word = "SUCCESS" if self.expected(job) is Verdict.PASSED else "FAILURE"
        return record(word, number, job, finished_at=EPOCH + timedelta(seconds=self.ends[job]), **fields)

    def row(self, job: str, lag: float = 0.0) -> ProjectRow:
        """Return the row that a job had some seconds ago."""
        has_ended = self.has_ended(job, lag)
        if (job, has_ended) not in self._rows:
            word = "building" if not has_ended else "blue" if self.expected(job) is Verdict.PASSED else "red"
            row = ProjectRow(job, 7, "20260101.3", word, "Finished" if has_ended else "Running", is_finished=has_ended)
            self._rows[job, has_ended] = row
        return self._rows[job, has_ended]

    def page(self, change: Change = as_it_is, lag: float = 0.0) -> Callable[[str, int], ProjectPage]:
        """Return what answers with a page, each row changed."""

        def answer(project: str, page: int) -> ProjectPage:
            jobs = self.jobs[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
            return ProjectPage([change(self.row(job, lag)) for job in jobs], is_last=len(jobs) < PAGE_SIZE)

        return answer

    def lists_of(self, change: Change = as_it_is, lag: float = 0.0) -> "Crowd":
        """Let the list of the project be another one; returns the crowd after the wait."""
        self.world.service._scripts["project_page", None]._items[:] = [self.page(change, lag)]
        return self.run()

    def run(self) -> "Crowd":
        """Wait to the end; every verdict must be right."""
        verdicts = {outcome.job_id: outcome.verdict for outcome in self.world.run()}
        assert verdicts == {job: self.expected(job) for job in self.ends}
        return self

    @property
    def lag(self) -> float:
        """The mean of the seconds from the end of a build to the poll that sees it."""
        return mean(self.seen[job] - end for job, end in self.ends.items())

    def calls(self, name: str) -> int:
        """Return how often a method was called."""
        return len(self.world.service.times(name))


def spread(count: int, seconds: float = 270) -> list[float]:
    """Return instants at which so many builds end, in a mixed order, all within so many seconds from the 30th on."""
    return [30 + (index * 7919 % count) * seconds / count for index in range(count)]


@cache
def without_lists(count: int, seconds: float = 270) -> Crowd:
    """Wait where the list is refused."""
    return Crowd(spread(count, seconds), project_page=[Forbidden("no list")]).run()


def test_list_brings_the_ends_forward_for_fewer_calls() -> None:
    """Forty builds are seen soon after they end; without lists, polls come as the rate allows."""
    plain, hinted = without_lists(40), Crowd(spread(40)).run()
    assert hinted.lag < 2.5
    assert plain.lag > 5
    assert len(hinted.world.service.asked) <= len(plain.world.service.asked)
    assert hinted.calls("record") < 0.5 * plain.calls("record")


def test_polls_are_put_off_in_the_order_of_the_targets() -> None:
    """The ids of the jobs make no difference: the same random numbers lead to the same polls."""
    crowds = [Crowd(spread(40), first=first, chance=random.Random(1).random).run() for first in (0, 3000)]
    once, again = (list(crowd.seen.values()) for crowd in crowds)
    assert once == again


def test_first_looks_at_hundreds_of_targets_need_few_records() -> None:
    """The first record names the project, whose pages tell about all others."""
    crowd = Crowd(spread(300, 570)).run()
    third_page = crowd.world.service.times("project_page")[2]
    assert len([at for at in crowd.world.service.times("record") if at < third_page]) < 30
    assert crowd.lag < 10


def test_hundreds_of_targets_leave_something_to_side_channels() -> None:
    """Polls and lists do not take the whole rate: of many builds that did not pass, something is read beside it."""
    crowd = Crowd(spread(300, 570), stages=[()], log_tail=[()], failed_steps=[()], child_builds=[()])
    crowd.world.service._scripts["record", None]._items[:] = [
        lambda job, number: replace(crowd.record(job, number), record_id=job)
    ]
    crowd.run()
    failed = len([job for job in crowd.ends if crowd.expected(job) is Verdict.FAILED])
    calls = sum(crowd.calls(name) for name in ("stages", "log_tail", "failed_steps"))
    assert calls > failed / 4


def test_list_that_lags_costs_its_lag() -> None:
    """Ten seconds late is still better than the turn of a poll."""
    crowd = Crowd(spread(40)).lists_of(lag=10)
    assert 8 <= crowd.lag < 12


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row._replace(daily_number=None),
        lambda row: row._replace(build_number=None),
        lambda row: row._replace(build_number=None, daily_number=None),
        lambda row: row._replace(word=None, is_finished=None),
        lambda row: row._replace(run_word=None, is_finished=None),
        lambda row: row._replace(word=None, run_word=None),
        lambda row: row._replace(run_word=row.run_word.upper()),
    ],
)
def test_one_sign_in_a_row_is_enough(change: Change) -> None:
    """The build's number or its day's number, and one of three words; without a number, that the job has finished."""
    assert Crowd(spread(40)).lists_of(change).lag < 5


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row._replace(build_number=8),
        lambda row: row._replace(build_number=None, daily_number="20260101.4"),
        lambda row: row._replace(word="成功", run_word="已完成", is_finished=None),
        lambda row: row._replace(word="building", run_word="Finished", is_finished=True),
        lambda row: row._replace(job_id="f" * 32),
    ],
)
def test_row_that_says_nothing_changes_next_to_nothing(change: Change) -> None:
    """It is about another build or another job, contradicts itself, or has words that nobody documents."""
    assert Crowd(spread(40, 570)).lists_of(change).lag < 1.2 * without_lists(40, 570).lag


def test_row_that_is_always_running_hides_no_end() -> None:
    """The builds are polled all the same, and records that contradict a list end its use."""
    stale = Crowd(spread(40)).lists_of(lag=10_000)
    assert stale.calls("project_page") < 100
    assert stale.lag < 2 * without_lists(40).lag


def crowd_of(seed: int, **scripts: Any) -> Crowd:
    """Return sixty builds that end at any time within a minute and a half."""
    chance = random.Random(seed)
    ends = [chance.uniform(10, 100) for _ in range(60)]
    return Crowd(ends, rules=Rules(timeout=200), chance=random.Random(seed + 100).random, **scripts)


@cache
def mean_lag_without_lists(crowds: int) -> float:
    """Return the mean over so many crowds where the list is refused."""
    return mean(crowd_of(seed, project_page=[Forbidden("no list")]).run().lag for seed in range(crowds))


@each_row(("right_for", "lag"), [(0, math.inf), (0, 180), (30, math.inf)])
def test_list_that_lies_about_most_builds_costs_a_tenth_at_most(right_for: float, lag: float) -> None:
    """It is frozen, late by minutes, or frozen later. Polls that go on from the first moment find it out.

    The mean is over eight crowds.
    """

    def lies(seed: int) -> float:
        crowd = crowd_of(seed)
        frozen: dict[int, ProjectPage] = {}

        def page(project: str, index: int) -> ProjectPage:
            if lag == math.inf and crowd.world.elapsed >= right_for and index in frozen:
                return frozen[index]
            frozen[index] = crowd.page(lag=0 if lag == math.inf else lag)(project, index)
            return frozen[index]

        crowd.world.service._scripts["project_page", None]._items[:] = [page]
        return crowd.run().lag

    assert mean(map(lies, range(8))) < 1.1 * mean_lag_without_lists(8)


def test_row_that_promises_ends_too_early_is_not_believed_for_long() -> None:
    """Every promise costs one poll; after a few that were wrong, the list is not read any more."""
    crowd = Crowd(spread(40)).lists_of(lambda row: row._replace(word="blue", run_word="Finished", is_finished=True))
    assert crowd.calls("project_page") < 5
    assert crowd.lag < 1.2 * without_lists(40).lag


def test_list_alone_never_passes_a_build() -> None:
    """The list calls all of them successful; every third has failed, which the wait checks against their records."""
    crowd = Crowd(spread(40)).lists_of(lambda row: row._replace(word="blue") if row.word == "red" else row)
    assert crowd.calls("project_page")


@each_row(
    ("error", "most"), [(Forbidden("no"), 1), (ServiceFailing("500"), MAX_ERRORS), (InvalidAnswer("?"), MAX_ERRORS)]
)
def test_list_that_fails_is_given_up(error: Exception, most: int) -> None:
    """One that is refused is not read again; one that is broken is tried a few times, and is no trouble of a build."""
    crowd = Crowd(spread(40), project_page=[error], rules=Rules(timeout=4000, error_budget=5)).run()
    assert crowd.calls("project_page") == most


def test_list_that_becomes_empty_puts_nothing_off() -> None:
    """The builds on it are polled as if there had never been a list."""
    crowd = Crowd(spread(40))
    whole = crowd.page()
    crowd.world.service._scripts["project_page", None]._items[:] = [
        lambda project, page: whole(project, page) if crowd.world.elapsed < 60 else ProjectPage(())
    ]
    assert crowd.run().lag < 1.2 * without_lists(40).lag


def test_few_targets_in_a_large_project_read_no_more_than_a_trial() -> None:
    """Their pages would cost more calls than their polls."""
    crowd = Crowd(spread(20), others=1980)
    crowd.jobs = [job for pair in itertools.zip_longest(crowd.jobs[1000:], crowd.jobs[:1000]) for job in pair if job]
    crowd.jobs.sort(key=lambda job: int(job, 16) * 7919 % 2003)
    crowd.run()
    assert 0 < crowd.calls("project_page") <= TRIAL_PAGES


@pytest.mark.parametrize("count", [1, 4])
def test_fewer_than_five_targets_read_no_list(count: int) -> None:
    """There is nothing to save."""
    crowd = Crowd(spread(count)).run()
    assert crowd.calls("project_page") == 0


def test_job_that_moves_to_another_page_is_found_again() -> None:
    """Lists are sorted by the last build: each new one of another job moves the rest."""
    crowd = Crowd(spread(150))
    pages = crowd.page()

    def shifting(project: str, page: int) -> ProjectPage:
        shift = int(crowd.world.elapsed / 20)
        crowd.jobs = [f"{index:032x}" for index in range(9000, 9000 + shift)] + list(crowd.ends)
        return pages(project, page)

    crowd.world.service._scripts["project_page", None]._items[:] = [shifting]
    assert crowd.run().lag < 20


def test_builds_of_one_job_share_its_list() -> None:
    """The list of a project tells about a job's last build only."""

    def wait(builds: Any) -> World:
        def has_ended(number: int) -> bool:
            return world.elapsed >= 30 + number * 10

        def rows(*_: object) -> list[ListedBuild]:
            return [build(number, word="SUCCESS" if has_ended(number) else "RUNNING") for number in range(30, 0, -1)]

        targets = [Target(job_id="1" * 32, build_number=number, label=str(number)) for number in range(1, 31)]
        answers = [lambda job, number: record("SUCCESS" if has_ended(number) else "RUNNING", number, job)]
        world = World(*targets, record=answers, builds=builds or [rows])
        assert {outcome.verdict for outcome in world.run()} == {Verdict.PASSED}
        return world

    shared, alone = wait(None), wait([Forbidden("no list")])
    assert len(shared.service.times("record")) < 0.6 * len(alone.service.times("record"))
    assert len(shared.service.asked) <= len(alone.service.asked)


numbers = st.sampled_from([7, 7, 7, 6, 8, None])
flags = st.sampled_from([True, False, None])
words = st.none() | st.sampled_from(["blue", "red", "building", "none", "timeout", "SUCCESS", "成功", ""])
run_words = st.none() | st.sampled_from(["Running", "InQueue", "Finished", "finished", "已完成"])
changes = st.builds(
    lambda number, day, word, run_word, is_finished: (
        lambda row: ProjectRow(row.job_id, number, day, word, run_word, is_finished=is_finished)
    ),
    numbers,
    st.sampled_from([None, "20260101.3", "20260101.4"]),
    words,
    run_words,
    flags,
) | st.just(as_it_is)
answers = st.one_of(
    changes,
    st.sampled_from([Forbidden("no"), ServiceFailing("500"), InvalidAnswer("?"), ValueError("?"), ProjectPage(())]),
)


@with_few_examples
@given(st.lists(answers, min_size=1, max_size=6), st.integers(0, 300))
def test_hints_of_any_content_change_no_verdict_and_no_bound(script: list[Any], lag: int) -> None:
    """Whatever the list says or does: the records decide, and no build waits much longer for its turn than before."""
    crowd = Crowd(spread(20))
    items = [crowd.page(item, lag) if callable(item) else item for item in script]
    crowd.world.service._scripts["project_page", None]._items[:] = items
    crowd.run()
    assert max(crowd.seen[job] - end for job, end in crowd.ends.items()) < 150


def test_list_that_first_tells_of_older_builds_is_read_again() -> None:
    """The builds had only just been started when the list was read for the first time."""
    crowd = Crowd(spread(40))
    present, past = crowd.page(), crowd.page(lambda row: row._replace(build_number=6, is_finished=True))
    crowd.world.service._scripts["project_page", None]._items[:] = [
        lambda project, page: past(project, page) if crowd.world.elapsed < 15 else present(project, page)
    ]
    assert crowd.run().lag < 4


def test_list_that_fails_does_not_hold_up_the_first_reading_of_another() -> None:
    """It is tried again after half a minute; until then, a project that becomes known later has its list read."""
    crowd = Crowd(spread(40))

    def record_in_two_projects(job: str, number: int) -> Record:
        return replace(crowd.record(job, number), project_id="p" if int(job, 16) < 20 else "q")

    def page(project: str, index: int) -> ProjectPage:
        if project == "p":
            raise ServiceFailing("500")
        return crowd.page()(project, index)

    crowd.world.service._scripts["record", None]._items[:] = [record_in_two_projects]
    crowd.world.service._scripts["project_page", None]._items[:] = [page]
    crowd.run()
    first, second = crowd.world.service.times("project_page")[:2]
    assert second - first < 25


def test_no_list_is_read_after_a_refused_credential_until_a_record_was_read() -> None:
    """The second refusal in a row would be final, for all targets."""
    crowd = Crowd([600.0] * 40)
    numbers = itertools.count()

    def record_in_two_projects(job: str, number: int) -> Record:
        return replace(crowd.record(job, number), project_id="p" if int(job, 16) % 2 else "q")

    def page(project: str, index: int) -> ProjectPage:
        if next(numbers) % 3 == 2:
            refusals.append(len(crowd.world.service.asked))
            raise CredentialRefused("401")
        return crowd.page()(project, index)

    refusals: list[int] = []
    crowd.world.service._scripts["record", None]._items[:] = [record_in_two_projects]
    crowd.world.service._scripts["project_page", None]._items[:] = [page]
    crowd.run()
    assert len(refusals) > 5
    assert {crowd.world.service.asked[index][0] for index in refusals} == {"record"}


def test_answer_that_comes_when_no_build_is_left_is_no_bug() -> None:
    """The last build ended while the list was being read: the pause before the next round is still a time."""
    lists = Lists(World().context, Queue(Pace(60, 1000.0)))
    lists.begin(JOB, 57)
    lists.end(JOB, 57)
    assert lists._list_rate() > 0
