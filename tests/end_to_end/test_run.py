"""`run` as a process: a build is started once, waited for by its number, and stopped when the gate gives up."""

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from gate.simulator.exchange import gateway_error, json_answer, service_error, throttled
from tests.faults.fault_plan import Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.journal import ORDERS, STOPS
from tests.faults.response_faults import ReplaceAnswer
from tests.faults.transport_faults import Drip, Drop, Point, Silence
from tests.helpers import RunGate, RunGates, Simulate, StartGate, environment, error_types, wait_for

SLOWLY = Drip(interval=0.002, headers=True)


def orders(simulator: FaultySimulator) -> int:
    """Count the builds that were ordered and started."""
    return len([entry for entry in simulator.journal.of(*ORDERS) if entry.status == 200])


@pytest.mark.parametrize(("scenario", "status", "word"), [("passing", 0, "SUCCESS"), ("failing", 1, "FAILURE")])
def test_started_build_is_the_one_that_is_judged(
    simulate: Simulate, run_gate: RunGate, scenario: str, status: int, word: str
) -> None:
    """The build that was started gives the verdict, although the newest build before it still runs."""
    simulator = simulate([scenario], speed=300)
    done = run_gate("run", simulator.jobs[scenario], env=environment(simulator))
    assert (done.returncode, "build=58 " in done.stdout, f"state={word}" in done.stdout) == (status, True, True)
    assert orders(simulator) == 1
    assert not simulator.journal.of(*STOPS)


def test_missing_v1_route_is_replaced_by_v3(simulate: Simulate, run_gate: RunGate) -> None:
    """A host that does not publish ExecuteJob is asked by RunJob, whose answer has no envelope."""
    simulator = simulate(["passing"], speed=300, unpublished=["ExecuteJob"])
    done = run_gate("run", simulator.jobs["passing"], env=environment(simulator))
    assert (done.returncode, "build=58 " in done.stdout) == (0, True), done.stderr
    assert orders(simulator) == 1


def test_order_that_was_not_admitted_is_sent_again(simulate: Simulate, run_gates: RunGates) -> None:
    """The service has refused it for now, which is no lost answer: one build is started."""
    refusals = {"gateway": throttled(60), "service": service_error(400, "CB.00060211", "Too many requests.")}
    simulators, calls = {}, {}
    for name, refusal in refusals.items():
        twice = Fault(operations=ORDERS, act=ReplaceAnswer(refusal), times=2)
        simulators[name] = simulator = simulate(["passing"], speed=300, faults=[twice])
        calls[name] = {"arguments": ["run", simulator.jobs["passing"]], "env": environment(simulator)}
    for name, done in run_gates(calls).items():
        assert (done.returncode, "build=58 " in done.stdout) == (0, True), (name, done.stderr)
        refused = refusals[name].status
        assert [entry.status for entry in simulators[name].journal.of(*ORDERS)] == [refused, refused, 200]
        assert "unknown whether" not in done.stderr


def test_order_that_is_never_admitted_uses_up_the_error_budget(simulate: Simulate, run_gate: RunGate) -> None:
    """The gate could not find out, and says so; nothing was started."""
    always = Fault(operations=ORDERS, act=ReplaceAnswer(throttled(60)), times=None)
    simulator = simulate(["passing"], speed=300, faults=[always])
    done = run_gate("run", simulator.jobs["passing"], "--error-budget", "500ms", env=environment(simulator))
    assert (done.returncode, orders(simulator)) == (5, 0), done.stderr
    assert "--error-budget" in done.stderr
    assert "unknown whether" not in done.stderr


