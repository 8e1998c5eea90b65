"""What the summary shows, and what it leaves out when it would be too large."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gate.model import ChildBuild, Outcome, Stage, TargetOutcome, UnitTests, Verdict
from gate.reports import junit, summary
from tests.tables import each_row

START = datetime(2024, 9, 24, tzinfo=UTC)


def test_builds_that_were_started_are_not_said_to_have_passed() -> None:
    """`run --no-wait`, with so many that they are folded."""
    started = [
        TargetOutcome(label=f"a{n}", job_id="0" * 32, verdict=Verdict.STARTED, reason="started") for n in range(9)
    ]
    failed = replace(started[0], label="b", verdict=Verdict.UNDETERMINED, reason="not found")
    passed = replace(started[0], label="c", verdict=Verdict.PASSED, reason="taken")  # --reuse
    of_all = replace(outcome(1, verdict=Verdict.UNDETERMINED), targets=[*started, failed])
    text = summary.render(of_all)
    assert "<summary>9 started</summary>" in text
    assert "<summary>Details of 9 targets that were started</summary>" in text
    text = summary.render(replace(of_all, targets=[*started, failed, passed]))
    assert "<summary>1 passed, 9 started</summary>" in text
    assert "<summary>Details of 10 targets that passed or were started</summary>" in text


def outcome(count: int, *, verdict: Verdict = Verdict.FAILED) -> Outcome:
    """Return an outcome with many targets, each with 20 stages and 100 kB of log."""
    targets = [
        TargetOutcome(
            label=f"service_{number}",
            job_id="0" * 32,
            verdict=verdict,
            reason="Build 57 ended as FAILURE.",
            build_number=57,
            state="FAILURE",
            stages=[
                Stage(name=f"Stage {part}", state="FAILURE", started_at=START, duration_seconds=1) for part in range(20)
            ],
            log_tail=["x" * 99] * 1000,
        )
        for number in range(count)
    ]
    return Outcome(verdict=verdict, exit_code=1, started_at=START, elapsed_seconds=1.0, api_calls=1, targets=targets)


@pytest.mark.parametrize(
    ("count", "limit", "logs", "stages", "sections"),
    [
        (1, summary.LIMIT, True, True, True),
        (100, summary.LIMIT, True, True, True),
        (500, summary.LIMIT, True, True, True),
        (200, 190_000, False, True, True),
        (500, 150_000, False, False, True),
        (500, 50_000, False, False, False),
    ],
)
def test_large_summary_loses_logs_then_stages_then_sections(
    count: int, limit: int, logs: bool, stages: bool, sections: bool
) -> None:
    """The summary stays within its limit, names every target in its table, and says when it was shortened."""
    text = summary.render(outcome(count), limit)
    assert len(text.encode()) <= limit
    assert text.count("| ❌ failed |") == count
    assert ("The end of the log" in text, "| Stage |" in text, "**Reason:**" in text) == (logs, stages, sections)
    assert ("Shortened" in text) != logs


def test_sections_of_passed_targets_are_left_out_before_the_others() -> None:
    """Where not all sections fit, those that say what went wrong stay."""
    passed = outcome(300, verdict=Verdict.PASSED).targets
    both = replace(outcome(2), targets=[*passed, *outcome(2).targets])
    text = summary.render(both, 30_000)
    assert [line for line in text.splitlines() if line.startswith("### ")] == [
        "### service_0: failed",
        "### service_1: failed",
    ]


def test_table_that_is_too_long_keeps_the_targets_that_did_not_pass() -> None:
    """The last resort says how many rows are missing."""
    passed = outcome(300, verdict=Verdict.PASSED).targets
    text = summary.render(replace(outcome(2), targets=[*passed, *outcome(2).targets]), 8_000)
    assert len(text.encode()) <= 8_000
    assert text.count("| ❌ failed |") == 2
    shown = text.count("| ✅ passed |")
    assert 0 < shown < 300
    assert f"_{300 - shown} more targets are left out of the table._" in text


def test_failing_stage_is_shown_where_not_all_are() -> None:
    """Of too many stages, those that succeeded are left out first."""
    stages = [*(Stage(f"good {number}", "SUCCESS") for number in range(199)), Stage("bad", "FAILURE")]
    text = summary.render(replace(outcome(50), targets=[replace(one, stages=stages) for one in outcome(50).targets]))
    assert text.count("| bad | ❌ FAILURE |") == 50
    assert text.count("_160 more are left out._") == 50


def test_stages_of_targets_that_passed_take_only_the_rows_that_are_left() -> None:
    """One build that failed is shown whole among many that passed."""
    stages = [Stage(f"part {number}", "SUCCESS") for number in range(200)]
    passed = [replace(one, stages=stages) for one in outcome(100, verdict=Verdict.PASSED).targets]
    failed = replace(outcome(1).targets[0], label="red", stages=stages)
    text = summary.render(replace(outcome(1), targets=[*passed, failed]))
    assert text.partition("### red")[2].partition("<details")[0].count("| part ") == 200
    assert text.count("| part ") == summary.MAX_PARTS


def test_stage_that_never_ran_has_no_duration() -> None:
    """The service says zero seconds of it."""
    stages = [Stage("ran", "ABORTED", START, 0.25), Stage("never ran", "ABORTED", START, 0.0)]
    one = replace(outcome(1, verdict=Verdict.ABORTED).targets[0], stages=stages)
    text = summary.render(replace(outcome(1), targets=[one]))
    assert "| ran | ⛔ ABORTED | 0.2 s |\n| never ran | ⏭️ ABORTED | — |" in text


def test_last_lines_of_the_log_are_visible_and_the_others_can_be_unfolded() -> None:
    """Whoever opens the page sees the end of the log without a click."""
    lines = [f"line {number}" for number in range(30)]
    one = replace(outcome(1).targets[0], log_tail=lines)
    text = summary.render(replace(outcome(1), targets=[one]))
    visible, _, folded = text.partition("<details><summary>Earlier")
    assert [line.strip() for line in visible.splitlines() if line.startswith("  line ")] == lines[20:]
    assert [line.strip() for line in folded.splitlines() if line.startswith("  line ")] == lines[:20]


def test_short_log_has_nothing_to_unfold() -> None:
    """Ten lines are all visible."""
    one = replace(outcome(1).targets[0], log_tail=["line"] * 10)
    text = summary.render(replace(outcome(1), targets=[one]))
    assert "\n  line\n" in text
    assert "Earlier lines" not in text


def test_short_log_leaves_its_share_to_the_long_ones() -> None:
    """One long log among many short ones is shown as if it were alone."""
    targets = [replace(one, log_tail=["short"]) for one in outcome(100).targets]
    alone = summary.render(outcome(1))
    text = summary.render(replace(outcome(1), targets=[*targets, outcome(1).targets[0]]))
    assert text.count("x" * 99) == alone.count("x" * 99) > 400
    assert text.count("\n  short\n") == 100


@each_row(
    ("url", "link"),
    [
        ("https://x.example/57", "[57](<https://x.example/57>)"),
        ("https://x.example/a(b)|c?d=1&copy;=2", "[57](<https://x.example/a%28b%29%7Cc?d=1&amp;copy;=2>)"),
        ("https://x.example/<b>`*", "[57](<https://x.example/%3Cb%3E%60%2A>)"),
        ("javascript:alert(1)", "57"),
        (None, "57"),
    ],
)
def test_build_number_is_a_link_if_there_is_one(url: str | None, link: str) -> None:
    """Nothing in an address ends the link or the cell of the table."""
    text = summary.render(replace(outcome(1), targets=[replace(outcome(1).targets[0], build_url=url)]))
    assert f"| ❌ failed | {link} | FAILURE |" in text
    assert ("[Open build 57](<" in text) == ("](<" in link)


def test_link_is_shown_before_the_number_is_known() -> None:
    """A link without a number still leads somewhere."""
    one = replace(outcome(1).targets[0], build_number=None, build_url="https://x.example/job")
    assert "[Open the build](<https://x.example/job>)" in summary.render(replace(outcome(1), targets=[one]))


def test_children_have_a_table_of_their_own() -> None:
    """A child is shown with its word, its number and its duration; its result is not the build's."""
    children = [ChildBuild("web", "FAILURE", 7, START, 61.0), ChildBuild("api", None)]
    one = replace(outcome(1, verdict=Verdict.PASSED).targets[0], stages=(), children=children)
    text = summary.render(replace(outcome(1), targets=[one]))
    assert "| Job | State | Duration | Build |" in text
    assert "| web | ⏭️ FAILURE | 1 m 1 s | 7 |\n| api | ⏭️ — | — | — |" in text


