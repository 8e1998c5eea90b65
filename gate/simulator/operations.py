"""The operations that read one build, or the state of a job: a call in, the vendor's answer out.

Each is named after its page in the vendor's API reference, support.huaweicloud.com/api-codeci/OPERATION.html.
"""

import itertools
from datetime import datetime
from typing import Any

from gate.simulator import records
from gate.simulator.build_backend import BuildBackend
from gate.simulator.build_lists import build_row
from gate.simulator.calls import Call
from gate.simulator.http_answers import HttpAnswer, enveloped_answer, json_answer
from gate.simulator.simulated_build import Phase
from gate.simulator.stages import full_stages


def job_status(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowJobStatus: whether the job's newest build is running; nothing about how it ended."""
    return json_answer({"result": any(view.phase is Phase.RUNNING for view in backend.builds(call)[:1])})


def running_status(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowRunningStatus: the job's latest build, queued or not; a job that was never built has none."""
    latest = next(iter(backend.builds(call)), None)
    return enveloped_answer(
        {
            "is_running": latest is not None and latest.phase is Phase.RUNNING,
            "last_build_no": None if latest is None else str(latest.build.number),
            "last_build_status": None if latest is None else latest.phase.value,
            "last_job_id": call.job_id,
        }
    )


def job_config(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowJobConfig: the job's name and its CodeArts project, without the steps that it consists of."""
    job = backend.job(call)
    return enveloped_answer(
        {
            "arch": "x86-64",
            "auto_update_sub_module": None,
            "build_config_type": "ACTION",
            "build_if_code_updated": False,
            "flavor": None,
            "group_id": None,
            "host_type": "devcloud",
            "job_name": job.scenario.name,
            "parameters": [],
            "project_id": job.project_id,
            "scms": [],
            "steps": [],
            "timeout": None,
            "triggers": [],
        }
    )


def record_detail(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowJobBuildRecordDetail (v1) and ShowRecordDetail (v4): the build's record."""
    return enveloped_answer(records.detail(backend.build(call)))


def build_info_record(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowBuildInfoRecord: the build's word beside its run word."""
    return enveloped_answer(build_row(backend.build(call)))


def build_stages(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowBuildRecordFullStages: the stages by name."""
    return enveloped_answer(full_stages(backend.build(call)))


def report_summary(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowReportSummary: totals of the unit tests; a null result if there are none."""
    return enveloped_answer(records.unit_test_totals(backend.build(call)))


def flow_graph(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowBuildRecordFlowGraph: the children of a multi-job build, in the order in which they run."""
    return enveloped_answer(_graph(backend, call))


def flow_graph_v3(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowFlowGraph (v3): the same in another envelope."""
    return json_answer({"err_code": None, "message": None, "result": _graph(backend, call), "success": True})


def _graph(backend: BuildBackend, call: Call) -> dict[str, Any]:
    view = backend.build(call)
    children = [build.at(view.now) for build in backend.children(view)]
    ids = [child.build.record_id for child in children]
    return {
        "edges": [{"from": one, "to": other} for one, other in itertools.pairwise(ids)],
        "vertices": [
            {
                "build_duration": records.milliseconds(child.started, child.finished),
                "build_no": str(child.build.number),
                "display_name": child.build.name,
                "finish_time": _local(child.finished),
                "id": child.build.record_id,
                "start_time": _local(child.started),
                "status": child.word,
            }
            for child in children
        ],
    }


def _local(at: datetime | None) -> str | None:
    """Return an instant in the form of flow graphs: `2020-12-30T17:33:27+08:00`."""
    return None if at is None else at.astimezone(records.CHINA).isoformat(timespec="seconds")
