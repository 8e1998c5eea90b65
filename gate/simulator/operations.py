"""The operations that read one build, or the state of a job: a call in, the vendor's answer out.

Each is named after its page in the vendor's API reference, support.huaweicloud.com/api-codeci/OPERATION.html.
"""

from gate.simulator import records
from gate.simulator.build_backend import BuildBackend
from gate.simulator.build_lists import build_row
from gate.simulator.build_log import log_of
from gate.simulator.calls import Call
from gate.simulator.http_answers import HttpAnswer, RequestRefused, enveloped_answer, json_answer, service_error
from gate.simulator.simulated_build import Phase
from gate.simulator.stages import full_stages


def job_status(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowJobStatus: whether the job's newest build is running; nothing about how it ended."""
    return json_answer({"result": any(view.phase is Phase.RUNNING for view in backend.builds(call)[:1])})


def record_detail(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowJobBuildRecordDetail (v1) and ShowRecordDetail (v4): the build's record."""
    return enveloped_answer(records.detail(backend.build(call)))


def build_info_record(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowBuildInfoRecord: the build's word beside its run word."""
    return enveloped_answer(build_row(backend.build(call)))


def build_stages(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowBuildRecordFullStages: the stages by name."""
    return enveloped_answer(full_stages(backend.build(call)))


def download_log(backend: BuildBackend, call: Call) -> HttpAnswer:
    """DownloadBuildFullLog (v1) and DownloadBuildLog (v4): the log; 500 CB.00030004 if no executor wrote one."""
    view = backend.build(call)
    if view.started is None:
        raise RequestRefused(service_error(500, "CB.00030004", "Calling the executor failed."))
    return HttpAnswer(body=log_of(view), content_type="application/octet-stream")


def report_summary(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ShowReportSummary: totals of the unit tests; a null result if there are none."""
    return enveloped_answer(records.unit_test_totals(backend.build(call)))