@pytest.mark.parametrize(
    "act",
    [
        Drop(reset=True),
        Drop(point=Point.HEADERS),
        Drop(point=Point.BODY),
        Silence(processed=True),
        ReplaceAnswer(service_error(500, "CB.00060101", "Internal error.")),
        ReplaceAnswer(gateway_error(502, "0201", "Backend unavailable.")),
    ],
    ids=["reset", "headers", "body", "silence", "500", "502"],
)
def test_lost_answer_to_the_order_starts_no_second_build(simulate: Simulate, run_gate: RunGate, act: Any) -> None:
    """Whatever happens after the order was sent, it is sent once; a build that came after it is named for the user."""
    simulator = simulate(["passing"], speed=1, faults=[Fault(operations=ORDERS, act=act)])
    job = simulator.jobs["passing"]
    done = run_gate("run", job, env={**environment(simulator), "GATE_REQUEST_TIMEOUT": "1s"})
    assert done.returncode == 5
    assert len(simulator.journal.of(*ORDERS)) == 1
    assert "it is unknown whether a build was started" in done.stderr
    was_started = not isinstance(act, ReplaceAnswer)
    assert (f"codearts-gate wait {job}:58" in done.stderr) == was_started
    assert f"codearts-gate wait {job}:57" not in done.stderr  # that build was there before the order


def test_refused_connection_is_tried_again_and_then_given_up(run_gate: RunGate) -> None:
    """An order that never left this machine is tried within the error budget; nothing says that it may have started."""
    env = {"GATE_TOKEN": "t", "GATE_ENDPOINT": "http://127.0.0.1:9", "GATE_POLL_INTERVAL": "200ms"}
    done = run_gate("run", "a" * 32, "--error-budget", "500ms", env=env)
    assert done.returncode == 5
    assert "asking again" in done.stderr
    assert "no usable answer" in done.stderr
    assert "it is unknown whether a build was started" not in done.stderr


def test_record_that_appears_late_is_pending(simulate: Simulate, run_gate: RunGate) -> None:
    """A build that was just started may be unknown to the service for a while."""
    unknown = Fault(
        operations=("ShowJobBuildRecordDetail",),
        act=ReplaceAnswer(service_error(422, "DEVCB.00031006", "No such record.")),
        times=3,
    )
    simulator = simulate(["passing"], speed=300, faults=[unknown])
    done = run_gate("run", simulator.jobs["passing"], env=environment(simulator))
    assert done.returncode == 0, done.stderr


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize("published", ORDERS)
@pytest.mark.parametrize(
    ("option", "value", "scm"),
    [
        ("branch", "release/1.x", {"branch": "release/1.x", "build_type": "branch"}),
        ("tag", "v1.2", {"build_tag": "v1.2", "build_type": "tag"}),
        ("commit", COMMIT, {"build_commit_id": COMMIT, "build_type": "commitId"}),
    ],
)
def test_order_carries_exactly_what_was_asked_for(
    simulate: Simulate, run_gate: RunGate, published: str, option: str, value: str, scm: dict[str, str]
) -> None:
    """By both routes, the service gets each parameter, also an empty one, and the source; the build is of these."""
    simulator = simulate(["passing"], unpublished=[other for other in ORDERS if other != published])
    job = simulator.jobs["passing"]
    parameters = {"mode": "fast", "empty": "", "spaced": " a=b ", "text": "值"}
    arguments = [argument for pair in parameters.items() for argument in ("--param", "=".join(pair))]
    done = run_gate("run", job, *arguments, f"--{option}", value, "--no-wait", env=environment(simulator))
    assert done.returncode == 0, done.stderr
    assert [(entry.operation, entry.order) for entry in simulator.journal.of(*ORDERS) if entry.status == 200] == [
        (published, {"job_id": job, "parameter": [{"name": n, "value": v} for n, v in parameters.items()], "scm": scm})
    ]
    build = simulator.backend.jobs[job].builds[-1]
    assert (build.number, build.parameters, getattr(build, option)) == (58, parameters, value)


def test_order_without_options_carries_only_the_job(simulate: Simulate, run_gate: RunGate) -> None:
    """The job's own settings are not overridden by what was not asked for."""
    simulator = simulate(["passing"])
    job = simulator.jobs["passing"]
    done = run_gate("run", job, "--no-wait", env=environment(simulator))
    assert done.returncode == 0, done.stderr
    assert [entry.order for entry in simulator.journal.of(*ORDERS)] == [{"job_id": job}]


