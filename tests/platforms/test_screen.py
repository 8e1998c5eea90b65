"""What stands on the screen: the words in every state, and that it fits whatever the terminal and the targets are."""

import re
import time
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.model import Phase, Progress, Stage, Target, Verdict
from gate.platforms.live_lines import Line, line_width
from gate.platforms.marks import ASCII, UNICODE, Marks
from gate.platforms.screen import GOOD, Heading, Painter
from tests.platforms.test_progress import standing
from tests.platforms.test_terminal import ended
from tests.tables import each_row

HEADING = Heading("cn-north-4", 3600.0, "Ctrl-C ends the gate; builds go on")
LOG = ["[INFO] Building", "[ERROR] COMPILATION ERROR :", "[ERROR] Server.java:[42,17] cannot find symbol", "[INFO] end"]


def stages(*words: str | None) -> tuple[Stage, ...]:
    """Return as many stages as there are words."""
    names = ("initial", "Cache Check", "Code CheckOut", "Maven", "构建", "final")
    return tuple(Stage(name, word) for name, word in zip(names, words, strict=False))


HALFWAY = stages("SUCCESS", "SUCCESS", "SUCCESS", "RUNNING", None, None)


def decided(label: str, verdict: Verdict = Verdict.PASSED, **fields: Any) -> Progress:
    """Return a target with a verdict."""
    usual = {"state": "SUCCESS", "reason": "build 57 ended with SUCCESS after 45 s", "duration_seconds": 45.0}
    outcome = ended(label, verdict, **(usual | fields))
    return standing(label, Phase.DECIDED, outcome=outcome, build_number=outcome.build_number)


def failed(label: str = "server", **fields: Any) -> Progress:
    """Return a target whose build failed."""
    reason = "build 57 ended with FAILURE after 32 s, in stage Maven: Compilation failure: cannot find symbol"
    usual = {"state": "FAILURE", "reason": reason, "duration_seconds": 32.0, "log_tail": LOG}
    return decided(label, Verdict.FAILED, **(usual | fields))


FIVE = [
    decided("lib"),
    standing("web", running_seconds=31.0, expected_seconds=47.0, stages=HALFWAY),
    failed(),
    standing("docs", running_seconds=52.0, expected_seconds=47.0, stages=stages("SUCCESS", "RUNNING")),
    standing("queue", Phase.QUEUED, queued_seconds=40.0),
]
FORTY = [*FIVE, *(standing(f"svc-{index}") for index in range(15)), *(decided(f"lib-{index}") for index in range(20))]


def texts(lines: list[Line]) -> list[str]:
    """Return lines without colours and links."""
    return ["".join(span.text for span in line).rstrip() for line in lines]


def live(targets: list[Progress], columns: int = 79, lines: int = 23, marks: Marks = UNICODE) -> list[str]:
    """Return what stands on the screen after 134 seconds."""
    return texts(Painter(HEADING, marks).live(targets, 134.0, columns, lines).lines)


def result(targets: list[Progress], columns: int = 79, lines: int = 23) -> list[str]:
    """Return what is left on it in the end."""
    return texts(Painter(HEADING, UNICODE).result(targets, 134.0, columns, lines))


def test_five_targets_at_80_columns() -> None:
    """Failures first with the lines that tell why; then what runs, with its stages and its usual time."""
    assert live(FIVE) == [
        "codearts-gate  cn-north-4  02:14 of 60:00                 ✓ 1   ✗ 1   ● 2   ○ 1",
        "━" * 29 + "─" * 45 + "  2/5",
        " ✗ server #57  Maven: Compilation failure: cannot find symbol              32 s",
        "     [ERROR] COMPILATION ERROR :",
        "     [ERROR] Server.java:[42,17] cannot find symbol",
        " ● web    #57  ✓ ✓ ✓ ▶Maven ○ ○  █████████████░░░░░░░  0:31 of about 0:47",
        " ● docs   #57  ✓ ▶Cache Check    ███████████████████░  0:52, usually 0:47",
        " ○ queue  #57  queued 0:40",
        " ✓ lib    #57  45 s",
        "                                             Ctrl-C ends the gate; builds go on",
    ]


def test_forty_targets_on_a_small_terminal() -> None:
    """What has no line is counted; the time stays whole, the marks of the stages go."""
    assert live(FORTY, 39, 9) == [
        "02:14 of 60:00  ✓ 21   ✗ 1   ● 17   ○ 1",
        "━━━━━━━━━━━━━━━━━───────────────  22/40",
        " ✗ server #57  Maven: Compilation fail…",
        " ● web    #57  ▶Maven        0:31/0:47",
        " ● docs   #57  ▶Cache Check  0:52/0:47",
        " ● svc-0  #57  running       1:20/2:00",
        " ● svc-1  #57  running       1:20/2:00",
        " ● svc-2  #57  running       1:20/2:00",
        " 21 passed, 12 more running, 1 queued",
    ]


