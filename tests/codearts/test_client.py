"""The operations of the client: their paths, their fallback routes, and the answers that are rejected."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any, cast
from urllib.parse import parse_qs

import pytest
import requests_mock

from gate.codearts.client import PAGE_SIZE, Client
from gate.codearts.connect import connect
from gate.codearts.fallback_routes import Routes
from gate.codearts.session import Session
from gate.errors import (
    GateError,
    InvalidAnswer,
    NotFound,
    Refused,
    RouteMissing,
    ServiceFailing,
    Throttled,
    Unauthorised,
)
from gate.limits import MAX_LOG
from gate.model import LogPiece, LogTail, RunningStatus
from gate.settings import Connection, Token
from tests.codearts.conftest import ENDPOINT, JOB, TOKEN, vendor
from tests.tables import each_row

Asked = Callable[[], list[str]]

V1 = f"/v1/record/{JOB}/532/record-info"
V4 = f"/v4/jobs/{JOB}/532/record-info"
SHORT = f"/v1/record/{JOB}/532/build-info-record"

NOT_PUBLISHED = {"error_code": "APIGW.0101", "error_msg": "The API does not exist", "request_id": "1"}
NO_BUILD = {"error_code": "DEVCB.00031006", "error_msg": "no such build"}
SHORT_RECORD = {"result": {"number": 532, "job_running_status": "Finished", "state": "FAILURE"}, "status": "success"}


def missing(service: requests_mock.Mocker, *paths: str) -> None:
    """Make the gateway answer that these paths are not published."""
    for path in paths:
        service.get(ENDPOINT + path, status_code=404, json=NOT_PUBLISHED)


def test_record_is_asked_by_the_current_route(service: requests_mock.Mocker, client: Client, asked: Asked) -> None:
    """One request, if the host publishes v1."""
    service.get(ENDPOINT + V1, json=vendor("ShowJobBuildRecordDetail"))
    assert client.record(JOB, 532).word == "SUCCESS"
    assert asked() == [V1]


FULL, GONE = {"json": vendor("ShowJobBuildRecordDetail")}, {"status_code": 404, "json": NOT_PUBLISHED}
"""The answer of the path of full records, and what the gateway says in its place where it is missing."""


def test_short_record_is_not_used_where_the_full_one_is_published(
    service: requests_mock.Mocker, client: Client
) -> None:
    """It does not say that a build is a part of another one; a path that is missing for a moment comes back."""
    missing(service, V4)
    service.get(ENDPOINT + SHORT, json=SHORT_RECORD)
    service.get(ENDPOINT + V1, [{"status_code": 422, "json": NO_BUILD}, GONE, FULL])
    for error in (NotFound, RouteMissing):
        with pytest.raises(error):
            client.record(JOB, 532)
    assert client.record(JOB, 532).word == "SUCCESS"


def test_short_record_that_is_read_once_does_not_replace_the_full_one(
    service: requests_mock.Mocker, client: Client
) -> None:
    """The path of the full one was missing for a moment."""
    missing(service, V4)
    service.get(ENDPOINT + SHORT, json=SHORT_RECORD)
    service.get(ENDPOINT + V1, [GONE, FULL])
    assert [client.record(JOB, 532).word for _ in range(2)] == ["FAILURE", "SUCCESS"]


def test_short_record_decides_only_where_the_full_one_is_missing(
    service: requests_mock.Mocker, client: Client, asked: Asked
) -> None:
    """The path of the full one was missing for two calls: it is tried again before the end of a build is believed."""
    running = {"result": {"number": 532, "job_running_status": "Running", "state": "FAILURE"}, "status": "success"}
    missing(service, V4)
    service.get(ENDPOINT + SHORT, [{"json": running}] * 3 + [{"json": SHORT_RECORD}])
    service.get(ENDPOINT + V1, [GONE, GONE, GONE, FULL])
    words = [client.record(JOB, 532).word for _ in range(5)]
    assert words == ["FAILURE", "FAILURE", "FAILURE", "FAILURE", "SUCCESS"]
    assert asked()[6:] == [SHORT, SHORT, V1, V4, SHORT, V1]
    assert client.record(JOB, 532).word == "SUCCESS"
    assert asked()[12:] == [V1]


def test_part_of_a_value_that_is_compared_is_not_masked(service: requests_mock.Mocker) -> None:
    """It would contradict what was asked for; the same secret is masked anywhere else."""
    secrets = ("release", JOB[4:12], "1234", "failure")
    connection = Connection(
        endpoint=ENDPOINT, credential=Token(value=TOKEN), also_secret=secrets, not_secret=(JOB, "release/1.0")
    )
    client = Client(Routes(connect(connection, lambda _: None, lambda _: None)))
    result = {"codeci_job_id": JOB, "build_no": "12345", "branch": "release/1.0", "err_msg": "of release 1234"}
    service.get(f"{ENDPOINT}/v1/record/{JOB}/12345/record-info", json={"result": result, "status": "success"})
    record = client.record(JOB, 12345)
    assert (record.branch, record.message) == ("release/1.0", "of *** ***")


@each_row("secret", ["result", "build", "stat", "SUCC", "cess", "stages"])
def test_secret_that_is_a_part_of_a_field_or_a_word_of_the_service_spoils_no_answer(
    service: requests_mock.Mocker, secret: str
) -> None:
    """As in `--param CACHE_KEY=build`. It is masked in every text, the names of stages included."""
    connection = Connection(endpoint=ENDPOINT, credential=Token(value=TOKEN), also_secret=(secret,))
    client = Client(Routes(connect(connection, lambda _: None, lambda _: None)))
    text = f"a {secret} is told"
    full = {"codeci_job_id": JOB, "build_no": 57, "status": "SUCCESS", "err_msg": text}
    service.get(f"{ENDPOINT}/v1/record/{JOB}/57/record-info", json={"result": full, "status": "success"})
    stages = {"result": {"build_stages": {text: {"status": "SUCCESS"}}}, "status": "success"}
    service.get(f"{ENDPOINT}/v1/record/id/full-stages", json=stages)
    record = client.record(JOB, 57)
    assert (record.build_number, record.word, record.message) == (57, "SUCCESS", "a *** is told")
    assert [(stage.name, stage.state) for stage in client.stages("id")] == [("a *** is told", "SUCCESS")]


def test_missing_route_falls_back_and_is_remembered(
    service: requests_mock.Mocker, client: Client, asked: Asked
) -> None:
    """404 with the gateway's 0101 is a missing route; the one that answered is asked first from then on."""
    missing(service, V1)
    service.get(ENDPOINT + V4, json=vendor("ShowJobBuildRecordDetail"))
    client.record(JOB, 532)
    client.record(JOB, 532)
    assert asked() == [V1, V4, V4]


