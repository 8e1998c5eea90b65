"""The GitLab examples, executed by gitlab-ci-local against the simulator.

It prints FAIL and exits with 0, so the printed words count. The one file that the jobs fetch starts the gate of this
environment.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from gate.simulator import sample_plans
from gate.simulator.builds import BuildPlan
from gate.simulator.scenarios import Scenario, Start
from tests.conftest import ROOT
from tests.faults.faulty_simulator import FaultySimulator
from tests.helpers import credentials
from tests.tools import tool

pytestmark = pytest.mark.ci

Simulate = Callable[..., FaultySimulator]
EXAMPLES = ROOT / "examples" / "gitlab"
GIT = ["git", "-c", "user.name=someone", "-c", "user.email=someone@example.com", "-c", "init.defaultBranch=main"]


class Project:
    """A repository with the examples in it, whose commit the simulator builds."""

    def __init__(
        self,
        folder: Path,
        simulate: Simulate,
        fetched: Mapping[str, str],
        plan: BuildPlan = sample_plans.PASSING,
        *,
        merge_request: bool = False,
    ) -> None:
        """Copy the examples, with the address and the sum in `fetched` in place of their own.

        `merge_request`: the pipeline is that of a merge request, and its own commit is a merge that nobody builds.
        """
        self.folder = folder
        self.variables = {"CI_PIPELINE_SOURCE": "merge_request_event"} if merge_request else {}
        self.command = [tool("gitlab-ci-local"), "--force-shell-executor", "--shell-isolation"]
        tool("rsync")
        for example in EXAMPLES.iterdir():
            (folder / example.name).write_text(example.read_text())
        for arguments in (
            ["init"],
            ["add", "."],
            ["commit", "-m", "Examples"],
            ["remote", "add", "origin", "git@x:y/z"],
        ):
            subprocess.run([*GIT, *arguments], cwd=folder, check=True, capture_output=True)
        head = subprocess.run([*GIT, "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
        self.commit = head.stdout.strip()
        if merge_request:
            self.commit = "0123456789abcdef0123456789abcdef01234567"
            self.variables["CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"] = self.commit
        starts = (Start(plan=replace(plan, commit=self.commit)),)
        self.simulator = simulate([Scenario(name="app", plan=plan, starts=starts)], speed=100)
        self.variables |= fetched
        job = yaml.safe_load((folder / "job.gitlab-ci.yml").read_text())
        use, template = folder / "use-template.gitlab-ci.yml", folder / "template.yml"
        use.write_text(re.sub(r"(?<==)[0-9a-f]{32}\b", self.simulator.jobs["app"], use.read_text()))
        for name, value in fetched.items():
            template.write_text(template.read_text().replace(job["variables"][name], value))

    @property
    def target(self) -> str:
        """The job in the simulator, with a label."""
        return f"app={self.simulator.jobs['app']}"

    def run(self, file: str, **variables: str) -> str:
        """Run the pipeline of a file with these variables of the project; give what it printed, without its codes."""
        values = {
            **self.variables,
            "GATE_ENDPOINT": self.simulator.endpoint,
            **credentials(self.simulator, "password"),
            "GATE_MAX_AGE": "10h",
            "GATE_POLL_INTERVAL": "200ms",
            "GATE_PLATFORM": "gitlab",  # gitlab-ci-local says GITLAB_CI=false
        }
        (self.folder / ".gitlab-ci-local-variables.yml").write_text(yaml.safe_dump(values | variables))
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            [*self.command, "--file", file],
            cwd=self.folder,
            env={**os.environ, "PATH": path, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.stdout + done.stderr

    def artifact(self, job: str, name: str) -> str:
        """Return the text of a job's artifact."""
        return (self.folder / ".gitlab-ci-local" / "artifacts" / job / name).read_text()


def results(text: str) -> dict[str, str]:
    """Return the PASS, WARN or FAIL of each job."""
    return {job: word for word, job in re.findall(r"^ (PASS|WARN|FAIL) +(?!Avoid overriding)(\S+)", text, re.MULTILINE)}


def test_build_that_passes_lets_the_next_job_read_about_it(
    tmp_path: Path, simulate: Simulate, fetched: Mapping[str, str]
) -> None:
    """Both jobs pass; report and dotenv are artifacts, and the second job has the variables."""
    project = Project(tmp_path, simulate, fetched)
    text = project.run("job.gitlab-ci.yml", GATE_TARGETS=project.target)
    assert results(text) == {"codearts": "PASS", "after-the-build": "PASS"}
    assert re.search(r"> Build 1 passed after [0-9.]+ s\.", text)
    assert 'tests="7" failures="0"' in project.artifact("codearts", "gate-report.xml")
    dotenv = project.artifact("codearts", ".gitlab-ci-reports/dotenv/gate.env")
    assert dotenv.startswith("GATE_VERDICT=passed\nGATE_EXIT_CODE=0\nGATE_BUILD_NUMBER=1\n")


