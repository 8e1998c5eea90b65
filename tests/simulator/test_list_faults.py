"""Faults of lists: what a client is told of builds and of jobs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests

from gate.simulator.builds import CHINA
from gate.simulator.scenarios import Scenario, Start
from tests.faults import list_faults
from tests.faults.fault_plan import RECORD_ROUTES, Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.list_faults import LISTS, PROJECT_LISTS, LaggingList, LateRecord, LostRows, ShuffledRows

Ask = Callable[..., requests.Response]
Serve = Callable[..., FaultySimulator]

NEW = Scenario(name="new", starts=(Start(at=-600), Start(at=0), Start(at=30)), first_number=56)
"""Build 56 has ended, 57 starts with the simulator, 58 half a minute later."""


def builds(simulator: FaultySimulator, ask: Ask) -> list[Any]:
    """Return the rows of the job's list."""
    now = simulator.clock.now().astimezone(CHINA)
    window = {
        "start_time": f"{now - timedelta(days=7):%Y-%m-%d %H:%M:%S}",
        "end_time": f"{now + timedelta(days=1):%Y-%m-%d %H:%M:%S}",
    }
    result = ask(simulator, "/v1/record/{job}/list", "new", params=window).json()["result"]
    return list(result["job_build_states"])


def job_row(simulator: FaultySimulator, ask: Ask) -> Any:
    """Return the only row of the project's list."""
    project = simulator.backend.jobs[simulator.jobs["new"]].project_id
    rows = ask(simulator, f"/v1/job/{project}/list", "new").json()["result"]["job_list"]
    return rows[0] if rows else None


@pytest.fixture
def simulator(serve: Serve) -> FaultySimulator:
    """Start a simulator with the job that is built again and again."""
    return serve(NEW)


def test_list_that_lags_shows_the_builds_of_some_time_ago(simulator: FaultySimulator, ask: Ask) -> None:
    """Newer builds are missing, and what has ended since then still runs; records are not touched."""
    simulator.faults.add(Fault(act=LaggingList(simulator=simulator, seconds=20), operations=LISTS, times=None))
    simulator.clock.advance(40)
    assert [(row["number"], row["state"]) for row in builds(simulator, ask)] == [(57, "RUNNING"), (56, "SUCCESS")]
    assert ask(simulator, "/v1/record/{job}/58/record-info", "new").status_code == 200
    simulator.clock.advance(25)
    assert [(row["number"], row["state"]) for row in builds(simulator, ask)[:2]] == [(58, "RUNNING"), (57, "RUNNING")]


def test_project_list_can_lag_too(simulator: FaultySimulator, ask: Ask) -> None:
    """A function says by how much, at each request."""
    lags = iter([5.0, 20.0])
    lagging = LaggingList(simulator=simulator, seconds=0, lag=lambda: next(lags))
    simulator.faults.add(Fault(act=lagging, operations=PROJECT_LISTS, times=None))
    simulator.clock.advance(40)
    assert [job_row(simulator, ask)["build_number"] for _ in range(2)] == ["58", "57"]


def test_list_that_drifts_back_has_lost_its_newest_build(simulator: FaultySimulator, ask: Ask) -> None:
    """And only that."""
    simulator.faults.add(Fault(act=list_faults.older_rows(), operations=LISTS))
    assert [row["number"] for row in builds(simulator, ask)] == [56]
    assert [row["number"] for row in builds(simulator, ask)] == [57, 56]


def test_list_can_lose_commits(simulator: FaultySimulator, ask: Ask) -> None:
    """Of the newest builds, whose sources are not checked out yet, or of all."""
    simulator.faults.add(
        Fault(act=list_faults.without_commits(1), operations=LISTS),
        Fault(act=list_faults.without_commits(), operations=LISTS, skip=1),
    )
    assert [row["commit_id"] is None for row in builds(simulator, ask)] == [True, False]
    assert [row["commit_id"] is None for row in builds(simulator, ask)] == [True, True]


def test_list_of_a_project_can_be_empty_or_without_numbers(simulator: FaultySimulator, ask: Ask) -> None:
    """As lists of the service were seen."""
    simulator.faults.add(
        Fault(act=list_faults.empty_list(), operations=PROJECT_LISTS),
        Fault(act=list_faults.without_numbers(), operations=PROJECT_LISTS, skip=1),
    )
    assert job_row(simulator, ask) is None
    row = job_row(simulator, ask)
    assert ("build_number" in row, row["task_id"][0]) == (False, "#")


def test_rows_can_be_shuffled_and_lost(simulator: FaultySimulator, ask: Ask) -> None:
    """Anew at each request."""
    simulator.clock.advance(40)
    simulator.faults.add(Fault(act=ShuffledRows(), operations=LISTS, times=None))
    assert len({tuple(row["number"] for row in builds(simulator, ask)) for _ in range(20)}) > 2
    simulator.faults.add(Fault(act=LostRows(), operations=LISTS, times=None))
    assert {len(builds(simulator, ask)) for _ in range(20)} >= {1, 2, 3}


def test_record_that_comes_late_does_not_exist_at_first(simulator: FaultySimulator, ask: Ask) -> None:
    """The list may have the build already."""
    simulator.faults.add(Fault(act=LateRecord(simulator, 15), operations=RECORD_ROUTES, times=None))
    path = "/v1/record/{job}/57/record-info"
    early = ask(simulator, path, "new")
    assert (early.status_code, early.json()["error_code"]) == (422, "DEVCB.00031006")
    assert builds(simulator, ask)[0]["number"] == 57
    simulator.clock.advance(15)
    assert ask(simulator, path, "new").status_code == 200