def test_remembered_route_that_goes_missing_falls_back_again(
    service: requests_mock.Mocker, client: Client, asked: Asked
) -> None:
    """A deployment may change under a long wait."""
    missing(service, V1, V4)
    service.get(ENDPOINT + SHORT, json=SHORT_RECORD)
    assert [client.record(JOB, 532).word for _ in range(3)] == ["FAILURE"] * 3
    missing(service, SHORT)
    service.get(ENDPOINT + V1, json=vendor("ShowJobBuildRecordDetail"))
    assert client.record(JOB, 532).word == "SUCCESS"
    assert asked() == [V1, V4, SHORT, V1, V4, SHORT, SHORT, V1, V4, SHORT, V1]


def test_host_without_any_record_route_says_so(service: requests_mock.Mocker, client: Client) -> None:
    """It says something about the host and nothing about the build."""
    missing(service, V1, V4, SHORT)
    with pytest.raises(RouteMissing, match=r"build\.example publishes none"):
        client.record(JOB, 532)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (422, NO_BUILD, NotFound),
        (404, {"error_code": "CB.00031006", "error_msg": "no"}, NotFound),
        (401, {"error_code": "APIGW.0301", "error_msg": "Incorrect IAM authentication information"}, Unauthorised),
        (500, {"error_code": "CB.00060100", "error_msg": "busy"}, ServiceFailing),
        (400, {"error_code": "CB.00060211", "error_msg": "too many"}, Throttled),
        (404, {}, Refused),
        (404, {"message": "Not Found"}, Refused),
    ],
)
def test_other_errors_are_no_missing_route(
    service: requests_mock.Mocker, client: Client, asked: Asked, status: int, body: Any, error: type[GateError]
) -> None:
    """No other route is asked: the answer is about the build, the credential or the service."""
    service.get(ENDPOINT + V1, status_code=status, json=body)
    with pytest.raises(error):
        client.record(JOB, 532)
    assert asked() == [V1]


