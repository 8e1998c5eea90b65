"""Parts of a build: its stages, its steps, its unit tests."""

from typing import Any

from gate.simulator.builds import BuildView, StageView
from gate.simulator.ids import uuid_of
from gate.simulator.records import PROJECT, REGION, STATUS_CODES, execution_id, milliseconds, moment

STEP_WORDS = {"SUCCESS": "success", "FAILURE": "error", "RUNNING": "running"}
"""Words as ShowHistoryDetails spells them; a step that did not run, or did not end, has an empty word."""


def full_stages(view: BuildView) -> dict[str, Any]:
    """Return the result of ShowBuildRecordFullStages: a map that is empty for a build that never ran.

    It is in the order of the names, as in the vendor's example; `sequence` has the order of the stages.
    """
    stages = sorted((_execution_name(stage, view), stage) for stage in view.stages)
    return {"build_stages": {name: _stage(stage, view, name) for name, stage in stages}, "check_stages": None}


def _execution_name(stage: StageView, view: BuildView) -> str:
    """Return the stage's name at the executor: `initial`, `stage1` ... `final`."""
    edges = {0: "initial", len(view.build.course.stages) - 1: "final"}
    return edges.get(stage.position, f"stage{stage.position}")


def _stage(stage: StageView, view: BuildView, name: str) -> dict[str, Any]:
    """Return one stage of ShowBuildRecordFullStages."""
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


def history_details(view: BuildView, job_name: str) -> dict[str, Any]:
    """Return the answer of ShowHistoryDetails: steps, and no word about the build as a whole."""
    return {
        "build_number": view.build.number,
        "build_steps": [_step(stage) for stage in view.stages],
        "job_name": job_name,
        "parameters": dict(view.build.parameters),
        "project_id": PROJECT,
        "project_name": "test-project",
    }


def _step(stage: StageView) -> dict[str, Any]:
    """Return one step of ShowHistoryDetails."""
    return {
        "build_time": milliseconds(stage.started, stage.finished),
        "name": stage.name,
        "status": STEP_WORDS.get(stage.word or "", ""),
    }


def report(view: BuildView) -> dict[str, Any] | None:
    """Return the result of ShowReportSummary; `None` if the build published no unit tests."""
    tests = view.build.course.tests
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
