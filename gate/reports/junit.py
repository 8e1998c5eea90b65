"""The JUnit report: one flat suite per target, with a case for the build, one for each stage and one for each child.

The library `junit-xml` alone is not enough: it drops a failure that has neither message nor text, cannot encode every
string, gives the root no name, and writes six decimals and the attribute `disabled`.
"""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, assert_never

from gate.model import ChildBuild, Outcome, TargetOutcome, Verdict
from gate.reports.formatting import attempt, class_name, instant, seconds, unit_tests, without_orders
from gate.reports.stage_display import Part, displayed, select_parts
from gate.text import link, one_line, share_out, tails
from gate.value_types import NamedTuple

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LOG_LIMIT = 50_000
"""Bytes of log in a case: Jenkins keeps 50 000 characters at each end."""

LOGS_LIMIT = 900_000
"""Bytes that all logs together take in the file: many CI systems show less, or nothing, of a file above 1 MB."""

LAST_LINES = 10
"""Lines of the log at the end of a failure's text: some readers show that text only, and not `system-out`."""

LAST_LINES_LIMIT = 10_000
"""Bytes of those lines in a case."""

ALL_LAST_LINES_LIMIT = 90_000
"""Bytes that those lines of all targets together take in the file."""

MAX_PARTS = 10_000
"""Cases for stages and child builds of all targets: GitLab reads 250 000 XML objects and 30 MB of a file."""

UNFINISHED = "The gate did not finish."


class _Content(NamedTuple):
    """What the report shows of one target; the limits on the whole report are applied already."""

    target: TargetOutcome
    label: str
    parts: Sequence[Part]
    log: str
    last_lines: str


def render(outcome: Outcome) -> bytes:
    """Return the report as UTF-8 XML that ends with a newline; it can be parsed whatever the texts hold.

    An outcome without targets becomes one error, since some readers take a report without cases for a success.
    """
    from xml.etree import ElementTree as ET

    root = ET.Element("testsuites", name="codearts-gate")
    root.extend(map(_suite, _contents(outcome.targets or [_no_target(outcome)])))
    for total in ("tests", "failures", "errors"):
        root.set(total, str(sum(int(suite.attrib[total]) for suite in root)))
    root.set("time", _decimal(sum(_milliseconds(float(suite.attrib["time"])) for suite in root)))
    ET.indent(root)
    return b'<?xml version="1.0" encoding="utf-8"?>\n%b\n' % ET.tostring(root, encoding="utf-8")


def _no_target(outcome: Outcome) -> TargetOutcome:
    """Return what stands for the targets of a run that ended before they were known."""
    verdict = Verdict.INTERRUPTED if outcome.verdict is Verdict.INTERRUPTED else Verdict.UNDETERMINED
    return TargetOutcome(label="codearts-gate", job_id="", verdict=verdict, reason=UNFINISHED)


def _contents(targets: Sequence[TargetOutcome]) -> Iterable[_Content]:
    """Apply the limits on the whole report: what all targets have to share."""
    labels = _unique(one_line(target.label) or "-" for target in targets)
    parts: list[list[Part]] = [[*target.stages, *target.children] for target in targets]
    shares = share_out([len(several) for several in parts], MAX_PARTS)
    logs = _escaped_tails([target.telling_log for target in targets], LOGS_LIMIT, each=LOG_LIMIT)
    ends = [log.split("\n")[-LAST_LINES:] for log in logs]
    last_lines = _escaped_tails(ends, ALL_LAST_LINES_LIMIT, each=LAST_LINES_LIMIT)
    for target, label, several, share, log, last in zip(targets, labels, parts, shares, logs, last_lines, strict=True):
        yield _Content(target, label, select_parts(several, share), log, last)


def _escaped_tails(logs: Sequence[Sequence[str]], limit: int, *, each: int) -> list[str]:
    """Return the ends of the logs, which take at most `limit` bytes together after they are escaped for XML."""
    allowed = limit
    while True:
        ends = tails(logs, allowed, each=each)
        size = sum(len(end.encode()) + 3 * len(re.findall("[<>]", end)) + 4 * end.count("&") for end in ends)
        if size <= limit:
            return ends
        allowed = int(allowed * limit / size * 0.99)


