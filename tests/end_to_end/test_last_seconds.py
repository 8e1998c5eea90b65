"""The last seconds of a wait, through the program: what ended is judged, what was started is stopped, nothing hangs."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from junitparser import JUnitXml

from gate.simulator import sample_plans
from gate.simulator.exchange import HttpAnswer, gateway_error, service_error
from gate.simulator.scenarios import Scenario, Start
from tests.end_to_end.deadline_campaign import plan, run_one_build, wait_for_builds
from tests.faults.fault_plan import RECORD_ROUTES, Fault
from tests.faults.journal import STOPS
from tests.faults.moments import LOGS
from tests.faults.response_faults import ReplaceAnswer, ResponseFault
from tests.faults.transport_faults import Drop, Silence, TransportFault
from tests.helpers import RunGate, Simulate, StartGate, environment, wait_for

BUSY = ReplaceAnswer(service_error(500, "CB.00060101", "Internal error."))
BAD_GATEWAY = ReplaceAnswer(HttpAnswer(status=502, body=b"<html>Bad Gateway</html>", content_type="text/html"))
THROTTLED = ReplaceAnswer(gateway_error(429, "0308", "policy user over ratelimit,limit:60,time:1 minute"))
NOT_THIS_TOKEN = ReplaceAnswer(gateway_error(401, "0301", "Incorrect IAM authentication information"))


@pytest.mark.ci  # takes seconds; core/test_ending.py and core/test_wait.py have it in virtual time
def test_build_that_ends_just_before_the_deadline_is_judged() -> None:
    """Ten targets of one `wait`, and one `run`, at the default interval; see `deadline_campaign`."""
    with ThreadPoolExecutor(2) as pool:
        waited = pool.submit(wait_for_builds, Random(1), 10, 8.0)
        started = pool.submit(run_one_build, Random(1), 8.0)
    assert (waited.result(), started.result()) == ([True] * 10, True)


def test_build_that_ended_while_the_machine_slept_is_judged(simulate: Simulate, start_gate: StartGate) -> None:
    """The process is suspended over the deadline: what the build did by then is looked at, not timed out."""
    simulator = simulate([Scenario(name="job", starts=(Start(plan=plan(1.2, "SUCCESS")),))])
    env = environment(simulator, GATE_POLL_INTERVAL="60s")
    process = start_gate("wait", f"{simulator.jobs['job']}:1", "--timeout", "1500ms", env=env)
    wait_for(lambda: simulator.journal.of(*RECORD_ROUTES))
    process.send_signal(signal.SIGSTOP)
    time.sleep(1.6)
    process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out.split()[0]) == (0, "passed"), err


def test_stop_is_tried_until_it_is_done(simulate: Simulate, run_gate: RunGate) -> None:
    """A bad gateway, a throttle and a reset, one after another, do not leave the build behind."""
    acts: tuple[ResponseFault | TransportFault, ...] = (BAD_GATEWAY, THROTTLED, Drop(reset=True, processed=False))
    faults = [Fault(operations=STOPS, act=act, skip=number) for number, act in enumerate(acts)]
    simulator = simulate(["slow"], faults=faults)
    done = run_gate("run", simulator.jobs["slow"], "--timeout", "2s", env=environment(simulator))
    assert (done.returncode, [number for _, number in simulator.journal.stops]) == (3, [58]), done.stderr
    assert "stop requested for build 58" in done.stderr


@pytest.mark.parametrize(
    ("act", "can_stop", "timeout"),
    [
        pytest.param(BUSY, True, "20s", id="stopped"),
        pytest.param(BUSY, False, "4s", id="stop fails up to the deadline", marks=pytest.mark.ci),
        pytest.param(BUSY, False, "60s", id="stop fails", marks=pytest.mark.ci),  # 20 s of tries
        pytest.param(NOT_THIS_TOKEN, False, "20s", id="token refused twice", marks=pytest.mark.ci),  # as long
    ],
)
def test_run_without_a_result_stops_its_build_or_names_it(
    simulate: Simulate, run_gate: RunGate, act: ReplaceAnswer, can_stop: bool, timeout: str
) -> None:
    """Records fail for good, or the token is refused, and is not sent again: the build must not go on unnoticed."""
    faults = [Fault(operations=RECORD_ROUTES, act=act, build_number=58, skip=2, times=None)]
    faults += [] if can_stop else [Fault(operations=STOPS, act=BUSY, times=None)]
    simulator = simulate(["slow"], faults=faults)
    job = simulator.jobs["slow"]
    options = ("--error-budget", "1s", "--timeout", timeout)
    done = run_gate("run", job, *options, env=environment(simulator), seconds=40)
    stopped = [number for _, number in simulator.journal.stops]
    assert (done.returncode, stopped) == (5, [58] if can_stop else []), done.stderr
    last = done.stderr.splitlines()[-1]
    assert can_stop or f"Build 58 may go on. To stop it: codearts-gate wait {job}:58 --stop" in last, done.stderr


@pytest.mark.ci  # takes seconds; core/test_ending.py and core/test_wait.py have it in virtual time
def test_error_budget_counts_no_waiting_for_a_turn(simulate: Simulate, run_gate: RunGate) -> None:
    """Fourteen targets at a low rate, each with two failed polls: what they wait for their turn is no failure."""
    jobs = [Scenario(name=f"job-{number}", starts=(Start(at=-100),)) for number in range(14)]
    simulator = simulate(jobs)
    for job in simulator.jobs.values():
        simulator.faults.add(Fault(operations=RECORD_ROUTES, act=BUSY, job_id=job, times=2))
    targets = [f"{name}={job}:1" for name, job in simulator.jobs.items()]
    env = environment(simulator, GATE_MAX_RATE="360", GATE_POLL_INTERVAL="1s")
    done = run_gate("wait", *targets, "--error-budget", "1600ms", env=env, seconds=60)
    assert (done.returncode, done.stdout.count("passed")) == (0, 14), done.stderr


def test_exit_comes_soon_after_the_deadline_when_everything_hangs(simulate: Simulate, start_gate: StartGate) -> None:
    """One last poll without an answer, and nothing is asked beside it; the limit is five seconds."""
    simulator = simulate(["slow"])
    process = start_gate("wait", f"{simulator.jobs['slow']}:57", "--timeout", "1s", env=environment(simulator))
    wait_for(lambda: simulator.journal.of(*RECORD_ROUTES))
    started = time.monotonic()  # of the wait, at the latest
    simulator.faults.add(Fault(act=Silence(), times=None))
    process.communicate(timeout=20)
    seconds = time.monotonic() - started - 1
    assert (process.returncode, seconds < 3) == (3, True), seconds


def test_stages_and_log_are_asked_for_once_more(simulate: Simulate, run_gate: RunGate, tmp_path: Path) -> None:
    """One error of each is no reason to show neither."""
    failing = Scenario(name="job", starts=(Start(at=-100, plan=sample_plans.FAILING),))
    operations = (("ShowBuildRecordFullStages",), LOGS[:1])
    simulator = simulate([failing], faults=[Fault(operations=one, act=BUSY) for one in operations])
    done = run_gate("wait", f"{simulator.jobs['job']}:1", env=environment(simulator))
    (suite,) = JUnitXml.fromfile(str(tmp_path / "gate-report.xml"))
    assert (done.returncode, "stage Maven" in [case.name for case in suite]) == (1, True), done.stderr
    assert "cannot find symbol" in next(iter(suite)).system_out
    assert "could not be read" not in done.stderr


@pytest.mark.parametrize("command", ["wait", "run"])
def test_hint_after_ctrl_c_fits(simulate: Simulate, start_gate: StartGate, command: str) -> None:
    """The user has ended the wait: a longer --timeout helps nobody, and the build has a name."""
    simulator = simulate(["slow"])
    process = start_gate(command, simulator.jobs["slow"], env=environment(simulator))
    number = 57 if command == "wait" else 58
    wait_for(lambda: number in [entry.build_number for entry in simulator.journal.of(*RECORD_ROUTES)])
    time.sleep(0.3)  # the answer's way to the gate; without it, the build is not named, which is no error
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "longer --timeout" not in err
    assert "signal 2" not in err
    assert f"build {number}" in " ".join(err.splitlines()[-2:]).lower(), err
