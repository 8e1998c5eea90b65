"""The JUnit report that stands while the gate runs, as a text: the libraries for XML are not loaded for it."""

from gate.model import Outcome, TargetOutcome
from gate.reports.formatting import class_name, without_orders
from gate.text import link, one_line

_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_IN_ATTRIBUTE = _IN_TEXT | str.maketrans({'"': "&quot;"})


def junit(outcome: Outcome) -> bytes:
    """Return the report of an outcome of which nothing is known but the targets; equal to what `junit.render` gives."""
    count = len(outcome.targets)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<testsuites name="codearts-gate" tests="{count}" failures="0" errors="{count}" time="0.000">\n'
        f"{''.join(map(_suite, outcome.targets))}"
        "</testsuites>\n"
    ).encode()


def _suite(target: TargetOutcome) -> str:
    known = {
        "job_id": target.job_id,
        "build_number": str(target.build_number or ""),
        "build_url": link(target.build_url) or "",
    }
    facts = {name: value for name, value in known.items() if value}
    properties = "".join(
        f'      <property name="{name}" value="{_escape(value)}" />\n' for name, value in facts.items()
    )
    reason = without_orders(one_line(target.reason, limit=1000))
    lines = [reason, *(f"{name}: {value}" for name, value in facts.items())]
    text = without_orders("\n".join(lines)).translate(_IN_TEXT)
    label = one_line(target.label)
    return (
        f'  <testsuite errors="1" failures="0" name="{_escape(label)}" skipped="0" tests="1" time="0.000">\n'
        f"    <properties>\n{properties}    </properties>\n"
        f'    <testcase name="build" classname="{_escape(class_name(label))}" time="0.000">\n'
        f'      <error type="Undetermined" message="{_escape(reason)}">{text}</error>\n'
        "    </testcase>\n"
        "  </testsuite>\n"
    )


def _escape(text: str) -> str:
    return text.translate(_IN_ATTRIBUTE)
