"""`wait` as a process against the simulator: every way to every exit code."""

import json
import re
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from junitparser import Error, Failure, JUnitXml

from gate.cli.commands import execute
from gate.simulator import sample_plans
from gate.simulator.exchange import HttpAnswer, gateway_error, json_answer, service_error
from gate.simulator.scenarios import Scenario, Start
from tests.faults.fault_plan import RECORD_ROUTES, Fault
from tests.faults.response_faults import MISSING, EditAnswer, ReplaceAnswer
from tests.faults.transport_faults import Drip, Endless, Silence
from tests.helpers import RunGate, RunGates, Simulate, StartGate, environment, wait_for

SPEED = 300


def first_case(folder: Path) -> Any:
    """Return the case of the build in the only suite of the report."""
    (suite,) = JUnitXml.fromfile(str(folder / "gate-report.xml"))
    return next(iter(suite))


WAYS = [
    ("passing", (), 0, "passed", "SUCCESS"),
    ("failing", (), 1, "failed", "FAILURE"),
    ("schedule-failure", (), 1, "failed", "SCHEDULE_FAILURE"),
    ("failing-tests", (), 0, "passed", "SUCCESS"),
    ("failing-tests", ("--require-tests",), 1, "failed", "SUCCESS"),
    ("passing", ("--require-tests",), 0, "passed", "SUCCESS"),
    ("unknown-state", ("--require-tests",), 5, "undetermined", "EVAPORATED"),
    ("slow", ("--timeout", "2s"), 3, "timed-out", "RUNNING"),
    ("aborted", (), 4, "aborted", "ABORTED"),
    ("unknown-state", (), 5, "undetermined", "EVAPORATED"),
    ("queued", (), 0, "passed", "SUCCESS"),
    ("flaky", (), 0, "passed", "SUCCESS"),
    ("expired-token", (), 5, "undetermined", None),
]


AT_ANY_AGE = ("--max-age", "10h")
"""For several gates at once: on a busy machine, three seconds may pass between two of their requests, and a build that
has ended is a quarter of an hour old by then."""


def test_scenario_gives_its_exit_code(simulate: Simulate, run_gates: RunGates, tmp_path: Path) -> None:
    """The contract's table, on stdout, in the report and as the exit status."""
    simulators = {str(row): simulate([scenario], speed=SPEED) for row, (scenario, *_) in enumerate(WAYS)}
    calls = {
        row: {"arguments": ["wait", *simulator.jobs.values(), *options, *AT_ANY_AGE], "env": environment(simulator)}
        for (row, simulator), (_, options, *_) in zip(simulators.items(), WAYS, strict=True)
    }
    for (row, done), way in zip(run_gates(calls).items(), WAYS, strict=True):
        _, _, status, verdict, word = way
        assert done.returncode == status, (way, done.stderr)
        [job] = simulators[row].jobs.values()
        known = f"build=57 state={word}" if word else r"build=\S+ state=\S+"  # the token may end before the first look
        assert re.fullmatch(f"{verdict} {job} {known}\n", done.stdout), way
        marks = [type(mark) for mark in first_case(tmp_path / row).result]
        assert marks == {0: [], 1: [Failure]}.get(status, [Error]), way
        report = (tmp_path / row / "gate-report.xml").read_text()
        assert simulators[row].token not in done.stdout + done.stderr + report


def test_failing_build_shows_stage_and_log(simulate: Simulate, run_gate: RunGate, tmp_path: Path) -> None:
    """The report holds the failure, the stage that failed and the end of its log."""
    simulator = simulate(["failing"], speed=SPEED)
    done = run_gate("wait", simulator.jobs["failing"], env=environment(simulator))
    case = first_case(tmp_path)
    assert "in stage Maven" in case.result[0].message
    assert "cannot find symbol" in case.system_out
    assert "cannot find symbol" in done.stderr
    assert [one.name for suite in JUnitXml.fromfile(str(tmp_path / "gate-report.xml")) for one in suite][:2] == [
        "build",
        "stage initial",
    ]


EXIT_CODES = {
    "passing queued": 0,
    "passing failing": 1,
    "aborted failing slow": 1,
    "aborted slow unknown-state": 4,
    "slow unknown-state passing": 3,
    "unknown-state passing": 5,
}
"""The one of several targets, by their scenarios."""


