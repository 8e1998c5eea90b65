"""The operations that tell of one build, or of a job as a whole: a call in, the vendor's answer out.

Each is named after its page in the vendor's API reference, support.huaweicloud.com/api-codeci/OPERATION.html.
"""

from dataclasses import replace

from gate.simulator import parts, records, rows
from gate.simulator.answers import Answer, Refusal, bare, enveloped, service_error
from gate.simulator.builds import Phase
from gate.simulator.calls import Call
from gate.simulator.logs import log_of
from gate.simulator.service import Service


def job_status(service: Service, call: Call) -> Answer:
    """ShowJobStatus: whether the job's newest build is running; nothing about how it ended."""
    return bare({"result": any(view.phase is Phase.RUNNING for view in service.builds(call)[:1])})


def running_status(service: Service, call: Call) -> Answer:
    """ShowRunningStatus: the newest build's number, as a string, and its run word."""
    newest = next(iter(service.builds(call)), None)
    return enveloped(
        {
            "is_running": newest is not None and newest.phase is Phase.RUNNING,
            "last_build_no": newest and str(newest.build.number),
            "last_build_status": newest and newest.phase.value,
            "last_job_id": call.job_id,
        }
    )


def build_details(service: Service, call: Call) -> Answer:
    """ShowBuildDetails: whether the build is in progress, and its word."""
    view = service.build(call)
    return enveloped({"build_result": view.word, "building": not view.ended, "region": records.REGION})


def record_detail(service: Service, call: Call) -> Answer:
    """ShowJobBuildRecordDetail (v1) and ShowRecordDetail (v4): the build's record."""
    return enveloped(records.detail(service.build(call)))


def build_info_record(service: Service, call: Call) -> Answer:
    """ShowBuildInfoRecord: the build's word beside its run word."""
    return enveloped(rows.row(service.build(call)))


def build_record(service: Service, call: Call) -> Answer:
    """ShowBuildRecord: the record by its own id."""
    return enveloped(records.summary(service.build(call)))


def full_stages(service: Service, call: Call) -> Answer:
    """ShowBuildRecordFullStages: the stages by name."""
    return enveloped(parts.full_stages(service.build(call)))


def history_details(service: Service, call: Call) -> Answer:
    """ShowHistoryDetails: the steps; 403 CB.00031059 for a build that was never scheduled."""
    job, view = service.job(call), service.build(call)
    if view.started is None:
        raise Refusal(service_error(403, "CB.00031059", "The task has not been built or its history was deleted."))
    return bare(parts.history_details(view, job.scenario.name))


def download_log(service: Service, call: Call) -> Answer:
    """DownloadBuildFullLog (v1) and DownloadBuildLog (v4): the log; 500 CB.00030004 if no executor wrote one."""
    view = service.build(call)
    if view.started is None:
        raise Refusal(service_error(500, "CB.00030004", "Calling the executor failed."))
    return Answer(body=log_of(view), content_type="application/octet-stream")


def report_summary(service: Service, call: Call) -> Answer:
    """ShowReportSummary: totals of the unit tests; a null result without any."""
    return enveloped(parts.report(service.build(call)))


def record_info(service: Service, call: Call) -> Answer:
    """ShowRecordInfo: the record bare of the v1 envelope, with its names in camel case as the real service sends."""
    result = {_camel(name): value for name, value in records.detail(service.build(call)).items()}
    return bare({"err_code": None, "message": None, "result": result, "success": True})


def _camel(name: str) -> str:
    """Return `build_record_id` as `buildRecordId`."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def step_status(service: Service, call: Call) -> Answer:
    """ShowJobStepStatus: a coarse word; without a number it tells of build 1, as its page says."""
    view = service.build(call if call.build_number else replace(call, build_number=1))
    word = parts.STEP_WORDS.get(view.word, "")
    abort_status = "aborted" if view.word == "ABORTED" else ""
    return enveloped({"abort_status": abort_status, "label": "default-x86-2u8g", "status": word})