def test_time_is_whole_on_a_narrow_terminal() -> None:
    """The name of the stage gives way."""
    targets = [standing(label, stages=stages("SUCCESS", "RUNNING")) for label in ("server", "docs-ui")]
    rows = live(targets, 36, 9)
    assert rows[2:4] == [" ● server  #57  ▶Cache C…  1:20/2:00", " ● docs-ui #57  ▶Cache C…  1:20/2:00"]


def test_one_target_has_three_lines() -> None:
    """Head, stages, bar; a label that nobody gave is not shown."""
    job = Target(job_id="1" * 32, label="1" * 32)
    assert live([FIVE[1]._replace(target=job)])[1:] == [
        " ● build #57  ✓ ✓ ✓ ▶Maven ○ ○",
        "   ██████████████████████████░░░░░░░░░░░░░░  0:31 of about 0:47",
    ]


def test_stages_that_were_read_a_while_ago_are_not_shown_as_those_of_this_moment() -> None:
    """A question mark stands at the stage that ran then; where there is room, the screen says when that was."""
    fresh, old = (FIVE[1]._replace(stages_age=age) for age in (29.0, 34.0))
    assert live([fresh])[1] == " ● web #57  ✓ ✓ ✓ ▶Maven ○ ○"
    assert live([old])[1] == " ● web #57  ✓ ✓ ✓ ?Maven ○ ○  read 34 s ago"
    assert live([old], 30)[1] == " ● web #57  ✓ ✓ ✓ ?Maven ○ ○"
    assert "  ✓ ✓ ✓ ?Maven ○ ○  " in live([old, *FIVE[2:]])[5]
    assert live([old], marks=ASCII)[1] == " * web #57  + + + ?Maven . .  read 34 s ago"


def test_terminal_without_the_characters_gets_others() -> None:
    """One for one, so that everything else stays in its place."""
    long_name = (Stage("构建 and a long name", "RUNNING"),)
    assert live([standing("app", stages=long_name)], marks=ASCII)[1] == " * app #57  >构建 and a long n~"
    plain = live(FIVE, marks=ASCII)
    assert plain[1] == "=" * 29 + "-" * 45 + "  2/5"
    assert plain[5] == " * web    #57  + + + >Maven . .  #############.......  0:31 of about 0:47"
    assert all(line.replace("构建", "").isascii() for line in plain)


@each_row(
    ("fields", "text"),
    [
        ({"phase": Phase.NOT_ASKED}, "· app #57  not asked about yet"),
        ({"phase": Phase.SELECTING, "build_number": None, "word": None}, "· app  no build found yet"),
        ({"phase": Phase.SELECTING, "word": None}, "· app #57  not seen yet"),
        ({"phase": Phase.QUEUED, "queued_seconds": None}, "○ app #57  queued"),
        ({"phase": Phase.QUEUED, "queued_seconds": 3700.0}, "○ app #57  queued 61:40"),
        ({"phase": Phase.QUEUED, "queued_seconds": 7000.0}, "○ app #57  queued 1:56:40"),
        ({"phase": Phase.ENDED, "word": "SUCCESS"}, "◇ app #57  ended (SUCCESS), not judged yet"),
        ({"running_seconds": None}, "● app #57  running"),
        ({"word": "FROZEN\x1b[2J"}, "● app #57  FROZEN"),
        ({"stages": stages("SUCCESS", "EVAPORATED", None)}, "● app #57  ✓ ? ○"),
        ({"stages": stages("SUCCESS", "FAILURE", "RUNNING")}, "● app #57  ✓ ✗Cache Check ▶Code CheckOut"),
        ({"stages": (Stage("a\x1b[2J" + "b" * 40, "RUNNING"),)}, "● app #57  ▶a" + "b" * 16 + "…"),
        ({"stages": (Stage("构" * 20, "RUNNING"),)}, "● app #57  ▶" + "构" * 8 + "…"),
    ],
)
def test_state_of_a_target_in_words(fields: dict[str, Any], text: str) -> None:
    """What is not known is not said, and the service's words cannot steer the terminal."""
    assert live([standing(**fields)])[1] == f" {text}"


def test_stages_that_are_many_are_counted() -> None:
    """Fourteen marks would leave no room for the rest."""
    many = tuple(
        Stage(f"s{index}", "SUCCESS" if index < 3 else "RUNNING" if index == 3 else None) for index in range(14)
    )
    assert live([standing(stages=many)])[1] == " ● app #57  ▶s3 3/14 done"


@each_row(
    ("targets", "text"),
    [
        ([standing("a"), standing("b", running_seconds=20.0)], "0/2, about 1 m 40 s left"),
        ([standing("a"), decided("b")], "1/2, about 40 s left"),
        ([standing("a"), standing("b", Phase.QUEUED)], "0/2, about 40 s left for those that run"),
        ([standing("a"), standing("b", expected_seconds=None)], "0/2"),
        ([standing("a"), standing("b", running_seconds=130.0)], "0/2"),
        ([decided("a"), standing("b", Phase.ENDED)], "1/2"),
    ],
)
def test_time_that_is_left_is_told_where_it_is_known(targets: list[Progress], text: str) -> None:
    """Of each build that runs, and not for those of which nobody knows when they begin."""
    assert live(targets)[1].endswith(f"─  {text}")


