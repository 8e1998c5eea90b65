"""Convert JSON to model types: the only module that knows the service's field names.

Shapes as of the pages ShowJobBuildRecordDetail, ShowBuildInfoRecord, ListBuildInfoRecordByJobId,
ShowBuildRecordFullStages, ShowReportSummary and ListProjectJobs (2026-02-05). Numbers may come as text. Unknown fields
are ignored; a missing field that is needed raises `InvalidAnswer` with its path.
"""

from datetime import timedelta

from gate.codearts import json_fields
from gate.codearts.json_fields import Json
from gate.errors import InvalidAnswer
from gate.limits import MAX_CHILDREN, MAX_FAILED_STEPS, MAX_STAGE, MAX_STAGES, MAX_TEXT
from gate.model import (
    BuildPage,
    ChildBuild,
    FailedStep,
    JobConfig,
    ListedBuild,
    LogPiece,
    Order,
    ProjectRow,
    Record,
    RunningStatus,
    Stage,
    UnitTests,
)
from gate.text import one_line


def order_to(job_id: str, order: Order) -> Json:
    """Return the body of ExecuteJob and RunJob, with the short name of a branch or tag: CI systems have the full one.

    `scm` with a branch is documented for v3 only, but was seen to work on v1 (David-piex/codearts-mcp, 2026-04-19).
    """
    body: Json = {"job_id": job_id}
    if order.parameters:
        body["parameter"] = [{"name": name, "value": value} for name, value in order.parameters]
    if order.tag:
        body["scm"] = {"build_tag": order.tag.removeprefix("refs/tags/"), "build_type": "tag"}
    elif order.commit:
        body["scm"] = {"build_commit_id": order.commit, "build_type": "commitId"}
    elif order.branch:
        body["scm"] = {"branch": order.branch.removeprefix("refs/heads/"), "build_type": "branch"}
    return body


def started_number_of(document: Json) -> int:
    """Return the `actual_build_number` of the answer to an order, under `result` (v1) or at the top level (v3).

    `daily_build_number`, the field beside it, counts the builds of one day and does not identify a build.
    """
    result = document.get("result")
    answer = result if isinstance(result, dict) else document
    return json_fields.build_number(answer, "actual_build_number", "actual_build_number")


def record_of(document: Json) -> Record:
    """Return the record of `record-info` (v1 and v4); its word is `result.status`."""
    result = json_fields.inner(document, "result")
    return Record(
        job_id=json_fields.owner_id(result, "codeci_job_id"),
        build_number=json_fields.build_number(result, "build_no", "result.build_no"),
        word=json_fields.text(result, "status"),
        record_id=json_fields.identifier(result, "build_record_id"),
        branch=json_fields.text(result, "branch"),
        tag=json_fields.text(result, "tag"),
        commit=json_fields.text(result, "commit"),
        parent_record_id=json_fields.owner_id(result, "parent_record_id") or None,
        project_id=json_fields.identifier(result, "devcloud_project_id"),
        daily_number=json_fields.daily_number(result.get("daily_build_num")),
        created_at=json_fields.time(result, "create_time"),
        queued_at=json_fields.time(result, "queued_time"),
        started_at=json_fields.time(result, "start_time"),
        finished_at=json_fields.time(result, "finish_time"),
        duration_seconds=json_fields.seconds(result, "duration"),
        message=json_fields.text(result, "err_msg"),
    )


def short_record_of(document: Json) -> Record:
    """Return the record of `build-info-record` (v1); its words are `result.state` and `result.job_running_status`."""
    result = json_fields.inner(document, "result")
    started, duration = json_fields.time(result, "start_time"), json_fields.seconds(result, "build_time")
    finished = json_fields.text(result, "job_running_status") == "Finished" and started and duration is not None
    return Record(
        job_id="",
        build_number=json_fields.build_number(result, "number", "result.number"),
        word=json_fields.text(result, "state"),
        run_word=json_fields.text(result, "job_running_status") or "",
        branch=json_fields.text(result, "code_branch"),
        commit=json_fields.text(result, "commit_id"),
        daily_number=json_fields.daily_number(result.get("daily_build_number")),
        started_at=started,
        finished_at=started + timedelta(seconds=duration) if finished and started and duration is not None else None,
        duration_seconds=duration,
    )


def build_page_of(document: Json) -> tuple[int, BuildPage]:
    """Return the number of rows on one page of a job's builds, and the page: `result.job_build_states`.

    A row without a build number is left out and named in `BuildPage.problem`, because it may be any build. So is a
    count of builds without any rows.
    """
    result = json_fields.inner(document, "result")
    found = result.get("job_build_states")
    if not isinstance(found, list | None):
        raise InvalidAnswer("the answer has no list at result.job_build_states")
    sent = found or []
    rows = [row for row in map(_listed_build, sent) if row is not None]
    total = json_fields.integer(result.get("total_record"))
    total = None if total is None or total < 0 else total
    problem = ""
    if len(rows) < len(sent):
        problem = f"{len(sent) - len(rows)} of its {len(sent)} rows have no build number"
    elif found is None and total != 0:
        problem = "it has no rows"
    return len(sent), BuildPage(rows, total=total, problem=problem)


