"""What people read in a log."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest

from gate.model import Outcome, Target, TargetOutcome, Verdict
from gate.platforms.detect import PLATFORMS, detect
from gate.platforms.github import GitHub
from gate.platforms.gitlab import GitLab
from gate.platforms.platform import PLAIN, Platform
from gate.platforms.shown_logs import MAX_LOG_BYTES
from gate.platforms.terminal import NO_MORE, Terminal
from tests.platforms.test_gitlab import SECTION
from tests.platforms.test_hostile_text import HOSTILE, commands
from tests.platforms.test_progress import standing
from tests.tables import each_row

APP = Target(job_id="1" * 32, label="app")


def log(targets: int = 1, platform: Platform = PLAIN) -> tuple[Terminal, io.StringIO]:
    """Return a terminal that writes to a log, and the log; the process started at the instant 1000."""
    stream = io.StringIO()
    return Terminal(1000.0, targets=targets, quiet=False, platform=platform, stream=stream), stream


def ended(label: str = "app", verdict: Verdict = Verdict.FAILED, **fields: Any) -> TargetOutcome:
    """Return what became of a target."""
    usual: dict[str, Any] = {"job_id": "1" * 32, "reason": "build 57 ended with FAILURE", "build_number": 57}
    return TargetOutcome(label=label, verdict=verdict, **(usual | fields))


def tell(terminal: Terminal, outcome: TargetOutcome) -> None:
    """Tell a terminal all about a target that is decided, as the wait does."""
    terminal.decided(outcome)
    terminal.explained(outcome)


def outcome_of(*targets: TargetOutcome) -> Outcome:
    """Return the outcome of a run with these targets."""
    return Outcome(
        verdict=targets[0].verdict,
        exit_code=1,
        started_at=datetime(2024, 9, 24, tzinfo=UTC),
        elapsed_seconds=61.0,
        api_calls=9,
        targets=targets,
        advice=targets[0].hint if targets[0].verdict not in (Verdict.PASSED, Verdict.SKIPPED, Verdict.STARTED) else "",
    )


def test_one_target_has_a_heartbeat_after_a_minute_of_silence() -> None:
    """Each line puts it off."""
    terminal, _ = log()
    assert terminal.due() == 1060
    terminal.say(APP, "news", 1030.0)
    assert terminal.due() == 1090
    terminal.log_lines(APP, ["a line"], 1040.0)
    assert terminal.due() == 1100
    terminal.tick([standing()], 1100.0)
    assert terminal.due() == 1160


def test_several_targets_have_one_summary_a_minute() -> None:
    """Many lines do not put it off, and it is one line however many targets there are."""
    terminal, stream = log(targets=500)
    for second in range(59):
        terminal.say(APP, f"news {second}", 1000.0 + second)
    assert terminal.due() == 1060
    before = len(stream.getvalue().splitlines())
    terminal.tick([standing(f"t{index}") for index in range(500)], 1060.0)
    assert stream.getvalue().splitlines()[before:] == ["01:00 500 targets without a verdict: 500 RUNNING"]
    assert terminal.due() == 1120


def test_last_one_of_several_targets_is_named() -> None:
    """A log says which target it is that is still waited for."""
    terminal, stream = log(targets=3)
    terminal.tick([standing("last")], 1060.0)
    assert stream.getvalue() == "01:00 last: build 57 RUNNING, for 1 m 20 s, about 40 s left\n"


def test_what_sixty_targets_have_in_common_is_said_in_sum() -> None:
    """At the timeout, dozens of lines would hide the verdicts."""
    terminal, stream = log(targets=60)
    for index in range(60):
        terminal.say(Target(job_id="1" * 32, label=f"t{index}"), "no stages", 1005.0)
        tell(terminal, ended(f"t{index}"))
    lines = stream.getvalue().splitlines()
    assert (lines[0], lines[-1]) == ("00:05 t0: no stages", "00:05 59 more targets: no stages")
    assert len(lines) == 62


def test_message_that_was_held_back_comes_soon() -> None:
    """A second target with the same message has its own line a moment later, and no line about progress comes then."""
    terminal, stream = log(targets=60)
    terminal.say(APP, "waiting", 1001.0)
    terminal.say(Target(job_id="2" * 32, label="other"), "waiting", 1001.5)
    assert terminal.due() == 1003.0
    terminal.tick([standing()], 1003.0)
    assert stream.getvalue().splitlines() == ["00:01 app: waiting", "00:01 other: waiting"]
    assert terminal.due() == 1060.0


def test_few_targets_have_their_messages_at_once() -> None:
    """There is nothing to be folded."""
    terminal, stream = log(targets=3)
    for label in "abc":
        terminal.say(Target(job_id="1" * 32, label=label), "waiting", 1001.0)
    assert stream.getvalue().splitlines() == ["00:01 a: waiting", "00:01 b: waiting", "00:01 c: waiting"]


@each_row("verdict", list(Verdict))
def test_one_target_states_its_verdict_in_one_line_and_in_the_last(verdict: Verdict) -> None:
    """With the reason first, with what to do last."""
    terminal, stream = log()
    tell(terminal, ended(verdict=verdict, reason="What happened."))
    terminal.finish(outcome_of(ended(verdict=verdict, hint="What to do.")), "report.xml")
    first, last = stream.getvalue().splitlines()
    assert first == f"{verdict}: What happened."
    advice = "" if verdict in (Verdict.PASSED, Verdict.SKIPPED, Verdict.STARTED) else " What to do."
    assert last == f"{verdict} (exit 1) after 1 m 1 s; report in report.xml.{advice}"


def test_skipped_targets_are_not_counted_as_passed() -> None:
    """The final line counts what was built and passed."""
    terminal, stream = log(targets=3)
    outcomes = [ended("a", Verdict.PASSED), ended("b", Verdict.SKIPPED), ended("c", Verdict.SKIPPED)]
    terminal.finish(outcome_of(*outcomes), "report.xml")
    assert stream.getvalue().startswith("passed (1 of 3 passed, exit 1)")


def test_builds_that_were_only_started_are_counted_as_that() -> None:
    """None has passed, and none was to."""
    terminal, stream = log(targets=2)
    terminal.finish(outcome_of(ended("a", Verdict.STARTED), ended("b", Verdict.STARTED)), "")
    assert stream.getvalue().startswith("started (2 of 2 started, exit 1)")


@each_row("name", PLATFORMS)
def test_many_red_targets_leave_room_for_the_last_line(name: str) -> None:
    """All logs together stay below 1 MB: CI systems cut a log, and the last line would be lost."""
    terminal, stream = log(targets=120, platform=detect(name, {}))
    lines = [f"[ERROR] line {number} " + "x" * 900 for number in range(50)]
    outcomes = [ended(f"t{index}", log_tail=lines) for index in range(120)]
    for outcome in outcomes:
        tell(terminal, outcome)
    terminal.finish(outcome_of(*outcomes), "report.xml")
    text = stream.getvalue()
    quoted = [line for line in text.splitlines() if line.startswith("  ")]
    assert sum(len(line) + 1 for line in quoted) < MAX_LOG_BYTES + 120 * 100
    assert text.count("line 49 ") == 120
    assert "0 of 120 passed" in text.splitlines()[-1]


def test_logs_that_grow_are_marked_and_named() -> None:
    """Each line says which build it is of, where there are several."""
    terminal, stream = log(targets=2)
    terminal.log_lines(APP, ["\x1b[31mone", "two"], 1001.0)
    terminal.log_lines(Target(job_id="2" * 32, label="other"), ["three"], 1002.0)
    terminal.close_log()
    assert stream.getvalue().splitlines() == ["  | app: one", "  | app: two", "  | other: three"]


def test_end_of_a_log_names_its_target_where_there_are_several() -> None:
    """It may come long after the line of the verdict, and builds of two jobs may have one number."""
    terminal, stream = log(targets=2)
    tell(terminal, ended(log_tail=["the error"]))
    assert stream.getvalue().splitlines()[1] == "  app: the end of the log of build 57:"


def test_log_that_was_followed_is_not_shown_again() -> None:
    """Only what came after it is."""
    terminal, stream = log()
    terminal.log_lines(APP, ["one", "two\tx"], 1001.0)
    tell(terminal, ended(log_tail=["one", "two\tx", "three"]))
    assert stream.getvalue().splitlines()[2:] == [
        "failed: build 57 ended with FAILURE", "  the end of the log of build 57:", "  | three"
    ]  # fmt: skip
    terminal, stream = log()
    terminal.log_lines(APP, ["one", "two"], 1001.0)
    tell(terminal, ended(log_tail=["one", "two"]))
    assert stream.getvalue().splitlines()[2:] == ["failed: build 57 ended with FAILURE"]


@pytest.mark.parametrize("name", PLATFORMS)
def test_flood_of_a_log_ends_in_one_line(name: str) -> None:
    """1 MB a run, whatever comes; then one line says so."""
    terminal, stream = log(platform=detect(name, {}))
    for number in range(20):
        terminal.log_lines(APP, [f"{number} " + "x" * 10_000] * 10, 1001.0)
    tell(terminal, ended(log_tail=["the error"]))
    text = stream.getvalue()
    assert text.count(NO_MORE) == 1
    assert 800_000 < len(text) < 1_000_000
    assert "  | the error\n" in text


def test_quiet_run_shows_no_log() -> None:
    """Only the final line is written."""
    stream = io.StringIO()
    terminal = Terminal(1000.0, targets=1, quiet=True, stream=stream)
    terminal.log_lines(APP, ["one"], 1001.0)
    terminal.say(APP, "news", 1002.0)
    tell(terminal, ended(log_tail=["one"]))
    assert stream.getvalue() == ""


def test_github_takes_no_command_from_a_log_that_grows() -> None:
    """Commands are stopped around each piece, and our own lines have their effect in between."""
    terminal, stream = log(platform=GitHub({}))
    terminal.log_lines(APP, ["::error::x", "##[error]y"], 1001.0)
    terminal.say(APP, "news", 1002.0)
    terminal.log_lines(APP, ["::set-env name=A::b"], 1003.0)
    lines = stream.getvalue().splitlines()
    token, other = (lines[index].removeprefix("::stop-commands::") for index in (0, 5))
    assert lines == [
        f"::stop-commands::{token}", "  | ::error::x", "  | ## [error]y", f"::{token}::", "00:02 news",
        f"::stop-commands::{other}", "  | ::set-env name=A::b", f"::{other}::",
    ]  # fmt: skip
    assert token != other


def test_gitlab_section_of_a_log_that_grows_is_always_closed() -> None:
    """By the verdict, by the end, or by the last line that is shown; another one may come after it."""
    terminal, stream = log(targets=2, platform=GitLab({"NO_COLOR": "1"}))
    terminal.log_lines(APP, ["one", "section_end:1:x\r\x1b[0K"], 1001.0)
    terminal.say(APP, "news", 1002.0)
    terminal.log_lines(APP, ["two"], 1003.0)
    tell(terminal, ended(verdict=Verdict.PASSED))
    terminal.log_lines(Target(job_id="2" * 32, label="other"), ["three"], 1004.0)
    terminal.finish(outcome_of(ended(verdict=Verdict.PASSED)), "report.xml")
    found = SECTION.findall(stream.getvalue())
    assert [kind for kind, *_ in found] == ["start", "end", "start", "end"]
    assert (found[0][2], found[2][2]) == (found[1][2], found[3][2])
    assert found[0][2] != found[2][2]
    assert stream.getvalue().splitlines()[-1].startswith("passed")


@each_row("name", PLATFORMS)
@each_row("targets", [1, 2])
def test_hostile_lines_that_are_followed_give_no_command(name: str, targets: int) -> None:
    """The platform understands the same as of harmless lines, and nothing steers a terminal."""
    understood = []
    for lines in (HOSTILE, ("a harmless line",) * len(HOSTILE)):
        terminal, stream = log(targets=targets, platform=detect(name, {"NO_COLOR": "1"}))
        terminal.log_lines(APP, lines, 1001.0)
        terminal.close_log()
        sections = [kind for kind, *_ in SECTION.findall(stream.getvalue())]
        understood.append((commands(stream.getvalue()), sections))
        rest = SECTION.sub("", stream.getvalue())
        assert not set(rest) & set(map(chr, (*range(9), *range(11, 32), 127, 0x9B)))
    assert understood[0] == understood[1]
    assert bool(understood[0][1]) == (name == "gitlab")
