"""Builds as rows: the shapes of ShowBuildInfoRecord and of the lists of builds."""

from collections.abc import Sequence
from typing import Any

from gate.simulator.builds import BuildView
from gate.simulator.records import REPOSITORY, USER, milliseconds, moment


def row(view: BuildView, *, trigger: str = "Manual") -> dict[str, Any]:
    """Return one row; `start_time` of a build that has not started is the time of its creation."""
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
    """Return page number `index`, counted from 0; the numbers about paging are strings."""
    rows = views[index * size : (index + 1) * size]
    return {
        "health_score": "0",
        "job_build_states": [row(view, trigger=trigger) for view in rows],
        "page_index": str(index),
        "total_page": str(-(-len(views) // size)),
        "total_record": str(len(views)),
    }