def test_build_that_fails_stops_the_pipeline_and_leaves_its_artifacts(
    tmp_path: Path, simulate: Simulate, fetched: Mapping[str, str]
) -> None:
    """In a merge request, too, the job ends with the gate's code, the next never starts, and the report is there."""
    project = Project(tmp_path, simulate, fetched, sample_plans.FAILING, merge_request=True)
    text = project.run("job.gitlab-ci.yml", GATE_TARGETS=project.target)
    assert results(text) == {"codearts": "FAIL"}
    assert "FAIL 1" in text
    assert '<failure type="BuildFailed"' in project.artifact("codearts", "gate-report.xml")
    assert "GATE_EXIT_CODE=1\n" in project.artifact("codearts", ".gitlab-ci-reports/dotenv/gate.env")


@pytest.mark.parametrize(
    ("course", "word", "code"), [(sample_plans.SLOW, "WARN", 3), (sample_plans.ABORTED, "FAIL", 4)]
)
def test_only_a_timeout_is_allowed_to_fail(
    tmp_path: Path, simulate: Simulate, fetched: Mapping[str, str], course: BuildPlan, word: str, code: int
) -> None:
    """Exit code 3 makes the job orange, every other one red."""
    project = Project(tmp_path, simulate, fetched, course, merge_request=code == 4)
    text = project.run("allow-timeout.gitlab-ci.yml", GATE_TIMEOUT="2s", GATE_TARGETS=project.target)
    assert results(text) == {"codearts": word}
    assert f"{word} {code}" in text


def test_template_is_included_twice_with_inputs(tmp_path: Path, simulate: Simulate, fetched: Mapping[str, str]) -> None:
    """Each include makes a job of its own name with targets of its own."""
    project = Project(tmp_path, simulate, fetched, merge_request=True)
    text = project.run("use-template.gitlab-ci.yml")
    assert results(text) == {"wait-for-backend": "PASS", "wait-for-frontend": "PASS"}
    assert 'name="frontend"' in project.artifact("wait-for-frontend", "gate-report.xml")


@pytest.mark.parametrize(
    "file", ["allow-timeout.gitlab-ci.yml", "use-template.gitlab-ci.yml", "start-then-wait.gitlab-ci.yml"]
)
def test_file_with_another_sum_is_not_started_and_no_former_report_is_left(
    tmp_path: Path, simulate: Simulate, fetched: Mapping[str, str], file: str
) -> None:
    """The job ends with 5, as nothing was found out; a kept workspace has the report of a former run no more."""
    (tmp_path / "gate-report.xml").write_text("<testsuites/>")  # gitlab-ci-local copies what is committed
    project = Project(tmp_path, simulate, {**fetched, "CODEARTS_GATE_SHA256": "0" * 64})
    text = project.run(file, GATE_TARGETS=project.target)
    assert set(results(text).values()) == {"FAIL"}
    assert "FAIL 5" in text
    assert not project.simulator.journal.entries
    # Of a report that `artifacts: paths` does not name, as in allow-timeout, gitlab-ci-local keeps no copy to look at.
    assert not list((tmp_path / ".gitlab-ci-local" / "artifacts").rglob("gate-report.xml"))


@pytest.mark.parametrize("merge_request", [False, True], ids=["branch", "merge request"])
def test_build_that_one_job_starts_is_waited_for_by_another(
    tmp_path: Path, simulate: Simulate, fetched: Mapping[str, str], merge_request: bool
) -> None:
    """The build is of the pipeline's commit and no newer one is judged; nothing warns of the first job's variables."""
    project = Project(tmp_path, simulate, fetched, merge_request=merge_request)
    example = tmp_path / "start-then-wait.gitlab-ci.yml"
    echo = '- echo "Meanwhile,'
    example.write_text(example.read_text().replace(echo, f"- python3 -m gate run --no-wait\n    {echo}"))
    text = project.run("start-then-wait.gitlab-ci.yml", GATE_TARGETS=project.target)
    assert results(text) == {"start": "PASS", "other-work": "PASS", "wait": "PASS"}
    assert "> Meanwhile, CodeArts runs build 2." in text
    assert "started app build=2 " in text
    assert "passed app build=2 state=SUCCESS" in text
    assert "warning: the variable" not in text
    (job,) = project.simulator.backend.jobs.values()
    assert job.builds[1].commit == project.commit
    assert len(job.builds) == 3
    assert 'name="build_number" value="2"' in project.artifact("wait", "gate-report.xml")


