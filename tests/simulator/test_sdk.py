"""The vendor's own SDK as a client: it signs each request and reads each answer into its models."""

import importlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException

from gate.simulator.builds import CHINA, uuid_of
from gate.simulator.operations import ANALYSIS, ROUTES
from gate.simulator.simulated_iam import AccessKey
from tests.faults.faulty_simulator import FaultySimulator
from tests.tables import each_row

Serve = Callable[..., FaultySimulator]
Connect = Callable[..., Any]

READS = (
    "ShowJobStatus",
    "ShowRunningStatus",
    "ShowJobConfig",
    "ListBuildInfoRecordByJobId",
    "ListBuildInfoRecord",
    "ShowJobBuildRecordDetail",
    "ShowRecordDetail",
    "ShowBuildInfoRecord",
    "ShowBuildRecordFullStages",
    "ShowReportSummary",
    "ShowBuildRecordFlowGraph",
    "ShowFlowGraph",
    "DownloadBuildRealTimeLog",
    "DownloadRealTimeLog",
)
PROJECT_LISTS = ("ListProjectJobs", "ShowJobListByProjectId")
LOGS = ("DownloadBuildFullLog", "DownloadBuildLog", "DownloadTaskLog")
STARTS = ("ExecuteJob", "RunJob")
STOPS = ("StopBuildJob", "StopTheJob")

# Fields of the vendor's published examples that its own models leave out.
BEYOND_THE_MODELS = {"check_stages", "success_density"}


def sdk() -> Any:
    """Return the vendor's module; its thousand classes take longer to import than all else that is collected."""
    return importlib.import_module("huaweicloudsdkcodeartsbuild.v3")


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Connect]:
    """Connect the vendor's client to a simulator; it writes a file into the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    clients = []

    def build(simulator: FaultySimulator, keys: AccessKey | None = None) -> Any:
        chosen = keys or simulator.keys
        credentials = BasicCredentials(chosen.ak, chosen.sk, "0" * 32)
        if chosen.security_token:
            credentials = credentials.with_security_token(chosen.security_token)
        builder = sdk().CodeArtsBuildClient.new_builder().with_credentials(credentials)
        clients.append(builder.with_endpoint(simulator.endpoint).build())
        return clients[-1]

    yield build
    for client in clients:
        client.close()


def call(client: Any, simulator: FaultySimulator, operation: str, **more: Any) -> Any:
    """Call an operation about build 57 of the job `passing`, with every parameter that its request has."""
    job, now = simulator.jobs["passing"], simulator.clock.now().astimezone(CHINA)
    values = {
        "job_id": job,
        "build_no": 57,
        "build_number": 57,
        "record_id": uuid_of(job, 57, "record"),
        "build_flow_record_id": uuid_of(job, 57, "record"),
        "project_id": simulator.backend.jobs[job].project_id,
        "offset": 0,
        "size": "1000",
        "start_time": f"{now - timedelta(days=7):%Y-%m-%d %H:%M:%S}",
        "end_time": f"{now + timedelta(minutes=1):%Y-%m-%d %H:%M:%S}",
        "page_index": 0,
        "page_size": 3,
        "task_name": "stage3",
        **more,
    }
    request = getattr(sdk(), f"{operation}Request")()
    for name in request.attribute_map:
        if name in values:
            setattr(request, name, values[name])
    method = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
    return getattr(client, method)(request)


def strangers(model: Any, document: Any) -> Iterator[str]:
    """Return the fields of an answer that the vendor's model does not read, and those of the model that are absent."""
    if isinstance(document, list):
        for pair in zip(model, document, strict=True):
            yield from strangers(*pair)
    elif isinstance(model, dict):
        for name, value in document.items():
            yield from strangers(model[name], value)
    elif isinstance(document, dict):
        yield from set(document) ^ set(model.attribute_map.values())
        for attribute, name in model.attribute_map.items():
            yield from strangers(getattr(model, attribute), document.get(name))


def test_every_operation_is_tried_here() -> None:
    """Each published route is one of those below, but IAM's and the one that the vendor documents nowhere."""
    published = {route.operation for route in ROUTES if not route.open and route.operation != ANALYSIS}
    assert {*READS, *PROJECT_LISTS, *LOGS, *STARTS, *STOPS} == published


@pytest.mark.parametrize("seconds", [0, 10, 60])
def test_the_vendors_model_reads_every_field(simulator: FaultySimulator, connect: Connect, seconds: float) -> None:
    """Queued, running or ended: the answer has the fields of the vendor's model, all of them and no others."""
    simulator.clock.advance(seconds)
    client = connect(simulator)

    @each_row("operation", READS)
    def read(operation: str) -> None:
        answer = call(client, simulator, operation)
        assert set(strangers(answer, json.loads(answer.raw_content))) <= BEYOND_THE_MODELS

    read()