def test_several_targets_have_one_exit_code(simulate: Simulate, run_gates: RunGates, tmp_path: Path) -> None:
    """Any failed, else any aborted, else any timed out, else any undetermined."""
    simulator = simulate({name for names in EXIT_CODES for name in names.split()}, speed=300)
    calls = {
        names: {
            "arguments": ["wait", "--timeout", "3s", *(f"{one}={simulator.jobs[one]}:57" for one in names.split())],
            "env": environment(simulator),
        }
        for names in EXIT_CODES
    }
    for names, done in run_gates(calls).items():
        assert done.returncode == EXIT_CODES[names], (names, done.stderr)
        assert [line.split()[1] for line in done.stdout.splitlines()] == names.split()
        suites = JUnitXml.fromfile(str(tmp_path / names / "gate-report.xml"))
        assert [suite.name for suite in suites] == names.split()


def test_fail_fast_ends_at_the_first_failure(simulate: Simulate, run_gate: RunGate) -> None:
    """The others are reported as skipped."""
    simulator = simulate(["slow", "failing"], speed=SPEED)
    started = time.monotonic()
    done = run_gate("wait", *simulator.jobs.values(), "--fail-fast", env=environment(simulator))
    assert (done.returncode, {line.split()[0] for line in done.stdout.splitlines()}) == (1, {"failed", "skipped"})
    assert time.monotonic() - started < 15


def test_json_outputs_and_summary_agree(simulate: Simulate, run_gate: RunGate, tmp_path: Path) -> None:
    """One result in four forms; parent folders are made."""
    simulator = simulate(["failing"], speed=SPEED)
    files = ("--junit", "a/b/r.xml", "--summary", "c/s.md", "--outputs", "d/out.env")
    done = run_gate("wait", f"app={simulator.jobs['failing']}", "--json", *files, env=environment(simulator))
    document = json.loads(done.stdout)
    assert set(document) == {"verdict", "exit_code", "started_at", "elapsed_seconds", "api_calls", "targets"}
    (target,) = document["targets"]
    assert set(target) == {
        *("label", "job_id", "build_number", "ordered", "verdict", "state", "reason", "branch", "commit"),
        *(
            "started_at",
            "finished_at",
            "duration_seconds",
            "record_id",
            "polls",
            "url",
            "stages",
            "tests",
            "attempts",
            "children",
        ),
    }
    assert (document["verdict"], document["exit_code"], target["label"], target["build_number"]) == (
        "failed",
        1,
        "app",
        57,
    )
    assert target["commit"]
    assert target["stages"][0]["name"] == "initial"
    assert document["api_calls"] == len(simulator.journal.entries)
    outputs = dict(line.split("=", 1) for line in (tmp_path / "d/out.env").read_text().splitlines())
    assert outputs == {
        "GATE_VERDICT": "failed",
        "GATE_EXIT_CODE": "1",
        "GATE_BUILD_NUMBER": "57",
        "GATE_ORDERED": "false",
        "GATE_BUILD_LINK": "",
        "GATE_REPORT": "a/b/r.xml",
        "GATE_ELAPSED_SECONDS": str(document["elapsed_seconds"]),
    }
    assert "failed" in (tmp_path / "c/s.md").read_text()
    JUnitXml.fromfile(str(tmp_path / "a/b/r.xml"))


def test_nothing_is_written_outside_the_named_paths(simulate: Simulate, run_gate: RunGate, tmp_path: Path) -> None:
    """Neither in the working folder, nor at home, nor among the temporary files."""
    simulator = simulate(["failing"], speed=SPEED)
    home, temporary, work = tmp_path / "home", tmp_path / "tmp", tmp_path / "work"
    for folder in (home, temporary, work):
        folder.mkdir()
    env = environment(simulator, HOME=str(home), TMPDIR=str(temporary))
    paths = ("--junit", "work/r.xml", "--summary", "work/s.md", "--outputs", "work/o.env")
    run_gate("wait", simulator.jobs["failing"], *paths, "--verbose", env=env)
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {"work/r.xml", "work/s.md", "work/o.env"}


def test_quiet_says_only_how_it_ended(simulate: Simulate, run_gate: RunGate) -> None:
    """One line on stderr."""
    simulator = simulate(["passing"], speed=SPEED)
    done = run_gate("wait", simulator.jobs["passing"], "--quiet", env=environment(simulator))
    assert done.returncode == 0
    assert len(done.stderr.splitlines()) == 1
    assert "gate-report.xml" in done.stderr


