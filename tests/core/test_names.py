"""Jobs that are given by name: looked up once, before anything else."""

from collections.abc import Sequence
from typing import Any

import pytest

from gate.core.names import list_jobs, with_jobs
from gate.core.retry import Retrier
from gate.errors import Forbidden, NotFound, Refused, ServiceFailing
from gate.model import Order, ProjectPage, ProjectRow, Target, Verdict
from gate.settings import Rules
from tests.core.fakes import JOB, OTHER, World, build, ended, pinned
from tests.tables import each_row

PROJECT = "p" * 32
RULES = Rules(codearts_project=PROJECT, timeout=100, max_rate=600)


def row(name: str | None, job: str = JOB) -> ProjectRow:
    """Return a row of the list of jobs."""
    return ProjectRow(job, name=name)


def named(name: str, number: int | None = 57, label: str = "") -> Target:
    """Return a target whose job is given by name."""
    return Target(job_id="", name=name, build_number=number, label=label or name)


def world(*targets: Target, pages: Any, **more: Any) -> World:
    """Return a world in which the project has these pages; a function is given the number and the search."""
    return World(
        *targets,
        **{"rules": RULES, "jobs_page": pages, "record": [lambda job, number: ended(1, job=job, number=number)]} | more,
    )


def listed(pages: Sequence[Sequence[ProjectRow]], *, searches: bool = True) -> Any:
    """Return a list in pages, which can be searched or not."""

    def page(_project: str, number: int, search: str) -> ProjectPage:
        if search and searches:
            return ProjectPage([one for rows in pages for one in rows if search in (one.name or "")])
        rows = pages[number] if number < len(pages) else []
        return ProjectPage(rows, is_last=number >= len(pages) - 1)

    return [page]


def test_build_of_a_named_job_is_judged_by_the_id_of_the_job() -> None:
    """The name is the label; the id is what is shown and reported."""
    here = world(named("api"), pages=listed([[row("web", OTHER), row("api")]]))
    (outcome,) = here.run()
    assert (outcome.verdict, outcome.label, outcome.job_id) == (Verdict.PASSED, "api", JOB)
    assert here.observer.said[0] == f"api is the job {JOB}"
    assert [name for name, _ in here.service.asked].count("jobs_page") == 1


@each_row(
    ("rows", "words"),
    [
        ([row("apis"), row("web", OTHER)], "no job of the project has the name api; the nearest one is apis"),
        ([row("API")], "no job of the project has the name api; the nearest one is API"),
        ([row(None)], "no job of the project has the name api"),
        ([], "no job of the project has the name api"),
        ([row("api"), row("api", OTHER)], f"2 jobs of the project have the name api: {JOB}, {OTHER}"),
    ],
)
def test_name_that_is_missing_or_not_unique_ends_the_run_before_anything_is_ordered(
    rows: list[ProjectRow], words: str
) -> None:
    """Also for the targets that could be found."""
    here = world(named("api", None), pinned(None, OTHER, "web"), pages=listed([rows]), order=Order(), start=[58])
    outcomes = here.run()
    assert [(one.verdict, one.reason) for one in outcomes] == [(Verdict.UNDETERMINED, words)] * 2
    assert {name for name, _ in here.service.asked} == {"jobs_page"}
    assert [one.label for one in here.observer.decisions] == ["api", "web"]


UNREAD = "the list of the project's jobs was not read to its end: it may have a second job of a name"


@each_row(
    ("second", "searches", "verdict", "is_told"),
    [
        (1, False, Verdict.UNDETERMINED, False),
        (2, False, Verdict.UNDETERMINED, False),
        (9, False, Verdict.PASSED, True),
        (9, True, Verdict.UNDETERMINED, False),
        (None, True, Verdict.PASSED, False),
    ],
)
def test_name_of_two_jobs_on_different_pages_is_never_taken_silently(
    second: int | None, searches: bool, verdict: Verdict, is_told: bool
) -> None:
    """A search tells; without it, a few pages are read, and that the rest was not is said."""
    pages = [[row("api" if page in (0, second) else f"web-{page}", f"{page:032}")] for page in range(20)]
    here = world(named("api"), pages=listed(pages, searches=searches))
    (outcome,) = here.run()
    assert (outcome.verdict, UNREAD in here.observer.said) == (verdict, is_told)
    if verdict is Verdict.UNDETERMINED:
        assert outcome.reason == f"2 jobs of the project have the name api: {0:032}, {second:032}"


@pytest.mark.parametrize("searches", [True, False])
def test_list_of_hundreds_of_pages_is_read_only_until_all_names_are_found(searches: bool) -> None:
    """With a search in one request; else as far as needed."""
    pages = [[row(f"job-{number}", f"{number:032}")] for number in range(300)]
    here = world(named("job-7"), pages=listed(pages, searches=searches))
    (outcome,) = here.run()
    assert (outcome.verdict, outcome.job_id) == (Verdict.PASSED, f"{7:032}")
    asked = [name for name, _ in here.service.asked].count("jobs_page")
    assert asked == (2 if searches else 9)


def test_name_that_is_a_part_of_thousands_is_looked_for_on_a_few_pages() -> None:
    """All others of it would take minutes."""

    def page(_project: str, number: int, search: str) -> ProjectPage:
        return ProjectPage([row("api" if number == 1 else f"api-{number}", f"{number:032}")], is_last=number == 300)

    here = world(named("api"), pages=[page])
    (outcome,) = here.run()
    assert (outcome.verdict, outcome.job_id) == (Verdict.PASSED, f"{1:032}")
    assert len(here.service.times("jobs_page")) == 4


