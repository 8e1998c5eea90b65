"""Every verdict goes through every report."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from gate.model import Outcome, Stage, TargetOutcome, Verdict
from gate.reports import gantt, junit, result, stage_display, summary

WORDS = [None, "", "SUCCESS", "success", "FAILURE", "error", "TIMEOUT", "SCHEDULE_FAILURE", "ABORTED", "running", "?"]

ELEMENTS = {
    Verdict.PASSED: None,
    Verdict.FAILED: ("failure", "BuildFailed"),
    Verdict.ABORTED: ("error", "BuildAborted"),
    Verdict.TIMED_OUT: ("error", "GateTimeout"),
    Verdict.UNDETERMINED: ("error", "Undetermined"),
    Verdict.INTERRUPTED: ("error", "Interrupted"),
    Verdict.SKIPPED: ("skipped", "skipped"),
    Verdict.STARTED: ("skipped", "skipped"),
}

every_verdict = pytest.mark.parametrize("verdict", list(Verdict))


def outcome(verdict: Verdict, reason: str = "What happened.") -> Outcome:
    """Return an outcome of one target, with stages in every state."""
    start = datetime(2024, 9, 24, tzinfo=UTC)
    parts = [Stage(name=f"with {word}", state=word, started_at=start, duration_seconds=1.5) for word in WORDS]
    target = TargetOutcome(
        label="app", job_id="0" * 32, verdict=verdict, reason=reason, stages=parts, log_tail=["the end"]
    )
    return Outcome(verdict=verdict, exit_code=9, started_at=start, elapsed_seconds=1.0, api_calls=1, targets=[target])


@every_verdict
def test_verdict_gives_the_build_its_junit_element(verdict: Verdict) -> None:
    """The build's case has the one element of its verdict, its reason in message and text, and a log unless passed."""
    case = next(etree.fromstring(junit.render(outcome(verdict))).iter("testcase"))
    marks = [child for child in case if child.tag != "system-out"]
    assert [(mark.tag, mark.get("type")) for mark in marks] == ([ELEMENTS[verdict]] if ELEMENTS[verdict] else [])
    assert all(mark.get("message") == "What happened." for mark in marks)
    assert all((mark.text or "").splitlines()[0] == "What happened." for mark in marks)
    assert case.findtext("system-out") == (None if verdict is Verdict.PASSED else "the end")


@every_verdict
def test_empty_reason_still_gives_a_message(verdict: Verdict) -> None:
    """A reason that has nothing printable is replaced, since the library drops a failure without a message."""
    case = next(etree.fromstring(junit.render(outcome(verdict, "\x1b[0m\x00"))).iter("testcase"))
    assert [mark.get("message") for mark in case if mark.tag != "system-out"] == (
        [f"The verdict is {verdict}."] if ELEMENTS[verdict] else []
    )


@every_verdict
def test_junit_is_red_exactly_for_a_red_verdict(verdict: Verdict, tmp_path: Path) -> None:
    """`junitparser verify` fails unless the target passed or was skipped, whatever the stages say."""
    report = tmp_path / "report.xml"
    report.write_bytes(junit.render(outcome(verdict)))
    verify = subprocess.run([sys.executable, "-m", "junitparser", "verify", report], check=False)
    assert verify.returncode == (0 if verdict in (Verdict.PASSED, Verdict.SKIPPED, Verdict.STARTED) else 1)


@every_verdict
@pytest.mark.parametrize("word", WORDS)
def test_stage_is_shown_green_only_for_success(verdict: Verdict, word: str | None) -> None:
    """A stage is green for its own success alone, and red only in a build that did not pass."""
    shown, reason = stage_display.shown(Stage(name="Maven", state=word), verdict)
    assert (shown is Verdict.PASSED) == (word in ("SUCCESS", "success"))
    if verdict in (Verdict.PASSED, Verdict.SKIPPED):
        assert shown in (Verdict.PASSED, Verdict.SKIPPED)
    assert reason


@pytest.mark.parametrize(
    ("word", "shown", "reason"),
    [
        (None, Verdict.SKIPPED, "The stage never ran."),
        ("running", Verdict.SKIPPED, "The stage has no result; the service's word for it is running."),
        ("FAILURE", Verdict.FAILED, "The stage ended as FAILURE."),
        ("ABORTED", Verdict.ABORTED, "The stage ended as ABORTED."),
    ],
)
def test_stage_of_a_failed_build_is_shown_as_its_word_says(word: str | None, shown: Verdict, reason: str) -> None:
    """What happened to the stage is kept apart from that it has no result."""
    assert stage_display.shown(Stage(name="Maven", state=word), Verdict.FAILED) == (shown, reason)


@every_verdict
def test_verdict_stands_in_the_summary(verdict: Verdict) -> None:
    """The heading, the table and the target's section name the verdict."""
    text = summary.render(outcome(verdict))
    assert text.startswith(f"## {summary.ICONS[verdict]} codearts-gate: {verdict}\n")
    assert f"| app | {summary.ICONS[verdict]} {verdict} |" in text
    assert f"### app: {verdict}\n" in text


@every_verdict
def test_verdict_is_one_word_wherever_a_program_reads_it(verdict: Verdict) -> None:
    """Stdout, the JSON document, the outputs and the dotenv file have a word without spaces, such as `timed-out`."""
    one = outcome(verdict)
    document = json.loads(result.to_json(one))
    report = Path("r.xml")
    assert re.fullmatch(r"[a-z-]+", verdict.token)
    assert result.lines(one).split() == [verdict.token, "app", "build=-", "state=-"]
    assert result.outputs(one, report)["verdict"] == verdict.token
    assert f"GATE_VERDICT={verdict.token}\nGATE_EXIT_CODE=9\n" in result.dotenv(one, report)
    assert document["verdict"] == document["targets"][0]["verdict"] == verdict.token
    assert json.loads(result.results(one)) == document


@every_verdict
def test_every_stage_stands_in_the_chart(verdict: Verdict) -> None:
    """Each stage whose times are known has one bar."""
    assert gantt.chart(outcome(verdict).targets[0].stages, verdict).count(", 2s") == len(WORDS)
