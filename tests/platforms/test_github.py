"""What the gate writes for GitHub."""

import json
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gate.model import Outcome, TargetOutcome, Verdict
from gate.platforms.github import MAX_ANNOTATIONS, GitHub, escape
from tests.faults.faulty_simulator import FaultySimulator
from tests.platforms.test_gitlab import address_of
from tests.tables import each_row

Run = Callable[..., subprocess.CompletedProcess[str]]


def outcome(*verdicts: Verdict, reason: str = "What happened.") -> Outcome:
    """Return an outcome with one target for each verdict."""
    targets = [
        TargetOutcome(label=f"app{number}", job_id="0" * 32, verdict=verdict, reason=reason, hint="What to do.")
        for number, verdict in enumerate(verdicts, 1)
    ]
    return Outcome(
        verdict=verdicts[0],
        exit_code=9,
        started_at=datetime(2024, 9, 24, tzinfo=UTC),
        elapsed_seconds=1.0,
        api_calls=1,
        targets=targets,
    )


@pytest.fixture
def step(tmp_path: Path) -> Mapping[str, str]:
    """Return the variables of a step whose files already hold something."""
    (tmp_path / "output").write_text("before=1\n")
    (tmp_path / "page").write_text("before\n")
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "page"),
    }


@each_row("verdict", list(Verdict))
def test_target_gives_one_annotation(verdict: Verdict) -> None:
    """A good verdict is a notice, every other one an error, with label and verdict in the title."""
    kind = "notice" if verdict in (Verdict.PASSED, Verdict.SKIPPED, Verdict.STARTED) else "error"
    lines = list(GitHub({}).annotations(outcome(verdict)))
    assert lines == [f"::{kind} title=codearts-gate%3A app1 {verdict}::What happened.%0AWhat to do."]


def test_too_many_annotations_end_in_a_count() -> None:
    """GitHub shows ten of a kind and drops the rest without a word, so the tenth says how many there are."""
    lines = list(GitHub({}).annotations(outcome(*[Verdict.FAILED] * 12, *[Verdict.PASSED] * 10)))
    assert [line.split()[0] for line in lines] == ["::error"] * MAX_ANNOTATIONS + ["::notice"] * MAX_ANNOTATIONS
    assert lines[MAX_ANNOTATIONS - 1].endswith("3 more::app10 failed, app11 failed, app12 failed")


@each_row(
    ("text", "data", "value"),
    [
        ("100%", "100%25", "100%25"),
        ("a\r\nb", "a%0D%0Ab", "a%0D%0Ab"),
        ("%0A", "%250A", "%250A"),
        ("a:b,c", "a:b,c", "a%3Ab%2Cc"),
    ],
)
def test_text_is_escaped_for_its_place(text: str, data: str, value: str) -> None:
    """Data and values of properties have their own characters that act."""
    assert (escape(text), escape(text, ":,")) == (data, value)


@each_row("text", ["::error::x", "  ::set-env name=A::b", "\xa0::stop-commands::x", "a ##[error]b"])
def test_line_of_ours_cannot_be_a_command(text: str) -> None:
    """Neither form of a command survives, wherever it stands."""
    safe = GitHub({}).without_commands(text)
    assert not safe.lstrip().startswith("::")
    assert "##[" not in safe


def test_log_stands_where_no_command_is_taken() -> None:
    """Between the two marks, which nobody can guess, the runner takes nothing for a command."""
    github = GitHub({})
    lines = list(github.log_section("the end", github.quoted(["::error::x", "ok"])))
    token = lines[1].removeprefix("::stop-commands::")
    assert lines == [
        "::group::the end", f"::stop-commands::{token}", "  | ::error::x", "  | ok", f"::{token}::", "::endgroup::"
    ]  # fmt: skip
    assert len(token) == 32
    assert token != list(github.log_section("the end", []))[1].removeprefix("::stop-commands::")


def test_outputs_are_one_line_each() -> None:
    """No value can add an output of its own."""
    text = GitHub({}).format_outputs({"report": "a\nverdict=passed", "results": "{}"})
    assert text == "report=a verdict=passed\nresults={}\n"


def test_step_names_the_files_for_outputs_and_summary(step: Mapping[str, str]) -> None:
    """A platform that was chosen on another machine has no such files, and a blank variable names none."""
    github = GitHub(step)
    assert (str(github.outputs_path), str(github.summary_path)) == (step["GITHUB_OUTPUT"], step["GITHUB_STEP_SUMMARY"])
    assert GitHub({}).outputs_path is None
    assert GitHub({"GITHUB_STEP_SUMMARY": ""}).summary_path is None


def test_step_gets_outputs_summary_and_annotation(
    simulate: Callable[..., FaultySimulator], run_gate: Run, step: Mapping[str, str]
) -> None:
    """In a step, the gate finds its files by itself, and stdout stays for machines."""
    simulator = simulate(["failing"], speed=400)
    address = address_of(simulator)
    done = run_gate("wait", f"app={simulator.jobs['failing']}", env={**step, **address})
    assert done.returncode == 1
    assert done.stdout == "failed app build=57 state=FAILURE\n"
    assert "\n::error title=codearts-gate%3A app failed::build 57 ended with FAILURE" in done.stderr
    assert "\n::group::the end of the log of build 57\n::stop-commands::" in done.stderr
    lines = Path(step["GITHUB_OUTPUT"]).read_text().splitlines()
    outputs = dict(line.split("=", 1) for line in lines)
    assert outputs | {"elapsed-seconds": "", "results": ""} == {
        "before": "1", "verdict": "failed", "exit-code": "1", "build-number": "57", "ordered": "false",
        "build-url": "", "report": "gate-report.xml", "elapsed-seconds": "", "results": "",
    }  # fmt: skip
    assert json.loads(outputs["results"])["targets"][0]["state"] == "FAILURE"
    page = Path(step["GITHUB_STEP_SUMMARY"]).read_text()
    assert page.startswith("before\n## ❌ codearts-gate: failed\n")
    assert "```mermaid\ngantt\n" in page


@pytest.mark.parametrize("name", ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"])
def test_file_that_cannot_be_written_turns_a_pass_into_undetermined(
    simulate: Callable[..., FaultySimulator], run_gate: Run, step: Mapping[str, str], tmp_path: Path, name: str
) -> None:
    """A pipeline that gets no outputs must not go on as if it had; the outputs that can be written say so."""
    simulator = simulate(["passing"], speed=400)
    address = address_of(simulator)
    dotenv = tmp_path / "gate.env"
    files = {name: str(tmp_path), "GATE_OUTPUTS": str(dotenv)}
    done = run_gate("wait", simulator.jobs["passing"], env={**step, **address, **files})
    assert done.returncode == 5
    assert f"The CI system's file {tmp_path} could not be written" in done.stderr
    if name == "GITHUB_STEP_SUMMARY":
        assert "exit-code=5\n" in Path(step["GITHUB_OUTPUT"]).read_text()
        assert "GATE_EXIT_CODE=5\n" in dotenv.read_text()


def test_usage_error_is_an_annotation_too(run_gate: Run) -> None:
    """What is wrong with the set-up stands on the page of the run."""
    done = run_gate("wait", "0" * 32, "--timeout", "soon", env={"GITHUB_ACTIONS": "true"})
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("::error title=codearts-gate::Invalid value for '--timeout'")
    bare = run_gate("wait", "0" * 32, env={"GITHUB_ACTIONS": "true"})
    assert bare.stderr.splitlines()[-1].startswith("::error title=codearts-gate::no endpoint")