def test_search_that_is_refused_does_not_end_the_look_up() -> None:
    """The list itself is read instead."""

    def page(_project: str, number: int, search: str) -> ProjectPage:
        if search:
            raise Refused("no such parameter")
        return ProjectPage([row("api")] if number else [row("web", OTHER)], is_last=bool(number))

    assert world(named("api"), pages=[page]).verdict() is Verdict.PASSED


def test_name_that_only_the_whole_list_has_is_found_although_the_search_misses_it() -> None:
    """That nothing was found proves nothing."""

    def page(_project: str, number: int, search: str) -> ProjectPage:
        return ProjectPage([] if search else [row("api")] if number else [row("web", OTHER)], is_last=bool(number))

    assert world(named("api"), pages=[page]).verdict() is Verdict.PASSED


def test_list_that_lost_a_row_is_read_once_more() -> None:
    """Lists were seen to become empty."""
    here = world(named("api"), pages=[ProjectPage([]), ProjectPage([row("api")])])
    assert here.verdict() is Verdict.PASSED


def test_list_without_an_end_ends_where_nothing_is_new() -> None:
    """A host may ignore the number of the page."""
    here = world(named("api"), pages=[ProjectPage([row("web")], is_last=False)])
    assert here.verdict() is Verdict.UNDETERMINED
    assert here.elapsed < 10


def test_trouble_with_the_list_is_waited_for_within_the_error_budget() -> None:
    """As for any other call."""
    assert (
        world(named("api"), pages=[ServiceFailing("HTTP 500"), ProjectPage([row("api")])]).verdict() is Verdict.PASSED
    )
    rules = Rules(codearts_project=PROJECT, error_budget=5)
    here = world(named("api"), pages=[ServiceFailing("HTTP 500")], rules=rules)
    (outcome,) = here.run()
    assert (outcome.verdict, "--error-budget" in outcome.reason) == (Verdict.UNDETERMINED, True)


@each_row("error", [Forbidden("HTTP 403"), NotFound("no such project"), Refused("HTTP 400")])
def test_project_that_cannot_be_read_is_named_in_the_hint(error: Exception) -> None:
    """A wrong project is a usual mistake."""
    (outcome,) = world(named("api"), pages=[error]).run()
    assert (outcome.verdict, outcome.reason) == (Verdict.UNDETERMINED, str(error))
    assert outcome.hint.startswith("Check --codearts-project")


def test_deadline_and_signals_hold_while_names_are_looked_up() -> None:
    """A list that never answers holds nobody up."""
    here = world(named("api"), pinned(label="web"), pages=[ServiceFailing("HTTP 500")])
    assert [one.verdict for one in here.run()] == [Verdict.TIMED_OUT, Verdict.PASSED]  # the second by its last look
    assert here.elapsed < 105
    reasons = {outcome.label: outcome.reason for outcome in here.observer.decisions}
    assert len(here.observer.decisions) == 2
    assert ["still being looked up" in reasons[label] for label in ("api", "web")] == [True, False]
    here = world(named("api"), pinned(label="web"), pages=[ServiceFailing("HTTP 500")], order=Order(), start=[58])
    here.interrupt(3)
    assert [one.verdict for one in here.run()] == [Verdict.INTERRUPTED] * 2
    assert "start" not in {name for name, _ in here.service.asked}


def test_builds_are_ordered_by_the_id_once_the_names_are_known() -> None:
    """One order each."""
    rows = [row("api"), row("web", OTHER)]
    here = world(
        named("api", None), named("web", None), pages=listed([rows]), order=Order(), start=[58], builds=[[build(57)]]
    )
    assert [(one.job_id, one.build_number) for one in here.run()] == [(JOB, 58), (OTHER, 58)]
    assert len(here.service.times("start")) == 2


def test_name_that_can_be_no_label_is_replaced_by_the_id() -> None:
    """A second build of the job gets a number, as for ids."""
    targets = [
        named("\u7f16\u8bd1", 1),
        named("\u7f16\u8bd1", 2, "\u7f16\u8bd1-2"),
        named("x" * 65, 3),
        named("web", 4),
    ]
    jobs = {"\u7f16\u8bd1": JOB, "x" * 65: OTHER, "web": "3" * 32}
    assert [(one.label, one.job_id) for one in with_jobs(targets, jobs)] == [
        (JOB, JOB), (f"{JOB}-2", JOB), (OTHER, OTHER), ("web", "3" * 32),
    ]  # fmt: skip


def test_name_and_id_of_one_job_are_the_same_build() -> None:
    """It would be ordered twice."""
    with pytest.raises(NotFound, match=f"api and {JOB} are the same job"):
        with_jobs([named("api"), pinned(label="app")], {"api": JOB})


def test_list_of_jobs_has_those_whose_name_contains_a_text_whatever_its_case() -> None:
    """By name; a job without one is no match."""
    rows = [row("Web-API"), row(None, "3" * 32), row("docs", "4" * 32), row("api", OTHER)]
    here = world(pages=listed([rows], searches=False))
    found = here.wait.ask(list_jobs("aPi", here.context, Retrier(here.context, here.observer.said.append)), 1100)
    assert [one.name for one in found] == ["api", "Web-API"]
