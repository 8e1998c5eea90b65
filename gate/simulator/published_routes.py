"""Every operation that the simulator publishes, as one table."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from gate.simulator import build_lists, log_operations, operations, orders, project_lists
from gate.simulator.build_backend import BuildBackend
from gate.simulator.calls import Call
from gate.simulator.http_answers import HttpAnswer, not_published

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
    PublishedRoute(
        "ShowJobBuildRecordDetail", "GET", "/v1/record/{job_id}/{build_no}/record-info", operations.record_detail
    ),
    PublishedRoute("ShowRecordDetail", "GET", "/v4/jobs/{job_id}/{build_no}/record-info", operations.record_detail),
    PublishedRoute(
        "ShowBuildInfoRecord", "GET", "/v1/record/{job_id}/{build_no}/build-info-record", operations.build_info_record
    ),
    PublishedRoute(
        "DownloadBuildRealTimeLog", "GET", "/v1/log/{job_id}/{build_no}/real-time-log", log_operations.real_time_log
    ),
    PublishedRoute(
        "DownloadRealTimeLog", "GET", "/v3/jobs/{job_id}/{build_no}/real-time-log", log_operations.real_time_log_v3
    ),
    PublishedRoute(ANALYSIS, "GET", "/v1/log/{job_id}/{build_no}/analysis", log_operations.analysis),
    PublishedRoute("ShowReportSummary", "GET", "/v1/report/{job_id}/summary", operations.report_summary),
    # One build, by the id of its record.
    PublishedRoute("ShowBuildRecordFullStages", "GET", "/v1/record/{record_id}/full-stages", operations.build_stages),
    PublishedRoute("DownloadBuildFullLog", "GET", "/v1/log/{record_id}/download-log", log_operations.download_log),
    PublishedRoute("DownloadBuildLog", "GET", "/v4/{record_id}/download-log", log_operations.download_log),
    PublishedRoute("DownloadTaskLog", "GET", "/v4/{record_id}/task-log", log_operations.task_log),
    PublishedRoute("ShowBuildRecordFlowGraph", "GET", "/v1/record/{record_id}/flow-graph", operations.flow_graph),
    PublishedRoute("ShowFlowGraph", "GET", "/v3/{record_id}/flow-graph", operations.flow_graph_v3),
    # A job or a project as a whole.
    PublishedRoute("ShowJobConfig", "GET", "/v1/job/{job_id}/config", operations.job_config),
    PublishedRoute("ShowJobStatus", "GET", "/v3/jobs/{job_id}/status", operations.job_status),
    PublishedRoute("ShowRunningStatus", "GET", "/v1/job/{job_id}/running-status", operations.running_status),
    PublishedRoute("ListBuildInfoRecordByJobId", "GET", "/v1/record/{job_id}/list", build_lists.list_builds),
    PublishedRoute("ListBuildInfoRecord", "GET", "/v3/jobs/{job_id}/build-info-records", build_lists.list_builds_v3),
    PublishedRoute("ListProjectJobs", "GET", "/v1/job/{project_id}/list", project_lists.list_project_jobs),
    PublishedRoute("ShowJobListByProjectId", "GET", "/v3/{project_id}/jobs", project_lists.list_project_jobs_v3),
    # Starting and stopping.
    PublishedRoute("ExecuteJob", "POST", "/v1/job/execute", orders.execute_job),
    PublishedRoute("RunJob", "POST", "/v3/jobs/build", orders.run_job),
    PublishedRoute("StopBuildJob", "POST", "/v3/jobs/{job_id}/{build_no}/stop", orders.stop_build_job),
    PublishedRoute("StopTheJob", "POST", "/v1/job/{job_id}/stop", orders.stop_the_job),
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
