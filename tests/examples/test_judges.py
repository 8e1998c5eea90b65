"""Action, workflows and examples are judged by the tools that their platforms' users trust, which also refuse."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from gate import __version__, durations
from gate.cli.commands import main
from tests.conftest import ROOT
from tests.tools import tool

pytestmark = pytest.mark.ci

EXAMPLES = ROOT / "examples"
ACTION = ROOT / "action.yml"
WORKFLOWS = [*sorted((ROOT / ".github/workflows").glob("*.yml")), *sorted((EXAMPLES / "github").glob("*.yml"))]
PIPELINES = sorted((EXAMPLES / "gitlab").glob("*.gitlab-ci.yml"))
TEMPLATE = EXAMPLES / "gitlab" / "template.yml"
TEXTS = [path for path in sorted(EXAMPLES.rglob("*")) if path.suffix not in (".png", ".md") and path.is_file()]
ACTION_INPUTS = yaml.load(ACTION.read_text(), yaml.CSafeLoader)["inputs"]  # ten times as fast
DEFAULTS = {option.opts[0].removeprefix("--"): option.default for option in main.commands["wait"].params}
"""The defaults of the options, which are those of the action's inputs."""

CHECK = [str(Path(sys.executable).parent / "check-jsonschema"), "--builtin-schema"]
ZIZMOR = [str(Path(sys.executable).parent / "zizmor"), "--offline", "--no-progress"]
GITLAB = [*CHECK, "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]


def judge(command: Sequence[str], *files: Path) -> subprocess.CompletedProcess[str]:
    """Let a tool judge files."""
    return subprocess.run([*command, *map(str, files)], cwd=ROOT, capture_output=True, text=True, check=False)


def broken(tmp_path: Path, source: Path, old: str, new: str) -> Path:
    """Return a copy of a file that is broken on purpose."""
    text = source.read_text()
    assert old in text
    copy = tmp_path / source.name
    copy.write_text(text.replace(old, new))
    return copy


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ([*CHECK, "vendor.github-actions"], [ACTION]),
        ([*CHECK, "vendor.github-workflows"], WORKFLOWS),
        (GITLAB, PIPELINES),
        (ZIZMOR, [ACTION, *WORKFLOWS]),
    ],
    ids=["action", "workflows", "pipelines", "zizmor"],
)
def test_tools_from_pypi_find_nothing(command: Sequence[str], files: Sequence[Path]) -> None:
    """Schemas hold and nothing is insecure."""
    done = judge(command, *files)
    assert done.returncode == 0, done.stdout + done.stderr


def test_gitlab_template_holds_the_schema(tmp_path: Path) -> None:
    """The header has inputs, and the jobs behind it are a pipeline; the schema knows no file of two documents."""
    header, jobs = yaml.safe_load_all(TEMPLATE.read_text())
    assert "targets" in header["spec"]["inputs"]
    (tmp_path / "jobs.yml").write_text(yaml.safe_dump(jobs))
    assert judge(GITLAB, tmp_path / "jobs.yml").returncode == 0


def test_inputs_of_the_gitlab_template_are_those_of_the_action() -> None:
    """An input named as one of the action's has its default and goes to its variable; the others are the job's own."""
    header, jobs = yaml.safe_load_all(TEMPLATE.read_text())
    inputs = header["spec"]["inputs"]
    (variables,) = (job["variables"] for job in jobs.values())
    options = [name for name in inputs if name in ACTION_INPUTS]
    assert set(inputs) - set(options) == {"name", "stage", "job-timeout", "url", "sha256"}
    assert {"follow", "build-url", "if-none"} <= set(options)
    for name in options:
        assert variables[f"GATE_{name.upper().replace('-', '_')}"] == f"$[[ inputs.{name} ]]"
        default = inputs[name].get("default", "")
        assert not default or default == DEFAULTS[name]


def test_action_validator_finds_nothing() -> None:
    """A second opinion on the action."""
    done = judge([tool("action-validator")], ACTION)
    assert done.returncode == 0, done.stdout + done.stderr


