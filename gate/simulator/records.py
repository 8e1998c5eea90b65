"""A build in the shapes of the record operations, and the totals of its unit tests."""

from datetime import datetime, timedelta, timezone
from typing import Any

from gate.simulator.ids import hex_of, uuid_of
from gate.simulator.simulated_build import BuildView

CHINA = timezone(timedelta(hours=8))
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


def detail(view: BuildView) -> dict[str, Any]:
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
