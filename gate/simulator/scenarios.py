"""The scenarios: what becomes of a job's builds, and what goes wrong on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from gate.simulator import samples
from gate.simulator.answers import gateway_error, service_error
from gate.simulator.courses import Course
from gate.simulator.deliveries import Drop
from gate.simulator.faults import RECORD_ROUTES, Fault
from gate.simulator.shapes import Reply

_HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A build that somebody starts, in seconds of service time after the simulator's start (before it: negative)."""

    at: float = 0.0
    course: Course = samples.PASSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One job: its past, its present and what it does when it is told to build."""

    name: str
    description: str = ""
    course: Course = samples.PASSING
    """What a build does that is started by request."""
    starts: tuple[Start, ...] = ()
    """The builds that others start, in the order of time."""
    first_number: int = 1
    faults: tuple[Fault, ...] = ()
    """What goes wrong with requests about this job."""
    tokens_end: float | None = None
    """So many seconds after the simulator's start, this job begins to refuse tokens that are older than that."""


def lived_in(name: str, description: str, course: Course, usual: Course = samples.PASSING) -> Scenario:
    """Return a job that was built six times before and whose build 57, with this course, starts with the simulator."""
    past = (
        Start(at=-72 * _HOUR, course=usual.paced(1.12)),
        Start(at=-49 * _HOUR, course=samples.FAILING),
        Start(at=-27 * _HOUR, course=usual.paced(0.93)),
        Start(at=-18 * _HOUR, course=usual.paced(1.21)),
        Start(at=-9 * _HOUR, course=samples.ABORTED),
        Start(at=-3 * _HOUR - usual.seconds, course=usual.paced(0.97)),
    )
    starts = (*past, Start(course=course))
    return Scenario(name=name, description=description, course=course, starts=starts, first_number=58 - len(starts))


_FLAWS = (
    Fault(operations=RECORD_ROUTES, skip=1, act=Reply(service_error(500, "CB.00060100", "Network busy, try later."))),
    Fault(
        operations=RECORD_ROUTES,
        skip=2,
        act=Reply(
            gateway_error(
                429,
                "0308",
                "The throttling threshold has been reached: policy user over ratelimit,limit:60,time:1 minute",
            )
        ),
    ),
    Fault(operations=RECORD_ROUTES, skip=4, act=Drop()),
)

_ALL = (
    lived_in("passing", "The build passes after about 50 s.", samples.PASSING),
    lived_in("failing", "The build fails to compile after about 35 s.", samples.FAILING),
    lived_in("aborted", "Somebody stops the build after about 30 s.", samples.ABORTED),
    lived_in("schedule-failure", "The build never gets an executor.", samples.NEVER_SCHEDULED),
    lived_in("slow", "The build runs for hours and outlives any usual timeout.", samples.SLOW, samples.SLOW),
    lived_in("queued", "The build waits 90 s in the queue, then passes.", samples.QUEUED),
    replace(
        lived_in("flaky", "The build passes, but a 500, a 429 and a dropped connection come between.", samples.PASSING),
        faults=_FLAWS,
    ),
    replace(
        lived_in("expired-token", "The token is refused as expired in the middle of the wait.", samples.PASSING),
        tokens_end=20.0,
    ),
    lived_in("failing-tests", "The build passes although three of its unit tests do not.", samples.RED_TESTS),
    lived_in("unknown-state", "The build ends with a word that nobody documents.", samples.UNKNOWN),
)

SCENARIOS: Mapping[str, Scenario] = MappingProxyType({scenario.name: scenario for scenario in _ALL})
"""All that `demo` and `simulate` know, by name."""
