"""The operations that tell of one build or of a job: shapes and words."""

from collections.abc import Callable

import pytest
import requests

from gate.simulator.builds import commit_of
from tests.faults.faulty_simulator import FaultySimulator

Ask = Callable[..., requests.Response]
Serve = Callable[..., FaultySimulator]


@pytest.mark.parametrize("path", ["/v1/record/{job}/57/record-info", "/v4/jobs/{job}/57/record-info"])
def test_record_info_is_enveloped_and_tells_of_the_build_asked_for(
    simulator: FaultySimulator, ask: Ask, path: str
) -> None:
    """Both routes give the same record; the envelope's `status` is not the build's."""
    simulator.clock.advance(60)
    answer = ask(simulator, path).json()
    job = simulator.jobs["passing"]
    assert (answer["status"], answer["error"], answer["result"]["status"]) == ("success", None, "SUCCESS")
    assert (answer["result"]["codeci_job_id"], answer["result"]["build_no"]) == (job, 57)
    assert answer["result"]["commit"] == commit_of(job, 57)
    assert answer["result"]["duration"] == 45000
    assert answer["result"]["id"] != answer["result"]["build_record_id"]


def test_an_unended_build_has_no_finish_and_no_duration(simulator: FaultySimulator, ask: Ask) -> None:
    """Queued: no start; running: a start in the service's form; in both cases no finish and no duration."""
    path = "/v1/record/{job}/57/record-info"
    queued = ask(simulator, path).json()["result"]
    simulator.clock.advance(10)
    running = ask(simulator, path).json()["result"]
    assert (queued["status"], queued["start_time"], queued["finish_time"], queued["duration"]) == (
        "QUEUED",
        None,
        None,
        None,
    )
    assert (running["status"], running["finish_time"], running["duration"]) == ("RUNNING", None, None)
    assert running["start_time"].endswith("+00:00")
    assert len(running["start_time"]) == len("2022-10-11T08:28:42.000+00:00")


def test_a_schedule_failure_has_a_message_and_no_stages(simulator: FaultySimulator, ask: Ask) -> None:
    """The record says why; the map of stages is empty."""
    simulator.clock.advance(60)
    record = ask(simulator, "/v1/record/{job}/57/record-info", "schedule-failure").json()["result"]
    stages = ask(simulator, "/v1/record/{record}/full-stages", "schedule-failure").json()["result"]
    assert record["err_msg"] == "No executor could be scheduled for the build."
    assert stages == {"build_stages": {}, "check_stages": None}


@pytest.mark.parametrize(
    ("seconds", "run_word", "word"), [(0, "InQueue", "QUEUED"), (10, "Running", "RUNNING"), (60, "Finished", "FAILURE")]
)
def test_build_info_record_has_run_word_beside_word(
    simulator: FaultySimulator, ask: Ask, seconds: float, run_word: str, word: str
) -> None:
    """`job_running_status` says where the build is, `state` how it goes."""
    simulator.clock.advance(seconds)
    result = ask(simulator, "/v1/record/{job}/57/build-info-record", "failing").json()["result"]
    assert (result["number"], result["job_running_status"], result["state"]) == (57, run_word, word)
    assert isinstance(result["start_time"], int)


@pytest.mark.parametrize(("seconds", "running"), [(0, False), (10, True), (60, False)])
def test_job_status_is_true_only_while_the_newest_build_runs(
    simulator: FaultySimulator, ask: Ask, seconds: float, running: bool
) -> None:
    """ShowJobStatus is bare, and says the same of a build in the queue and of one that has ended."""
    simulator.clock.advance(seconds)
    assert ask(simulator, "/v3/jobs/{job}/status").json() == {"result": running}


def test_full_stages_are_keyed_by_the_executors_names(simulator: FaultySimulator, ask: Ask) -> None:
    """`stage3` is the one displayed as Maven; the order stands in `sequence`, not in the map."""
    simulator.clock.advance(60)
    stages = ask(simulator, "/v1/record/{record}/full-stages?cascade=true", "failing").json()["result"]["build_stages"]
    assert list(stages) == ["final", "initial", "stage1", "stage2", "stage3", "stage4"]
    assert [stages[name]["sequence"] for name in stages] == [5, 0, 1, 2, 3, 4]
    maven = stages["stage3"]
    assert (maven["display_name"], maven["status"], maven["status_code"], maven["duration"]) == (
        "Maven",
        "FAILURE",
        6,
        17000,
    )
    assert (stages["final"]["status"], stages["final"]["start_time"]) == (None, None)


@pytest.mark.parametrize("path", ["/v1/log/{record}/download-log?log_level=INFO", "/v4/{record}/download-log"])
def test_logs_are_octets(simulator: FaultySimulator, ask: Ask, path: str) -> None:
    """Both routes send the whole log as a stream of octets."""
    simulator.clock.advance(60)
    answer = ask(simulator, path, "failing")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.text.splitlines()[-1].endswith("[ERROR] [Maven] : stage ended: FAILURE")


def test_report_without_unit_tests_is_null(simulator: FaultySimulator, ask: Ask) -> None:
    """No data is a null result, not zeros; so is a build that has not ended."""
    early = ask(simulator, "/v1/report/{job}/summary?build_no=57", "passing").json()
    simulator.clock.advance(60)
    absent = ask(simulator, "/v1/report/{job}/summary?build_no=57", "unknown-state").json()
    assert early == absent == {"error": None, "result": None, "status": "success"}


def test_report_totals_stand_for_the_build_and_for_its_stage(simulator: FaultySimulator, ask: Ask) -> None:
    """The summary and its only part are the same."""
    simulator.clock.advance(60)
    result = ask(simulator, "/v1/report/{job}/summary?build_no=57").json()["result"]
    assert result["sub_summarys"] == [result["summary"]]
    assert (result["summary"]["total"], result["summary"]["success"], result["summary"]["is_success"]) == (42, 42, True)


def test_the_date_header_is_the_services_time(simulator: FaultySimulator, ask: Ask) -> None:
    """An hour of service time shows in the `Date` of the next answer."""
    simulator.clock.advance(3600)
    date = ask(simulator, "/v3/jobs/{job}/status").headers["Date"]
    assert date == simulator.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT")
