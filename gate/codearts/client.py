"""The operations of CodeArts Build that the gate uses, one method each, with their fallback routes."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote

from gate.codearts import json_fields, wire_format
from gate.codearts.fallback_routes import Routes
from gate.codearts.log_lines import LogLines
from gate.codearts.log_text import LogEnd, WholeLog
from gate.errors import InvalidAnswer, ServiceError, StartLost, TransientError
from gate.model import (
    BuildPage,
    ChildBuild,
    FailedStep,
    JobConfig,
    LogPiece,
    LogTail,
    Order,
    ProjectPage,
    Record,
    RunningStatus,
    Stage,
    Started,
    UnitTests,
)
from gate.vocabulary import FINISHED

PAGE_SIZE = 100
"""Rows on one page of a list: the service's limit."""

V3_LOG_LENGTH = 200_000
"""The length of a part of a growing log (DownloadRealTimeLog): escaped in JSON, it stays below the size limit."""

WINDOW = timedelta(days=29)
"""How far back builds are listed. The service refuses more than 31 days (CB.00031105); the window ends a day ahead,
because the service interprets the times in a local zone."""

RECORD_ROUTES = (
    ("/v1/record/{job_id}/{build_number}/record-info", wire_format.record_of),
    ("/v4/jobs/{job_id}/{build_number}/record-info", wire_format.record_of),
    ("/v1/record/{job_id}/{build_number}/build-info-record", wire_format.short_record_of),
)
"""The paths to the record of one build, with the function that reads each answer: ShowJobBuildRecordDetail, the older
ShowRecordDetail, and ShowBuildInfoRecord."""

FULL_RECORDS = 2
"""How many of them say everything. The last one does not say that a build is a part of a multi-job build."""

BUILD_LIST_ROUTES = ("/v1/record/{job_id}/list", "/v3/jobs/{job_id}/build-info-records")
"""The paths to the list of a job's builds: ListBuildInfoRecordByJobId, and the older ListBuildInfoRecord."""

PROJECT_LIST_ROUTES = ("/v1/job/{project_id}/list", "/v3/{project_id}/jobs")
"""The paths to the list of a project's jobs: ListProjectJobs, and the older ShowJobListByProjectId."""


ALREADY_ENDED = "DEV.CB.032302"
"""The error code for stopping a build that has already ended ("the task status has been refreshed")."""


