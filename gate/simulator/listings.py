"""Builds in the shapes of the list, history and report operations."""

from collections.abc import Sequence
from typing import Any

from gate.simulator.builds import BuildView, StageView
from gate.simulator.ids import uuid_of
from gate.simulator.records import PROJECT, REGION, REPOSITORY, USER, milliseconds, moment

STEP_WORDS = {"SUCCESS": "success", "FAILURE": "error", "RUNNING": "running"}
"""Stage words as ShowHistoryDetails spells them; a step that did not run, or did not end, has an empty word."""


def info(view: BuildView, *, trigger: str = "Manual") -> dict[str, Any]:
    """Give the result of ShowBuildInfoRecord, and one row of the lists of builds."""
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


def page(views: Sequence[BuildView], *, index: int, size: int, trigger: str) -> dict[str, Any]:
    """One page of the list of builds, newest first; the numbers about paging are strings."""
    rows = views[index * size : (index + 1) * size]
    return {
        "health_score": "0",
        "job_build_states": [info(view, trigger=trigger) for view in rows],
        "page_index": str(index),
        "total_page": str(-(-len(views) // size)),
        "total_record": str(len(views)),
    }


def history_details(view: BuildView, job_name: str) -> dict[str, Any]:
    """Give the answer of ShowHistoryDetails: steps, and no word about the build as a whole."""
    return {
        "build_number": view.build.number,
        "build_steps": [_step(stage) for stage in view.stages],
        "job_name": job_name,
        "parameters": dict(view.build.parameters),
        "project_id": PROJECT,
        "project_name": "test-project",
    }


def _step(stage: StageView) -> dict[str, Any]:
    """One step of ShowHistoryDetails."""
    return {
        "build_time": milliseconds(stage.started, stage.finished),
        "name": stage.name,
        "status": STEP_WORDS.get(stage.word or "", ""),
    }


def report(view: BuildView) -> dict[str, Any] | None:
    """Give the result of ShowReportSummary; `None` if the build published no unit tests."""
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
