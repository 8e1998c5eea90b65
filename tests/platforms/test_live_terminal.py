"""What people see on the screen of a terminal."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, TextIO, cast

import pytest

from gate.model import Target, Verdict
from gate.platforms.platform import Platform
from gate.platforms.terminal import Terminal
from tests.platforms.screen import Screen
from tests.platforms.test_progress import standing
from tests.platforms.test_terminal import APP, ended, outcome_of

OpenScreen = Callable[..., Any]


@pytest.fixture
def open_screen() -> Iterator[OpenScreen]:
    """Return a function that opens a screen and a terminal on it; the process started at the instant 1000."""
    with ExitStack() as stack:

        def open_one(columns: int = 80, lines: int = 24, targets: int = 1, env: dict[str, str] | None = None) -> Any:
            screen = stack.enter_context(Screen(columns, lines))
            platform = Platform({"TERM": "xterm", "NO_COLOR": "1"} if env is None else env)
            stream = cast("TextIO", screen)
            return screen, Terminal(1000.0, targets=targets, quiet=False, platform=platform, stream=stream)

        yield open_one


def test_live_line_is_written_over(open_screen: OpenScreen) -> None:
    """There is one at a time, and none at the end."""
    screen, terminal = open_screen()
    for second in (1001.0, 1002.0):
        assert terminal.due() == second
        terminal.tick([standing(running_seconds=second - 1000)], second)
    assert screen.lines() == ["00:02 build 57 RUNNING, for 2 s, about 1 m 58 s left"]
    terminal.decided(ended())
    terminal.finish(outcome_of(ended()), "report.xml")
    assert screen.shown() == [
        "✗ failed: build 57 ended with FAILURE", "✗ failed (exit 1) after 1 m 1 s; report in report.xml."
    ]  # fmt: skip


def test_table_never_vanishes(open_screen: OpenScreen) -> None:
    """A message and the table below it come in one write."""
    screen, terminal = open_screen(targets=3)
    terminal.tick([standing(f"t{index}") for index in range(3)], 1001.0)
    before = screen.lines()
    for number in range(40):
        terminal.say(Target(job_id="1" * 32, label="t1"), f"news {number}", 1001.5)
        terminal.log_lines(APP, [f"log {number}"], 1001.5)
        assert screen.lines()[-4:] == before
    assert all(write.endswith("40 s left") or "targets without" in write for write in screen.writes)
    news = [f"00:01 t1: news {number}" for number in range(40)]
    assert [line for line in screen.shown() if "news" in line] == news


def test_table_follows_news_soon(open_screen: OpenScreen) -> None:
    """It must not say for a second that a build is waited for which the line above names."""
    _, terminal = open_screen(targets=3)
    terminal.tick([standing()], 1001.0)
    assert terminal.due() == 1002.0
    terminal.say(APP, "news", 1001.1)
    assert terminal.due() == pytest.approx(1001.3)


def test_target_with_a_verdict_leaves_the_table(open_screen: OpenScreen) -> None:
    """Its build does not go on counting."""
    screen, terminal = open_screen(targets=2)
    terminal.tick([standing("a"), standing("b")], 1001.0)
    terminal.decided(ended("a"))
    assert [line.split()[1] for line in screen.lines()] == ["a:", "b", "1"]
    terminal.decided(ended("b"))
    assert len(screen.lines()) == 2


def test_terminal_without_a_size_has_a_table(open_screen: OpenScreen) -> None:
    """0 x 0 counts as 80 x 24: serial lines and some containers tell no size."""
    screen, terminal = open_screen(0, 0, targets=40)
    terminal.tick([standing(f"t{index}") for index in range(40)], 1001.0)
    assert len(screen.lines()) == 23
    assert "40 targets without a verdict" in screen.lines()[-1]


@pytest.mark.parametrize(("columns", "lines"), [(40, 24), (80, 5), (20, 24), (9, 3), (1, 24), (80, 1), (200, 60)])
def test_small_terminal_is_not_flooded(open_screen: OpenScreen, columns: int, lines: int) -> None:
    """Whatever its size, nothing scrolls while nothing happens."""
    screen, terminal = open_screen(columns, lines, targets=12)
    for second in range(30):
        terminal.tick([standing(f"t{index}", stage="编译") for index in range(12)], 1001.0 + second)
    assert screen.shown() == screen.lines()
    assert len(screen.lines()) <= max(lines - 1, 1)


def test_narrow_terminal_shows_the_state(open_screen: OpenScreen) -> None:
    """At 40 columns, labels are cut and states are not."""
    screen, terminal = open_screen(40, 24, targets=2)
    terminal.tick([standing("payment-service-backend-production"), standing("app")], 1001.0)
    assert all("build 57 RUNNING" in line for line in screen.lines()[:2])


@pytest.mark.parametrize("size", [(60, 24), (30, 24), (100, 40), (80, 12), (45, 12)])
def test_resized_terminal_keeps_no_old_lines(open_screen: OpenScreen, size: tuple[int, int]) -> None:
    """A terminal that becomes narrower breaks the lines: as many rows are taken away as they take then."""
    screen, terminal = open_screen(80, 24, targets=3)
    terminal.say(APP, "news", 1000.5)
    several = [standing(f"t{index}", stage="Maven") for index in range(3)]
    terminal.tick(several, 1001.0)
    screen.resize(*size)
    terminal.tick(several, 1002.0)
    assert [line[:9] for line in screen.shown()] == ["00:00 app", "* t0  bui", "* t1  bui", "* t2  bui", "00:02 3 t"]


def test_chinese_names_line_up(open_screen: OpenScreen) -> None:
    """An ideograph takes two columns; pyte puts an empty cell behind it, as terminals do."""
    screen, terminal = open_screen(targets=2)
    terminal.tick([standing("构建", stage="单元测试"), standing("app")], 1001.0)
    rows = [line for line in screen.lines() if line.startswith("*")]
    assert [row.replace("构建", "abcd").index("build") for row in rows] == [8, 8]


def test_terminal_shows_colours_and_marks(open_screen: OpenScreen) -> None:
    """A mark for each verdict in its colour, and one for what is under way."""
    screen, terminal = open_screen(targets=2, env={"TERM": "xterm"})
    terminal.tick([standing("a"), standing("b", build_number=None, running_seconds=None)], 1001.0)
    terminal.decided(ended("a", Verdict.PASSED, reason="x"))
    text = "".join(screen.writes)
    assert "\x1b[33m*\x1b[0m a  build" in text
    assert "\x1b[90m-\x1b[0m b  waiting" in text
    assert "\x1b[32;1m✓ a: passed: x\x1b[0m\n" in text


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"TERM": "xterm", "CI": "true"}])
def test_terminal_that_must_not_be_written_over_gets_plain_lines(open_screen: OpenScreen, env: Any) -> None:
    """A CI system keeps each line, and a dumb terminal knows no control sequence."""
    screen, terminal = open_screen(env=env)
    assert terminal.due() == 1060
    terminal.tick([standing()], 1060.0)
    terminal.decided(ended())
    assert not re.search(r"[\x1b\r]", "".join(screen.writes))


def test_encoding_without_marks_gets_none(open_screen: OpenScreen, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of another locale would show their numbers."""
    monkeypatch.setattr(Screen, "encoding", "latin-1")
    screen, terminal = open_screen()
    terminal.decided(ended())
    assert screen.lines() == ["failed: build 57 ended with FAILURE"]
