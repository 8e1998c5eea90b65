"""`run` with several targets: each is ordered once, all are waited for, and what this run started is stopped."""

import json
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from gate.simulator.exchange import service_error, throttled
from tests.faults.fault_plan import RECORD_ROUTES, Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.journal import ORDERS, STOPS
from tests.faults.response_faults import ReplaceAnswer, ResponseFault, SlowAnswer
from tests.faults.transport_faults import Drop, TransportFault
from tests.helpers import RunGate, Simulate, StartGate, environment, wait_for


def started(simulator: FaultySimulator) -> dict[str, int]:
    """Return how many builds were started of each job, by the name of its scenario."""
    names = {job_id: name for name, job_id in simulator.jobs.items()}
    counts = dict.fromkeys(names.values(), 0)
    for entry in simulator.journal.of(*ORDERS):
        counts[names[str(entry.job_id)]] += entry.status == 200
    return counts


def stopped(simulator: FaultySimulator) -> list[tuple[str, int | None]]:
    """Return the builds that were asked to stop, by the names of their jobs."""
    names = {job_id: name for name, job_id in simulator.jobs.items()}
    return sorted({(names[str(entry.job_id)], entry.build_number) for entry in simulator.journal.of(*STOPS)})


def test_all_builds_are_ordered_before_any_is_judged(simulate: Simulate, run_gate: RunGate) -> None:
    """And reported as `wait` does."""
    simulator = simulate(["passing", "failing", "aborted"], speed=300)
    done = run_gate("run", *simulator.jobs.values(), "--json", env=environment(simulator))
    found = json.loads(done.stdout)
    assert (done.returncode, found["verdict"]) == (1, "failed"), done.stderr
    assert [(one["verdict"], one["build_number"]) for one in found["targets"]] == [
        ("passed", 58), ("failed", 58), ("aborted", 58),
    ]  # fmt: skip
    assert started(simulator) == {"passing": 1, "failing": 1, "aborted": 1}
    last_order = max(entry.at for entry in simulator.journal.of(*ORDERS))
    read = [one.at for one in simulator.journal.of(*RECORD_ROUTES) if (one.build_number, one.status) == (58, 200)]
    assert min(read) >= last_order
    assert not simulator.journal.of(*STOPS)


def test_what_cannot_be_ordered_is_undetermined_and_the_others_go_on(simulate: Simulate, run_gate: RunGate) -> None:
    """One is refused, one throttled at first, one lost; each order is sent once, but for the one not admitted."""
    simulator = simulate(["passing", "failing", "aborted", "queued"], speed=300)
    acts: dict[str, ResponseFault | TransportFault] = {
        "failing": ReplaceAnswer(service_error(403, "DEVCB.00020003", "You may not build.")),
        "aborted": ReplaceAnswer(throttled(1)),
        "queued": Drop(),
    }
    for name, act in acts.items():
        simulator.faults.add(Fault(operations=ORDERS, job_id=simulator.jobs[name], act=act))
    labels = [f"{name}={job_id}" for name, job_id in simulator.jobs.items()]
    done = run_gate("run", *labels, env=environment(simulator))
    assert done.returncode == 4, done.stderr
    assert [line.split()[:3] for line in done.stdout.splitlines()] == [
        ["passed", "passing", "build=58"],
        ["undetermined", "failing", "build=-"],
        ["aborted", "aborted", "build=58"],
        ["undetermined", "queued", "build=-"],
    ]
    assert started(simulator)["passing"] == started(simulator)["aborted"] == 1
    assert len([entry for entry in simulator.journal.of(*ORDERS) if entry.job_id == simulator.jobs["queued"]]) == 1
    assert "queued: If build 58 is the one that you ordered, wait for it: " in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("how", ["signal", "timeout", "fail-fast"])