def _listed_build(row: object) -> ListedBuild | None:
    """Return one row of a job's builds; `None` for one without a build number."""
    number = json_fields.possible_build_number(row, "number") if isinstance(row, dict) else None
    if not isinstance(row, dict) or number is None:
        return None
    return ListedBuild(
        number=number,
        commit=json_fields.text(row, "commit_id"),
        started_at=json_fields.time(row, "start_time"),
        duration_seconds=json_fields.seconds(row, "build_time"),
        word=json_fields.text(row, "state"),
        run_word=json_fields.text(row, "job_running_status"),
        branch=json_fields.text(row, "code_branch"),
    )


def running_status_of(document: Json, job_id: str) -> RunningStatus:
    """Return what ShowRunningStatus says of a job; nothing when the answer is about another one."""
    result = json_fields.inner(document, "result")
    if json_fields.owner_id(result, "last_job_id") not in ("", job_id):
        return RunningStatus()
    is_running = result.get("is_running")
    return RunningStatus(
        build_number=json_fields.possible_build_number(result, "last_build_no"),
        run_word=json_fields.text(result, "last_build_status"),
        is_running=is_running if isinstance(is_running, bool) else None,
    )


def is_running_of(document: Json) -> bool | None:
    """Return `result` of `/v3/jobs/{job_id}/status`, which is true, false or missing (`None`)."""
    result = document.get("result")
    if result is None or isinstance(result, bool):
        return result
    raise InvalidAnswer(f"the answer has neither true nor false at result, but a {type(result).__name__}")


def stages_of(document: Json) -> list[Stage]:
    """Return the stages of `full-stages`: `result.build_stages` maps names to stages, ordered by their `sequence`."""
    stages = json_fields.inner(document, "result").get("build_stages") or {}
    if not isinstance(stages, dict):
        raise InvalidAnswer("the answer has no object at result.build_stages")
    rows = [(name, row) for name, row in stages.items() if isinstance(row, dict)]
    rows.sort(key=lambda item: json_fields.plain_number(item[1].get("sequence")) or 0)
    return [
        Stage(
            name=one_line((json_fields.text(row, "display_name") or name)[:MAX_TEXT], limit=MAX_STAGE),
            state=(json_fields.text(row, "status") or "")[:MAX_STAGE],
            started_at=json_fields.time(row, "start_time"),
            duration_seconds=json_fields.seconds(row, "duration"),
            step=(json_fields.text(row, "execution_stage_name") or name)[:MAX_STAGE],
        )
        for name, row in rows[:MAX_STAGES]
    ]


def unit_tests_of(document: Json, job_id: str, build_number: int) -> UnitTests | None:
    """Return the totals of `report/{job_id}/summary` with those of each stage; `None` without a `result.summary`.

    Raises `InvalidAnswer` when a value is unreadable, or when the totals belong to another build.
    """
    result = document.get("result")
    if not isinstance(result, dict) or result.get("summary") is None:
        return None
    parts = json_fields.objects(result, "sub_summarys", "result.sub_summarys")
    summary = _totals(json_fields.inner(result, "summary"), "result.summary", job_id, build_number)
    return summary._replace(
        parts=tuple(
            _totals(part, f"result.sub_summarys[{index}]", job_id, build_number)._replace(
                name=one_line(json_fields.text(part, "stage_name") or f"part {index + 1}", limit=MAX_STAGE)
            )
            for index, part in enumerate(parts)
        )
    )


def _totals(row: Json, path: str, job_id: str, build_number: int) -> UnitTests:
    """Return the unit-test totals of a build or of one of its stages."""
    counts = [json_fields.integer(row.get(name)) for name in ("total", "failures", "errors")]
    total, failures, errors = (count if count is not None and count >= 0 else None for count in counts)
    if total is None or failures is None or errors is None:
        raise InvalidAnswer(f"the answer has no valid totals at {path}")
    job, number = json_fields.owner_id(row, "job_id"), row.get("build_no")
    if job not in ("", job_id) or (number is not None and json_fields.integer(number) != build_number):
        raise InvalidAnswer(f"the unit tests at {path} belong to another build than {build_number}")
    successes = json_fields.integer(row.get("success"))
    if row.get("success") is not None and (successes is None or successes < 0):
        raise InvalidAnswer(f"the answer has no valid number at {path}.success")
    is_success = json_fields.boolean(row.get("is_success"), f"{path}.is_success")
    return UnitTests(total=total, failures=failures, errors=errors, successes=successes, is_success=is_success)


