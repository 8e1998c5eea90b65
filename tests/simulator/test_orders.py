"""Starting and stopping builds."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.faults.faulty_simulator import FaultySimulator

Ask = Callable[..., requests.Response]

STOPS: list[tuple[str, dict[str, Any]]] = [
    ("/v3/jobs/{job}/57/stop", {}),
    ("/v1/job/{job}/stop", {"params": {"build_no": 57}}),
    ("/v1/job/{job}/stop", {"json": {"build_no": 57}}),
]


def stop(
    ask: Ask, simulator: FaultySimulator, path: str, options: dict[str, Any], name: str = "passing"
) -> requests.Response:
    """Stop build 57 of the job in one of the three ways."""
    return ask(simulator, path, name, "POST", **options)


def test_execute_is_enveloped_and_numbers_are_strings(simulator: FaultySimulator, ask: Ask) -> None:
    """The v1 answer has the number under `result`, as text; the daily number is another."""
    answer = ask(simulator, "/v1/job/execute", method="POST", json={"job_id": simulator.jobs["passing"]}).json()
    assert (answer["status"], answer["result"]["actual_build_number"]) == ("success", "58")
    assert answer["result"]["daily_build_number"] != "58"


def test_v3_run_is_bare(simulator: FaultySimulator, ask: Ask) -> None:
    """The v3 answer has the same fields at top level."""
    answer = ask(simulator, "/v3/jobs/build", method="POST", json={"job_id": simulator.jobs["passing"]}).json()
    assert set(answer) == {"actual_build_number", "daily_build_number", "octopus_job_name"}


def test_a_started_build_takes_the_scenarios_course(simulator: FaultySimulator, ask: Ask) -> None:
    """Build 58 is queued at once and fails in its time."""
    ask(simulator, "/v1/job/execute", method="POST", json={"job_id": simulator.jobs["failing"]})
    path = "/v1/record/{job}/58/record-info"
    early = ask(simulator, path, "failing").json()["result"]["status"]
    simulator.clock.advance(60)
    assert (early, ask(simulator, path, "failing").json()["result"]["status"]) == ("QUEUED", "FAILURE")


def test_a_started_build_has_what_was_asked_for(simulator: FaultySimulator, ask: Ask) -> None:
    """Branch, commit, tag and parameters stand in the record; the log of the new record is found by its id."""
    body = {
        "job_id": simulator.jobs["passing"],
        "parameter": [{"name": "level", "value": "9"}],
        "scm": {"branch": "next", "build_commit_id": "c0ffee" * 6, "build_tag": "v1"},
    }
    ask(simulator, "/v1/job/execute", method="POST", json=body)
    simulator.clock.advance(10)
    result = ask(simulator, "/v1/record/{job}/58/record-info").json()["result"]
    assert (result["branch"], result["commit"], result["tag"]) == ("next", "c0ffee" * 6, "v1")
    assert ask(simulator, f"/v1/log/{result['build_record_id']}/download-log").status_code == 200
    assert simulator.backend.jobs[simulator.jobs["passing"]].builds[-1].parameters == {"level": "9"}


def test_the_parameter_code_branch_names_the_branch(simulator: FaultySimulator, ask: Ask) -> None:
    """The documented way to override the branch works too."""
    body = {"job_id": simulator.jobs["passing"], "parameter": [{"name": "codeBranch", "value": "next"}]}
    ask(simulator, "/v1/job/execute", method="POST", json=body)
    assert ask(simulator, "/v1/record/{job}/58/record-info").json()["result"]["branch"] == "next"


@pytest.mark.parametrize("wrong", [{"parameter": ["level=9"]}, {"parameter": 9}, {"scm": "next"}])
def test_a_malformed_order_starts_nothing(simulator: FaultySimulator, ask: Ask, wrong: dict[str, object]) -> None:
    """A parameter that is no pair of name and value is 400, and no build is created."""
    answer = ask(simulator, "/v1/job/execute", method="POST", json={"job_id": simulator.jobs["passing"], **wrong})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "CB.00060200")
    assert ask(simulator, "/v1/record/{job}/58/record-info").status_code == 422


@pytest.mark.parametrize(("path", "options"), STOPS)
def test_each_stop_aborts_the_build_that_it_names(
    simulator: FaultySimulator, ask: Ask, path: str, options: dict[str, Any]
) -> None:
    """The build is aborted from then on, and the journal has its number."""
    simulator.clock.advance(10)
    assert stop(ask, simulator, path, options).status_code == 200
    assert ask(simulator, "/v1/record/{job}/57/record-info").json()["result"]["status"] == "ABORTED"
    assert simulator.journal.stops == ((simulator.jobs["passing"], 57),)


@pytest.mark.parametrize(("path", "options"), STOPS)
def test_a_stop_after_the_end_is_refused(
    simulator: FaultySimulator, ask: Ask, path: str, options: dict[str, Any]
) -> None:
    """An ended build stays what it is; the refusal has the service's code, in v3 within a JSON string."""
    simulator.clock.advance(60)
    answer = stop(ask, simulator, path, options)
    document = answer.json()
    document = json.loads(document) if isinstance(document, str) else document
    assert (answer.status_code, document["error"]["code"]) == (400, "DEV.CB.032302")
    assert ask(simulator, "/v1/record/{job}/57/record-info").json()["result"]["status"] == "SUCCESS"
    assert simulator.journal.stops == ()


def test_accepted_stops_have_the_bodies_that_were_seen(simulator: FaultySimulator, ask: Ask) -> None:
    """The v3 route says so with a boolean, the v1 route with a status."""
    bodies = [
        stop(ask, simulator, *way, name).text for way, name in zip(STOPS[:2], ("passing", "failing"), strict=True)
    ]
    assert bodies == ['{"result": "", "success": true}', '{"status": "success"}']
