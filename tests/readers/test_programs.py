"""Programs that people read JUnit reports with show every verdict, its reason and its counts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from gate.model import Outcome, Stage, TargetOutcome, Verdict
from gate.reports import junit
from gate.reports.stage_display import displayed
from tests.readers.programs import PROGRAMS, Program, Reading

pytestmark = pytest.mark.ci

KINDS = {
    Verdict.PASSED: "passed",
    Verdict.FAILED: "failure",
    Verdict.ABORTED: "error",
    Verdict.TIMED_OUT: "error",
    Verdict.UNDETERMINED: "error",
    Verdict.INTERRUPTED: "error",
    Verdict.SKIPPED: "skipped",
    Verdict.STARTED: "skipped",
}
"""What a case is for a reader that tells errors from failures."""

LAST_LINE = "[ERROR] the last line of the log"

every_program = pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)


def outcome(*verdicts: Verdict, build_number: int = 57) -> Outcome:
    """Return an outcome with one target for each verdict; everything but names depends on the number of the build."""
    start = datetime(2024, 9, 24, 3, build_number, tzinfo=UTC)
    stages = [
        Stage(name=f"Maven {word}", state=word, started_at=start, duration_seconds=build_number / 10)
        for word in (None, "SUCCESS", "FAILURE", "ABORTED", "running")
    ]
    targets = [
        TargetOutcome(
            label=f"team.{verdict.token}",
            job_id="0" * 32,
            verdict=verdict,
            reason=f"Build {build_number} <has> the verdict {verdict}.",
            build_number=build_number,
            state="WORD",
            branch=f"branch-{build_number}",
            commit=f"{build_number:07}",
            record_id=f"r{build_number}",
            started_at=start,
            duration_seconds=float(build_number),
            stages=stages,
            log_tail=[f"line {build_number}", LAST_LINE],
        )
        for verdict in verdicts
    ]
    return Outcome(
        verdict=verdicts[0], exit_code=9, started_at=start, elapsed_seconds=1.0, api_calls=1, targets=targets
    )


def expected_cases(rendered: Outcome) -> Mapping[tuple[str, str], tuple[str, str]]:
    """Return the kind of each case and the message of it, by the names of suite and case."""
    cases = {}
    for target in rendered.targets:
        cases[target.label, "build"] = (KINDS[target.verdict], target.reason)
        for stage in target.stages:
            verdict, reason = displayed(stage, target.verdict)
            cases[target.label, f"stage {stage.name}"] = (KINDS[verdict], reason)
    return cases


def assert_shown(rendered: Outcome, reading: Reading, program: Program) -> None:
    """Check kinds, messages and totals against the outcome."""
    expected = expected_cases(rendered)
    kinds = {names: kind for names, (kind, _) in expected.items()}
    if not program.tells_errors:
        kinds = {names: "failure" if kind == "error" else kind for names, kind in kinds.items()}
    assert {names: case.kind for names, case in reading.cases.items()} == kinds

    silent = {"passed"} if program.shows_skipped_texts else {"passed", "skipped"}
    unexplained = {
        names: reading.cases[names].text
        for names, (kind, message) in expected.items()
        if kind not in silent and message not in reading.cases[names].text
    }
    assert unexplained == {}
    for target in rendered.targets:
        if target.verdict is Verdict.FAILED:
            assert LAST_LINE in reading.cases[target.label, "build"].text

    totals = {"tests": len(kinds), **dict.fromkeys(KINDS.values(), 0), **Counter(kinds.values())}
    assert reading.totals
    assert reading.totals == {kind: totals[kind] for kind in reading.totals}


@every_program
def test_program_shows_every_verdict_and_keeps_the_history_of_the_next_build(tmp_path: Path, program: Program) -> None:
    """Each case has its kind and its reason, the totals are right, and the next build's cases are the same ones."""
    readings = []
    for build_number in (57, 58):
        rendered = outcome(*Verdict, build_number=build_number)
        report = tmp_path / f"report-{build_number}.xml"
        report.write_bytes(junit.render(rendered))
        reading = program.read(report)
        assert_shown(rendered, reading, program)
        assert len(reading.identities) == len(reading.cases)
        readings.append(reading)
    assert readings[0].identities == readings[1].identities


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("name", ["junitparser", "test-results-parser"])
def test_report_of_one_build_shows_its_verdict(tmp_path: Path, verdict: Verdict, name: str) -> None:
    """A report of one target is read like one of many."""
    rendered = outcome(verdict)
    report = tmp_path / "report.xml"
    report.write_bytes(junit.render(rendered))
    assert_shown(rendered, PROGRAMS[name].read(report), PROGRAMS[name])


@pytest.mark.parametrize("verdict", list(Verdict))
def test_case_has_one_status_and_its_text_begins_with_the_message(verdict: Verdict) -> None:
    """No case has two statuses, of which readers would take different ones."""
    for case in etree.fromstring(junit.render(outcome(verdict))).iter("testcase"):
        statuses = [child for child in case if child.tag in ("failure", "error", "skipped")]
        assert len(statuses) <= 1
        assert all(
            status.get("message") and (status.text or "").startswith(status.get("message")) for status in statuses
        )


@pytest.mark.parametrize("verdict", list(Verdict))
def test_names_are_the_same_for_another_verdict(verdict: Verdict) -> None:
    """CI systems keep a test's history under its names, also from a build that passes to one that does not."""
    first = outcome(Verdict.PASSED)
    other = replace(first, targets=[replace(first.targets[0], verdict=verdict, reason="Another.", state="X")])
    names = [
        [(case.get("classname"), case.get("name")) for case in etree.fromstring(junit.render(one)).iter("testcase")]
        for one in (first, other)
    ]
    assert names[0] == names[1]