class Client:
    """Reads jobs and builds from CodeArts Build, and starts and stops builds."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    def now(self) -> datetime:
        """Return the time of day by the service's clock."""
        return self._routes.session.now()

    def local_now(self) -> datetime:
        """Return the time of day by this machine's clock."""
        return self._routes.session.local_now()

    def is_running(self, job_id: str) -> bool | None:
        """Return whether the job runs now (ShowJobStatus); `None` when the answer does not tell."""
        return self._routes.first(
            "the job's running state", [self._routes.get(f"/v3/jobs/{job_id}/status", wire_format.is_running_of)]
        )

    def running_status(self, job_id: str) -> RunningStatus:
        """Return what the service says of the job's latest build, queued ones included (ShowRunningStatus)."""
        read = partial(wire_format.running_status_of, job_id=job_id)
        return self._routes.first(
            "the job's latest build", [self._routes.get(f"/v1/job/{job_id}/running-status", read)]
        )

    def record(self, job_id: str, build_number: int) -> Record:
        """Return the record of one build. Raises `InvalidAnswer` for an answer about another build.

        That a build has ended is believed of a short record only where there is no full one.
        """
        what = f"build {build_number}"
        routes = [
            self._routes.get(path.format(job_id=job_id, build_number=build_number), read)
            for path, read in RECORD_ROUTES
        ]
        record = self._routes.first(
            "the record of a build", routes, what, FULL_RECORDS, decides=lambda record: record.run_word == FINISHED
        )
        if record.build_number != build_number or record.job_id not in ("", job_id):
            other = f"build {record.build_number} of job {record.job_id or job_id}"
            raise InvalidAnswer(f"{what}: the answer is about another build, {other}")
        return record

    def build_page(self, job_id: str, page: int) -> BuildPage:
        """Return a page (from 0) of the job's builds of the last weeks (ListBuildInfoRecordByJobId).

        The window of time is computed with the service's clock, as far as that is known when the request is sent; the
        answer may show that it was the wrong window. The times in the query are China's, without a zone. The older
        operation is ListBuildInfoRecord.
        """
        local = self.now().astimezone(json_fields.CHINA)
        start, end = local - WINDOW, local + timedelta(days=1)
        params = {
            "end_time": f"{end:%Y-%m-%d %H:%M:%S}",
            "page_index": page,
            "page_size": PAGE_SIZE,
            "start_time": f"{start:%Y-%m-%d %H:%M:%S}",
        }
        routes = [
            self._routes.get(path.format(job_id=job_id), wire_format.build_page_of, params)
            for path in BUILD_LIST_ROUTES
        ]
        count, found = self._routes.first("the job's builds", routes)
        return found._replace(is_last=count < PAGE_SIZE, window=(start, end))

    def project_page(self, project_id: str, page: int) -> ProjectPage:
        """Return a page (from 0) of the jobs of a CodeArts project, each with its last build.

        The operations are ListProjectJobs, else the older ListJobs. The list's own total is not used, as it does not
        count the rows: a page that is not full is the last one. Pages shift between two requests.
        """
        return self._jobs_page(project_id, {"page_index": page, "page_size": PAGE_SIZE}, decides=False)

    def jobs_page(self, project_id: str, page: int, search: str) -> ProjectPage:
        """Return the same where a verdict depends on it; with `search`, of the jobs whose name contains that."""
        params: dict[str, object] = {"page_index": page, "page_size": PAGE_SIZE}
        if search:
            params["search"] = search
        return self._jobs_page(project_id, params, decides=True)

    def _jobs_page(self, project_id: str, params: Mapping[str, object], *, decides: bool) -> ProjectPage:
        read = partial(wire_format.project_rows_of, project_id=project_id)
        routes = [
            self._routes.get(path.format(project_id=project_id), read, params, decides=decides)
            for path in PROJECT_LIST_ROUTES
        ]
        count, rows = self._routes.first("the jobs of the project", routes)
        return ProjectPage(rows, is_last=count < PAGE_SIZE)

    def job_config(self, job_id: str) -> JobConfig:
        """Return the name of a job and its CodeArts project (ShowJobConfig)."""
        route = self._routes.get(f"/v1/job/{job_id}/config", wire_format.job_config_of, decides=False)
        return self._routes.first("the job's configuration", [route])

    def stages(self, record_id: str) -> Sequence[Stage]:
        """Return the stages of a build in their order (ShowBuildRecordFullStages)."""
        path = f"/v1/record/{quote(record_id, safe='')}/full-stages"
        stages = self._routes.first("the stages", [self._routes.get(path, wire_format.stages_of, decides=False)])
        hide = self._routes.session.hide  # a stage may be named by a field, in which nothing is masked yet
        return [stage._replace(name=hide(stage.name)) for stage in stages]

    def unit_tests(self, job_id: str, build_number: int) -> UnitTests | None:
        """Return the totals of a build's unit tests (ShowReportSummary); `None` when the service has none."""
        read = partial(wire_format.unit_tests_of, job_id=job_id, build_number=build_number)
        route = self._routes.get(f"/v1/report/{job_id}/summary", read, {"build_no": build_number})
        return self._routes.first("the unit tests", [route])

    def log_tail(self, record_id: str, lines: int, seconds: float) -> LogTail:
        """Return the last lines of a build's log, as far as it comes within `seconds` (DownloadBuildFullLog).

        The log may have any length; it is read as it comes, and only its end is kept.
        """
        end = LogEnd()
        missing = self._read_log(record_id, end, seconds)
        return self._tail(end, lines, missing)

    def whole_log(self, record_id: str, lines: int, seconds: float, write: Callable[[str], None]) -> LogTail:
        """Hand the text of a build's log to `write` as it comes; otherwise like `log_tail`. Secrets are masked."""
        end, whole = LogEnd(), WholeLog(self._routes.session.masker, write)

        def take(data: bytes) -> None:
            end(data)
            whole(data)

        missing = self._read_log(record_id, take, seconds)
        whole.end()
        return self._tail(end, lines, missing)

    def step_log(self, record_id: str, step: str, lines: int, seconds: float) -> LogTail:
        """Return the last lines of the log of one stage, `Stage.step`, like `log_tail`.

        The operation belongs to the group that is out of date. Raises `InvalidAnswer` for an empty log.
        """
        end = LogEnd()
        path = f"/v4/{quote(record_id, safe='')}/task-log"
        route = self._routes.text(path, {"task_name": step, "log_level": "INFO"}, end, time.monotonic() + seconds)
        tail = self._tail(end, lines, self._routes.first("the log of a step", [route]))
        if not tail.lines:
            raise InvalidAnswer("the log of a step is empty")
        return tail

    def _read_log(self, record_id: str, sink: Callable[[bytes], None], seconds: float) -> str:
        """Read the whole log of a build; return why the rest is missing."""
        until = time.monotonic() + seconds
        record = quote(record_id, safe="")
        paths = (f"/v1/log/{record}/download-log", f"/v4/{record}/download-log")
        routes = [self._routes.text(path, {"log_level": "INFO"}, sink, until) for path in paths]
        return self._routes.first("the log", routes)

    def _tail(self, end: LogEnd, lines: int, missing: str) -> LogTail:
        last = end.last_lines(lines, self._routes.session.masker, is_complete=not missing)
        return LogTail(last, line_count=end.line_count, missing=missing)

    def log_lines(self) -> LogLines:
        """Return what makes lines of the pieces of one growing log. It is no request, and has a state of its own."""
        return LogLines(self._routes.session.masker)

    def log_piece(self, job_id: str, build_number: int, offset: int) -> LogPiece:
        """Return the next part of the log of a build that may still be running, from `offset` (first 0).

        It ends anywhere, also within a secret: only `log_lines` makes of it what may be shown
        (DownloadBuildRealTimeLog, else the older DownloadRealTimeLog).
        """
        read = partial(wire_format.log_piece_of, offset=offset)
        path = f"{job_id}/{build_number}/real-time-log"
        routes = [
            self._routes.get(f"/v1/log/{path}", read, {"size": 1000, "start_offset": offset}, decides=False),
            self._routes.get(f"/v3/jobs/{path}", read, {"length": V3_LOG_LENGTH, "offset": offset}, decides=False),
        ]
        return self._routes.first("the log of the running build", routes)

    def failed_steps(self, job_id: str, build_number: int) -> Sequence[FailedStep]:
        """Return the failed steps of a build with their errors. The operation is undocumented, but was seen to work."""
        path = f"/v1/log/{job_id}/{build_number}/analysis"
        route = self._routes.get(path, wire_format.failed_steps_of, decides=False)
        return self._routes.first("the analysis of the failure", [route])

    def child_builds(self, record_id: str) -> Sequence[ChildBuild]:
        """Return the child builds of a multi-job build; none for others (ShowBuildRecordFlowGraph, ShowFlowGraph)."""
        record = quote(record_id, safe="")
        paths = (f"/v1/record/{record}/flow-graph", f"/v3/{record}/flow-graph")
        return self._routes.first(
            "the child builds", [self._routes.get(path, wire_format.child_builds_of, decides=False) for path in paths]
        )

    def start(self, job_id: str, order: Order, may_send: Callable[[], bool]) -> Started:
        """Start a build of a job (ExecuteJob; the older RunJob where that is not published).

        `may_send` is called immediately before the first byte of the order is written, after signing in and connecting.
        If it returns false, nothing is sent and `OrderNotSent` is raised.

        The order is sent once. Raises `StartLost` when it is unknown whether a build was started, and a
        `TransientError` only when none was: the order was not sent, or the service refused to admit it (`Throttled`).
        """
        body = wire_format.order_to(job_id, order)
        ordered_at = self.now()

        def note_time() -> bool:
            nonlocal ordered_at
            ordered_at = self.now()
            return may_send()

        routes = [
            self._routes.post("/v1/job/execute", wire_format.started_number_of, body, may_send=note_time),
            self._routes.post("/v3/jobs/build", wire_format.started_number_of, body, may_send=note_time),
        ]
        try:
            return Started(self._routes.first("starting a build", routes), ordered_at)
        except TransientError as error:
            if not error.sent:
                raise
            raise StartLost(
                f"it is unknown whether a build was started: {error}", status=error.status, code=error.code
            ) from error

    def stop(self, job_id: str, build_number: int, seconds: float) -> bool:
        """Stop exactly this build, each request within `seconds`; return false when it had ended before.

        Where `TransientError.sent` is true, the build may have been stopped although there is no usable answer.

        StopBuildJob has the number in its path. StopTheJob is the fallback: the vendor's SDK sends the number in the
        query, its Terraform provider in the body, so both are sent.
        """
        number = {"build_no": build_number}
        routes = [
            self._routes.post(f"/v3/jobs/{job_id}/{build_number}/stop", lambda _: None, seconds=seconds),
            self._routes.post(f"/v1/job/{job_id}/stop", lambda _: None, body=number, params=number, seconds=seconds),
        ]
        try:
            self._routes.first("stopping a build", routes, f"stopping build {build_number}")
        except ServiceError as error:
            if error.code == ALREADY_ENDED:
                return False
            raise
        return True
