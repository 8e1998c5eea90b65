"""A CI server's own JUnit reader shows every verdict of a freestyle job that runs the example, over two builds.

One test, since the server's start takes most of the time, and all jobs build at once.
"""

import os
import shlex
import signal
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.faults.faulty_simulator import FaultySimulator
from tests.readers.hudson import Hudson, Job, hudson, wait_for
from tests.readers.programs import Reading, ShownCase, by_junitparser

pytestmark = pytest.mark.ci

STEP = (ROOT / "examples" / "jenkins" / "freestyle.sh").read_text()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What two builds of a freestyle job wait for, and what becomes of the step and of the cases `build`."""

    targets: tuple[str, str]
    """Of the first and the second build; `{scenario}` stands for the id of the scenario's job."""
    verdicts: tuple[str, str]
    shown: tuple[Mapping[str, str], Mapping[str, str]]
    """The kind of the case `build` in each suite."""
    variables: Mapping[str, str] = field(default_factory=dict)
    interrupted: bool = False


def twice(verdict: str, first: str, second: str, kind: str, **variables: str) -> Case:
    """Return a job whose two builds have one verdict, for different builds of the service."""
    shown = {"team.app": kind}
    return Case(targets=(first, second), verdicts=(verdict, verdict), shown=(shown, shown), variables=variables)


CASES: Mapping[str, Case] = {
    "passed": twice("passed", "team.app={passing}:56", "team.app={passing}:57", "passed"),
    "failed": twice("failed", "team.app={failing}:52", "team.app={failing}:57", "failure"),
    "aborted": twice("aborted", "team.app={aborted}:55", "team.app={aborted}:57", "failure"),
    "timed-out": twice("timed-out", "team.app={slow}", "team.app={slow}:57", "failure", GATE_TIMEOUT="3s"),
    "undetermined": twice("undetermined", "team.app={unknown}", "team.app={unknown}:57", "failure"),
    "interrupted": Case(
        targets=("team.app={slow}", "team.app={slow}:57"),
        verdicts=("interrupted", "interrupted"),
        shown=({"team.app": "failure"}, {"team.app": "failure"}),
        interrupted=True,
    ),
    "skipped": Case(
        targets=("team.app={slow} other={failing}:52", "team.app={slow}:57 other={failing}:57"),
        verdicts=("failed", "failed"),
        shown=({"team.app": "skipped", "other": "failure"}, {"team.app": "skipped", "other": "failure"}),
        variables={"GATE_FAIL_FAST": "1"},
    ),
    "wrong-call": Case(
        targets=("#57", "team.app=#58"),
        verdicts=("undetermined", "undetermined"),
        shown=({"codearts-gate": "failure"}, {"codearts-gate": "failure"}),
    ),
    "mended": Case(
        targets=("team.app={passing}:52", "team.app={passing}:57"),
        verdicts=("failed", "passed"),
        shown=({"team.app": "failure"}, {"team.app": "passed"}),
    ),
}


def by_hudson(document: Any) -> Reading:
    """Return what the server shows of a build's tests; errors are failures there."""
    kinds = {"PASSED": "passed", "FIXED": "passed", "FAILED": "failure", "REGRESSION": "failure", "SKIPPED": "skipped"}
    cases, identities = {}, set()
    for suite in document["suites"]:
        for case in suite["cases"]:
            text = f"{case['errorDetails']}\n{case['errorStackTrace']}"
            cases[suite["name"], case["name"]] = ShownCase(kind=kinds[case["status"]], text=text)
            identities.add(f"{case['className']}.{case['name']}")
    totals = {"failure": document["failCount"], "passed": document["passCount"], "skipped": document["skipCount"]}
    return Reading(cases=cases, totals=totals, identities=frozenset(identities))