@pytest.mark.parametrize(
    "fields", [{"build_no": 1}, {"build_no": "533"}, {"codeci_job_id": "f" * 32}, {"codeci_job_id": JOB.upper()}]
)
def test_answer_about_another_build_is_refused(
    service: requests_mock.Mocker, client: Client, fields: dict[str, Any]
) -> None:
    """A record of build 1 is rejected when 532 was asked for, whatever its state is."""
    document = vendor("ShowJobBuildRecordDetail")
    document["result"].update(fields)
    service.get(ENDPOINT + V1, json=document)
    with pytest.raises(InvalidAnswer, match="another build"):
        client.record(JOB, 532)


def test_short_record_about_another_build_is_refused(service: requests_mock.Mocker, client: Client) -> None:
    """It names no job, but its number counts."""
    missing(service, V1, V4)
    service.get(ENDPOINT + SHORT, json={"result": SHORT_RECORD["result"] | {"number": 1}})  # type: ignore[operator]
    with pytest.raises(InvalidAnswer, match="another build"):
        client.record(JOB, 532)


def rows(*numbers: int, **fields: Any) -> dict[str, Any]:
    """Return a page of the list."""
    states = [{"number": number, "state": "SUCCESS", **fields} for number in numbers]
    return {"error": None, "result": {"job_build_states": states, "total_page": "9"}, "status": "success"}


LIST, OLD_LIST = f"/v1/record/{JOB}/list", f"/v3/jobs/{JOB}/build-info-records"


def test_builds_come_in_the_order_of_the_page(service: requests_mock.Mocker, client: Client) -> None:
    """Whatever their order on the page."""
    service.get(ENDPOINT + LIST, json=rows(9, 11, 10))
    assert [build.number for build in client.build_page(JOB, 0).rows] == [9, 11, 10]


def test_list_is_asked_in_chinese_time_below_31_days(service: requests_mock.Mocker, client: Client) -> None:
    """Spaces are sent as %20, as a signature covers them. The service refuses a window of more than 31 days."""
    from datetime import datetime, timedelta

    service.get(ENDPOINT + LIST, json=rows(1))
    client.build_page(JOB, 0)
    url = service.request_history[0].url
    start, end = (
        datetime.fromisoformat(found.replace("%20", " ").replace("%3A", ":"))
        for found in (re.search(rf"{name}=([^&]+)", url)[1] for name in ("start_time", "end_time"))  # type: ignore[index]
    )
    assert "+" not in url
    assert timedelta(days=28) < end - start < timedelta(days=31)
    assert "page_index=0&page_size=100" in url


def test_old_list_is_the_fallback(service: requests_mock.Mocker, client: Client, asked: Asked) -> None:
    """ListBuildInfoRecord has the same body."""
    missing(service, LIST)
    service.get(ENDPOINT + OLD_LIST, json=vendor("ListBuildInfoRecordByJobId"))
    assert [build.number for build in client.build_page(JOB, 0).rows] == [44]
    assert asked() == [LIST, OLD_LIST]


@pytest.mark.parametrize(("count", "is_last"), [(PAGE_SIZE, False), (PAGE_SIZE - 1, True), (0, True)])
def test_page_that_is_not_full_is_the_last_one(
    service: requests_mock.Mocker, client: Client, count: int, is_last: bool
) -> None:
    """Rows that cannot be read count, too."""
    document = rows(*range(400, 400 - count, -1))
    if count:
        document["result"]["job_build_states"][-1] = None
    service.get(ENDPOINT + LIST, json=document)
    page = client.build_page(JOB, 3)
    assert (page.is_last, len(page.rows)) == (is_last, max(count - 1, 0))
    assert "page_index=3" in service.request_history[0].url


def test_running_status_is_read(service: requests_mock.Mocker, client: Client) -> None:
    """ShowRunningStatus has one path."""
    answer = {"is_running": True, "last_build_no": "57", "last_build_status": "InQueue", "last_job_id": JOB}
    service.get(f"{ENDPOINT}/v1/job/{JOB}/running-status", json={"result": answer, "status": "success"})
    assert client.running_status(JOB) == RunningStatus(57, "InQueue", is_running=True)


def test_page_has_the_window_of_time_that_was_asked_for(service: requests_mock.Mocker, client: Client) -> None:
    """It was computed before the answer told the service's time, and does not reach that here."""
    then = datetime.now(UTC) + timedelta(days=3)
    service.get(ENDPOINT + LIST, json=rows(57), headers={"Date": format_datetime(then, usegmt=True)})
    for has_now in (False, True):
        window = client.build_page(JOB, 0).window
        assert window is not None
        assert (window[0] <= client.now() <= window[1]) is has_now


