"""What programs that read JUnit reports make of a report, in one form for all of them."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import junitparser
from lxml import etree

from tests.tools import QUICK_START, java, node_script, tool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCase:
    """What a reader shows of one case."""

    kind: str
    """`passed`, `failure`, `error` or `skipped`."""
    text: str
    """All texts that it shows with the case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a reader shows of one report."""

    cases: Mapping[tuple[str, str], ShownCase]
    """By the names of suite and case."""
    totals: Mapping[str, int]
    """The reader's own totals: `tests` and the kinds of cases, as far as it has them."""
    identities: frozenset[str]
    """That under which the reader finds a case again in the report of another build."""


def by_junitparser(report: Path) -> Reading:
    """Return what junitparser understands."""
    read = junitparser.JUnitXml.fromfile(str(report))
    kinds = {"Failure": "failure", "Error": "error", "Skipped": "skipped"}
    cases = {}
    for suite in read:
        for case in suite:
            assert len(case.result) <= 1
            kind, text = "passed", ""
            for result in case.result:
                kind, text = kinds[type(result).__name__], f"{result.message}\n{result.text}"
            cases[suite.name, case.name] = ShownCase(kind=kind, text=text)
    skipped = sum(suite.skipped for suite in read)
    return Reading(
        cases=cases,
        totals={"tests": read.tests, "failure": read.failures, "error": read.errors, "skipped": skipped},
        identities=frozenset(f"{case.classname}.{case.name}" for suite in read for case in suite),
    )


def by_junit2html(report: Path) -> Reading:
    """Return what stands on junit2html's page; errors are failures there."""
    page = report.with_suffix(".html")
    subprocess.run([sys.executable, "-m", "junit2htmlreport", report, page], check=True)
    kinds = {"Passed": "passed", "Failed": "failure", "Skipped": "skipped"}
    cases, identities, tests, failures = {}, set(), 0, 0
    for suite in etree.HTML(page.read_text(encoding="utf-8")).iterfind(".//div[@class='testsuite']"):
        label = _text(suite.find("h2")).removeprefix("Test Suite: ")
        tests += int(_cell(suite, "Tests"))
        failures += int(_cell(suite, "Failures"))
        for group in suite.iterfind(".//div[@class='testclass']"):
            for case in group.iterfind(".//div[@class='testcases']/div"):
                name = _cell(case, "Test case:")
                identities.add(f"{_text(group.find('h4'))}.{name}")
                cases[label, name] = ShownCase(kind=kinds[_cell(case, "Outcome:")], text=_text(case))
    return Reading(cases=cases, totals={"tests": tests, "failure": failures}, identities=frozenset(identities))


def _text(element: Any) -> str:
    return "".join(element.itertext()).strip()


def _cell(element: Any, heading: str) -> str:
    """Return what stands beside a heading in the first table that has it."""
    row = next(row for row in element.iterfind(".//tr") if _text(row.find("th")) == heading)
    return _text(row.find("td"))


def by_xunit_viewer(report: Path) -> Reading:
    """Return what xunit-viewer prints; it knows suites and names of cases, and no classes."""
    command = [tool("xunit-viewer"), "--console", "--no-color", "--results", report.name, "--output", "none.html"]
    done = subprocess.run(command, cwd=report.parent, capture_output=True, text=True, check=True)
    kinds = {"✓": "passed", "✗": "failure", "!": "error", "⊘": "skipped"}
    cases: dict[tuple[str, str], ShownCase] = {}
    label, found = "", ("", "")
    for line in done.stdout.splitlines():
        case = re.fullmatch(r" {5}([✓✗!⊘]) (.+) time=\S+", line)
        if case:
            found = (label, case[2])
            assert found not in cases
            cases[found] = ShownCase(kind=kinds[case[1]], text="")
        elif suite := re.fullmatch(r" (\S.*)", line):
            label, found = suite[1], ("", "")
        elif found in cases:
            cases[found] = ShownCase(kind=cases[found].kind, text=f"{cases[found].text}\n{line}")
    totals = {kind: int(count) for count, kind in re.findall(r"(\d+) (passed|failure|error|skipped)\b", done.stdout)}
    return Reading(cases=cases, totals=totals, identities=_names(cases))


def _names(cases: Iterable[tuple[str, str]]) -> frozenset[str]:
    return frozenset(f"{label}: {name}" for label, name in cases)