def test_server_shows_every_verdict_and_keeps_the_history_of_the_next_build(
    simulate: Callable[..., FaultySimulator], tmp_path: Path, fetched: Mapping[str, str]
) -> None:
    """Results, counts and messages are those of the report, and the server knows each case from the build before."""
    simulator = simulate(["passing", "failing", "aborted", "slow", "unknown-state"], speed=20)
    environment = {
        **os.environ,
        **fetched,
        "PATH": os.pathsep.join([str(_noting_python(tmp_path)), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
        "JENKINS_URL": "http://127.0.0.1/",
        "GATE_ENDPOINT": simulator.endpoint,
        "GATE_TOKEN": simulator.token,
        "GATE_POLL_INTERVAL": "200ms",
        "GATE_MAX_AGE": "10h",
        "GATE_OUTPUTS": "gate.properties",
    }
    job = Job(step=STEP, parameters={"GATE_TARGETS": "", "GATE_TIMEOUT": "", "GATE_FAIL_FAST": ""})
    ids = {name.partition("-")[0]: job_id for name, job_id in simulator.jobs.items()}
    identities: dict[str, list[frozenset[str]]] = {name: [] for name in CASES}
    with hudson(tmp_path, dict.fromkeys(CASES, job), environment) as server:
        for number in (1, 2):
            for name, case in CASES.items():
                targets = case.targets[number - 1].format(**ids)
                server.order(name, GATE_TARGETS=targets, **case.variables)
            for name, case in CASES.items():
                if case.interrupted:
                    _interrupt(server, name, number)
            for name, case in CASES.items():
                identities[name].append(_check(server, name, case, number))
                assert simulator.token not in server.console(name, number)
    for name, (first, second) in identities.items():
        assert first <= second or second <= first, name  # a build of which the gate learned nothing has no stages


def _noting_python(folder: Path) -> Path:
    """Return a folder for PATH with a `python3` that has this gate and leaves its process id in the workspace."""
    program = folder / "tools" / "python3"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho $$ > gate.pid; exec {shlex.quote(sys.executable)} "$@"\n')
    program.chmod(0o755)
    return program.parent


def _interrupt(server: Hudson, job: str, number: int) -> None:
    """End the gate as an abort does, once it waits; the server's own abort finds no processes under this Java."""
    wait_for(lambda: "build 57" in server.console(job, number), seconds=60)
    os.kill(int((server.workspace(job) / "gate.pid").read_text()), signal.SIGTERM)


def _check(server: Hudson, name: str, case: Case, number: int) -> frozenset[str]:
    """Compare what the server shows of a build with the gate's verdict and with the report that it was given.

    Return the names of classes and cases: this server finds a case of the build before by the names of suite and case,
    its successor by those of class and case.
    """
    result = server.ended(name, number)
    console = server.console(name, number)
    outputs = (server.workspace(name) / "gate.properties").read_text()
    verdict = case.verdicts[number - 1]
    assert f"GATE_VERDICT={verdict}\n" in outputs, console
    assert result == ("SUCCESS" if verdict == "passed" else "FAILURE"), console

    document = server.test_report(name, number)
    reading = by_hudson(document)
    in_file = by_junitparser(server.workspace(name) / "gate-report.xml")
    kinds = {names: "failure" if one.kind == "error" else one.kind for names, one in in_file.cases.items()}
    assert {names: one.kind for names, one in reading.cases.items()} == kinds
    assert {suite: kind for (suite, part), kind in kinds.items() if part == "build"} == case.shown[number - 1]
    assert reading.totals == {kind: Counter(kinds.values())[kind] for kind in reading.totals}
    assert reading.identities == in_file.identities
    for names, one in in_file.cases.items():
        if kinds[names] == "failure":
            assert one.text.splitlines()[0] in reading.cases[names].text
    _check_history(document, case, number)
    return reading.identities


def _check_history(document: Any, case: Case, number: int) -> None:
    """Check what the server says of the build before."""
    builds = [one for suite in document["suites"] for one in suite["cases"] if one["name"] == "build"]
    red = [one for one in builds if one["status"] in ("FAILED", "REGRESSION")]
    if number == 1:
        assert all((one["failedSince"], one["age"]) == (1, 1) for one in red)
    elif case.verdicts[0] == case.verdicts[1]:
        assert all((one["status"], one["failedSince"], one["age"]) == ("FAILED", 1, 2) for one in red)
    else:
        assert [one["status"] for one in builds] == ["FIXED"]
