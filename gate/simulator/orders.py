"""The operations that start and stop builds."""

import json

from gate.simulator.build_backend import BuildBackend
from gate.simulator.calls import Call
from gate.simulator.http_answers import HttpAnswer, enveloped_answer, json_answer
from gate.simulator.ids import uuid_of
from gate.simulator.simulated_build import SimulatedBuild


def execute_job(backend: BuildBackend, call: Call) -> HttpAnswer:
    """ExecuteJob (v1): in an envelope, although the vendor's page shows none."""
    return enveloped_answer(_started(backend.execute(call)))


def run_job(backend: BuildBackend, call: Call) -> HttpAnswer:
    """RunJob (v3): the same without an envelope."""
    return json_answer(_started(backend.execute(call)))


def _started(build: SimulatedBuild) -> dict[str, str]:
    """Return what is answered about a started build. All values are strings."""
    return {
        "actual_build_number": str(build.number),
        "daily_build_number": build.daily_number,
        "octopus_job_name": f"j_{uuid_of(build.job_id, build.number)[:8]}",
    }


def stop_build_job(backend: BuildBackend, call: Call) -> HttpAnswer:
    """StopBuildJob (v3, the number in the path): its refusal is JSON within a JSON string."""
    if backend.stop(call):
        return json_answer({"result": "", "success": True})
    return json_answer(json.dumps(_ENDED), status=400)


def stop_the_job(backend: BuildBackend, call: Call) -> HttpAnswer:
    """StopTheJob (v1, the number in the query or in the body)."""
    return json_answer({"status": "success"}) if backend.stop(call) else json_answer(_ENDED, status=400)


_ENDED = {
    "error": {"code": "DEV.CB.032302", "reason": "The task status has been refreshed. Reload the page."},
    "status": "error",
}