def test_started_build_is_judged_by_the_commit_that_was_ordered(simulate: Simulate, run_gate: RunGate) -> None:
    """The result names the commit of the order."""
    simulator = simulate(["passing"], speed=300)
    arguments = ("--commit", COMMIT, "--json")
    done = run_gate("run", simulator.jobs["passing"], *arguments, env=environment(simulator))
    assert done.returncode == 0, done.stderr
    assert f'"commit": "{COMMIT}"' in done.stdout


@pytest.mark.parametrize(
    ("scenario", "retries", "status", "orders_sent"),
    [
        ("schedule-failure-once", "0", 1, 1),
        ("schedule-failure-once", "1", 0, 2),
        ("schedule-failure", "1", 1, 2),
        ("failing", "1", 1, 1),
    ],
)
def test_only_a_build_that_never_ran_is_ordered_again(
    simulate: Simulate, run_gate: RunGate, scenario: str, retries: str, status: int, orders_sent: int
) -> None:
    """As often as --retries says; the second order is the same as the first, and its build is judged."""
    simulator = simulate([scenario], speed=300)
    job = simulator.jobs[scenario]
    arguments = ("--param", "mode=fast", "--branch", "next", "--retries", retries)
    done = run_gate("run", job, *arguments, env=environment(simulator))
    assert (done.returncode, f"build={57 + orders_sent} " in done.stdout) == (status, True), done.stderr
    order = {
        "job_id": job,
        "parameter": [{"name": "mode", "value": "fast"}],
        "scm": {"branch": "next", "build_type": "branch"},
    }
    assert [entry.order for entry in simulator.journal.of(*ORDERS)] == [order] * orders_sent


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_stops_exactly_the_started_build(
    simulate: Simulate, start_gate: StartGate, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    """The build that this gate started is stopped, and no other; the report says so."""
    simulator = simulate(["slow"], speed=1)
    process = start_gate("run", simulator.jobs["slow"], env=environment(simulator))
    wait_for(lambda: orders(simulator) and simulator.journal.entries[-1].operation == "ShowJobBuildRecordDetail")
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, "interrupted" in out) == (status, True), err
    assert [(entry.operation, entry.build_number, entry.status) for entry in simulator.journal.of(*STOPS)] == [
        ("StopBuildJob", 58, 200)
    ]
    assert "stop requested" in (tmp_path / "gate-report.xml").read_text()


def test_signal_while_the_order_is_under_way_still_stops_the_build(simulate: Simulate, start_gate: StartGate) -> None:
    """The number that arrives after the signal is enough to stop the build."""
    simulator = simulate(["slow"], speed=1, faults=[Fault(operations=ORDERS, act=SLOWLY)])
    process = start_gate("run", simulator.jobs["slow"], env=environment(simulator))
    wait_for(lambda: simulator.journal.of(*ORDERS))
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 143
    assert [entry.build_number for entry in simulator.journal.of(*STOPS)] == [58], err


def test_nothing_is_looked_at_after_a_signal(simulate: Simulate, start_gate: StartGate) -> None:
    """Not even a build that had ended when it was to be stopped: its result would come too late for a signal."""
    simulator = simulate(["slow"], speed=1, faults=[Fault(operations=STOPS, act=ALREADY_ENDED, times=None)])
    process = start_gate("run", simulator.jobs["slow"], env=environment(simulator, GATE_POLL_INTERVAL="30s"))
    # Until the new build's record has been read once: a poll that is under way when the signal comes is no new look.
    wait_for(lambda: any(entry.status == 200 for entry in simulator.journal.of("ShowJobBuildRecordDetail")))
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=10)
    assert (process.returncode, "had already ended when it was to be stopped" in err) == (143, True), err
    assert simulator.journal.entries[-1].operation == "StopBuildJob"