def test_build_that_could_not_be_started_is_not_waited_for(
    tmp_path: Path, simulate: Simulate, fetched: Mapping[str, str]
) -> None:
    """The first job is red with the gate's code, and the later ones never start."""
    project = Project(tmp_path, simulate, fetched)
    text = project.run("start-then-wait.gitlab-ci.yml", GATE_TARGETS="0" * 32)
    assert results(text) == {"start": "FAIL"}
    assert "FAIL 5" in text


def test_build_that_fails_after_its_start_turns_the_job_that_waits_red(
    tmp_path: Path, simulate: Simulate, fetched: Mapping[str, str]
) -> None:
    """The start is green, as the build had no result yet; the result is that of the wait."""
    project = Project(tmp_path, simulate, fetched, sample_plans.FAILING)
    text = project.run("start-then-wait.gitlab-ci.yml", GATE_TARGETS=project.target)
    assert results(text) == {"start": "PASS", "other-work": "PASS", "wait": "FAIL"}
    assert "FAIL 1" in text
    assert '<failure type="BuildFailed"' in project.artifact("wait", "gate-report.xml")


def test_build_that_outlives_the_wait_is_stopped_by_it(
    tmp_path: Path, simulate: Simulate, fetched: Mapping[str, str]
) -> None:
    """The number is that of the first job's build; build 1 is somebody else's."""
    project = Project(tmp_path, simulate, fetched, sample_plans.SLOW)
    text = project.run("start-then-wait.gitlab-ci.yml", GATE_TARGETS=project.target, GATE_TIMEOUT="3s")
    assert results(text) == {"start": "PASS", "other-work": "PASS", "wait": "FAIL"}
    assert "FAIL 3" in text
    assert project.simulator.journal.stops == ((project.simulator.jobs["app"], 2),)


def test_template_passes_its_inputs_about_logs_and_links_on(
    tmp_path: Path, simulate: Simulate, fetched: Mapping[str, str]
) -> None:
    """The link names the build, and a build that never appears is no error where the pipeline says so."""
    project = Project(tmp_path, simulate, fetched)
    linked = {"targets": project.target, "follow": True, "build-url": "https://example.com/{job_id}/{build_number}#log"}
    unbuilt = {"name": "unbuilt", "targets": project.target, "commit": "f" * 40, "if-none": "pass"}
    pipeline = {"include": [{"local": "template.yml", "inputs": inputs} for inputs in (linked, unbuilt)]}
    (tmp_path / "links.gitlab-ci.yml").write_text(yaml.safe_dump(pipeline))
    text = project.run("links.gitlab-ci.yml", GATE_APPEAR_TIMEOUT="1s")
    assert results(text) == {"codearts": "PASS", "unbuilt": "PASS"}
    job = project.simulator.jobs["app"]
    link = f"https://example.com/{job}/1#log"
    assert f"GATE_BUILD_LINK={link}\n" in project.artifact("codearts", ".gitlab-ci-reports/dotenv/gate.env")
    assert "skipped app build=- " in text


def test_newest_builds_of_the_branch_since_the_pipeline_began_are_found_by_name(
    tmp_path: Path, simulate: Simulate, fetched: Mapping[str, str]
) -> None:
    """A build from before, and one of another branch, are not taken for the pipeline's."""
    project = Project(tmp_path, simulate, fetched)
    plans = (replace(sample_plans.PASSING, branch="main"), replace(sample_plans.FAILING, branch="other"))
    starts = (
        Start(at=-600, plan=replace(sample_plans.FAILING, branch="main")),
        *(Start(at=0.1 + number, plan=plan) for number, plan in enumerate(plans)),
    )
    project.simulator = simulate([Scenario(name=name, starts=starts) for name in ("api", "web", "docs")], speed=10)
    since = project.simulator.clock.start.isoformat()
    text = project.run(
        "newest-of-branch.gitlab-ci.yml",
        GATE_CODEARTS_PROJECT=project.simulator.project,
        CI_PIPELINE_CREATED_AT=since,
        CI_COMMIT_BRANCH="main",
        CI_DEFAULT_BRANCH="main",
    )
    assert results(text) == {"codearts": "PASS"}, text
    for name in ("api", "web", "docs"):
        assert f"passed {name} build=2 state=SUCCESS" in text
        assert project.artifact("codearts", f"codearts-logs/{name}.log")
