"""A job: its builds so far, those to come, and the starting of new ones."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from gate.simulator.builds import Build
from gate.simulator.courses import Course
from gate.simulator.faults import FaultPlan
from gate.simulator.ids import commit_of, hex_of
from gate.simulator.records import CHINA
from gate.simulator.scenarios import Scenario


class Job:
    """One scenario at work. It has no lock of its own: the service guards it."""

    def __init__(self, scenario: Scenario, epoch: datetime) -> None:
        self.id = hex_of("job", scenario.name)
        self.scenario = scenario
        self.faults = FaultPlan(scenario.faults)
        self.builds: list[Build] = []
        self._epoch = epoch
        self._upcoming = sorted(scenario.starts, key=lambda start: start.at, reverse=True)

    def catch_up(self, now: datetime) -> Sequence[Build]:
        """Create the builds that others have started until now; give the new ones."""
        known = len(self.builds)
        while self._upcoming and self._instant(self._upcoming[-1].at) <= now:
            start = self._upcoming.pop()
            self.start(self._instant(start.at), start.course)
        return self.builds[known:]

    def refuses_token_of(self, issued: datetime, now: datetime) -> bool:
        """Whether a token of that time has expired for this job."""
        end = self.scenario.tokens_end
        return end is not None and issued < self._instant(end) <= now

    def start(
        self,
        at: datetime,
        course: Course,
        *,
        branch: str | None = None,
        commit: str | None = None,
        tag: str | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Build:
        """Create the next build."""
        number = self.scenario.first_number + len(self.builds)
        build = Build(
            job_id=self.id,
            number=number,
            daily_number=_daily_number(at, self.builds),
            course=course,
            created=at,
            branch=branch or course.branch,
            commit=commit or course.commit or commit_of(self.id, number),
            tag=tag,
            parameters=parameters or {},
        )
        self.builds.append(build)
        return build

    def _instant(self, seconds: float) -> datetime:
        """Return the instant that lies so many seconds after the simulator's start."""
        return self._epoch + timedelta(seconds=seconds)


def _daily_number(at: datetime, earlier: Iterable[Build]) -> str:
    """Return the day in China and the count of the job's builds on it: `20221011.29`."""
    day = f"{at.astimezone(CHINA):%Y%m%d}"
    return f"{day}.{1 + sum(build.daily_number.startswith(day) for build in earlier)}"
