"""CodeArts Build's jobs and builds, as all requests share them."""

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace

from gate.simulator.answers import Refusal, bad_parameter, service_error
from gate.simulator.builds import Build, BuildView
from gate.simulator.calls import Call
from gate.simulator.clock import ServiceClock
from gate.simulator.iam import Iam
from gate.simulator.jobs import Job
from gate.simulator.scenarios import Scenario

_JOB_ID = re.compile(r"[0-9a-z]{32}")
_BUILD_NUMBER = re.compile(r"[1-9][0-9]{0,9}")


class Service:
    """Finds and changes jobs and builds; safe to use from several threads."""

    def __init__(self, scenarios: Iterable[Scenario], clock: ServiceClock, iam: Iam) -> None:
        self.clock = clock
        self.iam = iam
        self._lock = threading.Lock()
        self.jobs: Mapping[str, Job] = {job.id: job for job in (Job(scenario, clock.start) for scenario in scenarios)}
        self._records: dict[str, Build] = {}
        for job in self.jobs.values():
            self._register(job.catch_up(clock.start))

    def _register(self, builds: Iterable[Build]) -> None:
        """Make builds known by the id of their record."""
        self._records.update({build.record_id: build for build in builds})

    def located(self, call: Call) -> Call:
        """Return the call with the job and the build that it names; neither needs to exist."""
        if (record_id := call.params.get("record_id")) is not None:
            build = self._records.get(record_id)
            return call if build is None else replace(call, job_id=build.job_id, build_number=build.number)
        number = call.value("build_no") or ""
        build_number = int(number) if _BUILD_NUMBER.fullmatch(number) else None
        return replace(call, job_id=call.value("job_id"), build_number=build_number)

    def job(self, call: Call) -> Job:
        """Return the job that the call names; raise `Refusal` if there is none."""
        if "record_id" in call.params and call.job_id is None:
            raise _not_found(call, "record")
        if call.job_id is None or not _JOB_ID.fullmatch(call.job_id):
            raise Refusal(service_error(400, "DEV.CB.032011", "The task id parameter is illegal."))
        if call.job_id not in self.jobs:
            raise _not_found(call, "job")
        return self.jobs[call.job_id]

    def builds(self, call: Call) -> list[BuildView]:
        """Return all builds of the job that the call names, newest first."""
        job = self.job(call)
        with self._lock:
            now = self.clock.now()
            self._register(job.catch_up(now))
            return [build.at(now) for build in reversed(job.builds)]

    def build(self, call: Call) -> BuildView:
        """Return the build that the call names; raise `Refusal` if there is none."""
        builds = self.builds(call)
        if call.build_number is None:
            raise bad_parameter("build_no")
        for view in builds:
            if view.build.number == call.build_number:
                return view
        raise _not_found(call, "build")

    def execute(self, call: Call) -> Build:
        """Start the next build of the job, with the branch, tag, commit and parameters that the call asks for."""
        job = self.job(call)
        document = call.document()
        try:
            parameters = {str(item["name"]): str(item["value"]) for item in document.get("parameter") or ()}
            branch, commit, tag = map((document.get("scm") or {}).get, ("branch", "build_commit_id", "build_tag"))
        except (AttributeError, KeyError, TypeError):
            raise bad_parameter("parameter or scm") from None
        with self._lock:
            now = self.clock.now()
            self._register(job.catch_up(now))
            build = job.start(
                now,
                job.scenario.course,
                branch=branch or parameters.get("codeBranch"),
                commit=commit,
                tag=tag,
                parameters=parameters,
            )
            self._register([build])
        return build

    def stop(self, call: Call) -> bool:
        """Stop the build that the call names; false if it has ended already."""
        view = self.build(call)
        if view.ended:
            return False
        view.build.stopped = view.now
        return True


def _not_found(call: Call, what: str) -> Refusal:
    """Return the service's answer about something that does not exist, with the code of the route's version."""
    code = "DEVCB.00031006" if call.version == "v1" else "CB.00031006"
    return Refusal(service_error(422, code, f"The {what} does not exist."))