def test_the_word_arrives_where_the_vendors_client_looks(simulator: FaultySimulator, connect: Connect) -> None:
    """After a minute, each operation that tells how build 57 ended says success in its own way."""
    simulator.clock.advance(60)
    client = connect(simulator)

    def result(operation: str) -> Any:
        return call(client, simulator, operation).result

    assert result("ShowJobBuildRecordDetail").status == "SUCCESS"
    assert result("ShowRecordDetail").build_no == 57
    assert (result("ShowBuildInfoRecord").state, result("ShowBuildInfoRecord").job_running_status) == (
        "SUCCESS",
        "Finished",
    )
    assert [row.number for row in result("ListBuildInfoRecordByJobId").job_build_states] == [57, 56, 55]
    assert result("ListBuildInfoRecord").total_record == "7"
    assert result("ShowBuildRecordFullStages").build_stages["stage3"].display_name == "Maven"
    assert result("ShowReportSummary").summary.total == 42
    assert call(client, simulator, "ShowJobStatus").result is False
    assert result("ShowRunningStatus").last_build_no == "57"


def test_the_vendors_client_lists_the_jobs_of_a_project(simulator: FaultySimulator, connect: Connect) -> None:
    """The older list is read; that of v1 is enveloped, so that the model finds no jobs at top level."""
    client = connect(simulator)
    older, newer = (call(client, simulator, operation) for operation in PROJECT_LISTS[::-1])
    assert [job.id for job in older.jobs] == list(simulator.jobs.values())[:3]
    assert newer.jobs is None
    assert [row["id"] for row in json.loads(newer.raw_content)["result"]["job_list"]] == [job.id for job in older.jobs]


def test_the_vendors_client_reads_a_flow_graph(serve: Serve, connect: Connect) -> None:
    """Each child of a multi-job build has its record, number, name and word."""
    simulator = serve("multi-job")
    simulator.clock.advance(20)
    record = uuid_of(simulator.jobs["multi-job"], 57, "record")
    graph = sdk().ShowBuildRecordFlowGraphRequest(build_flow_record_id=record)
    result = connect(simulator).show_build_record_flow_graph(graph).result
    assert [(child.build_no, child.display_name, child.status) for child in result.vertices] == [
        ("58", "compile", "SUCCESS"),
        ("59", "test", "RUNNING"),
        ("60", "package", "QUEUED"),
    ]
    assert [(edge._from, edge.to) for edge in result.edges] == [
        (result.vertices[0].id, result.vertices[1].id),
        (result.vertices[1].id, result.vertices[2].id),
    ]


@pytest.mark.parametrize("operation", LOGS)
def test_logs_stream_through_the_vendors_client(simulator: FaultySimulator, connect: Connect, operation: str) -> None:
    """The log arrives as a stream of bytes."""
    simulator.clock.advance(60)
    pieces: list[bytes] = []
    call(connect(simulator), simulator, operation).consume_download_stream(
        lambda stream: pieces.extend(stream.iter_content(1024))
    )
    assert b"BUILD SUCCESS" in b"".join(pieces)


@pytest.mark.parametrize("stop", STOPS)
def test_the_vendors_client_starts_and_stops_a_build(simulator: FaultySimulator, connect: Connect, stop: str) -> None:
    """RunJob tells the number; each way of stopping aborts exactly that build."""
    client, job = connect(simulator), simulator.jobs["passing"]
    started = call(client, simulator, "RunJob", body=sdk().RunJobRequestBody(job_id=job))
    assert started.actual_build_number == "58"
    simulator.clock.advance(10)
    call(client, simulator, stop, build_no=58)
    words = [call(client, simulator, "ShowJobBuildRecordDetail", build_no=n).result.status for n in (57, 58)]
    assert words == ["RUNNING", "ABORTED"]


def test_execute_job_has_an_envelope_that_the_model_lacks(simulator: FaultySimulator, connect: Connect) -> None:
    """The real v1 answer is enveloped: the vendor's model finds no number at top level."""
    body = sdk().RunJobRequestBody(
        job_id=simulator.jobs["passing"],
        parameter=[sdk().ParameterItem(name="codeBranch", value="next")],
        scm=sdk().Scm(build_commit_id="c0ffee" * 6),
    )
    answer = call(connect(simulator), simulator, "ExecuteJob", body=body)
    assert answer.actual_build_number is None
    assert json.loads(answer.raw_content)["result"]["actual_build_number"] == "58"


def test_the_vendors_client_reads_the_errors(simulator: FaultySimulator, connect: Connect) -> None:
    """Code and status of an error arrive in its exception."""
    with pytest.raises(ClientRequestException) as caught:
        call(connect(simulator), simulator, "ShowJobBuildRecordDetail", build_no=99)
    assert (caught.value.status_code, caught.value.error_code) == (422, "DEVCB.00031006")


def test_a_wrong_secret_is_refused_to_the_vendors_client(simulator: FaultySimulator, connect: Connect) -> None:
    """What it signs with another key is not let in."""
    client = connect(simulator, AccessKey(ak=simulator.keys.ak, sk="wrong"))
    with pytest.raises(ClientRequestException) as caught:
        call(client, simulator, "ShowJobStatus")
    assert (caught.value.status_code, caught.value.error_code) == (401, "APIGW.0301")


def test_temporary_keys_of_the_vendors_client_are_let_in(serve: Serve, connect: Connect) -> None:
    """It sends and signs the security token."""
    simulator = serve(keys=AccessKey(security_token="STS"))
    assert call(connect(simulator), simulator, "ShowJobStatus").result is False
