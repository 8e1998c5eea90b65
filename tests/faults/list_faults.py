"""Lists that lag, drift, shuffle, or lose rows and commits, as lists of the service were seen to do.

simulator.faults.add(Fault(act=LaggingList(simulator, seconds=20), operations=LISTS, times=None))

Each works on the lists of a job's builds and on the lists of a project's jobs, whichever it is used for.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from gate.simulator.backend import BuildBackend, SimulatedJob, not_found
from gate.simulator.builds import BuildView
from gate.simulator.exchange import Call, HttpAnswer
from gate.simulator.operations import route_of
from gate.simulator.simulator import Answer
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.response_faults import ResponseFault
from tests.faults.transport_faults import TransportFault

LISTS = ("ListBuildInfoRecordByJobId", "ListBuildInfoRecord")
"""The lists of a job's builds."""

PROJECT_LISTS = ("ListProjectJobs", "ShowJobListByProjectId")
"""The lists of a project's jobs."""

ROWS = ("job_build_states", "job_list", "jobs")

JsonRow = dict[str, Any]


class RowsFault(ResponseFault):
    """Changes the rows of a list."""

    def shape(self, call: Call, genuine: Answer) -> HttpAnswer | None:
        """See the base class; what is not a list stays as it is."""
        answer = genuine()
        if answer is None or answer.status >= 400 or not isinstance(answer.body, bytes):
            return answer
        document = json.loads(answer.body)
        holder = document.get("result") if isinstance(document.get("result"), dict) else document
        for name in ROWS:
            if name in holder:
                holder[name] = self.changed(holder[name])
        return replace(answer, body=json.dumps(document).encode())

    def changed(self, rows: list[JsonRow]) -> list[JsonRow]:
        """Return the rows to send."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRows(RowsFault):
    """Makes other rows out of the service's own; `change` takes and returns all rows of one page."""

    change: Callable[[list[JsonRow]], list[JsonRow]]

    def changed(self, rows: list[JsonRow]) -> list[JsonRow]:
        """See the base class."""
        return self.change(rows)


def empty_list() -> EditRows:
    """Return a fault that lets a list be empty, as lists of projects were seen to become."""
    return EditRows(change=lambda _: [])


def older_rows(count: int = 1) -> EditRows:
    """Return a fault that takes the newest builds out of a list: it has drifted back."""
    return EditRows(change=lambda rows: rows[count:])


def without_commits(count: int | None = None) -> EditRows:
    """Return a fault that takes the commit out of the newest `count` builds of a list (`None`: of all)."""

    def change(rows: list[JsonRow]) -> list[JsonRow]:
        cut = len(rows) if count is None else count
        return [{**row, "commit_id": None, "commit_info": None} for row in rows[:cut]] + rows[cut:]

    return EditRows(change=change)