def test_verbose_says_every_request_and_no_secret(simulate: Simulate, run_gate: RunGate, tmp_path: Path) -> None:
    """As many lines with a status as requests were counted."""
    simulator = simulate(["failing"], speed=SPEED)
    env = environment(simulator)
    done = run_gate("wait", simulator.jobs["failing"], "--verbose", "--outputs", "o", "--summary", "s", env=env)
    assert len(re.findall(r"GET /v\S+: \d{3} in \d+ ms", done.stderr)) >= len(simulator.journal.entries) - 1
    everything = done.stdout + done.stderr + "".join(path.read_text() for path in tmp_path.iterdir() if path.is_file())
    assert simulator.token not in everything


def test_live_line_needs_a_terminal(simulate: Simulate, run_gate: RunGate) -> None:
    """No control sequence goes into a pipe."""
    simulator = simulate(["passing"], speed=SPEED)
    done = run_gate("wait", simulator.jobs["passing"], env=environment(simulator))
    assert "\x1b" not in done.stderr
    assert "\r" not in done.stderr


def ended(seconds_ago: float, course: Any = sample_plans.PASSING, number: int = 57) -> Scenario:
    """Return a job whose newest build ended so many seconds ago."""
    took = course.queue + course.seconds
    return Scenario(name="job", starts=(Start(at=-seconds_ago - took, plan=course),), first_number=number)


def always(act: Any, job_id: str) -> Fault:
    """Return a fault of every request for a record of this job."""
    return Fault(operations=RECORD_ROUTES, act=act, job_id=job_id, times=None)


WORDS = [
    MISSING,
    None,
    "Finished",
    "success",
    "COMPLETED",
    "finished successfully",
    "SUCCESS ",
    "Success",
    True,
    ["SUCCESS"],
]


def test_word_that_is_not_success_never_passes(simulate: Simulate, run_gate: RunGate) -> None:
    """The envelope says `"status": "success"` all the while; by number and as the newest build."""
    simulator = simulate([replace(ended(30), name=f"job{i}") for i in range(len(WORDS))])
    for job, word in zip(simulator.jobs.values(), WORDS, strict=True):
        simulator.faults.add(always(EditAnswer({"result.status": word}), job))
    targets = [f"{name}{number[1:]}={job}{number}" for name, job in simulator.jobs.items() for number in (":57", "")]
    done = run_gate("wait", *targets, "--log-tail", "0", env=environment(simulator))
    assert done.returncode == 5, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["undetermined"] * 2 * len(WORDS)


def test_status_true_never_passes(simulate: Simulate, run_gate: RunGate) -> None:
    """`/status` says true, and the record says that the build failed, or nothing."""
    faults = [Fault(operations=("ShowJobStatus",), act=ReplaceAnswer(json_answer({"result": True})), times=None)]
    simulator = simulate([ended(30, sample_plans.FAILING)], faults=faults)
    assert run_gate("wait", f"{simulator.jobs['job']}:57", env=environment(simulator)).returncode == 1
    simulator = simulate([Scenario(name="job")], faults=faults)
    done = run_gate("wait", simulator.jobs["job"], "--appear-timeout", "500ms", env=environment(simulator))
    assert done.returncode == 5


def test_build_of_three_hours_ago_never_passes(simulate: Simulate, run_gate: RunGate) -> None:
    """A stale result is not this pipeline's."""
    simulator = simulate([ended(3 * 3600)])
    done = run_gate("wait", simulator.jobs["job"], "--appear-timeout", "500ms", env=environment(simulator))
    assert (done.returncode, "--max-age" in done.stderr) == (5, True)


def test_build_of_three_hours_ago_passes_when_it_is_asked_for(simulate: Simulate, run_gate: RunGate) -> None:
    """By number, or with a longer `--max-age`."""
    simulator = simulate([ended(3 * 3600)])
    assert run_gate("wait", f"{simulator.jobs['job']}:57", env=environment(simulator)).returncode == 0
    assert run_gate("wait", simulator.jobs["job"], "--max-age", "4h", env=environment(simulator)).returncode == 0


