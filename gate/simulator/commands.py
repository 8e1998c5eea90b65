"""The operations that start and stop builds."""

import json

from gate.simulator.answers import Answer, bare, enveloped
from gate.simulator.builds import Build
from gate.simulator.calls import Call
from gate.simulator.ids import uuid_of
from gate.simulator.service import Service


def execute_job(service: Service, call: Call) -> Answer:
    """ExecuteJob (v1): enveloped, although the vendor's page shows it bare."""
    return enveloped(_started(service.execute(call)))


def run_job(service: Service, call: Call) -> Answer:
    """RunJob (v3): the same, bare."""
    return bare(_started(service.execute(call)))


def _started(build: Build) -> dict[str, str]:
    """Return the started build; its number is a string, and the daily number is another thing."""
    return {
        "actual_build_number": str(build.number),
        "daily_build_number": build.daily_number,
        "octopus_job_name": f"j_{uuid_of(build.job_id, build.number)[:8]}",
    }


def stop_build_job(service: Service, call: Call) -> Answer:
    """StopBuildJob (v3, the number in the path): its refusal is JSON within a JSON string."""
    if service.stop(call):
        return bare({"result": "", "success": True})
    return bare(json.dumps(_ENDED), status=400)


def stop_job(service: Service, call: Call) -> Answer:
    """StopJob (v3, the number in the body): accepted with an empty body."""
    return Answer() if service.stop(call) else bare(_ENDED, status=400)


def stop_the_job(service: Service, call: Call) -> Answer:
    """StopTheJob (v1, the number in the query or in the body)."""
    return bare({"status": "success"}) if service.stop(call) else bare(_ENDED, status=400)


_ENDED = {
    "error": {"code": "DEV.CB.032302", "reason": "The task status has been refreshed. Reload the page."},
    "status": "error",
}
