"""Names, times, logs and limits in the JUnit report."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from lxml import etree

from gate.model import Attempt, ChildBuild, Outcome, Stage, TargetOutcome, UnitTests, Verdict
from gate.reports import junit
from gate.text import CUT
from tests.tables import each_row


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


def test_children_have_cases_under_stable_names() -> None:
    """A child build has a case `job NAME`, also where a stage or another child has the same name."""
    children = [ChildBuild("Maven", "SUCCESS", 7), ChildBuild("Maven", None), ChildBuild("", "FAILURE", 8)]
    names = [name for _, name in cases(replace(target(stages=["Maven"]), children=children))]
    assert names == ["build", "stage Maven", "job Maven", "job Maven (2)", "job without a name"]


@pytest.mark.parametrize("verdict", [Verdict.PASSED, Verdict.SKIPPED])
def test_failed_child_does_not_make_a_passed_build_red(verdict: Verdict) -> None:
    """The build's record decides; a child that did not succeed is shown as skipped, with its word."""
    found = report(replace(target(), verdict=verdict, children=[ChildBuild("web", "FAILURE")]))
    case = found.find(".//testcase[@name='job web']")
    assert [(child.tag, child.get("message")) for child in case] == [
        ("skipped", f"The service's word for the job is FAILURE, but the build's verdict is {verdict}.")
    ]


def test_targets_of_one_label_get_numbers() -> None:
    """GitLab would drop the second of two cases whose suite, class and name are the same."""
    assert cases(target(), target()) == [
        ("codearts.CodeArts app", "build"),
        ("codearts.CodeArts app (2)", "build"),
    ]


@each_row("label", ["app", "web.api", "README.md", "a..b", ".hidden.", "1.2-rc_3"])
def test_last_part_of_a_class_holds_the_whole_label_and_is_no_file(label: str) -> None:
    """Readers look for a file of the workspace by what follows the last dot of the class."""
    (name, _), *_ = cases(target(label=label))
    last = name.rpartition(".")[2]
    assert name == f"codearts.{last}"
    assert last.startswith("CodeArts ")
    assert last.removeprefix("CodeArts ").replace("·", ".") == label


@each_row(
    ("duration", "stages", "build", "whole"),
    [
        (90.0, [10.0, 40.5], "39.500", "90.000"),
        (50.0, [30.0, 30.0], "0.000", "60.000"),
        (None, [30.0, None], "0.000", "30.000"),
        (12.3456, [], "12.346", "12.346"),
        (0.3, [0.1, 0.2], "0.000", "0.300"),
        (-5.0, [float("nan"), 1.0], "0.000", "1.000"),
    ],
)
def test_times_of_the_cases_add_up_to_the_time_of_the_suite(
    duration: float | None, stages: list[float | None], build: str, whole: str
) -> None:
    """The build's own case has what the stages do not account for, and never a negative time."""
    parts = [Stage(name=f"{number}", state="SUCCESS", duration_seconds=one) for number, one in enumerate(stages)]
    found = report(replace(target(), duration_seconds=duration, stages=parts))
    assert found.find(".//testcase[@name='build']").get("time") == build
    assert found[0].get("time") == found.get("time") == whole
    assert sum(round(1000 * float(case.get("time"))) for case in found.iter("testcase")) == 1000 * float(whole)


def test_text_of_a_failed_build_ends_with_the_last_ten_lines_of_its_log() -> None:
    """Some readers show neither `system-out` nor more than the text of a failure."""
    text = report(target(log_tail=[f"line {number}" for number in range(30)])).findtext(".//failure")
    assert text.splitlines()[0] == "Build 57 ended as FAILURE."
    assert text.endswith("The last lines of the log:\n" + "\n".join(f"line {number}" for number in range(20, 30)))


def test_long_lines_in_the_text_of_a_failure_are_cut() -> None:
    """The text stays readable: what does not fit is in `system-out`."""
    found = report(target(log_tail=["x" * 4000] * 12 + ["the end"]))
    assert len(found.findtext(".//failure")) < junit.LAST_LINES_LIMIT + 500
    assert found.findtext(".//failure").endswith("\nthe end")
    assert len(found.findtext(".//system-out")) > 40_000


def test_former_attempts_stand_beside_the_last_one() -> None:
    """Each try of the run is named with its number, the service's word, the reason and the link."""
    attempts = [
        Attempt(55, "SCHEDULE_FAILURE", "No executor was free.", "https://x.example/55"),
        Attempt(56, None, ""),
    ]
    expected = "build 55 (SCHEDULE_FAILURE). No executor was free. https://x.example/55; build 56 (no result)."
    for verdict in (Verdict.PASSED, Verdict.FAILED):
        found = report(replace(target(), verdict=verdict, attempts=attempts))
        assert found.find(".//property[@name='former_attempts']").get("value") == expected
    assert f"former_attempts: {expected}" in found.findtext(".//failure").splitlines()


