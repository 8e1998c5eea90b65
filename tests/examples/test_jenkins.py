"""The Jenkins examples: shell steps as Jenkins runs them, `sh -xe`, and pipelines, whose Groovy code is executed.

The one file that they fetch starts the gate of this environment.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from gate.cli.rehearsal import scenarios_of
from tests.conftest import ROOT
from tests.faults.faulty_simulator import FaultySimulator
from tests.helpers import wait_for
from tests.tools import QUICK_START, tool

pytestmark = pytest.mark.ci

EXAMPLES = ROOT / "examples" / "jenkins"
FREESTYLE = (EXAMPLES / "freestyle.sh").read_text()
COMMIT = "0123456789abcdef0123456789abcdef01234567"

Simulate = Callable[..., FaultySimulator]
Step = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def step(tmp_path: Path) -> Iterator[Step]:
    """Return a function that starts a script as a step in a workspace, in a process group that an abort terminates."""
    with ExitStack() as stack:

        def start(script: str, environment: Mapping[str, str]) -> "subprocess.Popen[str]":
            process = subprocess.Popen(
                ["sh", "-xe", "-c", script],
                cwd=tmp_path,
                env={**os.environ, **environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


def environment(simulator: FaultySimulator, fetched: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that Jenkins would have set."""
    return {
        **fetched,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "JENKINS_URL": "x",
        "GATE_ENDPOINT": simulator.endpoint,
        "GATE_IAM_ENDPOINT": simulator.endpoint,
        "GATE_IAM_DOMAIN": simulator.iam.account.domain,
        "GATE_TARGETS": next(iter(simulator.jobs.values())),
        "GATE_POLL_INTERVAL": "200ms",
        "GATE_MAX_AGE": "10h",
        "GATE_OUTPUTS": "gate.properties",
    }


def secrets_of(simulator: FaultySimulator) -> dict[str, str]:
    """Return the variables that a freestyle job gets from Jenkins' credentials."""
    return {"GATE_IAM_USER": simulator.iam.account.user, "GATE_IAM_PASSWORD": simulator.iam.account.password}


def user_of(simulator: FaultySimulator) -> dict[str, list[str]]:
    """Return the credential that the pipelines name: the simulated account's user with its password."""
    return {"codearts-user": [simulator.iam.account.user, simulator.iam.account.password]}


def leave_results(workspace: Path) -> None:
    """Leave what a former run has left in a workspace that is kept."""
    (workspace / "gate-report.xml").write_text('<testsuite name="app"><testcase name="build"/></testsuite>')
    (workspace / "gate.properties").write_text("GATE_VERDICT=passed\nGATE_EXIT_CODE=0\nGATE_BUILD_NUMBER=58\n")


@pytest.mark.parametrize(("scenario", "status"), [("passing", 0), ("failing", 1)])
def test_freestyle_step_ends_with_the_exit_code_and_prints_no_secret(
    simulate: Simulate, step: Step, tmp_path: Path, fetched: Mapping[str, str], scenario: str, status: int
) -> None:
    """The code is the gate's, the report is there, and the trace of the shell names no secret."""
    simulator = simulate([scenario], speed=100)
    process = step(FREESTYLE, environment(simulator, fetched) | secrets_of(simulator))
    out, _ = process.communicate(timeout=120)
    assert process.returncode == status, out
    assert "+ python3 codearts-gate.pyz wait" in out
    assert simulator.iam.account.password not in out
    assert (tmp_path / "gate-report.xml").exists()


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, ""),
        ({"GIT_COMMIT": COMMIT}, COMMIT),
        ({"GIT_COMMIT": "0" * 40, "ghprbActualCommit": COMMIT}, COMMIT),
        ({"GIT_COMMIT": "0" * 40, "gitlabMergeRequestLastCommit": COMMIT}, COMMIT),
    ],
    ids=["no commit", "branch", "pull request", "merge request"],
)
def test_freestyle_step_waits_for_the_commit_that_the_plugins_name(
    step: Step, fetched: Mapping[str, str], variables: Mapping[str, str], expected: str
) -> None:
    """What is checked out for a merge request may be a merge commit, which CodeArts has never seen."""
    only_print = "python3() { echo commit=$GATE_COMMIT.; }\n" + FREESTYLE
    out, _ = step(only_print, {**fetched, **variables}).communicate(timeout=60)
    assert f"\ncommit={expected}.\n" in out


@pytest.mark.parametrize(
    "variables",
    [{"CODEARTS_GATE_SHA256": "0" * 64}, {"CODEARTS_GATE_URL": "file:///nowhere/codearts-gate.pyz"}],
    ids=["another sum", "no file"],
)
def test_freestyle_step_starts_no_file_with_another_sum_and_leaves_no_former_report(
    simulate: Simulate, step: Step, tmp_path: Path, fetched: Mapping[str, str], variables: Mapping[str, str]
) -> None:
    """It ends with 5, as nothing was found out, and Jenkins has no old report to publish."""
    leave_results(tmp_path)
    simulator = simulate(["passing"])
    process = step(FREESTYLE, {**environment(simulator, fetched), **variables})
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 5, out
    assert "codearts-gate.pyz wait" not in out
    assert not (tmp_path / "gate-report.xml").exists()


