"""Every operation that the simulator publishes, as one table."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from gate.simulator import commands, lists, operations
from gate.simulator.answers import Answer, not_published
from gate.simulator.calls import Call
from gate.simulator.journal import SIGN_IN
from gate.simulator.service import Service


class Route(NamedTuple):
    """One operation, by the vendor's name for it."""

    operation: str
    method: str
    template: str
    handler: Callable[[Service, Call], Answer]
    open: bool = False
    """Whether it needs no credential."""


ROUTES = (
    Route(SIGN_IN, "POST", "/v3/auth/tokens", lambda service, call: service.iam.sign_in(call), open=True),
    # One build, by the number within its job.
    Route("ShowJobBuildRecordDetail", "GET", "/v1/record/{job_id}/{build_no}/record-info", operations.record_detail),
    Route("ShowRecordDetail", "GET", "/v4/jobs/{job_id}/{build_no}/record-info", operations.record_detail),
    Route("ShowRecordInfo", "GET", "/v3/jobs/{job_id}/{build_no}/record-info", operations.record_info),
    Route(
        "ShowBuildInfoRecord", "GET", "/v1/record/{job_id}/{build_no}/build-info-record", operations.build_info_record
    ),
    Route("ShowBuildDetails", "GET", "/v1/job/{job_id}/{build_no}/build-info", operations.build_details),
    Route("ShowHistoryDetails", "GET", "/v3/jobs/{job_id}/{build_no}/history-details", operations.history_details),
    Route("ShowReportSummary", "GET", "/v1/report/{job_id}/summary", operations.report_summary),
    Route("ShowJobStepStatus", "GET", "/v1/job/{job_id}/status", operations.step_status),
    # One build, by the id of its record.
    Route("ShowBuildRecord", "GET", "/v1/record/{record_id}/info", operations.build_record),
    Route("ShowBuildRecordFullStages", "GET", "/v1/record/{record_id}/full-stages", operations.full_stages),
    Route("DownloadBuildFullLog", "GET", "/v1/log/{record_id}/download-log", operations.download_log),
    Route("DownloadBuildLog", "GET", "/v4/{record_id}/download-log", operations.download_log),
    # A job as a whole.
    Route("ShowJobStatus", "GET", "/v3/jobs/{job_id}/status", operations.job_status),
    Route("ShowRunningStatus", "GET", "/v1/job/{job_id}/running-status", operations.running_status),
    Route("ListBuildInfoRecordByJobId", "GET", "/v1/record/{job_id}/list", lists.builds),
    Route("ListBuildInfoRecord", "GET", "/v3/jobs/{job_id}/build-info-records", lists.builds_v3),
    # Starting and stopping.
    Route("ExecuteJob", "POST", "/v1/job/execute", commands.execute_job),
    Route("RunJob", "POST", "/v3/jobs/build", commands.run_job),
    Route("StopBuildJob", "POST", "/v3/jobs/{job_id}/{build_no}/stop", commands.stop_build_job),
    Route("StopJob", "POST", "/v3/jobs/stop", commands.stop_job),
    Route("StopTheJob", "POST", "/v1/job/{job_id}/stop", commands.stop_the_job),
)

NO_ROUTE = Route("", "", "", lambda _service, _call: not_published(), open=True)
"""What becomes of a request to any other path."""

_PATTERNS = tuple((route, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.template))) for route in ROUTES)


def route_of(method: str, path: str, *, unpublished: Collection[str] = ()) -> tuple[Route, Mapping[str, str]]:
    """Return the route of a request and the parameters in its path; `NO_ROUTE` without one that is published."""
    for route, pattern in _PATTERNS:
        if route.method == method and (found := pattern.fullmatch(path)) and route.operation not in unpublished:
            return route, found.groupdict()
    return NO_ROUTE, {}
