"""A build in the shapes of the vendor's answers: its record, its row in lists, its stages, its tests and its log."""

import codecs
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from gate.simulator.builds import CHINA, BuildView, LogEntry, StageView, hex_of, uuid_of

DOMAIN, USER = hex_of("domain"), hex_of("user")
REGION = "cn-north-4"
REPOSITORY = "https://codehub.devcloud.cn-north-4.huaweicloud.com/CodeCIEdge/maven.git"
STATUS_CODES = {"SUCCESS": 5, "FAILURE": 6, "SCHEDULE_FAILURE": 7, "ABORTED": 8}
"""5 and 8 stand in the vendor's examples; 6 and 7 fill the gap between them."""


def moment(at: datetime | None) -> str | None:
    """Return an instant in the form of records: `2022-10-11T08:28:42.000+00:00`."""
    return None if at is None else at.isoformat(timespec="milliseconds")


def milliseconds(start: datetime | None, end: datetime | None) -> int:
    """Return the time between two instants in ms; 0 while one of them is unknown."""
    return 0 if start is None or end is None else round((end - start) / timedelta(milliseconds=1))


def _times(view: BuildView) -> dict[str, Any]:
    """Return the five instants that every record has."""
    build = view.build
    return {
        "create_time": moment(build.created),
        "schedule_time": moment(build.created),
        "queued_time": moment(build.created),
        "start_time": moment(view.started),
        "finish_time": moment(view.finished),
    }


def record_document(view: BuildView) -> dict[str, Any]:
    """Return the result of ShowJobBuildRecordDetail and ShowRecordDetail."""
    build = view.build
    return {
        **_times(view),
        "branch": build.branch,
        "build_config_type": "YAML",
        "build_no": build.number,
        "build_project_id": uuid_of(build.job_id, "project"),
        "build_record_id": build.record_id,
        "build_type": "tag" if build.tag else "branch",
        "codeci_job_id": build.job_id,
        "commit": build.commit,
        "commit_create_time": moment(build.created - timedelta(minutes=5)),
        "commit_message": "Fix the build",
        "daily_build_num": build.daily_number,
        "devcloud_project_id": build.project_id,
        "domain_id": DOMAIN,
        "duration": milliseconds(view.started, view.finished) if view.ended else None,
        "err_msg": build.plan.message if view.ended else None,
        "execution_id": execution_id(view),
        "id": uuid_of(build.job_id, build.number, "row"),
        "parent_record_id": build.parent_record_id,
        "record_status": None,
        "region": REGION,
        "repo_id": "2111616838",
        "repo_name": "maven",
        "runnable_time": moment(build.created),
        "status": view.word,
        "tag": build.tag,
        "trigger_type": "MANUAL",
        "use_private_slave": 0,
        "user_id": USER,
    }


def build_row(view: BuildView, *, trigger: str = "Manual") -> dict[str, Any]:
    """Return one build as a row, which is also the result of ShowBuildInfoRecord.

    `start_time` of a build that has not started is the time of its creation.
    """
    build = view.build
    duration = milliseconds(view.started, view.finished)
    return {
        "build_time": duration,
        "build_type": "tag" if build.tag else "branch",
        "code_branch": build.branch,
        "commit_detail_url": f"{REPOSITORY}/{build.commit}/commitdetail",
        "commit_id": build.commit,
        "commit_info": {"commit_id": build.commit, "created_at": moment(build.created)},
        "cost_time": duration,
        "daily_build_number": build.daily_number,
        "executor": "test",
        "job_running_status": view.phase.value,
        "nickname": "test",
        "number": build.number,
        "scm_type": "codehub",
        "scm_web_url": REPOSITORY,
        "start_time": int((view.started or build.created).timestamp() * 1000),
        "state": view.word,
        "trigger_type": trigger,
        "user_id": USER,
    }


def execution_id(view: BuildView) -> str:
    """Return the executor's name for the build, `j_` and eight characters."""
    return f"j_{uuid_of(view.build.job_id, view.build.number)[:8]}"