def test_aborted_freestyle_step_reports_and_stops_no_build(
    simulate: Simulate, step: Step, tmp_path: Path, fetched: Mapping[str, str]
) -> None:
    """SIGTERM to the whole group ends the gate, which writes its report; it did not start the build."""
    simulator = simulate(["slow"])
    process = step(FREESTYLE, environment(simulator, fetched) | secrets_of(simulator))
    wait_for(lambda: simulator.journal.of("ShowJobBuildRecordDetail"), seconds=60)
    os.killpg(process.pid, signal.SIGTERM)
    out, _ = process.communicate(timeout=30)  # ends when the gate has closed its streams too
    assert "interrupted (exit 143)" in out
    assert '<error type="Interrupted"' in (tmp_path / "gate-report.xml").read_text()
    assert simulator.journal.stops == ()


def run_pipeline(name: str, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Run a Jenkinsfile once for each case, all in one Java machine; return what became of it."""
    done = subprocess.run(
        [tool("groovy", made_with="java"), str(Path(__file__).parent / "run_jenkinsfile.groovy")],
        input=json.dumps({"file": str(EXAMPLES / name), "cases": cases}),
        env={
            **os.environ,
            "JAVA_HOME": str(Path(tool("java")).resolve().parents[1]),
            "JAVA_OPTS": " ".join(QUICK_START),
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


def test_pipeline_gives_the_run_the_result_of_its_build_only(
    simulate: Simulate, tmp_path: Path, fetched: Mapping[str, str]
) -> None:
    """Each ending gives its result and description; a former run's, which the workspace still has, appears in none."""
    simulators = {name: simulate([name], speed=100) for name in ("passing", "failing")}
    base = {name: environment(simulator, fetched) for name, simulator in simulators.items()}
    no_user = {"codearts-user": [" ", " "]}
    killed_path = f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}"
    cases = {
        "passed": (base["passing"] | {"CHANGE_BRANCH": "feature"}, user_of(simulators["passing"])),
        "failed": (base["failing"] | {"BRANCH_NAME": "main"}, user_of(simulators["failing"])),
        "wrong call": (base["passing"], no_user),
        "killed": (base["passing"] | {"PATH": killed_path}, no_user),
        "another sum": (base["passing"] | {"CODEARTS_GATE_SHA256": "0" * 64}, no_user),
    }
    for name in cases:
        (tmp_path / name).mkdir()
        leave_results(tmp_path / name)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").write_text("#!/bin/sh\nkill -9 $$\n")
    (tmp_path / "bin" / "python3").chmod(0o755)
    runs = run_pipeline(
        "Jenkinsfile",
        [
            {"workspace": str(tmp_path / name), "env": variables, "credentials": credentials}
            for name, (variables, credentials) in cases.items()
        ],
    )
    by_name = dict(zip(cases, runs, strict=True))
    assert {name: (run["result"], run["description"], run["error"]) for name, run in by_name.items()} == {
        "passed": ("SUCCESS", "CodeArts build 58: passed", None),
        "failed": ("FAILURE", "CodeArts build 58: failed", "CodeArts build 58: failed"),
        "wrong call": ("FAILURE", None, "The gate ended with code 2 and has no verdict, see its messages"),
        "killed": ("FAILURE", None, "The gate ended with code 137 and has no verdict, see its messages"),
        "another sum": ("FAILURE", None, "script returned exit code 1"),
    }
    assert all(run["junit"]["skipOldReports"] for run in runs)
    assert not [name for name in ("killed", "another sum") if (tmp_path / name / "gate-report.xml").exists()]
    for name, branch in (("passing", "feature"), ("failing", "main")):
        (job,) = simulators[name].backend.jobs.values()
        assert job.builds[-1].branch == branch
        assert simulators[name].iam.account.password not in "".join(run["log"] for run in runs)


