"""A job: its builds so far, those to come, and the start of new ones."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from gate.simulator.build_plan import BuildPlan
from gate.simulator.ids import commit_of, hex_of
from gate.simulator.records import CHINA
from gate.simulator.scenarios import Glitch, Scenario
from gate.simulator.simulated_build import BuildView, SimulatedBuild


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
