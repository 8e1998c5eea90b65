"""Several orders, failures and signals at any moment: no build that this run may have started is forgotten."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gate.core.ports import Interruption
from gate.core.wait import FAIL_FAST_SECONDS, WIND_UP
from gate.model import Order, Target, TargetOutcome
from gate.settings import Rules
from gate.simulator.exchange import service_error, throttled
from gate.simulator.scenarios import SCENARIOS
from tests.faults.catalogue import named_fault
from tests.faults.connection_faults import CONNECTION_FAULTS
from tests.faults.fault_plan import RECORD_ROUTES, Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.journal import ORDERS, STOPS
from tests.faults.memory import MemoryWait
from tests.faults.response_faults import ReplaceAnswer

NAMES = ("passing", "failing", "slow", "queued", "schedule-failure")
LIGHT = sorted(fault.name for fault in CONNECTION_FAULTS if not fault.heavy)
REFUSALS = {
    "refused": service_error(403, "DEVCB.00020003", "You may not build."),
    "throttled": throttled(5),
    "busy": service_error(500, "DEVCB.00000001", "busy"),
}

orders = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from([None, None, *REFUSALS, *LIGHT]), st.integers(1, 3)),
    min_size=1,
    max_size=4,
)
signals = st.none() | st.tuples(st.floats(0, 90), st.sampled_from([2, 15]))
troubles = st.lists(
    st.tuples(st.sampled_from([RECORD_ROUTES, STOPS]), st.sampled_from([*REFUSALS, *LIGHT]), st.integers(0, 3)),
    max_size=2,
)


def fault(name: str, job_id: str | None, operations: tuple[str, ...], times: int, skip: int = 0) -> Fault:
    """Return what goes wrong with some requests."""
    if name in REFUSALS:
        return Fault(act=ReplaceAnswer(REFUSALS[name]), operations=operations, job_id=job_id, times=times, skip=skip)
    return named_fault(name, operations=operations, job_id=job_id, times=times, skip=skip)


@given(
    chosen=orders,
    troubles=troubles,
    interruption=signals,
    fail_fast=st.booleans(),
    keeps=st.booleans(),
    no_wait=st.integers(0, 3).map(lambda number: number == 0),
    retries=st.integers(0, 2),
)
@settings(phases=[Phase.generate])
def test_every_build_that_may_have_been_started_is_stopped_or_said_to_go_on(
    chosen: list[tuple[str, str | None, int]],
    troubles: list[tuple[tuple[str, ...], str, int]],
    interruption: tuple[float, int] | None,
    fail_fast: bool,
    keeps: bool,
    no_wait: bool,
    retries: int,
) -> None:
    """With its number, as far as the service has told it; no build of anybody else is touched."""
    scenarios = [replace(SCENARIOS[name], name=f"{name}-{number}") for number, (name, _, _) in enumerate(chosen)]
    simulator = FaultySimulator(scenarios, speed=0)
    try:
        jobs = list(simulator.backend.jobs.values())
        before = {job.id: len(job.builds) for job in jobs}
        for job, (_, trouble, times) in zip(jobs, chosen, strict=True):
            if trouble:
                simulator.faults.add(fault(trouble, job.id, ORDERS, times))
        for operations, name, skip in troubles:
            simulator.faults.add(fault(name, None, operations, 4, skip))
        rules = Rules(
            timeout=60, error_budget=20, poll_interval=5, max_rate=6000,
            fail_fast=fail_fast, keep_running=keeps, retries=retries, no_wait=no_wait,
        )  # fmt: skip
        targets = [Target(job_id=job.id, label=job.scenario.name) for job in jobs]
        waiting = MemoryWait(simulator, *targets, rules=rules, order=Order())
        if interruption:
            waiting.workers.at(waiting.workers.now() + interruption[0], Interruption(interruption[1]))
        outcomes, took = waiting.run_all()
        assert took <= timedelta(seconds=60 + max(WIND_UP, FAIL_FAST_SECONDS))
        for job, outcome in zip(jobs, outcomes, strict=True):
            assert "a bug in the gate" not in outcome.reason
            own = job.builds[before[job.id] :]
            assert len(own) <= 1 + len(outcome.attempts), "ordered twice"
            for build in own:
                is_over = build.at(simulator.clock.now()).ended
                words = waiting.wait.final_words
                assert is_over or is_said(outcome, build.number, words, is_only=len(jobs) == 1), outcome
                assert not (keeps and build.stopped), "stopped although it was to go on"
        numbers = {job.id: {build.number for build in job.builds[before[job.id] :]} for job in jobs}
        for entry in simulator.journal.of(*STOPS):
            assert entry.build_number in numbers[str(entry.job_id)], "somebody else's build was to be stopped"
    finally:
        simulator.stop()


def is_said(outcome: TargetOutcome, number: int, final_words: str, *, is_only: bool) -> bool:
    """Tell whether people learn that a build may go on: by its number, or that an order may have been accepted."""
    text = f"{outcome.reason} {outcome.hint} {final_words}"
    if outcome.build_number == number:
        return f"uild {number}" in text or f"{outcome.label}:{number}" in text
    is_named = "Check in the CodeArts console" in final_words and (is_only or outcome.label in final_words)
    return outcome.build_number is None and ("unknown whether" in text or is_named)
