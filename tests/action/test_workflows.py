"""The example workflows, whose jobs are run one after another as GitHub's runner does."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from gate.simulator import sample_plans
from gate.simulator.builds import BuildPlan, StagePlan
from gate.simulator.scenarios import Scenario, Start
from tests.action.driver import Driver
from tests.conftest import ROOT
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.journal import ORDERS

pytestmark = pytest.mark.ci

Simulate = Callable[..., FaultySimulator]

JOB_ID = r"\b[0-9a-f]{32}\b"
HEAD = "0123456789abcdef0123456789abcdef01234567"
MERGE = "f" * 40
PUSH: dict[str, Any] = {"sha": HEAD, "event": {}}
PULL_REQUEST: dict[str, Any] = {
    "sha": MERGE,  # a merge that CodeArts has never seen
    "head_ref": "feature",
    "repository": "owner/project",
    "event": {"pull_request": {"head": {"sha": HEAD, "repo": {"full_name": "owner/project"}}}},
}


def read(name: str) -> str:
    """Return the text of an example."""
    return (ROOT / "examples/github" / name).read_text()


def builds_of_head(simulate: Simulate, text: str, plan: BuildPlan = sample_plans.PASSING) -> FaultySimulator:
    """Return a simulator with a job for each one of an example, which has built the head of the branch."""
    starts = (Start(plan=replace(plan, commit=HEAD)),)
    names = sorted(set(re.findall(JOB_ID, text)))
    return simulate([Scenario(name=name, starts=starts) for name in names], speed=100)


def with_jobs_of(simulator: FaultySimulator, text: str) -> str:
    """Return an example with the simulator's jobs in place of the user's own, and without its wait between requests."""
    for name, job in simulator.jobs.items():
        text = text.replace(name, job) if re.fullmatch(JOB_ID, name) else re.sub(JOB_ID, job, text)
    return text.replace("max-rate: 6 ", "max-rate: 600 ")


def addresses(simulator: FaultySimulator) -> dict[str, str]:
    """Return the variables that lead the gate to the simulator."""
    return {"GATE_ENDPOINT": simulator.endpoint, "GATE_IAM_ENDPOINT": simulator.endpoint}


def secrets_of(simulator: FaultySimulator) -> dict[str, str]:
    """Return the secrets that the examples name: the simulated account's user."""
    account = simulator.iam.account
    named = {"USER": account.user, "PASSWORD": account.password, "ACCOUNT": account.domain}
    return {f"CODEARTS_{name}": value for name, value in named.items()}


@pytest.mark.parametrize(
    ("name", "event", "labels"),
    [
        ("after-push.yml", PUSH, [""]),
        ("pull-request.yml", PULL_REQUEST, [""]),
        ("several-jobs.yml", PUSH, ["backend frontend docs"]),
        ("matrix.yml", PULL_REQUEST, ["api worker", "web mobile"]),
    ],
)
def test_example_waits_for_the_builds_of_the_commit_that_was_pushed(
    simulate: Simulate, driver: Driver, name: str, event: Mapping[str, object], labels: list[str]
) -> None:
    """On a pull request, that is the head of its branch; the report is handed on where the example does so."""
    simulator = builds_of_head(simulate, read(name))
    env, secrets = addresses(simulator), secrets_of(simulator)
    done = driver.run_workflow(with_jobs_of(simulator, read(name)), env, github=event, secrets=secrets)
    assert [run["exit"] for run in done.runs] == [0] * len(labels), done.log
    for run, names in zip(done.runs, labels, strict=True):
        targets = json.loads(run["outputs"]["results"])["targets"]
        assert [target["verdict"] for target in targets] == ["passed"] * max(len(names.split()), 1)
        assert [target["label"] for target in targets] == (names.split() or [targets[0]["job_id"]])
        assert [given["path"] for _, given in run["uses"]] == ["gate-report.xml"] * read(name).count("upload-artifact")


