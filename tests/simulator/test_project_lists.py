"""The lists of all jobs of a CodeArts project."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import requests

from gate.simulator import sample_plans
from gate.simulator.scenarios import SCENARIOS, Scenario, Start
from tests.faults.faulty_simulator import FaultySimulator

Ask = Callable[..., requests.Response]
Serve = Callable[..., FaultySimulator]


def listed(simulator: FaultySimulator, ask: Ask, name: str = "passing", version: str = "v1", **params: int) -> Any:
    """Return one page of the project that a job is in."""
    project = simulator.backend.jobs[simulator.jobs[name]].project_id
    path = f"/v1/job/{project}/list" if version == "v1" else f"/v3/{project}/jobs"
    document = ask(simulator, path, name, params={"page_size": 100, **params}).json()
    return document["result"]["job_list"] if version == "v1" else document["jobs"]


@pytest.mark.parametrize(
    ("seconds", "word", "run_word", "is_finished"),
    [(0, "building", "InQueue", False), (10, "building", "Running", False), (60, "blue", "Finished", True)],
)
def test_row_tells_of_the_last_build(
    simulator: FaultySimulator, ask: Ask, seconds: float, word: str, run_word: str, is_finished: bool
) -> None:
    """Its number as text, its daily number behind a `#`, and words of the lists' own."""
    simulator.clock.advance(seconds)
    [row] = [row for row in listed(simulator, ask) if row["id"] == simulator.jobs["passing"]]
    assert (row["build_number"], row["last_build_status"], row["last_job_running_status"]) == ("57", word, run_word)
    assert row["is_finished"] is is_finished
    record = ask(simulator, "/v1/record/{job}/57/record-info").json()["result"]
    assert row["task_id"] == f"#{record['daily_build_num']}"
    assert row["project_id"] == record["devcloud_project_id"]


@pytest.mark.parametrize(
    ("plan", "word"),
    [
        (sample_plans.FAILING, "red"),
        (sample_plans.ABORTED, "aborted"),
        (replace(sample_plans.PASSING, word="TIMEOUT"), "timeout"),
        (sample_plans.NEVER_SCHEDULED, "red"),
        (None, "none"),
    ],
)
def test_row_has_the_words_of_the_lists(serve: Serve, ask: Ask, plan: Any, word: str) -> None:
    """They are others than those of records; a job that was never built has no number."""
    simulator = serve(Scenario(name="job", starts=(Start(at=-600, plan=plan),) if plan else ()))
    [row] = listed(simulator, ask, "job")
    assert (row["last_build_status"], "build_number" in row) == (word, plan is not None)


def test_older_list_has_no_numbers(simulator: FaultySimulator, ask: Ask) -> None:
    """It is bare, and has the jobs in the same order."""
    old, new = listed(simulator, ask, version="v3"), listed(simulator, ask)
    assert [row["id"] for row in old] == [row["id"] for row in new] == list(simulator.jobs.values())
    assert not [row for row in old if "build_number" in row or "task_id" in row]


def test_page_behind_the_last_is_empty_although_the_total_says_more(simulator: FaultySimulator, ask: Ask) -> None:
    """The total counts something else than the rows."""
    project = simulator.backend.jobs[simulator.jobs["passing"]].project_id
    result = ask(simulator, f"/v1/job/{project}/list", params={"page_index": 1, "page_size": 100}).json()["result"]
    assert (result["job_list"], result["total"] > 100) == ([], True)
    assert len(listed(simulator, ask, page_index=1, page_size=len(SCENARIOS) - 1)) == 1


def test_list_has_the_jobs_of_its_project_only(serve: Serve, ask: Ask) -> None:
    """Another project is another list."""
    simulator = serve(Scenario(name="one", project="a"), Scenario(name="two", project="b"))
    assert [row["job_name"] for row in listed(simulator, ask, "two")] == ["two"]