@given(st.floats(0, 1e6), st.floats(0.1, 1e5), st.integers(2, 60))
def test_bar_is_not_full_before_the_build_has_ended(ran: float, expected: float, columns: int) -> None:
    """However late it is, and it never shrinks."""
    painter = Painter(HEADING, ASCII)

    def full(seconds: float) -> int:
        spans = painter._bar(standing(running_seconds=seconds, expected_seconds=expected), columns)
        assert sum(len(span.text) for span in spans) == columns
        return len(spans[0].text)

    assert full(ran) < columns
    assert full(ran) <= full(ran * 1.5)


@pytest.mark.parametrize("count", [1, 2, 5, 40, 500])
def test_screen_has_no_more_lines_than_the_terminal(count: int) -> None:
    """Nor is anything an error on a tiny one."""
    standings = renamed(count)
    for columns, lines in product([1, 20, 39, 199], [1, 2, 3, 4, 23]):
        assert 1 <= len(live(standings, columns, lines)) <= lines


@each_row("count", [2, 5, 40, 500])
@each_row(("columns", "lines"), [(79, 9), (79, 23), (119, 39), (199, 14)])
def test_screen_fits_and_counts_every_target(count: int, columns: int, lines: int) -> None:
    """Who has no line is counted, who did not pass is on top, and no line is too wide."""
    screen = Painter(HEADING, UNICODE).live(renamed(count), 134.0, columns, lines)
    assert all(line_width(line) <= columns for line in screen.lines)
    shown = texts(screen.lines)
    assert sum(int(number) for number in re.findall(r"\d+", shown[0].split("60:00")[1])) == count
    rows = [line[1] for line in shown[2:] if line[1:2] in tuple("✓✗●○")]
    assert rows == sorted(rows, key="✗●○✓".index)
    left_out = [int(number) for number in re.findall(r"(\d+) ", shown[-1])] if "构" not in shown[-1] else []
    assert len(rows) + sum(left_out) == count


def renamed(count: int) -> list[Progress]:
    """Return so many of the forty targets, with wide names."""
    return [FORTY[index % 40]._replace(target=Target(job_id="1" * 32, label=f"构{index}")) for index in range(count)]


def test_failures_leave_room_for_what_runs() -> None:
    """Of twenty targets that failed and twenty that run, each half gets half of the lines."""
    targets = [*(failed(f"bad-{index}") for index in range(20)), *(standing(f"run-{index}") for index in range(20))]
    shown = live(targets, 79, 13)
    assert [sum(mark in line[:2] for line in shown[2:]) for mark in "✗●"] == [5, 5]
    assert shown[-1].startswith(" 15 more failed, 15 more running")


def test_stages_are_wanted_of_what_runs_and_is_shown() -> None:
    """Nobody sees the others."""
    painter = Painter(HEADING, UNICODE)
    assert painter.live(FIVE, 134.0, 79, 23).staged == {"web", "docs"}
    assert len(painter.live(FORTY, 134.0, 79, 9).staged) == 5
    assert painter.live([FIVE[1]], 134.0, 79, 23).staged == {"web"}
    assert painter.live([FIVE[4]], 134.0, 79, 23).staged == set()


def test_result_of_a_few_targets_lists_all() -> None:
    """The table stays: failures first."""
    shown = result([decided("lib"), failed(), decided("mobile", Verdict.ABORTED, state="ABORTED", reason="stopped")])
    assert [line.split("  ")[0] for line in shown] == [
        "codearts-gate", " ✗ server #57", "", "", " ✗ mobile #57", " ✓ lib"
    ]  # fmt: skip


def test_result_of_many_targets_counts_those_that_passed() -> None:
    """The ones that did not pass are to be seen, not scrolled away."""
    shown = result([*(decided(f"lib-{index}") for index in range(38)), failed(), failed("other")])
    assert shown[-1] == " 38 passed"
    assert len(shown) == 8
    assert len(result([failed(f"t{index}") for index in range(500)])) == 102


def test_result_of_one_target_has_the_whole_reason() -> None:
    """It is broken where the terminal ends, not cut."""
    assert result([failed()], columns=39)[0].endswith("in stage Maven: Compilation failure: cannot find symbol")


@each_row("verdict", list(Verdict))
def test_every_verdict_has_its_line(verdict: Verdict) -> None:
    """With a reason unless it passed."""
    row = result([decided("a", verdict, reason="what happened"), decided("b", verdict)])[1]
    assert ("what happened" in row) == (verdict is not Verdict.PASSED)
    assert (verdict in GOOD) == (row[1] in "✓-●")


def test_screen_of_many_targets_is_cheap() -> None:
    """It is drawn with every message: 500 targets take a few milliseconds at most."""
    targets = [FORTY[index % 40]._replace(target=Target(job_id="1" * 32, label=f"t{index}")) for index in range(500)]
    painter = Painter(HEADING, UNICODE)
    started = time.process_time()
    for _ in range(10):
        painter.live(targets, 134.0, 119, 39)
    assert (time.process_time() - started) / 10 < 0.03