def test_actionlint_finds_nothing() -> None:
    """Workflows and their expressions are right."""
    done = judge([tool("actionlint", made_with="go")], *WORKFLOWS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_broken_files_are_refused_by_tools_from_pypi(tmp_path: Path) -> None:
    """Each check can fail: a wrong key, a wrong type, an input that becomes part of a script."""
    action = broken(tmp_path, ACTION, "using: composite", "using: sorcery")
    workflow = broken(tmp_path, WORKFLOWS[0], "runs-on:", "runs-off:")
    pipeline = broken(tmp_path, PIPELINES[0], "script:", "skript:")
    assert judge([*CHECK, "vendor.github-actions"], action).returncode == 1
    assert judge([*CHECK, "vendor.github-workflows"], workflow).returncode == 1
    assert judge(GITLAB, pipeline).returncode == 1
    injected = broken(tmp_path, ACTION, "command=${COMMAND:-wait}", "command=${{ inputs.command }}")
    assert judge(ZIZMOR, injected).returncode == 14


def test_broken_files_are_refused_by_tools_from_npm(tmp_path: Path) -> None:
    """The second opinions can fail too."""
    action = broken(tmp_path, ACTION, "using: composite", "using: sorcery")
    assert judge([tool("action-validator")], action).returncode == 1
    workflow = broken(tmp_path, EXAMPLES / "github" / "after-push.yml", "secrets.CODEARTS", "secret.CODEARTS")
    assert judge([tool("actionlint", made_with="go")], workflow).returncode == 1


@pytest.mark.parametrize("example", TEXTS, ids=lambda path: path.name)
def test_example_begins_with_two_lines_of_comment(example: Path) -> None:
    """The head says what it shows and what to set; the release that it names is this one."""
    lines = example.read_text().splitlines()
    assert [line.startswith(("# ", "// ")) for line in lines[:3]] == [True, True, False]
    assert "Set" in lines[1]
    assert all(
        f"@v{__version__}" in line or f"/v{__version__}/codearts-gate.pyz" in line for line in lines if "OWNER/" in line
    )


def unpinned(text: str) -> list[str]:
    """Return the lines of an example that install or run what somebody else may change later."""
    lines = []
    for line in text.splitlines():
        installs = re.search(r"\bpip3? install\b|\bpipx\b|\buvx?\b|\bnpx\b", line) and "--require-hashes" not in line
        uses = re.search(r"\buses: *(\S+)", line)
        fetches = re.search(r"\bcurl\b|\bwget\b|urlretrieve", line)
        if (
            installs
            or (uses and not re.search(rf"^OWNER/codearts-gate@v{__version__}$|@[0-9a-f]{{40}}$", uses[1]))
            or (fetches and not re.search(r"sha256sum -c|certutil -hashfile \S+ SHA256 \| findstr", text))
        ):
            lines.append(line)
    return lines


@pytest.mark.parametrize("example", TEXTS, ids=lambda path: path.name)
def test_example_installs_nothing_that_is_not_pinned(example: Path) -> None:
    """What runs with the user's credential is what the user has chosen: by hash, or by a version of this action."""
    assert unpinned(example.read_text()) == []


@pytest.mark.parametrize(
    "line",
    [
        'pip install --quiet "$GATE_PACKAGE"',
        "curl -fsSL -o codearts-gate.pyz https://example.com/codearts-gate.pyz",
        "- uses: actions/upload-artifact@v4",
        "- uses: OWNER/codearts-gate@main",
    ],
)
def test_what_is_not_pinned_is_found(line: str) -> None:
    """The check can fail."""
    assert unpinned(line) == [line]


def timeouts(example: Path) -> list[tuple[float, float]]:
    """Return the seconds that an example's jobs have, each with the seconds that its gate has."""
    text = example.read_text()
    default = durations.parse(str(DEFAULTS["timeout"]))
    if example.name.startswith("Jenkinsfile"):
        (minutes,) = re.findall(r"timeout\(time: (\d+), unit: 'MINUTES'\)", text)
        return [(60 * int(minutes), default)]
    documents = list(yaml.safe_load_all(text))
    if example.parent.name == "github":
        return [
            (
                60 * job["timeout-minutes"],
                durations.parse(step["with"].get("timeout", DEFAULTS["timeout"])),
            )
            for job in documents[0]["jobs"].values()
            for step in job["steps"]
            if step.get("uses", "").startswith("OWNER/")
        ]
    inputs = yaml.safe_load(TEMPLATE.read_text().split("\n---\n")[0])["spec"]["inputs"]
    defaults = {name: inputs[name].get("default") for name in inputs}
    if example == TEMPLATE:
        return [(durations.parse(defaults["job-timeout"]), durations.parse(defaults["timeout"]))]
    given = [defaults | include["inputs"] for include in documents[0].get("include", [])]
    jobs = [job for job in documents[0].values() if isinstance(job, dict) and "wait" in str(job.get("script"))]
    return [(durations.parse(values["job-timeout"]), durations.parse(values["timeout"])) for values in given] + [
        (durations.parse(job["timeout"]), durations.parse(job.get("variables", {}).get("GATE_TIMEOUT", "60m")))
        for job in jobs
    ]


@pytest.mark.parametrize("example", [path for path in TEXTS if path.suffix != ".sh"], ids=lambda path: path.name)
def test_job_has_more_time_than_its_gate(example: Path) -> None:
    """A job that ends with its gate or before is killed without a report; installation and reports take minutes."""
    found = timeouts(example)
    assert found
    assert all(job >= gate + 5 * 60 for job, gate in found)


def test_jobs_of_gitlab_say_what_may_be_ended_and_what_may_not_be_tried_again() -> None:
    """A wait may make way for a newer pipeline; another try of a job that starts a build would start another one."""
    seen = set()
    for example in [*PIPELINES, TEMPLATE]:
        for document in yaml.safe_load_all(example.read_text()):
            for job in [job for job in document.values() if isinstance(job, dict) and "script" in job]:
                command = re.search(r"codearts-gate\.pyz (wait|run)", str(job["script"]))
                if command is not None:
                    seen.add(command[1])
                    expected = (True, None) if command[1] == "wait" else (None, 0)
                    assert (job.get("interruptible"), job.get("retry")) == expected, example
    assert seen == {"wait", "run"}


@pytest.mark.parametrize("example", TEXTS, ids=lambda path: path.name)
def test_example_needs_no_credential_that_ends_after_a_day(example: Path) -> None:
    """A token lives for 24 hours, and from then on every pipeline would end with 5."""
    text = example.read_text()
    assert "GATE_TOKEN" not in text
    assert not re.search(r"^ *token: ", text, re.MULTILINE)
