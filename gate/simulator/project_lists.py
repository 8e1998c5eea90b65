"""The list of all jobs of a CodeArts project, each with its last build."""

from typing import Any

from gate.simulator.build_backend import BuildBackend
from gate.simulator.build_lists import page_of
from gate.simulator.calls import Call
from gate.simulator.http_answers import HttpAnswer, enveloped_answer, json_answer
from gate.simulator.ids import uuid_of
from gate.simulator.records import REPOSITORY, USER, milliseconds
from gate.simulator.simulated_job import SimulatedJob

TOTAL = 20697
"""The total that the vendor's example has; it counts something else than the rows."""

LAST_BUILD_WORDS = {"SUCCESS": "blue", "TIMEOUT": "timeout", "ABORTED": "aborted"}
"""The words for ended builds; every other word is `red`."""

_NEW_FIELDS = ("build_number", "task_id", "commit_id", "project_id")
"""Fields that the older operation does not have."""


def list_project_jobs(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ListProjectJobs (v1): a page of the project's jobs, under `result.job_list` as observed, not as documented."""
    return enveloped_answer({"job_list": _rows(backend, call), "total": TOTAL})


def list_project_jobs_v3(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowJobListByProjectId (v3): the same without an envelope, and without the number of the last build."""
    rows = [{name: row[name] for name in row if name not in _NEW_FIELDS} for row in _rows(backend, call)]
    return json_answer({"jobs": rows, "total": TOTAL})


def _rows(backend: BuildBackend, call: Call) -> list[dict[str, Any]]:
    jobs = backend.project_jobs(call)
    index, size = page_of(call, default_size=10)
    return [job_row(backend, job) for job in jobs[index * size : (index + 1) * size]]


def job_row(backend: BuildBackend, job: SimulatedJob) -> dict[str, Any]:
    """Return one job as a row."""
    row = {
        "build_project_id": uuid_of(job.id, "project"),
        "disabled": False,
        "favorite": False,
        "health_score": 0,
        "id": job.id,
        "job_name": job.scenario.name,
        "project_id": job.project_id,
        "scm_type": "codehub",
        "scm_web_url": REPOSITORY,
        "trigger_type": "手工触发",
    }
    view = backend.newest(job)
    if view is None:
        return row | {"is_finished": True, "last_build_status": "none"}
    ended_word = LAST_BUILD_WORDS.get(view.word, "red")
    return row | {
        "build_number": str(view.build.number),
        "build_time": milliseconds(view.started, view.finished),
        "code_branch": view.build.branch,
        "commit_id": view.build.commit,
        "is_finished": view.ended,
        "last_build_status": ended_word if view.ended else "building",
        "last_build_time": int(view.build.created.timestamp() * 1000),
        "last_build_user_id": USER,
        "last_job_running_status": view.phase.value,
        "task_id": f"#{view.build.daily_number}",
    }