def test_build_1_never_passes_for_build_57(simulate: Simulate, run_gate: RunGate) -> None:
    """Two builds; the one that was asked for is not there, or the service answers about the other."""
    simulator = simulate([ended(30, number=1)])
    done = run_gate("wait", f"{simulator.jobs['job']}:57", "--appear-timeout", "500ms", env=environment(simulator))
    assert done.returncode == 5
    edit = EditAnswer({"result.build_no": 1})
    simulator = simulate([ended(30)], faults=[Fault(operations=RECORD_ROUTES[:2], act=edit, times=None)])
    done = run_gate("wait", f"{simulator.jobs['job']}:57", "--error-budget", "500ms", env=environment(simulator))
    assert (done.returncode, "about another build" in done.stderr) == (5, True)


GOOD_LOOKING = [
    json_answer({"error_code": "CB.00060101", "error_msg": "x", "result": {"status": "SUCCESS", "build_no": 57}}),
    json_answer({"status": "fail", "result": {"status": "SUCCESS", "build_no": 57}}),
    json_answer({"status": "success", "error": "x", "result": {"status": "SUCCESS", "build_no": 57}}),
    json_answer({"status": "success", "result": {"status": "SUCCESS", "build_no": 57}}, status=503),
    json_answer({"status": "SUCCESS", "build_no": 57}),
    json_answer([]),
    HttpAnswer(body=b"", content_type="application/json"),
    HttpAnswer(body=b"SUCCESS", content_type="text/plain"),
    HttpAnswer(body=b"<html><body>SUCCESS</body></html>", content_type="text/html"),
    HttpAnswer(status=302, headers={"Location": "/v1/other"}),
]


def test_error_in_a_good_looking_answer_never_passes(simulate: Simulate, run_gate: RunGate) -> None:
    """HTTP 200 is no result, and a result without HTTP 200 is none either."""
    simulator = simulate([replace(ended(30), name=f"job{i}") for i in range(len(GOOD_LOOKING))])
    for job, answer in zip(simulator.jobs.values(), GOOD_LOOKING, strict=True):
        simulator.faults.add(always(ReplaceAnswer(answer), job))
    targets = [f"{name}={job}:57" for name, job in simulator.jobs.items()]
    done = run_gate("wait", *targets, "--error-budget", "500ms", env=environment(simulator))
    assert done.returncode == 5, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["undetermined"] * len(GOOD_LOOKING)


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (gateway_error(401, "0301", "Incorrect IAM authentication information"), "APIGW.0301"),
        (gateway_error(403, "0302", "not allowed"), "APIGW.0302"),
        (service_error(422, "DEVCB.00031006", "no such build"), "DEVCB.00031006"),
    ],
)
def test_permanent_error_ends_at_once_and_says_what_to_do(
    simulate: Simulate, run_gate: RunGate, answer: HttpAnswer, word: str
) -> None:
    """No budget is spent on what cannot heal."""
    simulator = simulate(["passing"], faults=[Fault(act=ReplaceAnswer(answer), times=None)])
    started = time.monotonic()
    done = run_gate("wait", simulator.jobs["passing"], env=environment(simulator))
    assert (done.returncode, word in done.stderr) == (5, True)
    assert time.monotonic() - started < 5
    assert len(simulator.journal.entries) == 1


def test_missing_routes_fall_back(simulate: Simulate, run_gate: RunGate) -> None:
    """A deployment that publishes only the older routes."""
    gone = ["ShowJobBuildRecordDetail", "ListBuildInfoRecordByJobId"]
    simulator = simulate(["passing"], speed=SPEED, unpublished=gone)
    assert run_gate("wait", simulator.jobs["passing"], env=environment(simulator)).returncode == 0
    simulator = simulate(["failing"], speed=SPEED, unpublished=[*gone, "ShowRecordDetail"])
    assert run_gate("wait", simulator.jobs["failing"], env=environment(simulator)).returncode == 1


def test_commit_is_waited_for_and_judged(simulate: Simulate, run_gate: RunGate) -> None:
    """The build of the commit appears while we wait; others end before and after it."""
    commit = "2f37dd494927d2c6259417c58e5faeb72bfe7150"
    ours = replace(sample_plans.FAILING, commit=commit)
    starts = (Start(at=-500), Start(at=40, plan=ours), Start(at=50))
    simulator = simulate([Scenario(name="job", starts=starts)], speed=SPEED)
    done = run_gate("wait", simulator.jobs["job"], "--commit", commit[:7], env=environment(simulator))
    assert (done.returncode, "build=2 " in done.stdout) == (1, True), done.stderr


