"""The scenarios that `demo` and `simulate` offer, as a client sees them."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import requests

from gate.simulator import sample_plans
from gate.simulator.scenarios import SCENARIOS, Scenario, Start
from tests.faults.faulty_simulator import FaultySimulator
from tests.tables import each_row

Ask = Callable[..., requests.Response]
Serve = Callable[..., FaultySimulator]

RECORD = "/v1/record/{job}/57/record-info"


def test_all_scenarios_of_the_contract_are_there_and_described() -> None:
    """The contract's names exist; each has one line of description."""
    wanted = "passing failing aborted schedule-failure slow queued flaky expired-token failing-tests unknown-state"
    assert set(wanted.split()) <= set(SCENARIOS)
    assert all(re.fullmatch(r"[A-Z].+\.", scenario.description) for scenario in SCENARIOS.values())


@pytest.mark.parametrize(
    ("name", "seconds", "word"),
    [
        ("passing", 49, "SUCCESS"),
        ("failing", 36, "FAILURE"),
        ("aborted", 30, "ABORTED"),
        ("schedule-failure", 8, "SCHEDULE_FAILURE"),
        ("slow", 4 * 3600, "RUNNING"),
        ("queued", 89, "QUEUED"),
        ("queued", 135, "SUCCESS"),
        ("failing-tests", 49, "SUCCESS"),
        ("unknown-state", 49, "EVAPORATED"),
    ],
)
def test_each_scenario_reaches_its_word_in_time(
    simulator: FaultySimulator, ask: Ask, name: str, seconds: float, word: str
) -> None:
    """After so many seconds of service time, build 57 has the scenario's word."""
    simulator.clock.advance(seconds)
    assert ask(simulator, RECORD, name).json()["result"]["status"] == word


@pytest.mark.parametrize(("seconds", "first"), [(0, [200]), (60, [])])
def test_flaky_spoils_three_requests_also_of_a_client_that_comes_late(
    simulator: FaultySimulator, ask: Ask, seconds: float, first: list[int]
) -> None:
    """A 500, a 429 and a dropped connection come once each, before anybody is told that the build has ended."""
    simulator.clock.advance(seconds)
    seen: list[object] = []
    for _ in range(6):
        try:
            seen.append(ask(simulator, RECORD, "flaky").status_code)
        except requests.ConnectionError:
            seen.append("dropped")
    assert seen == [*first, 500, 429, "dropped", 200, 200, 200][:6]


def test_flaky_flaws_carry_the_codes_of_the_service(simulator: FaultySimulator, ask: Ask) -> None:
    """The 500 is the service's own fault, the 429 the gateway's throttling."""
    answers = [ask(simulator, RECORD, "flaky").json() for _ in range(3)]
    assert [answer.get("error_code") for answer in answers] == [None, "CB.00060100", "APIGW.0308"]


def test_expired_token_is_refused_in_the_middle_and_a_new_one_taken(simulator: FaultySimulator, ask: Ask) -> None:
    """After 20 s of service time the job wants a token that was issued later."""
    before = ask(simulator, RECORD, "expired-token")
    simulator.clock.advance(20)
    refused = ask(simulator, RECORD, "expired-token")
    fresh = ask(simulator, RECORD, "expired-token", headers={"X-Auth-Token": simulator.iam.issue()})
    assert (before.status_code, refused.status_code, fresh.status_code) == (200, 401, 200)
    assert refused.json()["error_code"] == "APIGW.0307"


def test_expired_token_leaves_other_jobs_alone(simulator: FaultySimulator, ask: Ask) -> None:
    """The same token goes on to be good for the other jobs."""
    simulator.clock.advance(20)
    assert ask(simulator, RECORD, "passing").status_code == 200


def test_failing_tests_are_in_the_report_of_a_build_that_passes(simulator: FaultySimulator, ask: Ask) -> None:
    """The report tells of two failures and one error."""
    simulator.clock.advance(60)
    summary = ask(simulator, "/v1/report/{job}/summary?build_no=57", "failing-tests").json()["result"]["summary"]
    assert (summary["total"], summary["failures"], summary["errors"], summary["is_success"]) == (42, 2, 1, False)


@each_row("name", SCENARIOS)
def test_the_past_has_builds_that_are_long_over(simulator: FaultySimulator, name: str) -> None:
    """Builds 51 to 56 ended an hour ago or earlier, with words and durations that differ."""
    hour_ago = simulator.clock.now() - timedelta(hours=1)
    job = simulator.backend.jobs[simulator.jobs[name]]
    past = [build.at(hour_ago) for build in job.builds if build.created <= hour_ago]
    assert [view.build.number for view in past] == [51, 52, 53, 54, 55, 56]
    assert {view.word for view in past} == {"SUCCESS", "FAILURE", "ABORTED"}
    assert len({view.build.plan.seconds for view in past}) == 6


def test_a_scenario_of_ones_own_takes_a_line(serve: Serve, ask: Ask) -> None:
    """A job whose newest build ended three hours ago, with this commit, is one expression."""
    start = Start(at=-3 * 3600 - 49, plan=sample_plans.PASSING)
    simulator = serve(Scenario(name="stale", starts=(start,), first_number=12))
    result = ask(simulator, "/v1/record/{job}/12/record-info", "stale").json()["result"]
    assert result["status"] == "SUCCESS"


def test_a_job_without_builds_has_an_empty_list(serve: Serve, ask: Ask) -> None:
    """A scenario without starts is a job that was never built."""
    simulator = serve(Scenario(name="new"))
    assert ask(simulator, "/v3/jobs/{job}/status", "new").json() == {"result": False}


def test_multi_job_build_has_children_that_name_their_parent(simulator: FaultySimulator, ask: Ask) -> None:
    """Each is a build of the same job, with a higher number; they run one after another."""
    simulator.clock.advance(20)
    records = [
        ask(simulator, f"/v1/record/{{job}}/{number}/record-info", "multi-job").json() for number in range(57, 61)
    ]
    parent, *children = [record["result"] for record in records]
    assert parent["parent_record_id"] is None
    assert {child["parent_record_id"] for child in children} == {parent["build_record_id"]}
    assert [child["status"] for child in children] == ["SUCCESS", "RUNNING", "QUEUED"]


def test_stop_of_a_multi_job_build_stops_its_children(simulator: FaultySimulator, ask: Ask) -> None:
    """Those that have ended stay what they are."""
    simulator.clock.advance(20)
    assert ask(simulator, "/v3/jobs/{job}/57/stop", "multi-job", "POST").status_code == 200
    records = [
        ask(simulator, f"/v1/record/{{job}}/{number}/record-info", "multi-job").json() for number in range(57, 61)
    ]
    assert [record["result"]["status"] for record in records] == ["ABORTED", "SUCCESS", "ABORTED", "ABORTED"]


def test_second_build_that_is_started_passes_where_the_first_gets_no_executor(
    simulator: FaultySimulator, ask: Ask
) -> None:
    """And the third one, too."""
    for _ in range(3):
        ask(simulator, "/v1/job/execute", method="POST", json={"job_id": simulator.jobs["schedule-failure-once"]})
    simulator.clock.advance(60)
    path = "/v1/record/{job}/%d/record-info"
    words = [
        ask(simulator, path % number, "schedule-failure-once").json()["result"]["status"] for number in range(57, 61)
    ]
    assert words == ["SCHEDULE_FAILURE", "SCHEDULE_FAILURE", "SUCCESS", "SUCCESS"]
