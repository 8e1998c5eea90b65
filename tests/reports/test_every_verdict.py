"""Every verdict goes through every report."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from junitparser.cli import verify as verify_reports
from lxml import etree

from gate.core.verdict import exit_code
from gate.model import Outcome, Stage, TargetOutcome, Verdict
from gate.reports import gantt, junit, result, stage_display, summary
from tests.tables import each_row

REPORT = Path("r.xml")
WORDS = [None, "", "SUCCESS", "success", "FAILURE", "error", "TIMEOUT", "SCHEDULE_FAILURE", "ABORTED", "running", "?"]


class Expected(NamedTuple):
    """What a verdict is in each report."""

    exit_code: int
    word: str
    element: tuple[str, str] | None


EXPECTED = {
    Verdict.PASSED: Expected(0, "passed", None),
    Verdict.FAILED: Expected(1, "failed", ("failure", "BuildFailed")),
    Verdict.ABORTED: Expected(4, "aborted", ("error", "BuildAborted")),
    Verdict.TIMED_OUT: Expected(3, "timed-out", ("error", "GateTimeout")),
    Verdict.UNDETERMINED: Expected(5, "undetermined", ("error", "Undetermined")),
    Verdict.INTERRUPTED: Expected(130, "interrupted", ("error", "Interrupted")),
    Verdict.SKIPPED: Expected(0, "skipped", ("skipped", "skipped")),
    Verdict.STARTED: Expected(0, "started", ("skipped", "skipped")),
}

every_verdict = each_row("verdict", list(Verdict))


def outcome(verdict: Verdict, reason: str = "What happened.") -> Outcome:
    """Return an outcome of one target, with stages in every state."""
    start = datetime(2024, 9, 24, tzinfo=UTC)
    parts = [Stage(name=f"with {word}", state=word, started_at=start, duration_seconds=1.5) for word in WORDS]
    target = TargetOutcome(
        label="app", job_id="0" * 32, verdict=verdict, reason=reason, stages=parts, log_tail=["the end"]
    )
    return Outcome(
        verdict=verdict,
        exit_code=exit_code(verdict, 2),
        started_at=start,
        elapsed_seconds=1.0,
        api_calls=1,
        targets=[target],
    )


@every_verdict
def test_verdict_is_the_same_in_the_exit_code_and_in_every_report(verdict: Verdict) -> None:
    """Programs read one word, such as `timed-out`; people read `timed out`; only what asks for it exits with 0."""
    expected = EXPECTED[verdict]
    one = outcome(verdict)
    case = next(etree.fromstring(junit.render(one)).iter("testcase"))
    marks = [(child.tag, child.get("type")) for child in case if child.tag != "system-out"]
    document = json.loads(result.to_json(one))
    outputs = result.outputs(one, REPORT)
    page = summary.render(one)
    assert exit_code(verdict, 2) == expected.exit_code
    assert marks == ([expected.element] if expected.element else [])
    assert result.lines(one) == f"{expected.word} app build=- state=-\n"
    assert document["verdict"] == document["targets"][0]["verdict"] == expected.word
    assert document["exit_code"] == expected.exit_code
    assert json.loads(result.results(one)) == document
    assert (outputs["verdict"], outputs["exit-code"]) == (expected.word, str(expected.exit_code))
    assert f"GATE_VERDICT={expected.word}\nGATE_EXIT_CODE={expected.exit_code}\n" in result.dotenv(one, REPORT)
    assert page.startswith(f"## {summary.ICONS[verdict]} codearts-gate: {verdict}\n")
    assert f"| app | {summary.ICONS[verdict]} {verdict} |" in page
    assert f"### app: {verdict}\n" in page


@every_verdict
def test_case_of_the_build_has_reason_and_log(verdict: Verdict) -> None:
    """The reason stands in the message and at the head of the text; the log is there unless the build passed."""
    case = next(etree.fromstring(junit.render(outcome(verdict))).iter("testcase"))
    marks = [child for child in case if child.tag != "system-out"]
    assert all(mark.get("message") == "What happened." for mark in marks)
    assert all((mark.text or "").splitlines()[0] == "What happened." for mark in marks)
    assert all((mark.text or "").endswith("\nThe last lines of the log:\nthe end") for mark in marks)
    assert case.findtext("system-out") == (None if verdict is Verdict.PASSED else "the end")


@every_verdict
def test_empty_reason_still_gives_a_message(verdict: Verdict) -> None:
    """A reason that has nothing printable is replaced, since the library drops a failure without a message."""
    case = next(etree.fromstring(junit.render(outcome(verdict, "\x1b[0m\x00"))).iter("testcase"))
    assert [mark.get("message") for mark in case if mark.tag != "system-out"] == (
        [f"The verdict is {verdict}."] if EXPECTED[verdict].element else []
    )


@every_verdict
def test_junit_is_red_exactly_for_a_red_verdict(verdict: Verdict, tmp_path: Path) -> None:
    """`junitparser verify` fails unless the target passed or was skipped, whatever the stages say."""
    report = tmp_path / "report.xml"
    report.write_bytes(junit.render(outcome(verdict)))
    is_green = verdict in (Verdict.PASSED, Verdict.SKIPPED, Verdict.STARTED)
    assert verify_reports([report]) == (0 if is_green else 1)  # type: ignore[no-untyped-call]


@every_verdict
@each_row("word", WORDS)
def test_stage_is_shown_green_only_for_success(verdict: Verdict, word: str | None) -> None:
    """A stage is green for its own success alone, and red only in a build that did not pass."""
    shown, reason = stage_display.displayed(Stage(name="Maven", state=word), verdict)
    assert (shown is Verdict.PASSED) == (word in ("SUCCESS", "success"))
    if verdict in (Verdict.PASSED, Verdict.SKIPPED):
        assert shown in (Verdict.PASSED, Verdict.SKIPPED)
    assert reason


@each_row(
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
    assert stage_display.displayed(Stage(name="Maven", state=word), Verdict.FAILED) == (shown, reason)


@each_row("verdict", [Verdict.TIMED_OUT, Verdict.INTERRUPTED])
def test_stage_of_a_build_that_goes_on_is_not_said_never_to_run(verdict: Verdict) -> None:
    """It had not begun when the gate ended, which says nothing about later."""
    expected = (Verdict.SKIPPED, "The stage had not begun when the gate ended.")
    assert stage_display.displayed(Stage(name="Upload", state=None), verdict) == expected


def test_stage_that_an_abort_kept_from_running_is_shown_as_skipped() -> None:
    """The service calls all stages of an aborted build `ABORTED`, also those that had not begun: these took no time."""
    start = datetime(2024, 9, 24, tzinfo=UTC)
    ran, never_ran = (Stage("Maven", "ABORTED", start, duration) for duration in (10.0, 0.0))
    reason = "The stage never ran; the service's word for it is ABORTED."
    assert stage_display.displayed(ran, Verdict.ABORTED)[0] is Verdict.ABORTED
    assert stage_display.displayed(never_ran, Verdict.ABORTED) == (Verdict.SKIPPED, reason)
    aborted = dataclasses.replace(outcome(Verdict.ABORTED).targets[0], stages=[ran, never_ran])
    assert gantt.chart([aborted]).count("Maven") == 1


@every_verdict
def test_every_stage_stands_in_the_chart(verdict: Verdict) -> None:
    """Each stage whose times are known has one bar."""
    assert gantt.chart(outcome(verdict).targets).count(", 2s") == len(WORDS)
