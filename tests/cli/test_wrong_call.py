"""What a call that cannot be carried out leaves behind: no report of a former run, and exit 2 everywhere."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from junitparser import JUnitXml

from gate.cli.commands import execute

Run = Callable[..., subprocess.CompletedProcess[str]]

JOB = "0123456789abcdef0123456789abcdef"
GREEN = '<testsuites><testsuite name="former"><testcase name="build"/></testsuite></testsuites>'
FORMER = {"r.xml": GREEN, "s.md": "passed", "o.env": "GATE_VERDICT=passed\nGATE_EXIT_CODE=0\n"}


@pytest.fixture
def former(tmp_path: Path) -> Path:
    """Return the folder of the run, in which a former run has left reports of a pass."""
    for name, content in FORMER.items():
        (tmp_path / name).write_text(content)
    return tmp_path


REPORTS = ("--junit", "r.xml", "--summary=s.md", "--outputs", "o.env")

WRONG = [
    (JOB, "--no-such-option", *REPORTS),
    (*REPORTS, JOB, "--timeout", "soon"),
    (*REPORTS, "--platform", "none", "a,b"),
    ("--max-rate", "0", *REPORTS, "--log-tail"),
    (*REPORTS, JOB, "--token=s3cr3t"),
    (*REPORTS,),
    (*REPORTS, JOB, "--region", "nowhere"),
    (*REPORTS, f"app={JOB}:1", f"app={JOB}:2"),
    (*REPORTS, JOB, "--endpoint", "https://x.example", "--token-file", "none"),
]


@pytest.mark.parametrize("arguments", WRONG)
@pytest.mark.parametrize("command", ["wait", "run"])
def test_reports_of_a_former_run_are_replaced(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    former: Path,
    command: str,
    arguments: tuple[str, ...],
) -> None:
    """Wherever in the call the mistake is: report, summary and outputs say what was wrong, and none says passed."""
    monkeypatch.chdir(former)
    assert execute([command, *arguments], 0.0) == 2
    (suite, *_) = JUnitXml.fromfile(str(former / "r.xml"))
    assert (suite.errors, suite.name != "former") == (1, True)
    reason = next(iter(suite)).result[0].message
    assert reason in " ".join(capfd.readouterr().err.split())
    assert "undetermined" in (former / "s.md").read_text()
    assert "passed" not in (former / "s.md").read_text()
    assert "GATE_VERDICT=undetermined\nGATE_EXIT_CODE=2\n" in (former / "o.env").read_text()
    assert "s3cr3t" not in "".join(path.read_text() for path in former.iterdir())


def test_paths_may_come_from_variables_and_outputs_of_a_step_are_set(run_gate: Run, former: Path) -> None:
    """The way of the action, which sets every option by its variable."""
    (former / "github").touch()
    env = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(former / "github"),
        "GATE_JUNIT": " r.xml\n",
        "GATE_SUMMARY": "s.md",
        "GATE_OUTPUTS": "o.env",
        "GATE_TIMEOUT": "soon",
    }
    done = run_gate("wait", JOB, env=env)
    assert done.returncode == 2
    assert "::error title=codearts-gate::" in done.stderr
    assert "verdict=undetermined\nexit-code=2\n" in (former / "github").read_text()
    assert all((former / name).read_text() != content for name, content in FORMER.items())


def test_report_has_the_targets_that_were_named(run_gate: Run, former: Path) -> None:
    """Their history in a CI system shows the run that judged nothing."""
    done = run_gate("wait", "--junit", "r.xml", f"app={JOB}", f"{JOB}:1", f"{JOB}:2", "--timeout", "soon")
    assert done.returncode == 2
    assert [suite.name for suite in JUnitXml.fromfile(str(former / "r.xml"))] == ["app", JOB, f"{JOB}-2"]


def test_default_report_is_replaced_too(run_gate: Run, former: Path) -> None:
    """No path was given: the report lies where it always lies."""
    (former / "gate-report.xml").write_text(GREEN)
    assert run_gate("wait", "--no-such-option").returncode == 2
    assert "No such option" in (former / "gate-report.xml").read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--token-file", "token", "--junit", "./token"),
        ("--token-file=token", "--outputs=token"),
        ("--ca-bundle", "token", "--summary", "token"),
    ],
)
def test_file_that_another_option_names_is_left_alone(run_gate: Run, former: Path, arguments: tuple[str, ...]) -> None:
    """It may be the token that the next call needs."""
    (former / "token").write_text("a-token\n")
    assert run_gate("wait", JOB, "--endpoint", "https://x.example", *arguments).returncode == 2
    assert (former / "token").read_text() == "a-token\n"


def test_report_path_that_cannot_be_written_changes_nothing(run_gate: Run, former: Path) -> None:
    """The call was wrong, and that is what is said; the other reports are written all the same."""
    done = run_gate("wait", "--timeout", "soon", "--junit", "r.xml/x", "--outputs", "o.env")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 4), done.stderr
    assert "GATE_EXIT_CODE=2" in (former / "o.env").read_text()


def test_help_and_version_write_no_report(run_gate: Run, former: Path) -> None:
    """Nothing was asked to be judged."""
    for arguments in (("wait", "--help"), ("run", "--help", "--junit", "r.xml"), ("--version",)):
        assert run_gate(*arguments).returncode == 0
    assert {path.name: path.read_text() for path in former.iterdir()} == FORMER