def _suite(content: _Content) -> "Element":
    """Return the suite of one target. Its time is the sum of its cases' times, as readers add these up."""
    from junit_xml import TestSuite

    target = content.target
    cases = [_build_case(content), *_part_cases(content)]
    started = instant(target.started_at)
    suite: Element = TestSuite(
        content.label,
        cases,
        timestamp=started and started.removesuffix("Z"),  # the schema's form: UTC, no zone
        properties=_facts(target),
    ).build_xml_doc()
    del suite.attrib["disabled"]  # Jenkins' newest junit-10.xsd allows neither it nor more than three decimals
    for element, case in zip(suite.iter("testcase"), cases, strict=True):
        element.set("time", f"{case.elapsed_sec:.3f}")
    suite.set("time", _decimal(sum(_milliseconds(case.elapsed_sec) for case in cases)))
    return suite


def _build_case(content: _Content) -> Any:
    """Return the case of the build as a whole, the only one with the verdict.

    Its time is what the stages and children do not account for: zero if these ran side by side and took longer
    together than the build.
    """
    target = content.target
    accounted = sum(_milliseconds(part.duration_seconds) for part in content.parts)
    case = _case("build", content.label, max(_milliseconds(target.duration_seconds) - accounted, 0) / 1000)
    message = one_line(target.reason, limit=1000) or f"The verdict is {target.verdict}."
    lines = [
        message,
        one_line(target.hint, limit=1000),
        *(f"{name}: {value}" for name, value in _facts(target).items()),
        *unit_tests(target.tests),
    ]
    if left_out := len(target.stages) + len(target.children) - len(content.parts):
        lines.append(f"Stages and jobs left out of this report, as all targets have too many: {left_out}.")
    if content.last_lines:
        lines += ["The last lines of the log:", content.last_lines]
    _judge(case, target.verdict, message, "\n".join(filter(None, lines)))
    if content.log:
        case.stdout = without_orders(content.log)
    return case


def _part_cases(content: _Content) -> Iterable[Any]:
    """Return a case for each stage and for each child build, in the service's order."""
    names = _unique(
        f"{'job' if isinstance(part, ChildBuild) else 'stage'} {one_line(part.name, limit=120) or 'without a name'}"
        for part in content.parts
    )
    for part, name in zip(content.parts, names, strict=True):
        verdict, reason = displayed(part, content.target.verdict)
        case = _case(name, content.label, _milliseconds(part.duration_seconds) / 1000)
        _judge(case, verdict, reason, reason)
        yield case


def _case(name: str, label: str, duration: float) -> Any:
    """Return a case without a status. `duration`: an unknown one is zero, as some readers show a missing one as NaN."""
    from junit_xml import TestCase

    return TestCase(name, class_name(label), duration)


def _judge(case: Any, verdict: Verdict, message: str, text: str) -> None:
    """Write `verdict` into `case` as at most one element. `text` starts with `message`: some readers show only one."""
    message, text = without_orders(message), without_orders(text)
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
    """Return what is known of the build, by the name of its property."""
    values = {
        "job_id": target.job_id,
        "build_number": str(target.build_number or ""),
        "state": target.state,
        "branch": target.branch,
        "commit": target.commit,
        "record_id": target.record_id,
    }
    cleaned = {name: one_line(value or "") for name, value in values.items()}
    cleaned["build_url"] = link(target.build_url) or ""
    former = [f"{attempt(one)} {link(one.build_url) or ''}".rstrip() for one in target.attempts]
    cleaned["former_attempts"] = "; ".join(former)
    return {name: value for name, value in cleaned.items() if value}


def _milliseconds(duration: float | None) -> int:
    """Return a duration in whole milliseconds, so that sums are exact; 0 if it is unknown or impossible."""
    return round((seconds(duration) or 0.0) * 1000)


def _decimal(milliseconds: int) -> str:
    """Return milliseconds as seconds with three decimals."""
    return f"{milliseconds / 1000:.3f}"


def _unique(names: Iterable[str]) -> list[str]:
    """Return the names with ` (2)`, ` (3)`, ... after repeated ones: GitLab drops a case whose names it has seen."""
    found: dict[str, None] = {}
    for name in names:
        candidate, count = name, 1
        while candidate in found:
            count += 1
            candidate = f"{name} ({count})"
        found[candidate] = None
    return list(found)
