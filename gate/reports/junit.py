"""The JUnit report: one flat suite per target, one case for the build and one for each of its stages.

The library `junit-xml` alone is not enough: it drops a failure that has neither message nor text, cannot encode every
string, gives the root no name, and writes six decimals and the attribute `disabled`.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, assert_never

from gate.model import Outcome, TargetOutcome, Verdict
from gate.reports.formatting import instant, seconds
from gate.reports.stage_display import shown
from gate.text import one_line, tail

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LOG_LIMIT = 50_000
"""Bytes of log in a case: Jenkins keeps 50 000 characters at each end, and many runners keep less than 1 MB a file."""


def render(outcome: Outcome) -> bytes:
    """Return the report as UTF-8 XML, ending with a newline; whatever the texts hold, it can be parsed."""
    from xml.etree import ElementTree as ET

    root = ET.Element("testsuites", name="codearts-gate")
    labels = _unique(one_line(target.label) or "-" for target in outcome.targets)
    root.extend(_suite(target, label) for target, label in zip(outcome.targets, labels, strict=True))
    for total in ("tests", "failures", "errors"):
        root.set(total, str(sum(int(suite.attrib[total]) for suite in root)))
    root.set("time", f"{sum(float(suite.attrib['time']) for suite in root):.3f}")
    ET.indent(root)
    return b'<?xml version="1.0" encoding="utf-8"?>\n%b\n' % ET.tostring(root, encoding="utf-8")


def _suite(target: TargetOutcome, label: str) -> "Element":
    """Return one target's suite; its time is the build's, since the stages are parts of it."""
    from junit_xml import TestSuite

    cases = [_build_case(target, label), *_stage_cases(target, label)]
    started = instant(target.started_at)
    suite: Element = TestSuite(
        label,
        cases,
        timestamp=started and started.removesuffix("Z"),  # the schema's form: UTC, no zone
        properties=_facts(target),
    ).build_xml_doc()
    del suite.attrib["disabled"]  # Jenkins' newest junit-10.xsd refuses it, and more than three decimals
    for element, case in zip(suite.iter("testcase"), cases, strict=True):
        element.set("time", f"{case.elapsed_sec:.3f}")
    suite.set("time", f"{cases[0].elapsed_sec:.3f}")
    return suite


def _build_case(target: TargetOutcome, label: str) -> Any:
    """Return the case of the build as a whole: the only one that the verdict stands in."""
    case = _case("build", label, target.duration_seconds)
    message = one_line(target.reason, limit=1000) or f"The verdict is {target.verdict}."
    details = [one_line(target.hint), *(f"{name}: {value}" for name, value in _facts(target).items())]
    if target.tests:
        tests = target.tests
        details.append(f"unit tests: {tests.total}, failures: {tests.failures}, errors: {tests.errors}")
    _judge(case, target.verdict, message, "\n".join(filter(None, [message, *details])))
    if target.verdict is not Verdict.PASSED:
        # GitLab and Jenkins take `[[ATTACHMENT|path]]` in this element for an order to attach a file.
        case.stdout = tail(target.log_tail, LOG_LIMIT).replace("[[ATTACHMENT|", "[ [ATTACHMENT|")
    return case


def _stage_cases(target: TargetOutcome, label: str) -> Iterable[Any]:
    """Return one case per stage, in the service's order."""
    names = _unique(f"stage {one_line(stage.name, limit=120) or 'without a name'}" for stage in target.stages)
    for stage, name in zip(target.stages, names, strict=True):
        verdict, reason = shown(stage, target.verdict)
        case = _case(name, label, stage.duration_seconds)
        _judge(case, verdict, reason, reason)
        yield case


def _case(name: str, label: str, duration: float | None) -> Any:
    """Return a bare case; an unknown duration counts as zero, as some consumers show a missing one as NaN."""
    from junit_xml import TestCase

    return TestCase(name, f"codearts.{label}", seconds(duration) or 0.0)


def _judge(case: Any, verdict: Verdict, message: str, text: str) -> None:
    """Write `verdict` into `case` as at most one element; `text` starts with `message`, as some show only one."""
    match verdict:
        case Verdict.PASSED:
            pass
        case Verdict.FAILED:
            case.add_failure_info(message, text, "BuildFailed")
        case Verdict.ABORTED:
            case.add_error_info(message, text, "BuildAborted")
        case Verdict.TIMED_OUT:
            case.add_error_info(message, text, "GateTimeout")
        case Verdict.UNDETERMINED:
            case.add_error_info(message, text, "Undetermined")
        case Verdict.INTERRUPTED:
            case.add_error_info(message, text, "Interrupted")
        case Verdict.SKIPPED | Verdict.STARTED:
            case.add_skipped_info(message, text)
        case _:
            assert_never(verdict)


def _facts(target: TargetOutcome) -> dict[str, str]:
    """Return what is known of the build, by property name."""
    values = {
        "job_id": target.job_id,
        "build_number": str(target.build_number or ""),
        "state": target.state,
        "branch": target.branch,
        "commit": target.commit,
        "record_id": target.record_id,
    }
    cleaned = {name: one_line(value or "") for name, value in values.items()}
    return {name: value for name, value in cleaned.items() if value}


def _unique(names: Iterable[str]) -> list[str]:
    """Return the names with ` (2)`, ` (3)`, ... after repeated ones: GitLab drops a case whose names stood before."""
    found: dict[str, None] = {}
    for name in names:
        candidate, count = name, 1
        while candidate in found:
            count += 1
            candidate = f"{name} ({count})"
        found[candidate] = None
    return list(found)