UNKNOWN_ORDER = "a build was ordered, but no answer has come: it may have been started and go on"


def test_order_without_an_answer_is_told_as_one(simulate: Simulate, start_gate: StartGate, tmp_path: Path) -> None:
    """When a signal ends the gate first, nobody may believe that there is no build; the timeout is below."""
    simulator = simulate(["slow"], speed=1, faults=[Fault(operations=ORDERS, act=Silence(processed=True), times=None)])
    options = ("--request-timeout", "60s", "--timeout", "60s")
    process = start_gate("run", simulator.jobs["slow"], *options, env=environment(simulator))
    wait_for(lambda: simulator.journal.of(*ORDERS))
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 143
    assert UNKNOWN_ORDER in (tmp_path / "gate-report.xml").read_text()
    assert UNKNOWN_ORDER in err
    assert "before you start another build" in err.splitlines()[-1]
    assert "stop requested" not in err


ALREADY_ENDED = ReplaceAnswer(service_error(400, "DEV.CB.032302", "Reload."))

AT_THE_TIMEOUT: dict[str, tuple[list[str], dict[str, Any], str, str]] = {
    "stopped": (["run"], {}, "stop requested for build 58", "stop requested"),
    "hangs once": (["run"], {"faults": [Fault(operations=STOPS, act=Silence())]}, "stop requested for build 58", ""),
    "v1 route": (["run"], {"unpublished": ["StopBuildJob"]}, "stop requested", ""),
    "already ended": (
        ["run"],
        {"faults": [Fault(operations=STOPS, act=ALREADY_ENDED, times=None)]},
        "build 58 had already ended when it was to be stopped",
        "",
    ),
    "hangs": (
        ["run"],
        {"faults": [Fault(operations=STOPS, act=Silence(), times=None)]},
        "whether build 58 was stopped is not known",
        "",
    ),
    "order hangs": (
        ["run", "--request-timeout", "60s"],
        {"faults": [Fault(operations=ORDERS, act=Silence(processed=True), times=None)]},
        UNKNOWN_ORDER,
        UNKNOWN_ORDER,
    ),
    "kept": (["run", "--keep-running"], {}, "codearts-gate wait {job}:58 --stop", ""),
    "not ours": (["wait"], {}, "codearts-gate wait {job}:57 --stop", ""),
}
"""The command, what the service does, and what is said on stderr and in the report."""


def test_timeout_stops_what_was_started_and_nothing_else(
    simulate: Simulate, run_gates: RunGates, tmp_path: Path
) -> None:
    """The stop's own fate is told and changes no verdict, and it takes five seconds at most. All at once."""
    simulators, calls = {}, {}
    for name, (arguments, options, *_) in AT_THE_TIMEOUT.items():
        simulators[name] = simulator = simulate(["slow"], speed=1, **options)
        command = [*arguments, simulator.jobs["slow"], "--timeout", "2s"]
        calls[name] = {"arguments": command, "env": environment(simulator)}
    ended = run_gates(calls)
    seconds = [(one.clock.now() - one.journal.entries[0].at).total_seconds() for one in simulators.values()]
    assert min(seconds) < 2 + 5  # since the last of them has begun to ask
    for name, (_, _, said, reported) in AT_THE_TIMEOUT.items():
        done, [job] = ended[name], simulators[name].jobs.values()
        assert (done.returncode, done.stdout.split()[0]) == (3, "timed-out"), (name, done.stderr)
        assert said.format(job=job) in done.stderr, (name, done.stderr)
        assert reported in (tmp_path / name / "gate-report.xml").read_text(), name
        assert simulators[name].token not in done.stderr
    stopped = {name: [entry.build_number for entry in one.journal.of(*STOPS)] for name, one in simulators.items()}
    assert stopped["stopped"] == [58]
    assert (stopped["order hangs"], stopped["kept"], stopped["not ours"]) == ([], [], [])
    last_lines = {name: done.stderr.splitlines()[-1] for name, done in ended.items()}
    assert "before you start another build" in last_lines["order hangs"]
    assert "stop requested" not in ended["order hangs"].stderr
    assert f"codearts-gate wait {simulators['not ours'].jobs['slow']}:57 --stop" in last_lines["not ours"]