def test_unit_tests_of_several_stages_are_listed() -> None:
    """The text has the totals, then those of each stage."""
    parts = (UnitTests(2, 0, 0, name="Maven"), UnitTests(3, 1, 1, name="Gradle"))
    text = report(replace(target(), tests=UnitTests(5, 1, 1, parts=parts))).findtext(".//failure")
    assert text.splitlines()[-3:] == [
        "Unit tests: 5, failures: 1, errors: 1.",
        "Unit tests of stage Maven: 2, failures: 0, errors: 0.",
        "Unit tests of stage Gradle: 3, failures: 1, errors: 1.",
    ]


@each_row(
    ("url", "shown"),
    [
        ("https://x.example/57?a=1&b=2", "https://x.example/57?a=1&b=2"),
        ("http://x.example/構建/57", "http://x.example/構建/57"),
        ("javascript:alert(1)", None),
        ("https:///no-host", None),
        ("https://x.example/a b", None),
        ("https://x.example/\u202e57", None),
        ("https://x.example/" + "a" * 1000, None),
        ("", None),
        (None, None),
    ],
)
def test_link_is_a_property_if_it_is_one(url: str | None, shown: str | None) -> None:
    """Only http and https are shown, and nothing invisible."""
    found = report(replace(target(), build_url=url)).find(".//property[@name='build_url']")
    assert (None if found is None else found.get("value")) == shown


def test_long_log_keeps_its_end() -> None:
    """The log stays under Jenkins' limit, and what is cut is its beginning."""
    lines = [f"line {number} é" for number in range(10_000)]
    log = report(target(log_tail=lines)).findtext(".//system-out")
    assert len(log.encode()) <= junit.LOG_LIMIT
    assert log.startswith(CUT)
    assert log.endswith("line 9999 é")


@pytest.mark.parametrize("line", ["x" * 99, "<&>" * 33, "&" * 50_000, "構" * 99])
def test_logs_of_many_targets_take_less_than_a_megabyte_of_the_file(line: str) -> None:
    """The limit is that of the whole file after escaping, and a short log is not cut for the long ones."""
    red = [target(label=f"t{number}", log_tail=[line] * 1000) for number in range(119)]
    short = target(label="short", log_tail=["error: <nothing> left"])
    start = datetime(2024, 9, 24, tzinfo=UTC)
    outcome = Outcome(
        verdict=Verdict.FAILED,
        exit_code=1,
        started_at=start,
        elapsed_seconds=1.0,
        api_calls=1,
        targets=[*red, short],
    )
    without = replace(outcome, targets=[replace(one, log_tail=()) for one in outcome.targets])
    rendered = junit.render(outcome)
    assert 700_000 < len(rendered) - len(junit.render(without)) < 1_000_000
    assert etree.fromstring(rendered).findall(".//system-out")[-1].text == "error: <nothing> left"


def test_report_of_500_targets_with_200_stages_stays_small() -> None:
    """Stages that succeeded are left out first, and the text says how many are."""
    stages = [*(Stage(name=f"good {number}", state="SUCCESS") for number in range(199)), Stage("bad", "FAILURE")]
    found = report(*(replace(target(label=f"t{number}"), stages=stages) for number in range(500)))
    assert len(list(found.iter("testcase"))) == 500 + junit.MAX_PARTS
    assert len(found.findall(".//testcase[@name='stage bad']")) == 500
    assert "left out of this report, as all targets have too many: 180." in found.findtext(".//failure")


@pytest.mark.parametrize("command", ["[[ATTACHMENT|/etc/passwd]]", "[[[PROPERTY|a=b]]"])
def test_command_to_a_reader_is_broken_up_wherever_it_stands(command: str) -> None:
    """A log or a reason cannot make GitLab or Jenkins attach a file of the workspace or set a property."""
    found = report(replace(target(log_tail=[command]), reason=command))
    texts = [found.findtext(".//system-out"), found.findtext(".//failure"), found.find(".//failure").get("message")]
    assert [text.count(command.replace("[[A", "[ [A").replace("[[P", "[ [P")) for text in texts] == [1, 2, 1]
    assert not any(text.count("[[ATTACHMENT|") or text.count("[[PROPERTY|") for text in texts)


def test_outcome_without_targets_is_an_error() -> None:
    """A run that ended before its targets were known leaves no report that could be taken for a success."""
    found = report()
    assert [found.get(name) for name in ("tests", "failures", "errors")] == ["1", "0", "1"]
    assert found.findtext(".//error") == junit.UNFINISHED


def test_import_leaves_the_xml_libraries_alone() -> None:
    """They are imported when a report is rendered, so that they do not delay the start."""
    probe = "import sys, gate.reports.junit; sys.exit('junit_xml' in sys.modules or 'xml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