def project_rows_of(document: Json, project_id: str) -> tuple[int, list[ProjectRow]]:
    """Return the number of rows on one page of a project's jobs, and the readable ones.

    The rows are at `result.job_list` (as observed) or at `jobs` (as documented until 2025). They only serve as hints,
    so an unreadable row or value is left out. So is a row that names another CodeArts project, as a host may list the
    jobs of all; the id of a build project, which is a UUID, is not that of a CodeArts project.
    """
    result = document.get("result")
    listed = result.get("job_list") if isinstance(result, dict) else None
    rows = listed if listed is not None else document.get("jobs")
    if not isinstance(rows, list):
        raise InvalidAnswer("the answer has no list at result.job_list or jobs")
    readable = [row for row in rows if isinstance(row, dict) and json_fields.identifier(row, "id")]
    own = [row for row in readable if json_fields.project_id(row, "project_id") in (None, project_id)]
    return len(rows), [_project_row(row) for row in own]


def _project_row(row: Json) -> ProjectRow:
    """Return one job of a project's list."""
    is_finished = row.get("is_finished")
    return ProjectRow(
        job_id=json_fields.identifier(row, "id") or "",
        build_number=json_fields.possible_build_number(row, "build_number"),
        daily_number=json_fields.daily_number(row.get("task_id")),
        word=json_fields.text(row, "last_build_status"),
        run_word=json_fields.text(row, "last_job_running_status"),
        is_finished=is_finished if isinstance(is_finished, bool) else None,
        name=json_fields.text(row, "job_name"),
    )


def job_config_of(document: Json) -> JobConfig:
    """Return what ShowJobConfig says of a job, of which only the name and the CodeArts project are read."""
    result = json_fields.inner(document, "result")
    return JobConfig(name=json_fields.text(result, "job_name"), project_id=json_fields.identifier(result, "project_id"))


def log_piece_of(document: Json, offset: int) -> LogPiece:
    """Return a part of a growing log (v1: `log`, `end_offset`, `has_more`; v3: `content`, `offset`, `has_more_data`).

    `offset`: where the part was requested from. An answer that ends before it means that the log has started again; its
    text is dropped, and the next offset is 0. The flag for more text counts only together with some text.
    """
    result = json_fields.inner(document, "result")
    text = result.get("log", result.get("content"))
    if not isinstance(text, str | None):
        raise InvalidAnswer("the answer has no text at result.log or result.content")
    end = json_fields.integer(result.get("end_offset", result.get("offset")))
    if end is None or end < 0:
        if text:
            raise InvalidAnswer("the answer has no valid offset at result.end_offset or result.offset")
        end = offset
    if end < offset:
        return LogPiece(text="", next_offset=0, has_more=False)
    if not text or end == offset:
        return LogPiece(text="", next_offset=end, has_more=False)
    start = json_fields.integer(result.get("start_offset"))  # what v3's `current_offset` means is not documented
    return LogPiece(
        text,
        next_offset=end,
        has_more=result.get("has_more", result.get("has_more_data")) is True,
        is_gap=start is not None and start > offset,
    )


def failed_steps_of(document: Json) -> list[FailedStep]:
    """Return the failed steps of `analysis`: `error_nodes`, under `result` or at the top level."""
    result = document.get("result")
    answer = result if isinstance(result, dict) else document
    steps = []
    for row in json_fields.objects(answer, "error_nodes", "error_nodes")[:MAX_FAILED_STEPS]:
        error = row.get("error_info")
        details = error if isinstance(error, dict) else {}
        step = FailedStep(
            step=one_line(json_fields.text(row, "step") or "", limit=MAX_STAGE),
            code=one_line(json_fields.text(details, "error_code") or "", limit=MAX_STAGE),
            message=one_line(json_fields.text(details, "error_message") or ""),
        )
        if any(step):
            steps.append(step)
    return steps


def child_builds_of(document: Json) -> list[ChildBuild]:
    """Return the child builds of `flow-graph`: `result.vertices`; none for a build with a single job."""
    result = document.get("result")
    vertices = json_fields.objects(result, "vertices", "result.vertices") if isinstance(result, dict) else []
    return [_child_build(row, index) for index, row in enumerate(vertices[:MAX_CHILDREN])]


def _child_build(row: Json, index: int) -> ChildBuild:
    """Return one child build; `index` names one that has no name."""
    return ChildBuild(
        name=one_line(json_fields.text(row, "display_name") or f"job {index + 1}", limit=MAX_STAGE),
        state=(json_fields.text(row, "status") or "")[:MAX_STAGE] or None,
        build_number=json_fields.possible_build_number(row, "build_no"),
        started_at=json_fields.time(row, "start_time"),
        duration_seconds=json_fields.seconds(row, "build_duration"),
    )
