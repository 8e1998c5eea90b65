"""Names, logs and attachments in the JUnit report."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from lxml import etree

from gate.model import Outcome, Stage, TargetOutcome, Verdict
from gate.reports import junit
from gate.text import CUT


def target(*, label: str = "app", stages: Sequence[str] = (), log_tail: Sequence[str] = ()) -> TargetOutcome:
    """Return a failed target whose stages succeeded."""
    return TargetOutcome(
        label=label,
        job_id="0" * 32,
        verdict=Verdict.FAILED,
        reason="Build 57 ended as FAILURE.",
        stages=[Stage(name=name, state="SUCCESS") for name in stages],
        log_tail=log_tail,
    )


def cases(*targets: TargetOutcome) -> list[tuple[str, str]]:
    """Return class and name of every case in the report."""
    return [(case.get("classname"), case.get("name")) for case in report(*targets).iter("testcase")]


def report(*targets: TargetOutcome) -> etree._Element:
    """Return the report, parsed."""
    start = datetime(2024, 9, 24, tzinfo=UTC)
    outcome = Outcome(
        verdict=Verdict.FAILED, exit_code=1, started_at=start, elapsed_seconds=1.0, api_calls=1, targets=targets
    )
    return etree.fromstring(junit.render(outcome))


def test_stages_of_one_name_get_numbers() -> None:
    """Each stage has a name of its own, also where the service uses the numbered name itself."""
    names = [name for _, name in cases(target(stages=["Maven", "Maven", "Maven (2)", "Maven", ""]))]
    assert names == [
        "build",
        "stage Maven",
        "stage Maven (2)",
        "stage Maven (2) (2)",
        "stage Maven (3)",
        "stage without a name",
    ]


def test_targets_of_one_label_get_numbers() -> None:
    """Two builds of one job have the same label; GitLab would drop the second."""
    assert cases(target(), target()) == [("codearts.app", "build"), ("codearts.app (2)", "build")]


def test_long_log_keeps_its_end() -> None:
    """The log stays under Jenkins' limit, and what is cut is its beginning."""
    lines = [f"line {number} é" for number in range(10_000)]
    log = report(target(log_tail=lines)).findtext(".//system-out")
    assert len(log.encode()) <= junit.LOG_LIMIT
    assert log.startswith(CUT)
    assert log.endswith("line 9999 é")


def test_attachment_in_a_log_is_defused() -> None:
    """A log cannot make GitLab or Jenkins attach a file of the workspace."""
    log = report(target(log_tail=["[[ATTACHMENT|/etc/passwd]]"])).findtext(".//system-out")
    assert log == "[ [ATTACHMENT|/etc/passwd]]"


def test_no_target_gives_an_empty_report() -> None:
    """An interrupt before the first target still leaves a report that parses."""
    assert dict(report().attrib) == {
        "name": "codearts-gate",
        "tests": "0",
        "failures": "0",
        "errors": "0",
        "time": "0.000",
    }


def test_import_leaves_the_xml_libraries_alone() -> None:
    """The door opens without them; only a report needs them."""
    probe = "import sys, gate.reports.junit; sys.exit('junit_xml' in sys.modules or 'xml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
