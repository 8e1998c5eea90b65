"""JSON to model: the only file that spells the service's field names.

Shapes as of the pages ShowJobBuildRecordDetail, ShowBuildInfoRecord, ListBuildInfoRecordByJobId,
ShowBuildRecordFullStages and ShowReportSummary (2026-02-05). Numbers may come as text, and the v3 record in camelCase.
Unknown fields are ignored. A missing one that matters raises `InvalidAnswer` with its path.
"""

from datetime import timedelta

from gate.codearts import json_fields
from gate.codearts.json_fields import Json
from gate.errors import InvalidAnswer
from gate.limits import MAX_STAGE, MAX_STAGES, MAX_TEXT
from gate.model import ListedBuild, Order, Record, Stage, UnitTests
from gate.text import one_line


def order_to(order: Order) -> Json:
    """Write the body of ExecuteJob and RunJob.

    `scm` with a branch is documented for v3 only, and was seen to work on v1 (David-piex/codearts-mcp, 2026-04-19).
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
    """Read the answer to an order: `actual_build_number`, under `result` (v1, as observed) or at the top level (v3).

    `daily_build_number`, which stands beside it, counts the builds of a day and names no build.
    """
    result = document.get("result")
    place = result if isinstance(result, dict) else document
    return json_fields.number(place, "actual_build_number", "actual_build_number")


def record_of(document: Json) -> Record:
    """Read `record-info` (v1 and v4): `result` is the record, `result.status` its word."""
    result = json_fields.inner(document, "result")
    return Record(
        job_id=json_fields.owner(result, "codeci_job_id"),
        build_number=json_fields.number(result, "build_no", "result.build_no"),
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
    """Read `build-info-record` (v1): `result.state` is the word, `result.job_running_status` the run word."""
    result = json_fields.inner(document, "result")
    started, duration = json_fields.time(result, "start_time"), json_fields.seconds(result, "build_time")
    finished = json_fields.text(result, "job_running_status") == "Finished" and started and duration is not None
    return Record(
        job_id="",
        build_number=json_fields.number(result, "number", "result.number"),
        word=json_fields.text(result, "state"),
        run_word=json_fields.text(result, "job_running_status") or "",
        branch=json_fields.text(result, "code_branch"),
        commit=json_fields.text(result, "commit_id"),
        started_at=started,
        finished_at=started + timedelta(seconds=duration) if finished and started and duration is not None else None,
        duration_seconds=duration,
    )


def builds_of(document: Json) -> list[ListedBuild]:
    """Read one page of a job's builds: `result.job_build_states`."""
    rows = json_fields.inner(document, "result").get("job_build_states") or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InvalidAnswer("the answer has no list of objects at result.job_build_states")
    return [
        ListedBuild(
            number=json_fields.number(row, "number", f"result.job_build_states[{index}].number"),
            commit=json_fields.text(row, "commit_id"),
            started_at=json_fields.time(row, "start_time"),
            duration_seconds=json_fields.seconds(row, "build_time"),
            word=json_fields.text(row, "state"),
            run_word=json_fields.text(row, "job_running_status"),
        )
        for index, row in enumerate(rows)
    ]


def is_running_of(document: Json) -> bool | None:
    """Read `/v3/jobs/{job_id}/status`: `result` is true, false, or not there."""
    result = document.get("result")
    if result is None or isinstance(result, bool):
        return result
    raise InvalidAnswer(f"the answer has a {type(result).__name__} at result, not true or false")


def stages_of(document: Json) -> list[Stage]:
    """Read `full-stages`: `result.build_stages` maps names to stages, whose `sequence` is their order."""
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
    """Read `report/{job_id}/summary`: `result.summary` has the totals; nothing there means that there are none.

    Raises `InvalidAnswer` when they are another build's, or say "not successful" without saying what failed.
    """
    result = document.get("result")
    summary = result.get("summary") if isinstance(result, dict) else None
    if not isinstance(summary, dict):
        return None
    total, failures, errors = (json_fields.whole(summary.get(name)) for name in ("total", "failures", "errors"))
    if total is None or failures is None or errors is None or min(total, failures, errors) < 0:
        raise InvalidAnswer("the answer has no totals at result.summary")
    job, number = json_fields.owner(summary, "job_id"), summary.get("build_no")
    if job not in ("", job_id) or (number is not None and json_fields.whole(number) != build_number):
        raise InvalidAnswer(f"the unit tests are not those of build {build_number}, but of another one")
    if summary.get("is_success") is False and not failures and not errors:
        raise InvalidAnswer("the unit tests were no success, but none of them failed")
    return UnitTests(total=total, failures=failures, errors=errors)