def test_all_builds_that_were_started_are_stopped_and_no_other(
    simulate: Simulate, start_gate: StartGate, how: str
) -> None:
    """Build 57 of each job is somebody else's."""
    simulator = simulate(["slow", "failing"] if how == "fail-fast" else ["slow", "queued"], speed=30)
    options = {"signal": [], "timeout": ["--timeout", "2s"], "fail-fast": ["--fail-fast"]}[how]
    gate = start_gate("run", *simulator.jobs.values(), *options, env=environment(simulator))
    if how == "signal":
        wait_for(lambda: sum(started(simulator).values()) == 2)
        gate.send_signal(signal.SIGTERM)
    _, err = gate.communicate(timeout=30)
    assert gate.returncode == {"signal": 143, "timeout": 3, "fail-fast": 1}[how], err
    expected = [("slow", 58)] if how == "fail-fast" else [("queued", 58), ("slow", 58)]
    assert stopped(simulator) == expected, err


def test_build_whose_order_is_under_way_when_the_signal_comes_is_stopped_too(
    simulate: Simulate, start_gate: StartGate
) -> None:
    """The number of its build is waited for; the other one has been started before."""
    simulator = simulate(["slow", "queued"], speed=1)
    answer = SlowAnswer(lambda: time.sleep(1))
    simulator.faults.add(Fault(operations=ORDERS, job_id=simulator.jobs["queued"], act=answer))
    gate = start_gate("run", *simulator.jobs.values(), env=environment(simulator))
    wait_for(lambda: sum(started(simulator).values()) >= 1)
    gate.send_signal(signal.SIGTERM)
    _, err = gate.communicate(timeout=30)
    assert gate.returncode == 143
    assert stopped(simulator) == [(name, 58) for name in ("queued", "slow") if started(simulator)[name]], err


def test_no_wait_starts_all_and_says_their_numbers(simulate: Simulate, run_gate: RunGate) -> None:
    """For `wait` in a later step, which may stop them."""
    simulator = simulate(["slow", "queued"], speed=1)
    labels = [f"{name}={job_id}" for name, job_id in simulator.jobs.items()]
    done = run_gate("run", *labels, "--no-wait", env=environment(simulator))
    assert (done.returncode, done.stdout) == (
        0, "started slow build=58 state=-\nstarted queued build=58 state=-\n",
    ), done.stderr  # fmt: skip
    assert not simulator.journal.of(*STOPS)
    later = [f"{target}:58" for target in labels]
    done = run_gate("wait", *later, "--stop", "--timeout", "1s", env=environment(simulator))
    assert done.returncode == 3, done.stderr
    assert stopped(simulator) == [("queued", 58), ("slow", 58)]


ENDINGS: dict[str, tuple[list[str], list[str]]] = {
    "signal": (["slow", "multi-job"], []),
    "timeout": (["slow", "multi-job"], ["--timeout", "2s"]),
    "fail-fast": (["slow", "failing"], ["--fail-fast"]),
}
"""The jobs and the options for each way to end a wait."""


def test_stop_is_for_the_numbers_that_were_given(simulate: Simulate, start_gate: StartGate, tmp_path: Path) -> None:
    """Whatever ends the wait; without the option, the builds go on. One that has ended is not stopped."""
    runs = {}
    for ending, (scenarios, limits) in ENDINGS.items():
        for option in ([], ["--stop"]):
            simulator = simulate(scenarios, speed=30)
            given = list(simulator.jobs.values())[: 2 if ending == "fail-fast" else 1]
            folder = tmp_path / f"{ending}{len(option)}"
            folder.mkdir()
            arguments = [*(f"{job_id}:57" for job_id in given), *option, *limits]
            gate = start_gate("wait", *arguments, env=environment(simulator), cwd=folder)
            runs[ending, bool(option)] = simulator, gate
    for (ending, has_option), (simulator, gate) in runs.items():
        if ending == "signal":
            wait_for(partial(simulator.journal.of, *RECORD_ROUTES))
            gate.send_signal(signal.SIGTERM)
        _, err = gate.communicate(timeout=30)
        assert stopped(simulator) == ([("slow", 57)] if has_option else []), (ending, err)