def test_pipeline_for_windows_has_the_same_steps_and_results(tmp_path: Path) -> None:
    """What its `bat` steps do is known to Windows alone; what it makes of the codes is the same."""
    files = {"gate.properties": "GATE_VERDICT=failed\nGATE_BUILD_NUMBER=\n"}
    case = {"workspace": str(tmp_path), "env": {}, "credentials": {"codearts-user": ["u", "p"]}}
    endings = [(1, files), (2, {}), (3, {"gate.properties": "GATE_VERDICT=timed-out\nGATE_BUILD_NUMBER=58\n"})]
    failed, wrong, late = run_pipeline(
        "Jenkinsfile.windows", [case | {"bat": {"code": code, "files": left}} for code, left in endings]
    )
    assert failed["commands"] == [
        "del /f /q gate-report.xml gate.properties 2>nul & exit /b 0",
        'curl -fsSL -o codearts-gate.pyz "%CODEARTS_GATE_URL%"',
        'certutil -hashfile codearts-gate.pyz SHA256 | findstr /i /x "%CODEARTS_GATE_SHA256%"',
        "python codearts-gate.pyz run",
    ]
    assert (failed["result"], failed["error"]) == ("FAILURE", "CodeArts build (unknown): failed")
    assert (wrong["result"], wrong["description"]) == ("FAILURE", None)
    assert (late["result"], late["description"]) == ("UNSTABLE", "CodeArts build 58: timed-out")
    one, other = (
        [line for line in (EXAMPLES / name).read_text().splitlines()[2:] if not any(word in line for word in steps)]
        for name, steps in (
            ("Jenkinsfile", ("sh ", "sh(", "agent")),
            ("Jenkinsfile.windows", ("bat ", "bat(", "agent")),
        )
    )
    assert one == other


def test_pipeline_waits_in_a_later_stage_for_the_build_that_an_earlier_one_started(
    simulate: Simulate, tmp_path: Path, fetched: Mapping[str, str]
) -> None:
    """The result is that of this run's build, which is stopped when time is up; without one, nothing is waited for."""
    simulators = {name: simulate([name], speed=100) for name in ("passing", "failing", "slow")}
    base = {name: environment(simulator, fetched) for name, simulator in simulators.items()}
    nobody = base["passing"] | {"GATE_TARGETS": "0" * 32}
    cases = {
        "passed": (base["passing"] | {"CHANGE_BRANCH": "feature"}, user_of(simulators["passing"])),
        "failed": (base["failing"], user_of(simulators["failing"])),
        "late": (base["slow"] | {"GATE_TIMEOUT": "5s"}, user_of(simulators["slow"])),
        "not started": (nobody, user_of(simulators["passing"])),
    }
    for name in cases:
        (tmp_path / name).mkdir()
        leave_results(tmp_path / name)
    runs = run_pipeline(
        "Jenkinsfile.start-then-wait",
        [
            {"workspace": str(tmp_path / name), "env": variables, "credentials": credentials}
            for name, (variables, credentials) in cases.items()
        ],
    )
    by_name = dict(zip(cases, runs, strict=True))
    assert {name: (run["result"], run["description"], run["error"]) for name, run in by_name.items()} == {
        "passed": ("SUCCESS", "CodeArts build 58: passed", None),
        "failed": ("FAILURE", "CodeArts build 58: failed", "CodeArts build 58: failed"),
        "late": ("UNSTABLE", "CodeArts build 58: timed-out", "CodeArts build 58: timed-out"),
        "not started": ("FAILURE", None, "script returned exit code 5"),
    }
    for name in ("passed", "failed"):
        log = by_name[name]["log"]
        assert log.index("started ") < log.index("\nMeanwhile, CodeArts runs build 58.\n") < log.index(f"\n{name} ")
        assert "warning: the variable" not in log
    assert by_name["passed"]["commands"][-1] == 'python3 codearts-gate.pyz wait --stop "$GATE_TARGETS:$CODEARTS_BUILD"'
    assert by_name["not started"]["commands"][-1] == "python3 codearts-gate.pyz run --no-wait"
    assert not (tmp_path / "not started" / "gate-report.xml").exists()
    assert simulators["slow"].journal.stops == ((simulators["slow"].jobs["slow"], 58),)
    (job,) = simulators["passing"].backend.jobs.values()
    assert [build.branch for build in job.builds if build.number > 57] == ["feature"]
    passwords = [simulator.iam.account.password for simulator in simulators.values()]
    assert not [run for run in runs if any(password in run["log"] for password in passwords)]


def test_pipeline_starts_builds_of_several_jobs_by_name(
    simulate: Simulate, tmp_path: Path, fetched: Mapping[str, str]
) -> None:
    """Of the branch, in one run; one that fails turns the run red, and each has its log."""
    simulator = simulate(scenarios_of(["several-jobs"]), speed=60)
    variables = environment(simulator, fetched) | {
        "BRANCH_NAME": "feature", "GATE_TARGETS": "api web docs", "GATE_CODEARTS_PROJECT": simulator.project,
    }  # fmt: skip
    credentials = user_of(simulator)
    (run,) = run_pipeline(
        "Jenkinsfile.by-name", [{"workspace": str(tmp_path), "env": variables, "credentials": credentials}]
    )
    assert (run["result"], run["error"]) == ("SUCCESS", None), run["log"]
    for job in simulator.backend.jobs.values():
        assert [build.branch for build in job.builds if build.number > 57] == ["feature"]
    assert sorted(path.name for path in tmp_path.glob("codearts-logs/*")) == ["api.log", "docs.log", "web.log"]
