"""The moments at which a fault strikes: which requests of which target, with what would happen without it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gate.simulator import sample_plans
from gate.simulator.builds import RunState
from gate.simulator.scenarios import Scenario, Start, job_with_past
from tests.faults.fault_plan import RECORD_ROUTES, Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.journal import ORDERS, SIGN_IN
from tests.faults.list_faults import LISTS, PROJECT_LISTS
from tests.faults.named_faults import NamedFault

LOGS = ("DownloadBuildFullLog", "DownloadBuildLog", "DownloadTaskLog")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Requests about one target."""

    name: str
    operations: Sequence[str]
    phases: Collection[RunState] = tuple(RunState)
    """Where the build is at this moment and after it."""
    target: str = ":57"
    ended: bool = False
    """Whether the target's build has failed before the gate starts, so that only the report is left to be made."""
    record: bool = False
    """Whether the requests are for the build's record."""

    @property
    def of_build(self) -> bool:
        """Whether the answers name their build, and may come a moment late."""
        return self.record or self.name == "unit-tests"

    def scenario(self, name: str) -> Scenario:
        """Return the job for it."""
        if self.ended:
            return Scenario(name=name, starts=(Start(at=-100, plan=sample_plans.FAILING),), first_number=57)
        return job_with_past(name, "", sample_plans.PASSING)

    def planned(self, fault: NamedFault, simulator: FaultySimulator, job_id: str, once: bool) -> Fault:
        """Return a fault at this moment of a job."""
        return Fault(
            act=fault.make(),
            operations=self.operations,
            job_id=job_id,
            times=1 if once else None,
            when=lambda call: not self.record or simulator.backend.build(call).phase in self.phases,
        )


WAITING = (
    Moment(name="selection", operations=LISTS, target=""),
    Moment(name="first", operations=RECORD_ROUTES, record=True),
    Moment(name="middle", operations=RECORD_ROUTES, phases=(RunState.RUNNING, RunState.ENDED), record=True),
    Moment(name="last", operations=RECORD_ROUTES, phases=(RunState.ENDED,), record=True),
    Moment(name="unit-tests", operations=("ShowReportSummary",)),
    Moment(name="stages", operations=("ShowBuildRecordFullStages",), ended=True),
    Moment(name="log", operations=LOGS, ended=True),
)
"""The moments of `wait`; the last two are side channels."""

LAST_LOOK = Moment(name="last look", operations=RECORD_ROUTES, phases=(RunState.ENDED,), record=True)
LOOK_UP = Moment(name="look-up", operations=PROJECT_LISTS)
START = Moment(name="start", operations=ORDERS)
SIGNING_IN = Moment(name="sign-in", operations=(SIGN_IN,))
