"""Many targets at once, in real time as a process and in virtual time."""

import re
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from gate.model import Target
from gate.settings import Rules
from gate.simulator.scenarios import Scenario, Start
from tests.bench import crowd, virtual
from tests.faults.fault_plan import Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.quota import Quota
from tests.helpers import COURSES


@pytest.mark.ci
def test_hundred_targets_with_429s_each_get_the_right_verdict(
    simulate: Callable[..., FaultySimulator], run_gate: Callable[..., CompletedProcess[str]]
) -> None:
    """The program as a process finds a limit that is far below its own rate."""
    scenarios, verdicts = crowd.scenarios(100, 60)
    simulator = simulate(scenarios, speed=10)
    quota = Quota(300, simulator.clock)
    simulator.faults.add(Fault(act=quota, times=None))
    env = {
        "GATE_TOKEN": simulator.token,
        "GATE_TARGETS": " ".join(f"{name}={job}" for name, job in simulator.jobs.items()),
    }
    done = run_gate(
        "wait", "--endpoint", simulator.endpoint, "--max-rate", 6000, "--poll-interval", "500ms", seconds=90, env=env
    )
    assert done.returncode == 1, done.stderr[-2000:]
    assert {name: word for word, name in re.findall(r"^(\S+) (job-\d+) ", done.stdout, re.MULTILINE)} == verdicts
    assert quota.refused > 0


@pytest.mark.ci
@pytest.mark.parametrize("per_minute", [60, 30])
def test_five_hundred_targets_at_few_calls_a_minute_are_all_right_in_time(per_minute: int) -> None:
    """Nobody starves, and a service that allows what we ask for has nothing to refuse."""
    scenarios, verdicts = crowd.scenarios(500, 1200)
    waited = virtual.wait(scenarios, Rules(max_age=3600, timeout=3 * 3600), per_minute=per_minute)
    assert {name: str(outcome.verdict) for name, outcome in waited.listener.outcomes.items()} == verdicts
    assert (waited.refused == 0) == (per_minute == 60)
    assert (
        max(one.gap for one in crowd.watched(waited.simulator).values()) < 500 * 5 / per_minute * 60
    )  # calls of a selection


def test_one_target_feels_nothing_of_the_rate() -> None:
    """No look comes later than it would at any higher rate."""
    scenarios, _ = crowd.scenarios(1, 600)
    usual, fast = (virtual.wait(scenarios, Rules(max_rate=rate)) for rate in (60, 60_000))
    assert usual.seconds == pytest.approx(fast.seconds, abs=0.01)


def test_builds_of_one_job_share_calls() -> None:
    """Thirty builds of one job that run at once wait little longer than one."""
    start = Start(plan=COURSES["passed"].paced(10))
    scenarios = [Scenario(name="job", starts=(start,) * 30)]

    def builds(numbers: range) -> Callable[[FaultySimulator], list[Target]]:
        return lambda simulator: [
            Target(job_id=simulator.jobs["job"], build_number=number, label=str(number)) for number in numbers
        ]

    one, all_of_them = (virtual.wait(scenarios, Rules(), choose=builds(range(1, last))) for last in (2, 31))
    assert len(all_of_them.listener.outcomes) == 30
    assert all_of_them.seconds < one.seconds + 90  # a record and the stages of each: 60 calls
