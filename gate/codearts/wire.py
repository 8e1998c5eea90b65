"""JSON to model: the only file that spells the service's field names.

Shapes as of the pages ShowJobBuildRecordDetail, ShowBuildInfoRecord, ListBuildInfoRecordByJobId,
ShowBuildRecordFullStages and ShowReportSummary (2026-02-05). Numbers may come as text, and the v3 record in camelCase.
Unknown fields are ignored. A missing one that matters raises `InvalidAnswer` with its path.
"""

import math
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from gate.bounds import MAX_STAGES, MAX_TEXT
from gate.errors import InvalidAnswer
from gate.model import Build, Order, Record, Stage, UnitTests

Json = dict[str, Any]

CHINA = timezone(timedelta(hours=8))
"""The zone of the times that the service gives and takes without one."""


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
    return _number(place, "actual_build_number", "actual_build_number")


def record_of(document: Json) -> Record:
    """Read `record-info` (v1 and v4): `result` is the record, `result.status` its word."""
    result = _object(document, "result")
    return Record(
        job_id=_text(result, "codeci_job_id") or "",
        build_number=_number(result, "build_no", "result.build_no"),
        word=_text(result, "status"),
        record_id=_identifier(result, "build_record_id"),
        branch=_text(result, "branch"),
        commit=_text(result, "commit"),
        created_at=_time(result, "create_time"),
        started_at=_time(result, "start_time"),
        finished_at=_time(result, "finish_time"),
        duration_seconds=_seconds(result, "duration"),
        message=_text(result, "err_msg"),
    )


def short_record_of(document: Json) -> Record:
    """Read `build-info-record` (v1): `result.state` is the word, `result.job_running_status` the run word."""
    result = _object(document, "result")
    started, duration = _time(result, "start_time"), _seconds(result, "build_time")
    finished = _text(result, "job_running_status") == "Finished" and started and duration is not None
    return Record(
        job_id="",
        build_number=_number(result, "number", "result.number"),
        word=_text(result, "state"),
        run_word=_text(result, "job_running_status") or "",
        branch=_text(result, "code_branch"),
        commit=_text(result, "commit_id"),
        started_at=started,
        finished_at=started + timedelta(seconds=duration) if finished and started and duration is not None else None,
        duration_seconds=duration,
    )


def builds_of(document: Json) -> list[Build]:
    """Read one page of a job's builds: `result.job_build_states`."""
    rows = _object(document, "result").get("job_build_states") or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InvalidAnswer("the answer has no list of objects at result.job_build_states")
    return [
        Build(
            number=_number(row, "number", f"result.job_build_states[{index}].number"),
            commit=_text(row, "commit_id"),
            started_at=_time(row, "start_time"),
            duration_seconds=_seconds(row, "build_time"),
            word=_text(row, "state"),
            run_word=_text(row, "job_running_status"),
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
    stages = _object(document, "result").get("build_stages") or {}
    if not isinstance(stages, dict):
        raise InvalidAnswer("the answer has no object at result.build_stages")
    rows = [(name, row) for name, row in stages.items() if isinstance(row, dict)]
    rows.sort(key=lambda item: _plain_number(item[1].get("sequence")) or 0)
    return [
        Stage(
            name=_text(row, "display_name") or name[:MAX_TEXT],
            state=_text(row, "status"),
            started_at=_time(row, "start_time"),
            duration_seconds=_seconds(row, "duration"),
        )
        for name, row in rows[:MAX_STAGES]
    ]


def unit_tests_of(document: Json) -> UnitTests | None:
    """Read `report/{job_id}/summary`: `result.summary` has the totals; nothing there means that there are none."""
    result = document.get("result")
    summary = result.get("summary") if isinstance(result, dict) else None
    if not isinstance(summary, dict):
        return None
    total, failures, errors = (_whole(summary.get(name)) for name in ("total", "failures", "errors"))
    if total is None or failures is None or errors is None or min(total, failures, errors) < 0:
        raise InvalidAnswer("the answer has no totals at result.summary")
    return UnitTests(total=total, failures=failures, errors=errors)


def _object(document: Json, name: str) -> Json:
    value = document.get(name)
    if not isinstance(value, dict):
        raise InvalidAnswer(f"the answer has no object at {name}")
    return value


def _field(row: Json, name: str) -> Any:
    """Give a field by its name in snake_case or in camelCase."""
    first, *rest = name.split("_")
    return row[name] if name in row else row.get(first + "".join(part.capitalize() for part in rest))


def _text(row: Json, name: str) -> str | None:
    value = _field(row, name)
    return value[:MAX_TEXT] if isinstance(value, str) and value else None


def _identifier(row: Json, name: str) -> str | None:
    """Read what becomes a part of a path: a UUID, or nothing."""
    value = _text(row, name)
    return value if value and re.fullmatch(r"[0-9A-Za-z-]{1,64}", value) else None


def _plain_number(value: object) -> float | None:
    """Read a finite number, also from a text of digits."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 2**53:
        return value
    return None


def _whole(value: object) -> int | None:
    """Read a whole number; half a build or half a failure is none."""
    number = _plain_number(value)
    return int(number) if number is not None and number == int(number) else None


def _number(row: Json, name: str, path: str) -> int:
    value = _whole(_field(row, name))
    if value is None or value < 1:
        raise InvalidAnswer(f"the answer has no build number at {path}")
    return value


def _seconds(row: Json, name: str) -> float | None:
    """Read milliseconds as seconds."""
    value = _plain_number(_field(row, name))
    return None if value is None or value < 0 or not math.isfinite(value) else value / 1000


def _time(row: Json, name: str) -> datetime | None:
    """Read an instant: epoch milliseconds, or ISO 8601 (China's time where no zone is given); `None` if unreadable."""
    value = _field(row, name)
    try:
        if isinstance(value, str):
            then = datetime.fromisoformat(value)
            return (then if then.tzinfo else then.replace(tzinfo=CHINA)).astimezone(UTC)
        milliseconds = _plain_number(value)
        return None if not milliseconds else datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
