"""The jobs and builds behind all requests."""

import re
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gate.simulator.builds import CHINA, BuildPlan, BuildView, SimulatedBuild, SimulatedClock, commit_of, hex_of
from gate.simulator.exchange import Call, RequestRefused, bad_parameter, service_error
from gate.simulator.scenarios import Glitch, Scenario
from gate.simulator.simulated_iam import SimulatedIam


class SimulatedJob:
    """The job of one scenario. It has no lock of its own: the backend guards it."""

    def __init__(self, scenario: Scenario, epoch: datetime) -> None:
        self.id = hex_of("job", scenario.name)
        self.project_id = hex_of("project", scenario.project)
        self.scenario = scenario
        self.builds: list[SimulatedBuild] = []
        self._epoch = epoch
        self._upcoming = sorted(scenario.starts, key=lambda start: start.at, reverse=True)
        self._glitches = deque(scenario.glitches)
        self._is_first_look = True
        self._first_plans = deque(scenario.first_plans)

    def catch_up(self, now: datetime) -> Sequence[SimulatedBuild]:
        """Create the builds that others have started until now, and return the new ones."""
        known = len(self.builds)
        while self._upcoming and self._instant(self._upcoming[-1].at) <= now:
            start = self._upcoming.pop()
            self.start(self._instant(start.at), start.plan)
        return self.builds[known:]

    def refuses_token_of(self, issued: datetime, now: datetime) -> bool:
        """Whether a token of that time has expired for this job."""
        end = self.scenario.tokens_end
        return end is not None and issued < self._instant(end) <= now

    def next_glitch(self, view: BuildView) -> Glitch | None:
        """Return what goes wrong with this request for the record of a build; each call counts one request."""
        self._is_first_look, is_first_look = False, self._is_first_look
        if not self._glitches or (is_first_look and not view.ended):
            return None
        return self._glitches.popleft()

    def next_plan(self) -> BuildPlan:
        """Return what the next build does that is started by request."""
        return self._first_plans.popleft() if self._first_plans else self.scenario.plan

    def start(
        self,
        at: datetime,
        plan: BuildPlan,
        *,
        branch: str | None = None,
        commit: str | None = None,
        tag: str | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> SimulatedBuild:
        """Create the next build, with its children."""
        build = self._create(at, plan, branch=branch, commit=commit, tag=tag, parameters=parameters)
        for child in plan.children:
            created = self._create(
                at, child.plan, branch=build.branch, commit=build.commit, tag=tag, parameters=parameters
            )
            created.parent_record_id, created.name = build.record_id, child.name
        return build

    def _create(
        self,
        at: datetime,
        plan: BuildPlan,
        *,
        branch: str | None,
        commit: str | None,
        tag: str | None,
        parameters: Mapping[str, str] | None,
    ) -> SimulatedBuild:
        number = self.scenario.first_number + len(self.builds)
        build = SimulatedBuild(
            job_id=self.id,
            number=number,
            daily_number=_daily_number(at, self.builds),
            plan=plan,
            created=at,
            branch=branch or plan.branch,
            commit=commit or plan.commit or commit_of(self.id, number),
            tag=tag,
            parameters=parameters or {},
            project_id=self.project_id,
        )
        self.builds.append(build)
        return build

    def _instant(self, seconds: float) -> datetime:
        """Return the instant so many seconds after the start of the simulator."""
        return self._epoch + timedelta(seconds=seconds)


def _daily_number(at: datetime, earlier: Iterable[SimulatedBuild]) -> str:
    """Return the day in China and the count of the job's builds on it: `20221011.29`."""
    day = f"{at.astimezone(CHINA):%Y%m%d}"
    return f"{day}.{1 + sum(build.daily_number.startswith(day) for build in earlier)}"


_JOB_ID = re.compile(r"[0-9a-z]{32}")
_BUILD_NUMBER = re.compile(r"[1-9][0-9]{0,9}")


class BuildBackend:
    """Finds and changes jobs and builds; safe to use from several threads."""

    def __init__(self, scenarios: Iterable[Scenario], clock: SimulatedClock, iam: SimulatedIam) -> None:
        self.clock = clock
        self.iam = iam
        self._lock = threading.Lock()
        self.jobs: Mapping[str, SimulatedJob] = {
            job.id: job for job in (SimulatedJob(scenario, clock.start) for scenario in scenarios)
        }
        self._records: dict[str, SimulatedBuild] = {}
        for job in self.jobs.values():
            self._register(job.catch_up(clock.start))

    def _register(self, builds: Iterable[SimulatedBuild]) -> None:
        """Make builds known by their record id."""
        self._records.update({build.record_id: build for build in builds})

    def located(self, call: Call) -> Call:
        """Return the call with the job and the build that it is about; neither needs to exist."""
        if (record_id := call.params.get("record_id")) is not None:
            build = self._records.get(record_id)
            return call if build is None else replace(call, job_id=build.job_id, build_number=build.number)
        number = call.value("build_no") or ""
        build_number = int(number) if _BUILD_NUMBER.fullmatch(number) else None
        return replace(call, job_id=call.value("job_id"), build_number=build_number)

    def job(self, call: Call) -> SimulatedJob:
        """Return the job that the call names; raise `RequestRefused` if there is none."""
        if "record_id" in call.params and call.job_id is None:
            raise not_found(call, "record")
        if call.job_id is None or not _JOB_ID.fullmatch(call.job_id):
            raise RequestRefused(service_error(400, "DEV.CB.032011", "The task id parameter is illegal."))
        if call.job_id not in self.jobs:
            raise not_found(call, "job")
        return self.jobs[call.job_id]

    def builds(self, call: Call) -> list[BuildView]:
        """Return all builds of the job that the call names, newest first."""
        job = self.job(call)
        with self._lock:
            now = self.clock.now()
            self._register(job.catch_up(now))
            return [build.at(now) for build in reversed(job.builds)]

    def build(self, call: Call) -> BuildView:
        """Return the build that the call names; raise `RequestRefused` if there is none."""
        builds = self.builds(call)
        if call.build_number is None:
            raise bad_parameter("build_no")
        for view in builds:
            if view.build.number == call.build_number:
                return view
        raise not_found(call, "build")

    def next_glitch(self, call: Call) -> Glitch | None:
        """Return what goes wrong with a request for the record of a build that exists."""
        view = self.build(call)
        with self._lock:
            return self.job(call).next_glitch(view)

    def execute(self, call: Call) -> SimulatedBuild:
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
            created = len(job.builds)
            build = job.start(
                now,
                job.next_plan(),
                branch=branch or parameters.get("codeBranch"),
                commit=commit,
                tag=tag,
                parameters=parameters,
            )
            self._register(job.builds[created:])
        return build

    def stop(self, call: Call) -> bool:
        """Stop the build that the call names, with its children; false if it has ended already."""
        view = self.build(call)
        if view.ended:
            return False
        for build in (view.build, *self.children(view)):
            build.stopped = view.now
        return True

    def children(self, view: BuildView) -> list[SimulatedBuild]:
        """Return the children of a multi-job build."""
        builds = self.jobs[view.build.job_id].builds
        return [build for build in builds if build.parent_record_id == view.build.record_id]

    def project_jobs(self, call: Call) -> list[SimulatedJob]:
        """Return the jobs of the project that the call names, whose names contain its `search` if it has one.

        Raises `RequestRefused` if there is no such project.
        """
        jobs = [job for job in self.jobs.values() if job.project_id == call.value("project_id")]
        if not jobs:
            raise not_found(call, "project")
        search = (call.value("search") or "").casefold()
        return [job for job in jobs if search in job.scenario.name.casefold()]

    def newest(self, job: SimulatedJob) -> BuildView | None:
        """Return the newest build of a job; `None` if it was never built."""
        with self._lock:
            now = self.clock.now()
            self._register(job.catch_up(now))
            return job.builds[-1].at(now) if job.builds else None


def not_found(call: Call, what: str) -> RequestRefused:
    """Return the service's answer about something that does not exist, with the code of the route's version."""
    code = "DEVCB.00031006" if call.version == "v1" else "CB.00031006"
    return RequestRefused(service_error(422, code, f"The {what} does not exist."))