def test_running_state_is_one_route(service: requests_mock.Mocker, client: Client) -> None:
    """ShowJobStatus."""
    service.get(f"{ENDPOINT}/v3/jobs/{JOB}/status", json=vendor("ShowJobStatus"))
    assert client.is_running(JOB) is True


def test_stages_and_unit_tests_are_asked(service: requests_mock.Mocker, client: Client) -> None:
    """By the record's id, and by job and number."""
    service.get(f"{ENDPOINT}/v1/record/a%2Fb/full-stages", json=vendor("ShowBuildRecordFullStages"))
    job_id = "c798139500d2456d82d95d108f182b5a"
    service.get(f"{ENDPOINT}/v1/report/{job_id}/summary?build_no=1", json=vendor("ShowReportSummary"))
    assert len(client.stages("a/b")) == 5
    tests = client.unit_tests(job_id, 1)
    assert tests is not None
    assert (tests.total, tests.is_success) == (1, True)


def test_log_tail_is_the_end_of_the_text(service: requests_mock.Mocker, client: Client) -> None:
    """The last lines; bytes that cannot be decoded are replaced."""
    service.get(f"{ENDPOINT}/v1/log/r/download-log", content=b"one\ntwo\r\nthr\xffee\n")
    assert client.log_tail("r", 2, 5) == LogTail(["two", "thr\ufffdee"], line_count=3)


def test_log_falls_back_to_v4(service: requests_mock.Mocker, client: Client) -> None:
    """DownloadBuildLog."""
    missing(service, "/v1/log/r/download-log")
    service.get(f"{ENDPOINT}/v4/r/download-log", content=b"x")
    assert client.log_tail("r", 5, 5).lines == ["x"]


@pytest.mark.parametrize("status", [200, 500])
def test_log_that_is_an_error_in_json_is_an_error(service: requests_mock.Mocker, client: Client, status: int) -> None:
    """The service sends errors with HTTP 200, too."""
    service.get(
        f"{ENDPOINT}/v1/log/r/download-log",
        status_code=status,
        json={"error_code": "CB.00030004", "error_msg": "executor"},
        headers={"Content-Type": "application/json;charset=UTF-8"},
    )
    with pytest.raises(GateError, match=r"CB\.00030004"):
        client.log_tail("r", 5, 5)


class Breaking(io.BytesIO):
    """A body that breaks off where it should end."""

    def read1(self, size: int | None = -1) -> bytes:
        """Return what is left; raise `OSError` behind it."""
        if not (data := super().read1(size)):
            raise ConnectionResetError
        return data


def test_log_that_breaks_off_within_its_only_line_shows_no_line(service: requests_mock.Mocker, client: Client) -> None:
    """The line may end within a secret."""
    service.get(f"{ENDPOINT}/v1/log/r/download-log", body=Breaking(b"a" * 100_000 + TOKEN[:-3].encode()))
    tail = client.log_tail("r", 5, 5)
    assert (list(tail.lines), tail.missing) == ([], "broke off (ProtocolError), after 0.1 MB")


def test_end_of_a_log_of_any_length_is_kept(service: requests_mock.Mocker, client: Client) -> None:
    """It is far above the size of any other answer."""
    body = b"the first line\n" + b"x" * 99_999 * 300 + b"\nerror: the end\n"
    service.get(f"{ENDPOINT}/v1/log/r/download-log", content=body)
    tail = client.log_tail("r", 2, 20)
    assert (tail.lines[-1], tail.missing, tail.line_count) == ("error: the end", "", 3)
    assert tail.lines[0].startswith("\u2026x")


def test_whole_log_is_handed_on_without_secrets(service: requests_mock.Mocker, client: Client) -> None:
    """Also where the secret is torn apart by the chunks, and in lines that are not UTF-8."""
    text = f"start\n{'x' * 65_528}{TOKEN}\n".encode() + "编译\n".encode("gbk") + b"end"
    service.get(f"{ENDPOINT}/v1/log/r/download-log", content=text)
    parts: list[str] = []
    tail = client.whole_log("r", 1, 5, parts.append)
    assert "".join(parts) == f"start\n{'x' * 65_528}***\n编译\nend"
    assert (tail.lines, len(parts) > 1) == (["end"], True)


