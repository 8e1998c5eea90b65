"""Convert JSON to model types: the only module that knows the service's field names.

Shapes as of the pages ShowJobBuildRecordDetail, ShowBuildInfoRecord, ListBuildInfoRecordByJobId,
ShowBuildRecordFullStages and ShowReportSummary (2026-02-05). Numbers may come as text. Unknown fields are
ignored; a missing field that is needed raises `InvalidAnswer` with its path.
"""

from datetime import timedelta

from gate.codearts import json_fields
from gate.codearts.json_fields import Json
from gate.errors import InvalidAnswer
from gate.limits import MAX_STAGE, MAX_STAGES, MAX_TEXT
from gate.model import ListedBuild, Order, Record, Stage, UnitTests
from gate.text import one_line


def order_to(order: Order) -> Json:
    """Return the body of ExecuteJob and RunJob.

    `scm` with a branch is documented for v3 only, but was seen to work on v1 (David-piex/codearts-mcp, 2026-04-19).
    """
    body: Json = {"job_id": order.job_id}
    if order.parameters:
        body["parameter"] = [{"name": name, "value": value} for name, value in order.parameters]
    if order.tag:
        body["scm"] = {"build_tag": order.tag, "build_type": "tag"}
    elif order.commit:
        body["scm"] = {"build_commit_id": order.commit, "build_type": "commitId"}
    elif order.branch:
        body["scm"] = {"branch": order.branch, "build_type": "branch"}
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
        commit=json_fields.text(result, "commit"),
        created_at=json_fields.time(result, "create_time"),
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
        started_at=started,
        finished_at=started + timedelta(seconds=duration) if finished and started and duration is not None else None,
        duration_seconds=duration,
    )


def builds_of(document: Json) -> list[ListedBuild]:
    """Return the builds on one page of a job's list: `result.job_build_states`."""
    rows = json_fields.inner(document, "result").get("job_build_states") or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InvalidAnswer("the answer has no list of objects at result.job_build_states")
    return [
        ListedBuild(
            number=json_fields.build_number(row, "number", f"result.job_build_states[{index}].number"),
            commit=json_fields.text(row, "commit_id"),
            started_at=json_fields.time(row, "start_time"),
            duration_seconds=json_fields.seconds(row, "build_time"),
            word=json_fields.text(row, "state"),
            run_word=json_fields.text(row, "job_running_status"),
        )
        for index, row in enumerate(rows)
    ]


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
        )
        for name, row in rows[:MAX_STAGES]
    ]


def unit_tests_of(document: Json, job_id: str, build_number: int) -> UnitTests | None:
    """Return the totals of `report/{job_id}/summary`; `None` when there is no `result.summary`.

    Raises `InvalidAnswer` when they belong to another build, or report no success without any failure.
    """
    result = document.get("result")
    summary = result.get("summary") if isinstance(result, dict) else None
    if not isinstance(summary, dict):
        return None
    total, failures, errors = (json_fields.integer(summary.get(name)) for name in ("total", "failures", "errors"))
    if total is None or failures is None or errors is None or min(total, failures, errors) < 0:
        raise InvalidAnswer("the answer has no valid totals at result.summary")
    job, number = json_fields.owner_id(summary, "job_id"), summary.get("build_no")
    if job not in ("", job_id) or (number is not None and json_fields.integer(number) != build_number):
        raise InvalidAnswer(f"the unit tests belong to another build than {build_number}")
    if summary.get("is_success") is False and not failures and not errors:
        raise InvalidAnswer("the unit tests are reported as unsuccessful, but none of them failed")
    return UnitTests(total=total, failures=failures, errors=errors)