def test_second_signal_leaves_open_whether_the_build_was_stopped(
    simulate: Simulate, start_gate: StartGate, tmp_path: Path
) -> None:
    """The first one begins to stop the build that was started; the next ends that, with the report all the same.

    What is not known is said so, and the status is that of the first signal.
    """
    simulator = simulate(["slow"], speed=1, faults=[Fault(operations=STOPS, act=Silence(), times=None)])
    process = start_gate("run", simulator.jobs["slow"], env=environment(simulator))
    wait_for(lambda: orders(simulator) and simulator.journal.entries[-1].operation == "ShowJobBuildRecordDetail")
    process.send_signal(signal.SIGINT)
    wait_for(lambda: simulator.journal.of(*STOPS))
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert error_types(tmp_path / "gate-report.xml") == ["Interrupted"]
    assert "whether build 58 was stopped is not known" in (tmp_path / "gate-report.xml").read_text()


def test_answer_that_names_an_old_build_is_not_believed(simulate: Simulate, run_gate: RunGate) -> None:
    """A build that was there before the order is somebody else's, and is not stopped."""
    number = json_answer({"status": "success", "result": {"actual_build_number": "57"}})
    simulator = simulate(["passing"], speed=0, faults=[Fault(operations=ORDERS, act=ReplaceAnswer(number), times=None)])
    simulator.clock.advance(5 * 3600)
    done = run_gate("run", simulator.jobs["passing"], "--error-budget", "500ms", env=environment(simulator))
    assert (done.returncode, "but the job had build 57 before it" in done.stderr) == (5, True), done.stderr
    assert not simulator.journal.of(*STOPS)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--param", "nonsense"], "--param"),
        (["--param", "PATH=/tmp"], "PATH"),
        (["--param", "a b=c"], "--param"),
        (["--param", "a=" + "x" * 8193], "8192"),
        (["--param", "a=1", "--param", "a=2"], "--param"),
        (["--tag", "v1", "--branch", "main"], "--tag"),
        (["--commit", "0123456", "--branch", "main"], "--branch and --commit"),
        (["--commit", "xyz"], "--commit"),
    ],
    ids=["form", "forbidden", "name", "size", "twice", "tag and branch", "branch and commit", "commit"],
)
def test_bad_order_is_refused_before_anything_is_sent(run_here: RunGate, arguments: list[str], named: str) -> None:
    """A wrong parameter is a usage error that names it; the service hears nothing."""
    done = run_here("run", "a" * 32, *arguments, env={"GATE_TOKEN": "t", "GATE_ENDPOINT": "http://127.0.0.1:9"})
    assert (done.returncode, named in done.stderr.splitlines()[-1]) == (2, True), done.stderr


def test_number_behind_the_job_is_refused(run_here: RunGate) -> None:
    """A new build has no number yet."""
    env = {"GATE_TOKEN": "t", "GATE_ENDPOINT": "http://127.0.0.1:9"}
    done = run_here("run", f"{'a' * 32}:5", env=env)
    assert (done.returncode, "without the build number 5" in done.stderr) == (2, True)


def test_signal_before_anything_was_sent_ends_at_once(start_gate: StartGate) -> None:
    """An order that never got through needs no waiting for."""
    env = {"GATE_TOKEN": "t", "GATE_ENDPOINT": "http://127.0.0.1:9"}
    process = start_gate("run", "a" * 32, env=env)
    assert process.stderr is not None
    assert any("asking again" in line for line in process.stderr)
    sent = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert (process.returncode, time.monotonic() - sent < 2) == (143, True)