def test_log_of_a_step_is_asked_by_its_name(service: requests_mock.Mocker, client: Client) -> None:
    """DownloadTaskLog; an empty one is an error, so that another log is asked for."""
    service.get(f"{ENDPOINT}/v4/r/task-log", [{"text": "one\ntwo\n"}, {"text": "\n"}])
    assert client.step_log("r", "stage3", 1, 5).lines == ["two"]
    assert parse_qs(service.request_history[0].query)["task_name"] == ["stage3"]
    with pytest.raises(InvalidAnswer):
        client.step_log("r", "stage3", 1, 5)


def test_log_of_many_lines_is_kept_in_part(service: requests_mock.Mocker, client: Client) -> None:
    """The last lines are kept complete."""
    service.get(f"{ENDPOINT}/v1/log/r/download-log", text="\n".join(f"{number:0999}" for number in range(5000)))
    shown = client.log_tail("r", 5000, 5).lines
    assert (shown[-1], MAX_LOG - 2000 < sum(map(len, shown)) <= MAX_LOG) == (f"{4999:0999}", True)


def test_log_that_breaks_off_ends_with_a_complete_line(service: requests_mock.Mocker, client: Client) -> None:
    """An incomplete line may end within a secret."""
    service.get(f"{ENDPOINT}/v1/log/r/download-log", body=Breaking(f"one\ntwo\n{TOKEN[:-3]}".encode()))
    assert client.log_tail("r", 5, 5).lines == ["one", "two"]


PROJECT = "b4d3971c3988463b865f6f920846149e"
PROJECT_LIST, OLD_PROJECT_LIST = f"/v1/job/{PROJECT}/list", f"/v3/{PROJECT}/jobs"


def jobs(first: int, count: int) -> dict[str, Any]:
    """Return the answer with a page of a project's jobs."""
    rows = [{"id": f"{number:032}", "build_number": number} for number in range(first, first + count)]
    return {"json": {"result": {"job_list": rows, "total": 752}, "status": "success"}}


def test_page_of_a_project_that_is_not_full_is_the_last(service: requests_mock.Mocker, client: Client) -> None:
    """The total of the list says nothing about that; page numbers start with 0."""
    service.get(ENDPOINT + PROJECT_LIST, [jobs(1, PAGE_SIZE), jobs(PAGE_SIZE + 1, PAGE_SIZE - 1)])
    pages = [client.project_page(PROJECT, page) for page in range(2)]
    assert [(len(page.rows), page.is_last) for page in pages] == [(PAGE_SIZE, False), (PAGE_SIZE - 1, True)]
    assert [parse_qs(request.query) for request in service.request_history] == [
        {"page_index": [str(page)], "page_size": ["100"]} for page in range(2)
    ]


def test_old_project_list_is_the_fallback(service: requests_mock.Mocker, client: Client, asked: Asked) -> None:
    """ListJobs, with its rows at the top level."""
    missing(service, PROJECT_LIST)
    service.get(ENDPOINT + OLD_PROJECT_LIST, json={"jobs": [{"id": JOB}], "total": 1})
    assert [row.job_id for row in client.project_page(PROJECT, 0).rows] == [JOB]
    assert asked() == [PROJECT_LIST, OLD_PROJECT_LIST]


LIVE_LOG, OLD_LIVE_LOG = f"/v1/log/{JOB}/57/real-time-log", f"/v3/jobs/{JOB}/57/real-time-log"


def test_growing_log_is_read_from_an_offset(service: requests_mock.Mocker, client: Client) -> None:
    """The next offset is that of the answer; a piece ends anywhere."""
    pieces = [("one\ntw", 6, True), ("o\nthree", 13, False)]
    answers = [{"json": {"result": {"log": log, "end_offset": end, "has_more": more}}} for log, end, more in pieces]
    service.get(ENDPOINT + LIVE_LOG, answers)
    assert client.log_piece(JOB, 57, 0) == LogPiece("one\ntw", 6, has_more=True)
    assert client.log_piece(JOB, 57, 6) == LogPiece("o\nthree", 13, has_more=False)
    assert parse_qs(service.request_history[1].query) == {"size": ["1000"], "start_offset": ["6"]}


def test_growing_log_falls_back_to_v3(service: requests_mock.Mocker, client: Client, asked: Asked) -> None:
    """DownloadRealTimeLog has other names for the same values."""
    missing(service, LIVE_LOG)
    service.get(ENDPOINT + OLD_LIVE_LOG, json={"result": {"content": "x\n", "offset": "2", "has_more_data": False}})
    assert client.log_piece(JOB, 57, 0) == LogPiece("x\n", 2, has_more=False)
    assert asked() == [LIVE_LOG, OLD_LIVE_LOG]


