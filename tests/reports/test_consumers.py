"""Programs that people read JUnit reports with show the verdict of the contract, for every verdict."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import junitparser
import pytest
from lxml import etree

from gate.model import Verdict
from gate.reports import junit
from tests.reports.test_every_verdict import outcome
from tests.tools import tool

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
"""What the build's case is for a consumer that tells failures from errors."""

every_verdict = pytest.mark.parametrize("verdict", list(Verdict))


def by_junitparser(report: Path) -> tuple[str, str]:
    """Return what junitparser understands of the build's case: its kind and its text."""
    case = next(iter(next(iter(junitparser.JUnitXml.fromfile(str(report))))))
    kinds = {"Failure": "failure", "Error": "error", "Skipped": "skipped"}
    assert len(case.result) <= 1
    for result in case.result:
        return kinds[type(result).__name__], f"{result.message}\n{result.text or ''}"
    return "passed", ""


def by_junit2html(report: Path) -> tuple[str, str]:
    """Return what junit2html shows of it; errors are failures there."""
    page = report.with_suffix(".html")
    subprocess.run([sys.executable, "-m", "junit2htmlreport", report, page], check=True)
    text = " ".join(etree.HTML(page.read_text(encoding="utf-8")).itertext())
    match = re.search(r"Test case:\s+build\s+Outcome:\s+(\w+)\s(.*?)Test case:", text, re.DOTALL)
    assert match is not None
    return {"Passed": "passed", "Failed": "failure", "Skipped": "skipped"}[match[1]], match[2]


def by_xunit_viewer(report: Path) -> tuple[str, str]:
    """Return what xunit-viewer shows of it."""
    command = [tool("xunit-viewer"), "--console", "--no-color", "--results", report.name, "--output", "none.html"]
    done = subprocess.run(command, cwd=report.parent, capture_output=True, text=True, check=False)
    match = re.search(r"^\s+(\S+) build time=\S+\n(.*?)^     \S", done.stdout, re.MULTILINE | re.DOTALL)
    assert match is not None, done.stdout + done.stderr
    return {"✓": "passed", "✗": "failure", "!": "error", "⊘": "skipped"}[match[1]], match[2]


def by_ctrf(report: Path) -> tuple[str, str]:
    """Return what junit-to-ctrf makes of it; it drops the texts of skipped cases, and its exit status says nothing."""
    converted = report.with_suffix(".json")
    command = [tool("junit-to-ctrf"), report.name, "--output", converted.name, "--tool", "junit-xml"]
    subprocess.run(command, cwd=report.parent, capture_output=True, check=True)
    case = json.loads(converted.read_text())["results"]["tests"][0]
    kind = {"passed": "passed", "failed": "failure", "skipped": "skipped"}[case["status"]]
    return kind, case.get("message", "") + case.get("trace", "")


CONSUMERS = {
    "junitparser": (by_junitparser, True),
    "junit2html": (by_junit2html, False),
    "xunit-viewer": (by_xunit_viewer, True),
    "junit-to-ctrf": (by_ctrf, False),
}
"""Each consumer, and whether it tells failures from errors."""


@every_verdict
@pytest.mark.parametrize(("read", "tells_errors"), CONSUMERS.values(), ids=CONSUMERS)
def test_consumer_shows_the_verdict_and_the_reason(
    tmp_path: Path, verdict: Verdict, read: Callable[[Path], tuple[str, str]], tells_errors: bool
) -> None:
    """A build that did not pass is never green, and its reason can be read."""
    report = tmp_path / "report.xml"
    report.write_bytes(junit.render(outcome(verdict)))
    kind, text = read(report)
    assert kind == (KINDS[verdict] if tells_errors else KINDS[verdict].replace("error", "failure"))
    if verdict is not Verdict.PASSED and not (read is by_ctrf and KINDS[verdict] == "skipped"):
        assert "What happened." in text


@every_verdict
def test_case_has_one_status_and_its_text_begins_with_the_message(verdict: Verdict) -> None:
    """No case has two statuses, of which consumers would take different ones."""
    for case in etree.fromstring(junit.render(outcome(verdict))).iter("testcase"):
        statuses = [child for child in case if child.tag in ("failure", "error", "skipped")]
        assert len(statuses) <= 1
        assert all(
            status.get("message") and (status.text or "").startswith(status.get("message")) for status in statuses
        )


@every_verdict
def test_names_are_the_same_for_another_build(verdict: Verdict) -> None:
    """CI systems keep a test's history under its names."""
    first = outcome(verdict)
    other = replace(first.targets[0], build_number=58, commit="f" * 40, record_id="r", reason="Another.", state="X")
    names = [
        [(case.get("classname"), case.get("name")) for case in etree.fromstring(junit.render(one)).iter("testcase")]
        for one in (first, replace(first, targets=[other]))
    ]
    assert names[0] == names[1]