def test_report_is_handed_on_after_a_red_build(simulate: Simulate, driver: Driver) -> None:
    """The step for it runs always."""
    text = read("several-jobs.yml")
    simulator = builds_of_head(simulate, text, sample_plans.FAILING)
    env, secrets = addresses(simulator), secrets_of(simulator)
    (run,) = driver.run_workflow(with_jobs_of(simulator, text), env, github=PUSH, secrets=secrets).runs
    assert (run["exit"], run["outputs"]["verdict"]) == (1, "failed")
    assert [given["path"] for _, given in run["uses"]] == ["gate-report.xml"]


def test_pull_request_from_a_fork_has_no_secret_and_is_left_out(simulate: Simulate, driver: Driver) -> None:
    """Nothing is asked of the service, and the job is not red."""
    simulator = builds_of_head(simulate, read("pull-request.yml"))
    event = {**PULL_REQUEST, "repository": "somebody/else"}
    done = driver.run_workflow(with_jobs_of(simulator, read("pull-request.yml")), {}, github=event)
    assert [run["exit"] for run in done.runs] == ["skipped"]
    assert not simulator.journal.entries


@pytest.mark.parametrize("event", [PUSH | {"run_id": "7"}, PULL_REQUEST | {"run_id": "7"}], ids=["by hand", "request"])
def test_build_is_started_with_an_access_key_which_brings_its_own_packages(
    simulate: Simulate, driver: Driver, event: Mapping[str, object]
) -> None:
    """The vendor's signer is installed from a lock of its own; both parts of the key are masked."""
    simulator = simulate(["passing"], speed=10)  # its clock may not be far off while the packages are installed
    keys = simulator.keys
    done = driver.run_workflow(
        with_jobs_of(simulator, read("start-and-wait.yml")),
        {"GATE_ENDPOINT": simulator.endpoint},
        github=event,
        inputs={"branch": "main"},
        secrets={"CODEARTS_AK": keys.ak, "CODEARTS_SK": keys.sk},
    )
    assert [run["exit"] for run in done.runs] == [0], done.log
    assert "Build 58 passed." in done.log
    assert [command[2] for command in done.commands if command[0] == "add-mask"] == [keys.ak, keys.sk]
    assert {entry.family for entry in simulator.journal.entries} == {"aksk"}
    (job,) = simulator.backend.jobs.values()
    assert job.builds[-1].branch == ("feature" if "head_ref" in event else "main")
    assert dict(job.builds[-1].parameters) == {"STARTED_BY": "github", "RUN": "7"}


def test_builds_of_several_jobs_are_started_by_name_or_used_again(simulate: Simulate, driver: Driver) -> None:
    """The commit is being built in one of the jobs already; the logs of all three builds are handed on."""
    usual = Start(at=-3600.0)
    stages = (StagePlan(name="Maven", seconds=150),)  # 15 s of the test, whose last requests have to wait for the rate
    under_way = Start(plan=replace(sample_plans.PASSING, commit=HEAD, stages=stages))
    jobs = [Scenario(name=name, starts=(usual,)) for name in ("web", "docs")]
    simulator = simulate([Scenario(name="api", starts=(usual, under_way)), *jobs], speed=10)
    text = re.sub(JOB_ID, simulator.project, read("several-by-name.yml"))
    done = driver.run_workflow(text, addresses(simulator), github=PUSH, secrets=secrets_of(simulator))
    (run,) = done.runs
    assert run["exit"] == 0, done.log
    targets = json.loads(run["outputs"]["results"])["targets"]
    assert [target["label"] for target in targets] == ["api", "web", "docs"]
    assert {target["commit"] for target in targets} == {HEAD}
    assert len(simulator.journal.of(*ORDERS)) == 2
    assert [given["path"] for _, given in run["uses"]] == ["codearts-logs"]
    assert sorted(path.name for path in driver.workspace.glob("codearts-logs/*")) == ["api.log", "docs.log", "web.log"]