def test_secret_that_is_split_between_pieces_is_not_shown(service: requests_mock.Mocker, client: Client) -> None:
    """Wherever it is split."""
    for offset in range(1, len(TOKEN)):
        lines = client.log_lines()
        assert lines.add(f"first\na {TOKEN[:offset]}") == ["first"]
        assert [*lines.add(f"{TOKEN[offset:]} b\n"), *lines.end()] == ["a *** b"]


def test_failed_steps_and_child_builds_are_asked(service: requests_mock.Mocker, client: Client, asked: Asked) -> None:
    """By job and number, and by the record's id with its older route."""
    missing(service, "/v1/record/r/flow-graph")
    service.get(f"{ENDPOINT}/v3/r/flow-graph", json={"success": True, "result": {"vertices": [{"display_name": "a"}]}})
    service.get(f"{ENDPOINT}/v1/log/{JOB}/57/analysis", json={"result": {"error_nodes": [{"step": "Maven"}]}})
    assert [child.name for child in client.child_builds("r")] == ["a"]
    assert [step.step for step in client.failed_steps(JOB, 57)] == ["Maven"]


def test_stop_by_the_older_route_names_the_build_in_query_and_body(
    service: requests_mock.Mocker, client: Client
) -> None:
    """The vendor's SDK sends the number in the query, its Terraform provider in the body; the page shows neither."""
    service.post(f"{ENDPOINT}/v3/jobs/{JOB}/532/stop", status_code=404, json=NOT_PUBLISHED)
    service.post(f"{ENDPOINT}/v1/job/{JOB}/stop", json={"status": "success"})
    assert client.stop(JOB, 532, 5.0)
    request = service.request_history[-1]
    assert (request.qs, request.json()) == ({"build_no": ["532"]}, {"build_no": 532})


def test_builds_are_listed_until_a_day_ahead(service: requests_mock.Mocker, client: Client) -> None:
    """The times have no zone: wherever the service takes them to be, a build that just started is within them."""
    service.get(f"{ENDPOINT}/v1/record/{JOB}/list", json={"result": {"job_build_states": []}, "status": "success"})
    client.build_page(JOB, 0)
    query = parse_qs(service.request_history[0].query)
    start, end = (datetime.fromisoformat(query[name][0]).replace(tzinfo=UTC) for name in ("start_time", "end_time"))
    assert end - datetime.now(UTC) > timedelta(hours=14)  # the zone that is furthest ahead
    assert end - start <= timedelta(days=31)  # the service refuses more


def test_secret_in_the_name_of_a_stage_is_masked(service: requests_mock.Mocker, client: Client) -> None:
    """The names of stages are names of fields in the answer, and stand in reports."""
    stages = {f"deploy with {TOKEN}": {"sequence": 1, "status": "SUCCESS"}}
    answer = {"result": {"build_stages": stages}, "status": "success"}
    service.get(f"{ENDPOINT}/v1/record/r/full-stages", json=answer)
    assert [stage.name for stage in client.stages("r")] == ["deploy with ***"]


def test_calls_on_which_no_verdict_depends_say_so() -> None:
    """A refusal of theirs counts for nothing; one of the others does."""
    asked: dict[str, bool] = {}

    class Noting:
        """Takes the place of the session."""

        def now(self) -> datetime:
            return datetime.now(UTC)

        def get(self, path: str, params: object = None, *, seconds: object = None, decides: bool = True) -> None:
            asked[path.removeprefix(f"/v1/log/{JOB}")] = decides
            raise Refused("noted")

    client = Client(Routes(cast(Session, Noting())))
    deciding: list[Callable[[], object]] = [
        partial(client.record, JOB, 7), partial(client.unit_tests, JOB, 7), partial(client.running_status, JOB),
        partial(client.build_page, JOB, 0), partial(client.jobs_page, JOB, 0, ""), partial(client.is_running, JOB),
    ]  # fmt: skip
    beside: list[Callable[[], object]] = [
        partial(client.stages, "r"), partial(client.failed_steps, JOB, 7), partial(client.child_builds, "r"),
        partial(client.log_piece, JOB, 7, 0), partial(client.project_page, JOB, 0),
    ]  # fmt: skip
    for calls, decides in ((deciding, True), (beside, False)):
        asked.clear()
        for call in calls:
            with pytest.raises(GateError):
                call()
        assert (set(asked.values()), len(asked) >= len(calls)) == ({decides}, True)
