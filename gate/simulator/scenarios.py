"""The scenarios: what becomes of a job's builds, and what goes wrong on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from types import MappingProxyType

from gate.simulator import sample_plans
from gate.simulator.builds import BuildPlan
from gate.value_types import NamedTuple

_HOUR = 3600.0


class Glitch(Enum):
    """What can go wrong with one request in a scenario."""

    BUSY = auto()
    """HTTP 500 with the service's code for a busy network."""
    THROTTLED = auto()
    """HTTP 429 of the gateway."""
    DROPPED = auto()
    """The connection is closed without an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A build that somebody starts, in seconds of service time after the simulator's start (before it: negative)."""

    at: float = 0.0
    plan: BuildPlan = sample_plans.PASSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One job: its past, its present and what it does when it is told to build."""

    name: str
    description: str = ""
    plan: BuildPlan = sample_plans.PASSING
    """What a build does that is started by request."""
    starts: tuple[Start, ...] = ()
    """The builds that others start, in the order of time."""
    first_plans: tuple[BuildPlan, ...] = ()
    """What the first builds do that are started by request, before those that follow `plan`."""
    first_number: int = 1
    project: str = "main"
    """The name of the CodeArts project that the job is in."""
    glitches: tuple[Glitch, ...] = ()
    """What goes wrong with requests for the record of a build, one after another. The first request is spared unless
    the build has ended by then, so that all of them are met however rarely the gate asks."""
    tokens_end: float | None = None
    """So many seconds after the simulator's start, this job begins to refuse tokens that are older than that."""

    def queued_for(self, seconds: float) -> "Scenario":
        """Return the same job with so many seconds in the queue for each build from the simulator's start on."""
        return replace(
            self,
            plan=self.plan.queued_for(seconds),
            first_plans=tuple(plan.queued_for(seconds) for plan in self.first_plans),
            starts=tuple(
                replace(start, plan=start.plan.queued_for(seconds)) if start.at >= 0 else start for start in self.starts
            ),
        )


class ScenarioGroup(NamedTuple):
    """Several jobs of one project that are shown together."""

    name: str
    description: str
    jobs: tuple[Scenario, ...]


def job_with_past(name: str, description: str, plan: BuildPlan, usual: BuildPlan = sample_plans.PASSING) -> Scenario:
    """Return a job that was built six times before and whose build 57, with this plan, starts with the simulator."""
    past = (
        Start(at=-72 * _HOUR, plan=usual.paced(1.12)),
        Start(at=-49 * _HOUR, plan=sample_plans.FAILING),
        Start(at=-27 * _HOUR, plan=usual.paced(0.93)),
        Start(at=-18 * _HOUR, plan=usual.paced(1.21)),
        Start(at=-9 * _HOUR, plan=sample_plans.ABORTED),
        Start(at=-3 * _HOUR - usual.seconds, plan=usual.paced(0.97)),
    )
    starts = (*past, Start(plan=plan))
    return Scenario(name=name, description=description, plan=plan, starts=starts, first_number=58 - len(starts))


_ALL = (
    job_with_past("passing", "The build passes after about 50 s.", sample_plans.PASSING),
    job_with_past("failing", "The build fails to compile after about 35 s.", sample_plans.FAILING),
    job_with_past("aborted", "Somebody stops the build after about 30 s.", sample_plans.ABORTED),
    job_with_past("schedule-failure", "The build never gets an executor.", sample_plans.NEVER_SCHEDULED),
    job_with_past(
        "slow",
        "The build runs for hours and outlives any usual timeout.",
        sample_plans.SLOW,
        sample_plans.SLOW,
    ),
    job_with_past("queued", "The build waits 90 s in the queue, then passes.", sample_plans.QUEUED),
    job_with_past("stuck-in-queue", "The build waits in the queue for hours; --queue-timeout.", sample_plans.STUCK),
    replace(
        job_with_past(
            "flaky",
            "The build passes, but three requests meet a 500, a 429 and a dropped connection.",
            sample_plans.PASSING,
        ),
        glitches=(Glitch.BUSY, Glitch.THROTTLED, Glitch.DROPPED),
    ),
    replace(
        job_with_past("expired-token", "The token expires in the middle of the wait.", sample_plans.PASSING),
        tokens_end=20.0,
    ),
    job_with_past("failing-tests", "The build passes although three of its unit tests do not.", sample_plans.RED_TESTS),
    job_with_past("unknown-state", "The build ends with a word that nobody documents.", sample_plans.UNKNOWN),
    job_with_past("chatty", "The build passes; its log is long and coloured, and shows progress.", sample_plans.CHATTY),
    job_with_past("multi-job", "The build runs three jobs, one after another, and passes.", sample_plans.MULTI_JOB),
    replace(
        job_with_past(
            "schedule-failure-once",
            "The build never gets an executor; the second one that is started passes.",
            sample_plans.NEVER_SCHEDULED,
        ),
        plan=sample_plans.PASSING,
        first_plans=(sample_plans.NEVER_SCHEDULED,),
    ),
)

SCENARIOS: Mapping[str, Scenario] = MappingProxyType({scenario.name: scenario for scenario in _ALL})
"""All jobs that `demo` and `simulate` know, by name."""


def _jobs(*names: str, plan: BuildPlan = sample_plans.PASSING) -> tuple[Scenario, ...]:
    return tuple(job_with_past(name, "", plan) for name in names)


_GROUPS = (
    ScenarioGroup("by-name", "Two of a project's jobs are given by name, not by id.", _jobs("api", "web", "docs")),
    ScenarioGroup("several-jobs", "Three jobs are started in one run.", _jobs("api", "web", "docs")),
    ScenarioGroup("reuse", "The commit is being built already, so no other build is started.", _jobs("api")),
    ScenarioGroup(
        "two-steps",
        "A build is started in one step; the next waits for it, and stops it when its time is up.",
        _jobs("api", plan=sample_plans.SLOW),
    ),
    ScenarioGroup("whole-log", "The whole log of a build is kept as a file.", _jobs("api", plan=sample_plans.CHATTY)),
)

GROUPS: Mapping[str, ScenarioGroup] = MappingProxyType({group.name: group for group in _GROUPS})
"""What is shown with more than one job, or with more than `wait`, by name."""
