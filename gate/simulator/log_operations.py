"""The operations that read the log of a build, and the analysis of its failure."""

from gate.simulator.build_backend import BuildBackend, not_found
from gate.simulator.build_lists import whole_number
from gate.simulator.build_log import log_of, part_of, text_of
from gate.simulator.calls import Call
from gate.simulator.http_answers import HttpAnswer, RequestRefused, enveloped_answer, service_error
from gate.simulator.simulated_build import BuildView
from gate.simulator.stages import execution_name

LONGEST_PART = 100_000
"""Characters in one answer of the v1 operation."""

DEFAULT_LENGTH = 1_000_000
"""Characters in one answer of the v3 operation, if the request does not say."""

ERROR_CODE = "DEV.CB.0210043"


def download_log(backend: BuildBackend, call: Call) -> HttpAnswer:
    """DownloadBuildFullLog (v1) and DownloadBuildLog (v4): the log; 500 CB.00030004 before an executor wrote one."""
    view = backend.build(call)
    if view.started is None:
        raise _no_executor()
    return HttpAnswer(body=log_of(view), content_type="application/octet-stream")


def task_log(backend: BuildBackend, call: Call) -> HttpAnswer:
    """DownloadTaskLog (v4): the log of one stage, by its `execution_stage_name`."""
    view = backend.build(call)
    if view.started is None:
        raise _no_executor()
    for stage in view.stages:
        if execution_name(stage, view) == call.value("task_name") and view.build.plan.log is None:
            return HttpAnswer(body=text_of(view, stage).encode(), content_type="application/octet-stream")
    raise not_found(call, "task")


def real_time_log(backend: BuildBackend, call: Call) -> HttpAnswer:
    """DownloadBuildRealTimeLog (v1): a part of the log, whose offsets are strings."""
    view = _scheduled(backend, call)
    start = whole_number(call, "start_offset", default=0, least=0)
    whole_number(call, "size", default=None, least=1)
    text, has_more = part_of(view, start, LONGEST_PART)
    return enveloped_answer(
        {
            "end_offset": str(start + len(text)),
            "has_more": has_more,
            "location": "jenkins",
            "log": text,
            "start_offset": str(start),
        }
    )


def real_time_log_v3(backend: BuildBackend, call: Call) -> HttpAnswer:
    """DownloadRealTimeLog (v3): the same with other names, and with numbers."""
    view = _scheduled(backend, call)
    start = whole_number(call, "offset", default=None, least=0)
    text, has_more = part_of(view, start, whole_number(call, "length", default=DEFAULT_LENGTH, least=1))
    return enveloped_answer(
        {"content": text, "current_offset": start, "has_more_data": has_more, "offset": start + len(text)}
    )


def analysis(backend: BuildBackend, call: Call) -> HttpAnswer:
    """Analysis of a failure, which no page documents: the stages that failed, with their errors."""
    view = _scheduled(backend, call)
    plans = {plan.name: plan for plan in view.build.plan.stages}
    nodes = [
        {
            "error_info": {"error_code": ERROR_CODE, "error_message": plans[stage.name].error},
            "node_id": str(stage.position),
            "step": stage.name,
        }
        for stage in view.stages
        if stage.word == "FAILURE"
    ]
    return enveloped_answer({"error_nodes": nodes})


def _scheduled(backend: BuildBackend, call: Call) -> BuildView:
    """Return the build that the call names; raise `RequestRefused` if it has ended without an executor."""
    view = backend.build(call)
    if view.ended and view.started is None:
        raise _no_executor()
    return view


def _no_executor() -> RequestRefused:
    return RequestRefused(service_error(500, "CB.00030004", "Calling the executor failed."))