def test_newer_build_changes_nothing(simulate: Simulate, start_gate: StartGate) -> None:
    """A build that starts after ours was pinned, and fails."""
    starts = (Start(at=0), Start(at=20, plan=sample_plans.FAILING))
    simulator = simulate([Scenario(name="job", starts=starts)], speed=0)
    gate = start_gate("wait", simulator.jobs["job"], env=environment(simulator))
    wait_for(lambda: len(simulator.journal.of(*RECORD_ROUTES)) > 1)
    simulator.clock.advance(300)
    out, err = gate.communicate(timeout=30)
    assert (gate.returncode, "build=1 " in out) == (0, True), err


def test_two_gates_on_one_job_work(simulate: Simulate, start_gate: StartGate) -> None:
    """At once, in one folder."""
    simulator = simulate(["passing"], speed=SPEED)
    gates = [start_gate("wait", simulator.jobs["passing"], env=environment(simulator)) for _ in range(2)]
    for gate in gates:
        out, err = gate.communicate(timeout=30)
        assert (gate.returncode, out.startswith("passed")) == (0, True), err


HUNG = {
    "silence": Silence(),
    "drip in the headers": Drip(interval=1, headers=True),
    "drip in the body": Drip(interval=1),
    "no end": Endless(interval=0.01),
}


def test_server_that_hangs_is_timed_out_in_time(simulate: Simulate, run_gates: RunGates, tmp_path: Path) -> None:
    """Exit 3 within --timeout and five seconds, with the report written."""
    simulators = {name: simulate(["passing"], faults=[Fault(act=act, times=None)]) for name, act in HUNG.items()}
    calls = {
        name: {"arguments": ["wait", *simulator.jobs.values(), "--timeout", "2s"], "env": environment(simulator)}
        for name, simulator in simulators.items()
    }
    started = time.monotonic()
    for name, done in run_gates(calls).items():
        assert done.returncode == 3, (name, done.stderr)
        assert isinstance(first_case(tmp_path / name).result[0], Error)
    assert time.monotonic() - started < 2 + 5


def test_side_channel_that_hangs_leaves_the_verdict(simulate: Simulate, run_gate: RunGate) -> None:
    """The stages hang; the verdict is known."""
    hanging = Fault(operations=("ShowBuildRecordFullStages",), act=Silence(), times=None)
    simulator = simulate([ended(30, sample_plans.FAILING)], faults=[hanging])
    started = time.monotonic()
    done = run_gate("wait", f"{simulator.jobs['job']}:57", "--timeout", "1s", env=environment(simulator))
    assert done.returncode == 1, done.stderr
    assert time.monotonic() - started < 1 + 5


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("hung", [False, True])
def test_signal_ends_within_two_seconds_with_the_report(
    simulate: Simulate, start_gate: StartGate, tmp_path: Path, number: signal.Signals, status: int, hung: bool
) -> None:
    """Also while the service does not answer."""
    faults = [Fault(operations=RECORD_ROUTES, act=Silence(), times=None)] if hung else []
    simulator = simulate(["slow"], faults=faults)
    gate = start_gate("wait", f"{simulator.jobs['slow']}:57", "--outputs", "o.env", env=environment(simulator))
    wait_for(lambda: simulator.journal.entries)
    sent = time.monotonic()
    gate.send_signal(number)
    out, err = gate.communicate(timeout=20)
    assert time.monotonic() - sent < 2
    assert gate.returncode == status, err
    assert out.startswith("interrupted ")
    assert isinstance(first_case(tmp_path).result[0], Error)
    assert f"GATE_EXIT_CODE={status}\n" in (tmp_path / "o.env").read_text()


def test_token_file_is_read_again_when_it_is_refused(simulate: Simulate, start_gate: StartGate, tmp_path: Path) -> None:
    """A long wait outlives its token."""
    simulator = simulate(["slow"], speed=0)
    renewed, file, ended_token = simulator.iam.issue(), tmp_path / "token", threading.Event()
    outdated = Fault(
        act=ReplaceAnswer(gateway_error(401, "0307", "The token must be updated.")),
        when=lambda call: ended_token.is_set() and call.headers["X-Auth-Token"] == simulator.token,
        times=None,
    )
    simulator.faults.add(outdated)
    file.write_text(simulator.token + "\n")
    env = {name: value for name, value in environment(simulator).items() if name != "GATE_TOKEN"}
    gate = start_gate("wait", simulator.jobs["slow"], "--token-file", file, "--verbose", env=env)
    wait_for(lambda: 57 in [entry.build_number for entry in simulator.journal.of(*RECORD_ROUTES)])
    file.write_text(renewed + "\n")
    ended_token.set()
    wait_for(lambda: 401 in [entry.status for entry in simulator.journal.entries])
    simulator.clock.advance(5 * 3600)
    out, err = gate.communicate(timeout=30)
    assert (gate.returncode, out.startswith("passed")) == (0, True), err
    assert [entry.status for entry in simulator.journal.entries].count(401) == 1
    assert renewed not in out + err
    assert simulator.token not in out + err


