"""Whatever happens in whatever order: one verdict, in time, a pass only for a pass, and one build at most."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from gate.core.ports import Interruption
from gate.core.wait import WIND_UP
from gate.model import Order, Target, Verdict
from gate.settings import Rules
from tests.faults.catalogue import NAMED_FAULTS, named_fault
from tests.faults.connection_faults import CONNECTION_FAULTS
from tests.faults.fault_plan import RECORD_ROUTES
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.journal import ORDERS, STOPS
from tests.faults.list_faults import LISTS
from tests.faults.malformed_bodies import MALFORMED_BODIES
from tests.faults.memory import MemoryWait
from tests.faults.moments import LOGS
from tests.faults.wrong_answers import WRONG_ANSWERS

RULES = Rules(timeout=120, error_budget=40, poll_interval=5, max_rate=600)
HEAVY = {fault.name for fault in NAMED_FAULTS.values() if fault.heavy}
NAMES = sorted(set(NAMED_FAULTS) - HEAVY)
OPERATIONS = [
    (),
    ("ShowJobBuildRecordDetail",),
    RECORD_ROUTES,
    LISTS,
    LOGS,
    ("ShowBuildRecordFullStages",),
    ("ShowJobStatus",),
    ORDERS,
    STOPS,
]
SCENARIOS = ["passing", "failing", "aborted", "schedule-failure", "slow", "queued", "unknown-state"]


class HostileService(RuleBasedStateMachine):
    """Faults, newer builds and signals in any order; then the wait, and what must hold after it."""

    simulator: FaultySimulator | None = None

    @initialize(scenario=st.sampled_from(SCENARIOS), mode=st.sampled_from(["pinned", "newest", "run"]))
    def begin(self, scenario: str, mode: str) -> None:
        """Make a job and a gate that waits for one of its builds."""
        self.simulator = FaultySimulator([scenario], speed=0)
        job_id = self.simulator.jobs[scenario]
        self.job = self.simulator.backend.jobs[job_id]
        self.before = len(self.job.builds)
        target = Target(job_id=job_id, label="app", build_number=57 if mode == "pinned" else None)
        self.waiting = MemoryWait(self.simulator, target, rules=RULES, order=Order() if mode == "run" else None)
        self.mode = mode
        self.others = 0

    @rule(
        name=st.sampled_from(NAMES),
        operations=st.sampled_from(OPERATIONS),
        skip=st.integers(0, 6),
        times=st.none() | st.integers(1, 4),
    )
    def strike(self, name: str, operations: tuple[str, ...], skip: int, times: int | None) -> None:
        """Let any fault strike any requests."""
        self.go_wrong(name, operations, skip, times)

    def go_wrong(self, name: str, operations: tuple[str, ...], skip: int, times: int | None) -> None:
        """Let a fault strike some requests."""
        assert self.simulator
        if name in HEAVY:
            return
        self.simulator.faults.add(named_fault(name, operations=operations, skip=skip, times=times))

    @rule(
        name=st.sampled_from([lie.name for lie in WRONG_ANSWERS]),
        skip=st.integers(0, 6),
        times=st.none() | st.integers(1, 4),
    )
    def lie(self, name: str, skip: int, times: int | None) -> None:
        """Say something else of the build than the truth."""
        self.go_wrong(name, RECORD_ROUTES, skip, times)

    @precondition(lambda self: self.mode == "run")
    @rule(name=st.sampled_from([one.name for one in (*CONNECTION_FAULTS, *MALFORMED_BODIES)]))
    def lose_the_order(self, name: str) -> None:
        """Lose the answer to an order, or the order."""
        self.go_wrong(name, ORDERS, 0, 1)

    @precondition(lambda self: self.mode != "run")
    @rule()
    def start_another(self) -> None:
        """Let somebody else start a build before the wait begins."""
        assert self.simulator
        self.job.start(self.simulator.clock.now(), self.job.scenario.plan)
        self.others += 1

    @rule(seconds=st.floats(0, 130), number=st.sampled_from([2, 15]))
    def interrupt(self, seconds: float, number: int) -> None:
        """Let a signal come."""
        self.waiting.workers.at(self.waiting.workers.now() + seconds, Interruption(number))

    def teardown(self) -> None:
        """Wait, and hold the outcome against what the service really did."""
        if self.simulator is None:
            return
        try:
            outcome, took = self.waiting.run()
            assert took <= timedelta(seconds=RULES.timeout + WIND_UP)
            assert [decision.verdict for decision in self.waiting.observer.decisions] == [outcome.verdict]
            assert outcome.reason
            assert "a bug in the gate" not in outcome.reason
            assert len(outcome.reason) < 20_000
            builds = {build.number: build.at(self.simulator.clock.now()) for build in self.job.builds}
            if outcome.verdict is Verdict.PASSED:
                assert outcome.build_number is not None
                judged = builds[outcome.build_number]
                assert (judged.word, judged.ended) == ("SUCCESS", True)
                assert self.mode != "pinned" or outcome.build_number == 57
            started = len(self.job.builds) - self.before - self.others
            assert started <= (1 if self.mode == "run" else 0)
            own = {self.job.builds[-1].number} if started else set()
            assert {entry.build_number for entry in self.simulator.journal.of(*STOPS)} <= own
        finally:
            self.simulator.stop()


HostileService.TestCase.settings = settings(stateful_step_count=6, suppress_health_check=list(HealthCheck))
test_any_sequence_of_faults_ends_well = pytest.mark.filterwarnings("default")(HostileService.TestCase)
