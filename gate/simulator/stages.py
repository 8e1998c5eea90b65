"""The stages of a build, in the shape of ShowBuildRecordFullStages."""

from typing import Any

from gate.simulator.ids import uuid_of
from gate.simulator.records import STATUS_CODES, execution_id, milliseconds, moment
from gate.simulator.simulated_build import BuildView, StageView


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