def unit_test_totals(view: BuildView) -> dict[str, Any] | None:
    """Return the result of ShowReportSummary; `None` if the build published no unit tests."""
    tests = view.build.plan.tests
    if tests is None or not view.ended:
        return None
    success = tests.total - tests.failures - tests.errors
    totals = {
        "build_no": view.build.number,
        "errors": tests.errors,
        "execution_time": 8602,
        "failures": tests.failures,
        "genrate_time": moment(view.finished),
        "is_success": success == tests.total,
        "job_id": view.build.job_id,
        "others": 0,
        "region": REGION,
        "root_id": uuid_of(view.build.record_id, "tests"),
        "stage_name": "stage3",
        "success": success,
        "success_density": success / tests.total if tests.total else 0,
        "total": tests.total,
    }
    return {"sub_summarys": [totals], "summary": totals}


def full_stages(view: BuildView) -> dict[str, Any]:
    """Return the result of the operation; its map is empty for a build that never ran.

    The map is sorted by name, as in the vendor's example; `sequence` has the order of the stages.
    """
    stages = sorted((execution_name(stage, view), stage) for stage in view.stages)
    return {"build_stages": {name: _stage(stage, view, name) for name, stage in stages}, "check_stages": None}


def execution_name(stage: StageView, view: BuildView) -> str:
    """Return the stage's name at the executor: `initial`, `stage1` ... `final`."""
    edges = {0: "initial", len(view.build.plan.stages) - 1: "final"}
    return edges.get(stage.position, f"stage{stage.position}")


def _stage(stage: StageView, view: BuildView, name: str) -> dict[str, Any]:
    duration = milliseconds(stage.started, stage.finished)
    return {
        "build_duration": duration,
        "build_record_id": view.build.record_id,
        "create_time": moment(view.build.created),
        "display_name": stage.name,
        "duration": duration,
        "execution_id": execution_id(view),
        "execution_stage_name": name,
        "finish_time": moment(stage.finished),
        "id": uuid_of(view.build.record_id, stage.position),
        "log_status": None,
        "node_id": stage.position,
        "pending_duration": 0,
        "queued_time": moment(stage.started),
        "schedule_time": moment(stage.started),
        "sequence": stage.position,
        "start_time": moment(stage.started),
        "status": stage.word,
        "status_code": STATUS_CODES.get(stage.word or ""),
    }


def log_of(view: BuildView) -> bytes | Iterable[bytes]:
    """Return what has been logged so far: one line an event, stamped in China's local time."""
    if view.build.plan.log is not None:
        return view.build.plan.log()
    return text_of(view).encode()


def text_of(view: BuildView, stage: StageView | None = None) -> str:
    """Return what the stages have logged so far, or one of them."""
    written, is_new_line = [], True
    for entry in _entries(view.stages if stage is None else (stage,)):
        written.append(_stamp(entry.at) + entry.text if is_new_line else entry.text)
        is_new_line = not entry.text.endswith("\r")
        if is_new_line:
            written.append("\n")
    return "".join(written)


def _entries(stages: Iterable[StageView]) -> Iterator[LogEntry]:
    """Return the entries of each stage between one for its start and one for its end."""
    for stage in stages:
        if stage.started is None or stage.started == stage.finished:
            return
        yield LogEntry(stage.started, f"[INFO] [{stage.name}] : stage started")
        yield from stage.log
        if stage.finished is not None:
            level = "INFO" if stage.word == "SUCCESS" else "ERROR"
            yield LogEntry(stage.finished, f"[{level}] [{stage.name}] : stage ended: {stage.word}")


def _stamp(at: datetime) -> str:
    """Return what stands in front of a line: `[2023/12/21 15:44:18.743 GMT+08:00] `."""
    local = at.astimezone(CHINA)
    return f"[{local:%Y/%m/%d %H:%M:%S}.{local.microsecond // 1000:03} GMT+08:00] "


def part_of(view: BuildView, start: int, length: int) -> tuple[str, bool]:
    """Return a part of the log, by offsets in characters, and whether more has been logged."""
    large_log = view.build.plan.log
    text = text_of(view) if large_log is None else _beginning(large_log(), start + length + 1)
    return text[start : start + length], len(text) > start + length


def _beginning(pieces: Iterable[bytes], length: int) -> str:
    """Return at least the first `length` characters of a log that may have no end."""
    decoder, text = codecs.getincrementaldecoder("utf-8")("replace"), ""
    for piece in pieces:
        text += decoder.decode(piece)
        if len(text) >= length:
            break
    return text
