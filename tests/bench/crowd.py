"""Many jobs on the simulator, each with a build under way, and what its journal says about how they were watched."""

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from gate.simulator import sample_plans
from gate.simulator.scenarios import Scenario, Start
from tests.faults.fault_plan import RECORD_ROUTES
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.list_faults import LISTS
from tests.helpers import COURSES

SHARES = (0.8, 0.15, 0.05)
PAST = 12
"""Past builds of each job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """How one build was watched, in seconds."""

    looks: int
    lag: float
    """From the build's end, or the first request of all if that was later, to the look that saw it."""
    gap: float
    """The longest time between two looks, or from the first request of all to the first look."""


def scenarios(count: int, seconds: float) -> tuple[list[Scenario], Mapping[str, str]]:
    """Make jobs whose builds last up to so many seconds, and the verdict that each must get, by the job's name."""
    chance = random.Random(count)
    made, verdicts = [], {}
    for index in range(count):
        name = f"job-{index}"
        verdicts[name] = chance.choices(list(COURSES), SHARES)[0]
        usual = chance.uniform(0.2, 0.8) * seconds / sample_plans.PASSING.seconds
        past = [
            Start(at=-3600.0 * (PAST - number), plan=sample_plans.PASSING.paced(usual * chance.lognormvariate(0, 0.1)))
            for number in range(PAST)
        ]
        course = COURSES[verdicts[name]].paced(min(usual * chance.lognormvariate(0, 0.1), seconds / 45))
        made.append(Scenario(name=name, starts=(*past, Start(plan=course))))
    return made, verdicts


def numbered(
    count: int,
    seconds: float,
    *,
    projects: int = 1,
    others: int = 0,
    starts_at: Callable[[int], float] = lambda index: 0.0,
) -> tuple[list[Scenario], Mapping[str, str]]:
    """Make jobs without a past, whose build 1 ends at any time within so many seconds, and the verdicts as above.

    They stand in the lists of `projects` CodeArts projects in any order, in the first one with `others` that ended
    before. `starts_at` returns the instant at which the build of the job with this index starts.
    """
    chance = random.Random(count)
    made = [
        Scenario(name=f"other-{index}", project="project-0", starts=(Start(at=-3600.0),)) for index in range(others)
    ]
    verdicts = {}
    for index in range(count):
        name = f"job-{index}"
        verdicts[name] = chance.choices(list(COURSES), SHARES)[0]
        course = COURSES[verdicts[name]]
        plan = course.paced(chance.uniform(0.02, 1) * seconds / course.seconds)
        made.append(
            Scenario(name=name, project=f"project-{index % projects}", starts=(Start(at=starts_at(index), plan=plan),))
        )
    chance.shuffle(made)
    return made, verdicts


def floor(simulator: FaultySimulator, names: Collection[str], per_minute: float) -> list[float]:
    """Return the lags if each end were known at once and cost one record, in the order of the ends, at this rate."""
    ends = sorted(
        (ended - simulator.clock.start).total_seconds()
        for job in simulator.backend.jobs.values()
        if job.scenario.name in names and (ended := job.builds[-1].at(simulator.clock.now()).finished)
    )
    lags, free_at = [], 0.0
    for end in ends:
        free_at = max(free_at, end) + 60 / per_minute
        lags.append(free_at - 60 / per_minute - end)
    return lags


def watched(simulator: FaultySimulator) -> dict[str, Watched]:
    """Read from the journal how each job's newest build was watched."""
    entries = simulator.journal.entries
    first = entries[0].at
    looks: dict[str, list[tuple[datetime, bool]]] = {}
    for entry in entries:
        if entry.job_id and entry.status == 200 and entry.operation in (*RECORD_ROUTES, *LISTS):
            looks.setdefault(entry.job_id, []).append((entry.at, entry.operation in RECORD_ROUTES))
    found = {}
    for job in simulator.backend.jobs.values():
        ended = job.builds[-1].at(simulator.clock.now()).finished
        seen = next((at for at, record in looks.get(job.id, []) if record and ended and at >= ended), None)
        if seen is None or ended is None:
            continue
        times = [first, *(at for at, _ in looks[job.id] if at <= seen)]
        found[job.scenario.name] = Watched(
            looks=len(times) - 1,
            lag=(seen - max(ended, first)).total_seconds(),
            gap=max((later - earlier).total_seconds() for earlier, later in pairwise(times)),
        )
    return found