def by_junit_to_ctrf(report: Path) -> Reading:
    """Return what junit-to-ctrf makes of it: errors are failures, and texts of skipped cases are dropped."""
    converted = report.with_suffix(".json")
    command = [tool("junit-to-ctrf"), report.name, "--output", converted.name, "--tool", "junit-xml"]
    subprocess.run(command, cwd=report.parent, capture_output=True, check=True)
    results = json.loads(converted.read_text(encoding="utf-8"))["results"]
    kinds = {"passed": "passed", "failed": "failure", "skipped": "skipped"}
    cases = {}
    for case in results["tests"]:
        (label,) = case["suite"]
        text = case.get("message", "") + "\n" + case.get("trace", "")
        cases[label, case["name"].removeprefix(f"{label}: ")] = ShownCase(kind=kinds[case["status"]], text=text)
    totals = {"tests": results["summary"]["tests"]} | {kinds[name]: results["summary"][name] for name in kinds}
    return Reading(cases=cases, totals=totals, identities=frozenset(case["name"] for case in results["tests"]))


def by_test_results_parser(report: Path) -> Reading:
    """Return what test-results-parser makes of it: errors are failures, and texts of skipped cases are dropped.

    Its own totals of the whole report take skipped cases for passed ones, unless the root of the report has a number
    of skipped cases, which Jenkins' schemas forbid. Its totals of the suites are right.
    """
    command = [*node_script("read-results.mjs"), str(report)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    suites = json.loads(done.stdout)["suites"]
    kinds = {"PASS": "passed", "FAIL": "failure", "SKIP": "skipped"}
    cases = {}
    for suite in suites:
        for case in suite["cases"]:
            text = f"{case['failure']}\n{case['stack_trace']}"
            cases[suite["name"], case["name"]] = ShownCase(kind=kinds[case["status"]], text=text)
    return Reading(
        cases=cases,
        totals={
            "passed": sum(suite["passed"] for suite in suites),
            "failure": sum(suite["failed"] + suite["errors"] for suite in suites),
            "skipped": sum(suite["skipped"] for suite in suites),
        },
        identities=_names(cases),
    )


def by_allure(report: Path) -> Reading:
    """Return what Allure shows; it is given the history of the report before, as its users do between two builds."""
    java()
    results, site = report.parent / f"{report.stem}-results", report.parent / f"{report.stem}-allure"
    history = report.parent / "history"
    results.mkdir()
    shutil.copy(report, results)
    if history.exists():
        shutil.copytree(history, results / "history")
    command = [tool("allure"), "generate", str(results), "--output", str(site)]
    environment = {**os.environ, "JAVA_OPTS": " ".join(QUICK_START)}
    subprocess.run(command, env=environment, capture_output=True, check=True)
    shutil.copytree(site / "history", history, dirs_exist_ok=True)

    kinds = {"passed": "passed", "failed": "failure", "broken": "error", "skipped": "skipped"}
    cases = {}
    for file in (site / "data" / "test-cases").iterdir():
        case = json.loads(file.read_bytes())
        labels = {label["name"]: label["value"] for label in case["labels"]}
        text = f"{case.get('statusMessage')}\n{case.get('statusTrace')}"
        cases[labels["suite"], case["name"]] = ShownCase(kind=kinds[case["status"]], text=text)
    counted = json.loads((site / "widgets" / "summary.json").read_bytes())["statistic"]
    known = json.loads((site / "history" / "history.json").read_bytes())
    return Reading(
        cases=cases,
        totals={"tests": counted["total"]} | {kinds[name]: counted[name] for name in kinds},
        identities=frozenset(known),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A reader, and what is lost in it."""

    read: Callable[[Path], Reading]
    tells_errors: bool
    """Whether it tells errors from failures."""
    shows_skipped_texts: bool = True


PROGRAMS: Mapping[str, Program] = {
    "junitparser": Program(read=by_junitparser, tells_errors=True),
    "junit2html": Program(read=by_junit2html, tells_errors=False),
    "xunit-viewer": Program(read=by_xunit_viewer, tells_errors=True),
    "junit-to-ctrf": Program(read=by_junit_to_ctrf, tells_errors=False, shows_skipped_texts=False),
    "test-results-parser": Program(read=by_test_results_parser, tells_errors=False, shows_skipped_texts=False),
    "allure": Program(read=by_allure, tells_errors=True),
}
