"""The operations: a call in, the vendor's answer out.

Each is named after its page in the vendor's API reference, support.huaweicloud.com/api-codeci/OPERATION.html. The table
of routes at the end has all that are published.
"""

import itertools
import json
import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from gate.simulator.backend import BuildBackend, SimulatedJob, not_found
from gate.simulator.builds import CHINA, BuildView, RunState, SimulatedBuild, uuid_of
from gate.simulator.documents import (
    REPOSITORY,
    USER,
    build_row,
    execution_name,
    full_stages,
    log_of,
    milliseconds,
    part_of,
    record_document,
    text_of,
    unit_test_totals,
)
from gate.simulator.exchange import (
    Call,
    HttpAnswer,
    RequestRefused,
    bad_parameter,
    enveloped_answer,
    json_answer,
    not_published,
    service_error,
)
from gate.value_types import NamedTuple


def job_status(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowJobStatus: whether the job's newest build is running; nothing about how it ended."""
    return json_answer({"result": any(view.phase is RunState.RUNNING for view in backend.builds(call)[:1])})


def running_status(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowRunningStatus: the job's latest build, queued or not; a job that was never built has none."""
    latest = next(iter(backend.builds(call)), None)
    return enveloped_answer(
        {
            "is_running": latest is not None and latest.phase is RunState.RUNNING,
            "last_build_no": None if latest is None else str(latest.build.number),
            "last_build_status": None if latest is None else latest.phase.value,
            "last_job_id": call.job_id,
        }
    )


def job_config(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowJobConfig: the job's name and its CodeArts project, without the steps that it consists of."""
    job = backend.job(call)
    return enveloped_answer(
        {
            "arch": "x86-64",
            "auto_update_sub_module": None,
            "build_config_type": "ACTION",
            "build_if_code_updated": False,
            "flavor": None,
            "group_id": None,
            "host_type": "devcloud",
            "job_name": job.scenario.name,
            "parameters": [],
            "project_id": job.project_id,
            "scms": [],
            "steps": [],
            "timeout": None,
            "triggers": [],
        }
    )


def record_detail(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowJobBuildRecordDetail (v1) and ShowRecordDetail (v4): the build's record."""
    return enveloped_answer(record_document(backend.build(call)))


def build_info_record(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowBuildInfoRecord: the build's word beside its run word."""
    return enveloped_answer(build_row(backend.build(call)))


def build_stages(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowBuildRecordFullStages: the stages by name."""
    return enveloped_answer(full_stages(backend.build(call)))


def report_summary(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowReportSummary: totals of the unit tests; a null result if there are none."""
    return enveloped_answer(unit_test_totals(backend.build(call)))


def flow_graph(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowBuildRecordFlowGraph: the children of a multi-job build, in the order in which they run."""
    return enveloped_answer(_graph(backend, call))


def flow_graph_v3(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowFlowGraph (v3): the same in another envelope."""
    return json_answer({"err_code": None, "message": None, "result": _graph(backend, call), "success": True})


def _graph(backend: BuildBackend, call: Call) -> dict[str, Any]:
    view = backend.build(call)
    children = [build.at(view.now) for build in backend.children(view)]
    ids = [child.build.record_id for child in children]
    return {
        "edges": [{"from": one, "to": other} for one, other in itertools.pairwise(ids)],
        "vertices": [
            {
                "build_duration": milliseconds(child.started, child.finished),
                "build_no": str(child.build.number),
                "display_name": child.build.name,
                "finish_time": _local(child.finished),
                "id": child.build.record_id,
                "start_time": _local(child.started),
                "status": child.word,
            }
            for child in children
        ],
    }


def _local(at: datetime | None) -> str | None:
    """Return an instant in the form of flow graphs: `2020-12-30T17:33:27+08:00`."""
    return None if at is None else at.astimezone(CHINA).isoformat(timespec="seconds")


LONGEST_WINDOW = timedelta(days=31)
LARGEST_PAGE = 100


def list_builds(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ListBuildInfoRecordByJobId (v1): a page of the builds created in a window of at most 31 days, newest first."""
    return _page(backend, call, trigger="Manual")


def list_builds_v3(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ListBuildInfoRecord (v3): the same, with the trigger in the user's language."""
    return _page(backend, call, trigger="手工触发")


def _page(backend: BuildBackend, call: Call, *, trigger: str) -> HttpAnswer:
    """Return the page that the call asks for; pages are counted from 0, and the counts in the answer are strings."""
    views = backend.builds(call)
    start, end = _wall_clock(call, "start_time"), _wall_clock(call, "end_time")
    if end - start > LONGEST_WINDOW:
        raise RequestRefused(service_error(400, "CB.00031105", "The time window exceeds 31 days."))
    index, size = page_of(call, default_size=10)
    inside = [view for view in views if start <= view.build.created <= end]
    return enveloped_answer(
        {
            "health_score": "0",
            "job_build_states": [
                build_row(view, trigger=trigger) for view in inside[index * size : (index + 1) * size]
            ],
            "page_index": str(index),
            "total_page": str(-(-len(inside) // size)),
            "total_record": str(len(inside)),
        }
    )


def page_of(call: Call, *, default_size: int) -> tuple[int, int]:
    """Return the index of the page that a call asks for, counted from 0, and its size."""
    index = whole_number(call, "page_index", default=0, least=0)
    size = whole_number(call, "page_size", default=default_size, least=1)
    if size > LARGEST_PAGE:
        raise bad_parameter("page_size")
    return index, size


def _wall_clock(call: Call, name: str) -> datetime:
    """Return a required `yyyy-MM-dd HH:mm:ss`, which the service takes as China's local time."""
    try:
        return datetime.strptime(call.value(name) or "", "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)
    except ValueError:
        raise bad_parameter(name) from None


def whole_number(call: Call, name: str, *, default: int | None, least: int) -> int:
    """Return a parameter that is a whole number; it is required if there is no default."""
    text = call.value(name) or str(default)
    if not text.isdecimal() or int(text) < least:
        raise bad_parameter(name)
    return int(text)


TOTAL = 20697
"""The total that the vendor's example has; it counts something else than the rows."""

LAST_BUILD_WORDS = {"SUCCESS": "blue", "TIMEOUT": "timeout", "ABORTED": "aborted"}
"""The words for ended builds; every other word is `red`."""

_NEW_FIELDS = ("build_number", "task_id", "commit_id", "project_id")
"""Fields that the older operation does not have."""


def list_project_jobs(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ListProjectJobs (v1): a page of the project's jobs, under `result.job_list` as observed, not as documented."""
    return enveloped_answer({"job_list": _rows(backend, call), "total": TOTAL})


def list_project_jobs_v3(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowJobListByProjectId (v3): the same without an envelope, and without the number of the last build."""
    rows = [{name: row[name] for name in row if name not in _NEW_FIELDS} for row in _rows(backend, call)]
    return json_answer({"jobs": rows, "total": TOTAL})


def _rows(backend: BuildBackend, call: Call) -> list[dict[str, Any]]:
    jobs = backend.project_jobs(call)
    index, size = page_of(call, default_size=10)
    return [job_row(backend, job) for job in jobs[index * size : (index + 1) * size]]


def job_row(backend: BuildBackend, job: SimulatedJob) -> dict[str, Any]:
    """Return one job as a row."""
    row = {
        "build_project_id": uuid_of(job.id, "project"),
        "disabled": False,
        "favorite": False,
        "health_score": 0,
        "id": job.id,
        "job_name": job.scenario.name,
        "project_id": job.project_id,
        "scm_type": "codehub",
        "scm_web_url": REPOSITORY,
        "trigger_type": "手工触发",
    }
    view = backend.newest(job)
    if view is None:
        return row | {"is_finished": True, "last_build_status": "none"}
    ended_word = LAST_BUILD_WORDS.get(view.word, "red")
    return row | {
        "build_number": str(view.build.number),
        "build_time": milliseconds(view.started, view.finished),
        "code_branch": view.build.branch,
        "commit_id": view.build.commit,
        "is_finished": view.ended,
        "last_build_status": ended_word if view.ended else "building",
        "last_build_time": int(view.build.created.timestamp() * 1000),
        "last_build_user_id": USER,
        "last_job_running_status": view.phase.value,
        "task_id": f"#{view.build.daily_number}",
    }


LONGEST_PART = 100_000
"""Characters in one answer of the v1 operation."""

DEFAULT_LENGTH = 1_000_000
"""Characters in one answer of the v3 operation, if the request does not say."""

ERROR_CODE = "DEV.CB.0210043"


def download_log(backend: BuildBackend, call: Call) -> HttpAnswer:
    """DownloadBuildFullLog (v1) and DownloadBuildLog (v4): the log; 500 CB.00030004 before an executor wrote one."""
    view = backend.build(call)
    if view.started is None:
        raise _no_executor()
    return HttpAnswer(body=log_of(view), content_type="application/octet-stream")


def task_log(backend: BuildBackend, call: Call) -> HttpAnswer:
    """DownloadTaskLog (v4): the log of one stage, by its `execution_stage_name`."""
    view = backend.build(call)
    if view.started is None:
        raise _no_executor()
    for stage in view.stages:
        if execution_name(stage, view) == call.value("task_name") and view.build.plan.log is None:
            return HttpAnswer(body=text_of(view, stage).encode(), content_type="application/octet-stream")
    raise not_found(call, "task")


def real_time_log(backend: BuildBackend, call: Call) -> HttpAnswer:
    """DownloadBuildRealTimeLog (v1): a part of the log, whose offsets are strings."""
    view = _scheduled(backend, call)
    start = whole_number(call, "start_offset", default=0, least=0)
    whole_number(call, "size", default=None, least=1)
    text, has_more = part_of(view, start, LONGEST_PART)
    return enveloped_answer(
        {
            "end_offset": str(start + len(text)),
            "has_more": has_more,
            "location": "jenkins",
            "log": text,
            "start_offset": str(start),
        }
    )


def real_time_log_v3(backend: BuildBackend, call: Call) -> HttpAnswer:
    """DownloadRealTimeLog (v3): the same with other names, and with numbers."""
    view = _scheduled(backend, call)
    start = whole_number(call, "offset", default=None, least=0)
    text, has_more = part_of(view, start, whole_number(call, "length", default=DEFAULT_LENGTH, least=1))
    return enveloped_answer(
        {"content": text, "current_offset": start, "has_more_data": has_more, "offset": start + len(text)}
    )


def analysis(backend: BuildBackend, call: Call) -> HttpAnswer:
    """Analysis of a failure, which no page documents: the stages that failed, with their errors."""
    view = _scheduled(backend, call)
    plans = {plan.name: plan for plan in view.build.plan.stages}
    nodes = [
        {
            "error_info": {"error_code": ERROR_CODE, "error_message": plans[stage.name].error},
            "node_id": str(stage.position),
            "step": stage.name,
        }
        for stage in view.stages
        if stage.word == "FAILURE"
    ]
    return enveloped_answer({"error_nodes": nodes})


def _scheduled(backend: BuildBackend, call: Call) -> BuildView:
    """Return the build that the call names; raise `RequestRefused` if it has ended without an executor."""
    view = backend.build(call)
    if view.ended and view.started is None:
        raise _no_executor()
    return view


def _no_executor() -> RequestRefused:
    return RequestRefused(service_error(500, "CB.00030004", "Calling the executor failed."))


def execute_job(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ExecuteJob (v1): in an envelope, although the vendor's page shows none."""
    return enveloped_answer(_started(backend.execute(call)))


def run_job(backend: BuildBackend, call: Call) -> HttpAnswer:
    """RunJob (v3): the same without an envelope."""
    return json_answer(_started(backend.execute(call)))


def _started(build: SimulatedBuild) -> dict[str, str]:
    """Return what is answered about a started build. All values are strings."""
    return {
        "actual_build_number": str(build.number),
        "daily_build_number": build.daily_number,
        "octopus_job_name": f"j_{uuid_of(build.job_id, build.number)[:8]}",
    }


def stop_build_job(backend: BuildBackend, call: Call) -> HttpAnswer:
    """StopBuildJob (v3, the number in the path): its refusal is JSON within a JSON string."""
    if backend.stop(call):
        return json_answer({"result": "", "success": True})
    return json_answer(json.dumps(_ENDED), status=400)


def stop_the_job(backend: BuildBackend, call: Call) -> HttpAnswer:
    """StopTheJob (v1, the number in the query or in the body)."""
    return json_answer({"status": "success"}) if backend.stop(call) else json_answer(_ENDED, status=400)


_ENDED = {
    "error": {"code": "DEV.CB.032302", "reason": "The task status has been refreshed. Reload the page."},
    "status": "error",
}


RECORD_OPERATIONS = ("ShowJobBuildRecordDetail", "ShowRecordDetail", "ShowBuildInfoRecord")
"""The operations that tell the word of one build."""


ANALYSIS = "analysis"
"""The operation that no page of the vendor names."""


class PublishedRoute(NamedTuple):
    """One operation, by the vendor's name for it."""

    operation: str
    method: str
    template: str
    handler: Callable[[BuildBackend, Call], HttpAnswer]
    open: bool = False
    """Whether it needs no credential."""


ROUTES = (
    PublishedRoute(
        "KeystoneCreateUserTokenByPassword",
        "POST",
        "/v3/auth/tokens",
        lambda backend, call: backend.iam.sign_in(call),
        open=True,
    ),
    # One build, by the number within its job.
    PublishedRoute("ShowJobBuildRecordDetail", "GET", "/v1/record/{job_id}/{build_no}/record-info", record_detail),
    PublishedRoute("ShowRecordDetail", "GET", "/v4/jobs/{job_id}/{build_no}/record-info", record_detail),
    PublishedRoute("ShowBuildInfoRecord", "GET", "/v1/record/{job_id}/{build_no}/build-info-record", build_info_record),
    PublishedRoute("DownloadBuildRealTimeLog", "GET", "/v1/log/{job_id}/{build_no}/real-time-log", real_time_log),
    PublishedRoute("DownloadRealTimeLog", "GET", "/v3/jobs/{job_id}/{build_no}/real-time-log", real_time_log_v3),
    PublishedRoute(ANALYSIS, "GET", "/v1/log/{job_id}/{build_no}/analysis", analysis),
    PublishedRoute("ShowReportSummary", "GET", "/v1/report/{job_id}/summary", report_summary),
    # One build, by the id of its record.
    PublishedRoute("ShowBuildRecordFullStages", "GET", "/v1/record/{record_id}/full-stages", build_stages),
    PublishedRoute("DownloadBuildFullLog", "GET", "/v1/log/{record_id}/download-log", download_log),
    PublishedRoute("DownloadBuildLog", "GET", "/v4/{record_id}/download-log", download_log),
    PublishedRoute("DownloadTaskLog", "GET", "/v4/{record_id}/task-log", task_log),
    PublishedRoute("ShowBuildRecordFlowGraph", "GET", "/v1/record/{record_id}/flow-graph", flow_graph),
    PublishedRoute("ShowFlowGraph", "GET", "/v3/{record_id}/flow-graph", flow_graph_v3),
    # A job or a project as a whole.
    PublishedRoute("ShowJobConfig", "GET", "/v1/job/{job_id}/config", job_config),
    PublishedRoute("ShowJobStatus", "GET", "/v3/jobs/{job_id}/status", job_status),
    PublishedRoute("ShowRunningStatus", "GET", "/v1/job/{job_id}/running-status", running_status),
    PublishedRoute("ListBuildInfoRecordByJobId", "GET", "/v1/record/{job_id}/list", list_builds),
    PublishedRoute("ListBuildInfoRecord", "GET", "/v3/jobs/{job_id}/build-info-records", list_builds_v3),
    PublishedRoute("ListProjectJobs", "GET", "/v1/job/{project_id}/list", list_project_jobs),
    PublishedRoute("ShowJobListByProjectId", "GET", "/v3/{project_id}/jobs", list_project_jobs_v3),
    # Starting and stopping.
    PublishedRoute("ExecuteJob", "POST", "/v1/job/execute", execute_job),
    PublishedRoute("RunJob", "POST", "/v3/jobs/build", run_job),
    PublishedRoute("StopBuildJob", "POST", "/v3/jobs/{job_id}/{build_no}/stop", stop_build_job),
    PublishedRoute("StopTheJob", "POST", "/v1/job/{job_id}/stop", stop_the_job),
)

NO_ROUTE = PublishedRoute("", "", "", lambda _backend, _call: not_published(), open=True)
"""The answer to a request to any other path."""

_PATTERNS = tuple((route, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.template))) for route in ROUTES)


def route_of(method: str, path: str, *, unpublished: Collection[str] = ()) -> tuple[PublishedRoute, Mapping[str, str]]:
    """Return the route of a request and the parameters in its path; `NO_ROUTE` if none is published."""
    for route, pattern in _PATTERNS:
        if route.method == method and (found := pattern.fullmatch(path)) and route.operation not in unpublished:
            return route, found.groupdict()
    return NO_ROUTE, {}