def without_numbers() -> EditRows:
    """Return a fault that takes the number of the last build out of a project's list, as was seen on a real one."""
    return EditRows(change=lambda rows: [{k: v for k, v in row.items() if k != "build_number"} for row in rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class ShuffledRows(RowsFault):
    """Sends the rows in another order each time."""

    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def changed(self, rows: list[JsonRow]) -> list[JsonRow]:
        """See the base class."""
        return self.chance.sample(rows, len(rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class LostRows(RowsFault):
    """Leaves out each row with a probability, anew at each request."""

    probability: float = 0.3
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def changed(self, rows: list[JsonRow]) -> list[JsonRow]:
        """See the base class."""
        return [row for row in rows if self.chance.random() >= self.probability]


@dataclass(frozen=True, slots=True, kw_only=True)
class LaggingList(ResponseFault):
    """Answers as the service would have some time ago: newer builds are missing, and older ones still run."""

    simulator: FaultySimulator
    seconds: float
    """How long ago, in seconds of service time."""
    lag: Callable[[], float] | None = None
    """Returns the seconds for each request, in place of `seconds`."""

    def shape(self, call: Call, genuine: Answer) -> HttpAnswer | None:
        """See the base class; a refusal of the service comes without a lag."""
        answer = genuine()
        if answer is None or answer.status >= 400:
            return answer
        route, _ = route_of(call.method, call.path)
        lag = self.seconds if self.lag is None else self.lag()
        return route.handler(_PastBackend(self.simulator.backend, lag), call)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFault:
    """What strikes the lists of a whole CodeArts project: they fail, or say something else than the records."""

    name: str
    make: Callable[[FaultySimulator], ResponseFault | TransportFault]
    later_pages_only: bool = False
    """Whether it strikes behind the first page of a list; the project then has jobs for more than one page."""


def _rows_changed(change: Callable[[list[JsonRow]], list[Any]]) -> Callable[[FaultySimulator], EditRows]:
    return lambda _: EditRows(change=change)


def _saying(**words: object) -> Callable[[FaultySimulator], EditRows]:
    """Return what makes a fault that puts other values into the fields of all rows; a row gets no new field."""
    return _rows_changed(lambda rows: [row | {name: words[name] for name in words if name in row} for row in rows])


def _identities_moved_on(rows: list[JsonRow]) -> list[JsonRow]:
    """Give each row the job or the number of the next one, so that it tells about another build."""
    others = zip(rows, [*rows[1:], *rows[:1]], strict=True)
    return [row | {name: other[name] for name in ("id", "number") if name in row} for row, other in others]


_RUNNING = {
    "last_build_status": "building",
    "last_job_running_status": "Running",
    "is_finished": False,
    "job_running_status": "Running",
    "state": "RUNNING",
}
_ENDED = {"last_job_running_status": "Finished", "is_finished": True, "job_running_status": "Finished"}
_OLDER = {"build_number": "56", "task_id": "#20010101.1"}
_NEWER = {"build_number": "58", "task_id": "#20010101.1"}

LIST_LIES = (
    ListFault(name="empty list", make=lambda _: empty_list()),
    ListFault(name="empty second page", make=lambda _: empty_list(), later_pages_only=True),
    ListFault(name="list 20 s late", make=lambda simulator: LaggingList(simulator=simulator, seconds=20)),
    ListFault(name="list an hour late", make=lambda simulator: LaggingList(simulator=simulator, seconds=3600)),
    ListFault(name="list in another order", make=lambda _: ShuffledRows()),
    ListFault(name="list that loses rows", make=lambda _: LostRows(probability=0.5)),
    ListFault(name="list without numbers", make=_saying(build_number=None, task_id=None, daily_build_number=None)),
    ListFault(name="list without states", make=_saying(**dict.fromkeys(_RUNNING))),
    ListFault(
        name="list in Chinese", make=_saying(last_build_status="成功", last_job_running_status="已完成", state="成功")
    ),
    ListFault(name="list of unknown words", make=_saying(**dict.fromkeys(_RUNNING, "EVAPORATED"))),
    ListFault(name="contradictory list", make=_saying(**_ENDED, last_build_status="building", state="RUNNING")),
    ListFault(name="all have passed", make=_saying(**_ENDED, last_build_status="blue", state="SUCCESS")),
    ListFault(name="all have failed", make=_saying(**_ENDED, last_build_status="red", state="FAILURE")),
    ListFault(name="all are running", make=_saying(**_RUNNING, build_number="57")),
    ListFault(name="newer builds are running", make=_saying(**_RUNNING, **_NEWER)),
    ListFault(name="newer builds have passed", make=_saying(**_ENDED, **_NEWER, last_build_status="blue")),
    ListFault(name="older builds have failed", make=_saying(**_ENDED, **_OLDER, last_build_status="red")),
    ListFault(name="rows of other builds", make=_rows_changed(_identities_moved_on)),
    ListFault(name="rows that are none", make=_rows_changed(lambda rows: [None, 57, "SUCCESS", [], {}, *rows[1:]])),
    ListFault(
        name="rows of other types", make=_saying(build_number={}, task_id=7, is_finished="yes", state=[], number="x")
    ),
)
"""What the list of a project and the list of a job are known to say, or could say, that the records do not."""


class LateRecord(ResponseFault):
    """Says that a build does not exist until it is some seconds old: records come late."""

    def __init__(self, simulator: FaultySimulator, seconds: float) -> None:
        self._simulator = simulator
        self._seconds = seconds

    def shape(self, call: Call, genuine: Answer) -> HttpAnswer | None:
        """See the base class."""
        job = self._simulator.backend.jobs.get(call.job_id or "")
        created = [build.created for build in job.builds if build.number == call.build_number] if job else []
        if created and self._simulator.clock.now() < created[0] + timedelta(seconds=self._seconds):
            return not_found(call, "build").answer
        return genuine()


class _PastBackend(BuildBackend):
    """The jobs and builds as they were some time ago."""

    def __init__(self, present: BuildBackend, seconds: float) -> None:
        self._present = present
        self._lag = timedelta(seconds=seconds)
        self.clock = present.clock
        self.jobs = present.jobs

    @property
    def _then(self) -> datetime:
        return self.clock.now() - self._lag

    def builds(self, call: Call) -> list[BuildView]:
        """See the base class."""
        views = self._present.builds(call)
        return [view.build.at(self._then) for view in views if view.build.created <= self._then]

    def newest(self, job: SimulatedJob) -> BuildView | None:
        """See the base class."""
        self._present.newest(job)
        known = [build for build in job.builds if build.created <= self._then]
        return known[-1].at(self._then) if known else None
