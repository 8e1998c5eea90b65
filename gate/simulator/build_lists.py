"""The rows and pages of the lists of a job's builds."""

from datetime import datetime, timedelta
from typing import Any

from gate.simulator.build_backend import BuildBackend
from gate.simulator.calls import Call
from gate.simulator.http_answers import HttpAnswer, RequestRefused, bad_parameter, enveloped_answer, service_error
from gate.simulator.records import CHINA, REPOSITORY, USER, milliseconds, moment
from gate.simulator.simulated_build import BuildView

LONGEST_WINDOW = timedelta(days=31)
LARGEST_PAGE = 100


def list_builds(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ListBuildInfoRecordByJobId (v1): a page of the builds created in a window of at most 31 days, newest first."""
    return _page(backend, call, trigger="Manual")


def list_builds_v3(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ListBuildInfoRecord (v3): the same, with the trigger in the user's language."""
    return _page(backend, call, trigger="手工触发")


def _page(backend: BuildBackend, call: Call, *, trigger: str) -> HttpAnswer:
    """Return the page that the call asks for; pages are counted from 0, and the counts in the answer are strings."""
    views = backend.builds(call)
    start, end = _wall_clock(call, "start_time"), _wall_clock(call, "end_time")
    if end - start > LONGEST_WINDOW:
        raise RequestRefused(service_error(400, "CB.00031105", "The time window exceeds 31 days."))
    index, size = page_of(call, default_size=10)
    inside = [view for view in views if start <= view.build.created <= end]
    return enveloped_answer(
        {
            "health_score": "0",
            "job_build_states": [
                build_row(view, trigger=trigger) for view in inside[index * size : (index + 1) * size]
            ],
            "page_index": str(index),
            "total_page": str(-(-len(inside) // size)),
            "total_record": str(len(inside)),
        }
    )


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


def page_of(call: Call, *, default_size: int) -> tuple[int, int]:
    """Return the index of the page that a call asks for, counted from 0, and its size."""
    index = whole_number(call, "page_index", default=0, least=0)
    size = whole_number(call, "page_size", default=default_size, least=1)
    if size > LARGEST_PAGE:
        raise bad_parameter("page_size")
    return index, size


def _wall_clock(call: Call, name: str) -> datetime:
    """Return a required `yyyy-MM-dd HH:mm:ss`, which the service takes as China's local time."""
    try:
        return datetime.strptime(call.value(name) or "", "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)
    except ValueError:
        raise bad_parameter(name) from None


def whole_number(call: Call, name: str, *, default: int | None, least: int) -> int:
    """Return a parameter that is a whole number; it is required if there is no default."""
    text = call.value(name) or str(default)
    if not text.isdecimal() or int(text) < least:
        raise bad_parameter(name)
    return int(text)
