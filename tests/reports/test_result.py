"""What programs read: outputs, the dotenv file, the bounded JSON document and the description of its fields."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PureWindowsPath
from typing import Any

import click
import pytest

from gate.app import build_link
from gate.cli.commands import main
from gate.model import Outcome, Stage, TargetOutcome, Verdict
from gate.reports import junit, result, summary
from gate.reports.fields import meanings
from tests.reports.test_golden import PASSING
from tests.tables import each_row

START = datetime(2024, 9, 24, tzinfo=UTC)
REPORT = Path("gate-report.xml")


def outcome(*targets: TargetOutcome, verdict: Verdict = Verdict.FAILED, exit_code: int = 1) -> Outcome:
    """Return an outcome of `targets`."""
    return Outcome(
        verdict=verdict, exit_code=exit_code, started_at=START, elapsed_seconds=1.0, api_calls=1, targets=targets
    )


def target(number: int, *, verdict: Verdict = Verdict.FAILED, stages: int = 0, reason: str = "Why.") -> TargetOutcome:
    """Return a target with some stages."""
    return TargetOutcome(
        label=f"t{number}",
        job_id="0" * 32,
        verdict=verdict,
        reason=reason,
        build_number=57,
        stages=[Stage(name=f"stage {part}", state="SUCCESS") for part in range(stages)],
    )


def labels(text: str) -> list[str]:
    """Return the labels of the targets in a JSON document."""
    return [one["label"] for one in json.loads(text)["targets"]]


def test_short_document_is_given_whole() -> None:
    """A result that fits is the same as on stdout, without a field about what is missing."""
    one = outcome(target(1, stages=5))
    assert result.results(one) == result.to_json(one)
    assert "omitted" not in json.loads(result.results(one))


def test_stages_are_left_out_first() -> None:
    """All targets stay, and the number of missing stages is told."""
    one = outcome(*(target(number, stages=50) for number in range(50)))
    text = result.results(one)
    assert len(text) < result.RESULTS_LIMIT
    assert labels(text) == [f"t{number}" for number in range(50)]
    assert json.loads(text)["omitted"] == {"stages": 2500, "children": 0, "attempts": 0, "targets": 0}


def test_targets_that_passed_are_left_out_before_the_others() -> None:
    """What went wrong stays, in the order of the call."""
    passed = [target(number, verdict=Verdict.PASSED) for number in range(500)]
    text = result.results(outcome(*passed[:250], target(1000), *passed[250:], target(1001)))
    assert len(text) < result.RESULTS_LIMIT
    found = json.loads(text)
    kept = labels(text)
    assert {"t1000", "t1001"} <= set(kept)
    in_order = [f"t{number}" for number in (*range(250), 1000, *range(250, 500), 1001)]
    assert kept == [label for label in in_order if label in kept]
    assert len(found["targets"]) + found["omitted"]["targets"] == 502


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        *((count, reason) for count in (1, 500) for reason in ("Why.", "構" * 1000, "\U0001f680" * 1000)),
        (2000, "Why."),
    ],
)
def test_any_number_of_targets_leaves_valid_json_below_the_limit(count: int, reason: str) -> None:
    """The document is never empty and never cut in its middle."""
    text = result.results(outcome(*(target(number, reason=reason) for number in range(count))))
    assert len(text) < result.RESULTS_LIMIT
    found = json.loads(text)
    missing = found.get("omitted", {}).get("targets", 0)
    assert len(found["targets"]) + missing == count
    assert found["targets"]
    assert found["verdict"] == "failed"


@each_row(
    ("url", "report", "written"),
    [
        ("https://x.example/57?a=1&b=2#end", Path("out dir/it's; a report.xml"), "out dir/it's; a report.xml"),
        ("https://x.example/$(id)`id`", PureWindowsPath("out\\report.xml"), "out/report.xml"),
        (None, Path("報告.xml"), "報告.xml"),
        (None, None, ""),
    ],
)
def test_dotenv_file_has_raw_values(url: str | None, report: Any, written: str) -> None:
    """GitLab and Jenkins take quotes for a part of the value, and Jenkins drops backslashes."""
    one = outcome(replace(target(1, verdict=Verdict.TIMED_OUT), build_url=url), verdict=Verdict.TIMED_OUT)
    values = dict(line.split("=", 1) for line in result.dotenv(one, report).splitlines())
    assert [values[f"GATE_{name}"] for name in ("VERDICT", "BUILD_LINK", "REPORT")] == ["timed-out", url or "", written]


def test_no_text_of_the_service_brings_a_dollar_into_the_dotenv_file() -> None:
    """GitLab expands `$NAME` in the values: a branch of that name would change a variable of a later job."""
    link = build_link("https://x.example/{project_id}/{job_id}/{build_number}", "r", "0" * 32, 57, "$HOME")
    texts: dict[str, Any] = dict.fromkeys(("reason", "hint", "state", "branch", "commit", "record_id"), "$HOME")
    one = outcome(replace(target(1), build_url=link, log_tail=["$HOME"], **texts))
    assert "$" not in result.dotenv(one, REPORT)


def test_no_name_of_the_dotenv_file_is_the_variable_of_an_option() -> None:
    """A later run of the gate in the same pipeline does not take an output for a setting."""
    variables: set[str] = set()
    for command in main.commands.values():
        for option in command.params:
            envvar = option.envvar if isinstance(option, click.Option) else None
            variables |= {envvar} if isinstance(envvar, str) else set(envvar or ())
    assert "GATE_JUNIT" in variables
    assert not variables & set(result.DOTENV_NAMES.values())


def test_unfinished_run_gives_outputs_that_are_no_pass() -> None:
    """A later step has number and link of the build as soon as they are known, also if the gate is killed."""
    pinned = TargetOutcome(
        label="app",
        job_id="0" * 32,
        verdict=Verdict.UNDETERMINED,
        reason="The gate did not finish.",
        build_number=57,
        build_url="https://x.example/57",
    )
    one = outcome(pinned, verdict=Verdict.UNDETERMINED, exit_code=5)
    assert result.outputs(one, REPORT) == {
        "verdict": "undetermined",
        "exit-code": "5",
        "build-number": "57",
        "ordered": "false",
        "build-url": "https://x.example/57",
        "report": "gate-report.xml",
        "elapsed-seconds": "1.0",
    }
    assert b"<error " in junit.render(one)
    assert "[57](<https://x.example/57>)" in summary.render(one)


@pytest.mark.parametrize("count", [0, 2])
def test_outputs_without_a_single_target_name_no_build(count: int) -> None:
    """Number and link are empty where there is no target, or more than one."""
    values = result.outputs(outcome(*map(target, range(count))), REPORT)
    assert (values["build-number"], values["build-url"]) == ("", "")


@each_row(("own", "ordered"), [([], "false"), ([True], "true"), ([True, False], "false"), ([True, True], "true")])
def test_outputs_tell_whether_all_builds_were_started_here(own: list[bool], ordered: str) -> None:
    """A later step may stop them then, and no other."""
    targets = [replace(target(number), is_own=is_own) for number, is_own in enumerate(own)]
    assert result.outputs(outcome(*targets), REPORT)["ordered"] == ordered


def paths(value: object, path: str = "") -> Iterator[str]:
    """Yield the path of every field of a JSON value."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield path + name
            yield from paths(inner, f"{path}{name}.")
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, path.removesuffix(".") + "[].")


def test_every_field_of_the_document_has_a_meaning() -> None:
    """The description names the fields that the fullest document has, and no others."""
    assert list(meanings()) == [
        *dict.fromkeys(sorted(paths(result.document(PASSING)), key=list(meanings()).index)),
        "omitted",
    ]