def test_log_of_a_build_that_passed_is_left_out() -> None:
    """A log is shown to find out what went wrong."""
    assert "The end of the log" not in summary.render(outcome(1, verdict=Verdict.PASSED))


def test_stages_without_times_give_no_chart() -> None:
    """A chart needs a start and a duration."""
    target = TargetOutcome(
        label="app",
        job_id="0" * 32,
        verdict=Verdict.PASSED,
        reason="Ended.",
        stages=[Stage(name="Maven", state="SUCCESS")],
    )
    text = summary.render(
        Outcome(
            verdict=Verdict.PASSED, exit_code=0, started_at=START, elapsed_seconds=1.0, api_calls=1, targets=[target]
        )
    )
    assert "| Maven | ✅ SUCCESS | — |" in text
    assert "mermaid" not in text


def test_lines_that_tell_why_are_marked_and_shown() -> None:
    """Also where the log ends with something else; a log cannot colour lines of its own."""
    lines = [
        *(f"line {number}" for number in range(20)),
        "error: no such file",
        *(f"+ {number}" for number in range(15)),
    ]
    text = summary.render(replace(outcome(1), targets=[replace(outcome(1).targets[0], log_tail=lines)]))
    shown = text.partition("```diff\n")[2].partition("\n```")[0].splitlines()
    assert shown == ["- error: no such file", "  ...", *(f"  + {number}" for number in range(5, 15))]