@pytest.mark.parametrize(("answer", "status"), [(True, 0), (False, 1), (None, 3)])
def test_verdict_status_takes_the_boolean_and_warns(
    simulate: Simulate, run_gate: RunGate, answer: bool | None, status: int
) -> None:
    """`--verdict status`: true passed, false failed, null not yet; with its warning and what was read."""
    faults = [Fault(operations=("ShowJobStatus",), act=ReplaceAnswer(json_answer({"result": answer})), times=None)]
    simulator = simulate(["slow"], faults=faults)
    options = ("--verdict", "status", "--timeout", "2s" if answer is None else "30s")
    done = run_gate("wait", simulator.jobs["slow"], *options, env=environment(simulator))
    assert done.returncode == status
    assert "warning: --verdict status" in done.stderr
    assert f"/status says {json.dumps(answer)}" in done.stderr
    assert {entry.operation for entry in simulator.journal.entries} == {"ShowJobStatus"}


@pytest.mark.parametrize(("course", "status"), [(sample_plans.PASSING, 5), (sample_plans.FAILING, 1)])
@pytest.mark.parametrize("path", ["/proc/nowhere/r.xml", "/dev/full", "file/r.xml"])
def test_report_that_cannot_be_written_is_never_a_pass(
    simulate: Simulate, run_gate: RunGate, tmp_path: Path, course: Any, status: int, path: str
) -> None:
    """Seen at the start, it is wrong usage; seen at the end, a 0 becomes a 5, and another code stays."""
    (tmp_path / "file").write_text("")
    simulator = simulate([ended(30, course)])
    options = ("--junit", path, "--outputs", path if path == "/dev/full" else f"{path}2")
    done = run_gate("wait", f"{simulator.jobs['job']}:57", *options, env=environment(simulator))
    is_seen_at_the_end = path == "/dev/full"
    assert done.returncode == (status if is_seen_at_the_end else 2), done.stderr
    complaints = [line for line in done.stderr.splitlines() if "could not be written" in line]
    assert len(complaints) == (2 if is_seen_at_the_end else 1)


def test_full_stdout_changes_no_exit_code(simulate: Simulate, start_gate: StartGate) -> None:
    """A reader that has gone, or a full disk."""
    simulator = simulate([ended(30, sample_plans.ABORTED)])
    with Path("/dev/full").open("w") as full:
        gate = start_gate("wait", f"{simulator.jobs['job']}:57", env=environment(simulator), stdout=full)
        gate.communicate(timeout=30)
    assert gate.returncode == 4


@pytest.mark.parametrize(
    ("place", "course", "status"),
    [
        ("gate.reports.junit.render", sample_plans.PASSING, 5),
        ("gate.reports.junit.render", sample_plans.FAILING, 1),
        ("gate.reports.result.lines", sample_plans.FAILING, 5),
    ],
)
def test_bug_outside_of_the_wait_is_no_pass_and_keeps_its_text_to_itself(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path,
    place: str, course: Any, status: int,
) -> None:  # fmt: skip
    """Python would exit with 1, which means that a build failed; a report that is missing changes no other verdict."""

    def broken(*_: object) -> bytes:
        raise RuntimeError("s3cr3t")

    simulator = simulate([ended(30, course)])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(place, broken)
    for name, value in environment(simulator).items():
        monkeypatch.setenv(name, value)
    assert execute(["wait", f"{simulator.jobs['job']}:57"], time.monotonic()) == status
    written = "".join(capfd.readouterr())
    assert "a bug in the gate: RuntimeError in gate/publish.py" in written
    assert "s3cr3t" not in written


def test_proxy_of_the_environment_is_not_used_on_loopback(simulate: Simulate, run_gate: RunGate) -> None:
    """Nor for the credential's sake."""
    simulator = simulate([ended(30)])
    proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:9")
    env = environment(simulator, **proxies)
    assert run_gate("wait", f"{simulator.jobs['job']}:57", env=env).returncode == 0
