"""A build in the shapes of the record operations."""

from datetime import datetime, timedelta, timezone
from typing import Any

from gate.simulator.builds import BuildView
from gate.simulator.ids import hex_of, uuid_of

CHINA = timezone(timedelta(hours=8))
DOMAIN, USER, PROJECT = hex_of("domain"), hex_of("user"), hex_of("project")
REGION = "cn-north-4"
REPOSITORY = "https://codehub.devcloud.cn-north-4.huaweicloud.com/CodeCIEdge/maven.git"
STATUS_CODES = {"SUCCESS": 5, "FAILURE": 6, "SCHEDULE_FAILURE": 7, "ABORTED": 8}
"""5 and 8 stand in the vendor's examples; 6 and 7 fill the gap between them."""


def moment(at: datetime | None) -> str | None:
    """Return an instant as records have it: `2022-10-11T08:28:42.000+00:00`."""
    return None if at is None else at.isoformat(timespec="milliseconds")


def milliseconds(start: datetime | None, end: datetime | None) -> int:
    """Return the time between two instants in ms; 0 while one of them is not known."""
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
        "commit_message": "Mend the build",
        "daily_build_num": build.daily_number,
        "devcloud_project_id": PROJECT,
        "domain_id": DOMAIN,
        "duration": milliseconds(view.started, view.finished) if view.ended else None,
        "err_msg": build.course.message if view.ended else None,
        "execution_id": execution_id(view),
        "id": uuid_of(build.job_id, build.number, "row"),
        "parent_record_id": None,
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


def summary(view: BuildView) -> dict[str, Any]:
    """Return the result of ShowBuildRecord."""
    build = view.build
    duration = milliseconds(view.started, view.finished)
    return {
        **_times(view),
        "branch": build.branch,
        "build_duration": duration,
        "build_no": str(build.number),
        "build_record_type": {"is_rerun": False, "record_type": "JOB", "rerun": False, "trigger_type": "MANUAL"},
        "build_yml_path": ".cloudbuild/build.yml",
        "build_yml_url": f"{REPOSITORY}/blob/{build.commit}/.cloudbuild/build.yml",
        "daily_build_no": build.daily_number,
        "daily_build_number": build.daily_number,
        "dev_cloud_build_type": "tag" if build.tag else "branch",
        "display_name": "maven",
        "duration": milliseconds(build.created, view.finished),
        "execution_id": execution_id(view),
        "group_name": "",
        "id": build.record_id,
        "parameters": [
            {"name": name, "secret": False, "type": "string", "value": value}
            for name, value in build.parameters.items()
        ],
        "pending_duration": milliseconds(build.created, view.started),
        "project_id": uuid_of(build.job_id, "project"),
        "repository": REPOSITORY,
        "revision": build.commit,
        "scm_type": "codehub",
        "scm_web_url": REPOSITORY,
        "status": view.word,
        "status_code": STATUS_CODES.get(view.word),
        "trigger_name": "testUser",
        "trigger_type": "MANUAL",
        "user_id": USER,
    }