def test_targets_that_did_not_pass_come_first_and_passed_ones_are_folded() -> None:
    """Among forty, two are looked for."""
    passed = outcome(38, verdict=Verdict.PASSED).targets
    text = summary.render(replace(outcome(2), targets=[*passed, *outcome(2).targets]))
    assert text.startswith("## ❌ codearts-gate: 2 of 40 failed\n\n38 passed, 2 failed, after 1 s")
    visible, _, folded = text.partition("<details><summary>38 passed")
    assert (visible.count("| ❌ failed |"), visible.count("| ✅ passed |")) == (2, 0)
    assert folded.count("| ✅ passed |") == 38
    assert folded.index("### service_1: failed") < folded.index("Details of 38 targets that passed")


def test_cause_that_targets_share_is_told_once() -> None:
    """39 targets that the service refused are one block, with their names; another cause has its own."""
    refused = [
        replace(one, log_tail=[], build_number=number, reason=f"build {number}: 403.", hint=f"Ask for build {number}.")
        for number, one in enumerate(outcome(39, verdict=Verdict.UNDETERMINED).targets, 1)
    ]
    other = replace(refused[0], label="other", verdict=Verdict.TIMED_OUT)
    text = summary.render(replace(outcome(1), targets=[*refused, other]))
    sections = [line for line in text.splitlines() if line.startswith("### ")]
    assert sections == ["### 39 targets: undetermined", "### other: timed out"]
    assert "**Reason:** the build&#58; 403." in text
    assert "**Next:** Ask for the build." in text
    assert text.count("service_38") == 2  # in the table, and in the block


def test_red_tests_are_told_by_stage_and_not_by_the_end_of_a_log_that_is_fine() -> None:
    """The build itself ended well, so its log ends with that."""
    parts = (UnitTests(40, 2, 0, name="unit"), UnitTests(2, 0, 1, name="api"))
    one = replace(outcome(1).targets[0], state="SUCCESS", tests=UnitTests(42, 2, 1, parts=parts))
    whole = replace(outcome(1), targets=[one])
    text = summary.render(whole)
    assert "| unit | 40 | 2 | 0 |\n| api | 2 | 0 | 1 |\n| all | 42 | 2 | 1 |" in text
    assert "The end of the log" not in text
    report = junit.render(whole).decode()
    assert "Unit tests of stage unit: 40, failures: 2, errors: 0." in report
    assert "system-out" not in report


def test_timeline_is_one_for_all_targets() -> None:
    """With a section for each; of many stages, each build has one bar."""
    few = [replace(one, stages=one.stages[:2], started_at=START, duration_seconds=9.0) for one in outcome(3).targets]
    text = summary.render(replace(outcome(1), targets=few))
    assert (text.count("gantt"), text.count("    section service_"), text.count("1 Stage 0 :")) == (1, 3, 3)
    many = [replace(one, started_at=START, duration_seconds=9.0) for one in outcome(40).targets]
    text = summary.render(replace(outcome(1), targets=many))
    assert (text.count("gantt"), text.count("57 service_"), text.count("Stage 0 :")) == (1, 40, 0)
