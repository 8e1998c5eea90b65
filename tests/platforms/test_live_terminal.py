"""What people see on the screen of a terminal."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, TextIO, cast

import pytest

from gate.model import Order, Phase, Progress, Target, Verdict
from gate.platforms.live_lines import knows_links
from gate.platforms.live_terminal import LiveTerminal
from gate.platforms.marks import ASCII, UNICODE, marks_for
from gate.platforms.platform import Platform
from gate.platforms.screen import Heading
from gate.platforms.terminal import on_interrupt, open_terminal
from gate.settings import Connection, Rules, Settings, Token
from tests.platforms.screen import Screen
from tests.platforms.test_progress import NO_BUILD, standing
from tests.platforms.test_screen import HALFWAY, decided, failed
from tests.platforms.test_terminal import APP, ended, outcome_of
from tests.tables import each_row

OpenScreen = Callable[..., Any]
HEADING = Heading("cn-north-4", 3600.0, "Ctrl-C ends the gate; builds go on")


def targets_of(*labels: str) -> list[Target]:
    """Return a target for each label."""
    return [Target(job_id="1" * 32, label=label) for label in labels]


@pytest.fixture
def open_screen() -> Iterator[OpenScreen]:
    """Return a function that opens a screen and a terminal on it; the process started at the instant 1000."""
    with ExitStack() as stack:

        def open_one(*labels: str, size: tuple[int, int] = (80, 24), env: dict[str, str] | None = None) -> Any:
            screen = stack.enter_context(Screen(*size))
            env = {"TERM": "xterm", "NO_COLOR": "1"} if env is None else env
            stream = cast("TextIO", screen)
            targets = targets_of(*labels or ("app",))
            return screen, LiveTerminal(
                1000.0, targets, heading=HEADING, platform=Platform(env), stream=stream, environment=env
            )

        yield open_one


def test_targets_are_shown_by_their_new_labels_once_their_jobs_are_known(open_screen: OpenScreen) -> None:
    """A name that can be no label is replaced by the id."""
    screen, terminal = open_screen("\u7f16\u8bd1", "web")
    terminal.tick([Progress(target, Phase.NOT_ASKED) for target in targets_of("\u7f16\u8bd1", "web")], 1001.0)
    found = [Target(job_id="1" * 32, label="1" * 32), Target(job_id="2" * 32, label="web")]
    terminal.take_targets(found)
    terminal.tick([Progress(target, Phase.SELECTING) for target in found], 1003.0)
    assert [line.split()[1] for line in screen.lines() if "1" * 32 in line or "web" in line] == ["1" * 32, "web"]
    assert not [line for line in screen.lines() if "\u7f16" in line]


def test_screen_is_written_over_and_stays_as_the_result(open_screen: OpenScreen) -> None:
    """There is one at a time; in the end it is the result, with one line below it."""
    screen, terminal = open_screen()
    assert terminal.due() == 1000.2
    for second in (1001.0, 1002.0):
        terminal.tick([standing(running_seconds=second - 1000, expected_seconds=40.0)], second)
        assert terminal.due() == second + 1
    assert screen.lines() == [
        "codearts-gate  cn-north-4  00:02 of 60:00    Ctrl-C ends the gate; builds go on",
        " ● app #57  running",
        "   " + "██" + "░" * 38 + "  0:02 of about 0:40",
    ]
    terminal.decided(ended())
    terminal.finish(outcome_of(ended()), "report.xml")
    assert screen.shown() == [
        " ✗ app #57  ended with FAILURE", "✗ failed (exit 1) after 1 m 1 s · report.xml"
    ]  # fmt: skip


def test_last_line_counts_what_the_verdict_is_about(open_screen: OpenScreen) -> None:
    """As many as failed, others that did not pass, the exit code, the report, and the next thing to do."""
    screen, terminal = open_screen("a", "b", "c", "d", size=(120, 24))
    others = [ended("b"), ended("c", Verdict.PASSED), ended("d", Verdict.ABORTED)]
    terminal.finish(outcome_of(ended("a", hint="Look there."), *others), "report.xml")
    assert screen.lines()[-1] == "✗ 2 of 4 failed, 1 aborted (exit 1) after 1 m 1 s · report.xml · Look there."
    assert [line[1] for line in screen.lines()[1:-1]] == ["✗", "✗", "✗", "✓"]


def test_ctrl_c_that_a_terminal_shows_leaves_no_old_line(open_screen: OpenScreen) -> None:
    """The last line of the screen ends where the terminal does."""
    screen, terminal = open_screen("a", "b")
    terminal.tick([Progress(target, Phase.NOT_ASKED) for target in targets_of("a", "b")], 1001.0)
    assert len(screen.lines()[-1]) == 79
    screen.write("^C")
    terminal.finish(outcome_of(ended("a"), ended("b")), "report.xml")
    assert [line for line in screen.shown() if line.startswith("codearts-gate")] == screen.lines()[:1]


def test_what_a_shell_writes_while_the_gate_is_stopped_stays(open_screen: OpenScreen) -> None:
    """After Ctrl-Z and `fg`, the screen is below it."""
    screen, terminal = open_screen()
    terminal.tick([standing(running_seconds=1.0)], 1001.0)
    before = screen.lines()
    terminal.leave_screen()
    screen.write("^Z\n$ fg\n")
    terminal.tick([standing(running_seconds=60.0)], 1060.0)
    terminal.tick([standing(running_seconds=61.0)], 1061.0)
    assert screen.lines()[: len(before) + 1] == [*before[:-1], f"^Z{before[-1][2:]}", "$ fg"]
    assert screen.lines()[len(before) + 1].startswith("codearts-gate  cn-north-4  01:01 of 60:00")


def test_screen_never_vanishes(open_screen: OpenScreen) -> None:
    """A message and the screen below it come in one write."""
    screen, terminal = open_screen("t0", "t1", "t2")
    terminal.tick([standing(f"t{index}") for index in range(3)], 1001.0)
    before = screen.lines()
    for number in range(15):  # more than the screen has lines
        terminal.say(Target(job_id="1" * 32, label="t1"), f"news {number}", 1001.5)
        terminal.log_lines(APP, [f"log {number}"], 1001.5)
        assert screen.lines()[-len(before) :] == before
    news = [f"00:01 t1: news {number}" for number in range(15)]
    assert [line for line in screen.shown() if "news" in line] == news


def test_screen_follows_news_soon(open_screen: OpenScreen) -> None:
    """It must not say for a second that a build is waited for which the line above names."""
    _, terminal = open_screen("app", "other")
    terminal.tick([standing(), standing("other")], 1001.0)
    assert terminal.due() == 1002.0
    terminal.say(APP, "news", 1001.1)
    assert terminal.due() == pytest.approx(1001.3)


def test_verdict_stands_on_the_screen_soon_and_stays(open_screen: OpenScreen) -> None:
    """Also where the core tells no more of the target, or still tells how it stood before."""
    screen, terminal = open_screen("a", "b")
    terminal.tick([standing("a"), standing("b")], 1001.0)
    terminal.decided(failed("a").outcome)
    assert terminal.due() == 1001.2
    terminal.tick([standing("a"), standing("b")], 1001.2)
    assert screen.lines()[2].startswith(" ✗ a #57  Maven: Compilation failure")
    terminal.tick([standing("a"), standing("b")], 1002.0)
    assert screen.lines()[2].startswith(" ✗ a #57  Maven: Compilation failure")
    assert "[ERROR] COMPILATION ERROR :" in screen.lines()[3]


def test_log_of_a_failed_build_is_not_poured_over_the_screen(open_screen: OpenScreen) -> None:
    """The lines that tell why stand under the target; the rest is in the report."""
    screen, terminal = open_screen("a", "b")
    long_log = [f"line {number}" for number in range(50)]
    terminal.tick([standing("a"), standing("b")], 1001.0)
    outcome = ended("a", log_tail=[*long_log, "[ERROR] no such file", *long_log])
    terminal.decided(outcome)
    terminal.finish(outcome_of(outcome, ended("b")), "report.xml")
    assert [line.strip() for line in screen.shown() if "line" in line or "ERROR" in line] == ["[ERROR] no such file"]


def test_stages_are_read_of_targets_on_the_screen(open_screen: OpenScreen) -> None:
    """Of none before the first drawing."""
    _, terminal = open_screen("a", "b", size=(80, 5))
    a, b = targets_of("a", "b")
    assert not terminal.wants_stages(a)
    terminal.tick([standing("a", stages=HALFWAY), standing("b", **NO_BUILD)], 1001.0)
    assert (terminal.wants_stages(a), terminal.wants_stages(b)) == (True, False)


@pytest.mark.parametrize("size", [(0, 0), (80, 24)])
def test_terminal_without_a_size_has_a_screen(open_screen: OpenScreen, size: tuple[int, int]) -> None:
    """0 x 0 counts as 80 x 24: serial lines and some containers tell no size."""
    labels = [f"t{index}" for index in range(40)]
    screen, terminal = open_screen(*labels, size=size)
    terminal.tick([standing(label) for label in labels], 1001.0)
    assert len(screen.lines()) == 23
    assert screen.lines()[-1].startswith(" 20 more running")


@pytest.mark.parametrize(
    "size", [(40, 24), (40, 10), (40, 15), (80, 5), (20, 24), (9, 3), (1, 24), (80, 1), (120, 40), (200, 60)]
)
def test_small_terminal_is_not_flooded(open_screen: OpenScreen, size: tuple[int, int]) -> None:
    """Whatever its size, nothing scrolls while nothing happens."""
    labels = [f"t{index}" for index in range(12)]
    screen, terminal = open_screen(*labels, size=size)
    for second in range(4):
        terminal.tick([standing(label, stages=HALFWAY) for label in labels], 1001.0 + second)
    assert screen.shown() == screen.lines()
    assert len(screen.lines()) <= max(size[1] - 1, 1)


@pytest.mark.parametrize("size", [(60, 24), (30, 24), (100, 40), (80, 12), (45, 12)])
def test_resized_terminal_keeps_no_old_lines(open_screen: OpenScreen, size: tuple[int, int]) -> None:
    """A terminal that becomes narrower breaks the lines: as many rows are taken away as they take then."""
    screen, terminal = open_screen("t0", "t1", "t2")
    terminal.say(APP, "news", 1000.5)
    several = [standing(f"t{index}", expected_seconds=None) for index in range(3)]
    terminal.tick(several, 1001.0)
    screen.resize(*size)
    terminal.tick(several, 1002.0)
    starts = [line[:6].strip("─━") for line in screen.shown()]
    assert [start for start in starts if start.startswith((" ", "00:00"))][:4] == [
        "00:00 ",
        " ● t0 ",
        " ● t1 ",
        " ● t2 ",
    ]
    assert sum("● t0" in line for line in screen.shown()) == 1


def test_chinese_names_line_up(open_screen: OpenScreen) -> None:
    """An ideograph takes two columns; pyte puts an empty cell behind it, as terminals do."""
    screen, terminal = open_screen("构建", "app")
    terminal.tick([standing("构建"), standing("app")], 1001.0)
    rows = [line for line in screen.lines() if "#57" in line]
    assert [row.replace("构建", "abcd").index("#57") for row in rows] == [8, 8]


def test_terminal_shows_colours(open_screen: OpenScreen) -> None:
    """A mark for each verdict in its colour, and one for what is under way."""
    screen, terminal = open_screen("a", "b", env={"TERM": "xterm"})
    terminal.tick([standing("a"), standing("b", **NO_BUILD)], 1001.0)
    terminal.decided(ended("a", Verdict.PASSED, reason="x"))
    terminal.tick([], 1001.2)
    text = "".join(screen.writes)
    for part in ("\x1b[33m●\x1b[0m", "\x1b[90m·\x1b[0m", "\x1b[32m✓\x1b[0m"):
        assert part in text


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp437", "cp936", "gbk"])
def test_encoding_without_marks_gets_others(
    open_screen: OpenScreen, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    """A terminal of another locale would show their numbers, or show them two columns wide."""
    monkeypatch.setattr(Screen, "encoding", encoding)
    screen, terminal = open_screen("a", "构建")
    terminal.tick([standing("a", stages=HALFWAY), standing("构建")], 1001.0)
    terminal.finish(outcome_of(ended("a"), ended("构建")), "report.xml")
    for write in screen.writes:
        write.encode(encoding)
    assert screen.lines()[-1] == "x 2 of 2 failed (exit 1) after 1 m 1 s - report.xml"


def test_marks_are_those_of_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows' older console takes UTF-8 from us, but shows little more than its code page."""
    stream = cast("TextIO", Screen(80, 24))
    pages = {"cp437": ASCII, "cp936": ASCII, "utf-8": UNICODE, None: UNICODE}
    for page, marks in pages.items():
        monkeypatch.setattr("gate.platforms.marks._console_encoding", lambda _, page=page: page)
        assert marks_for(stream, {}) is marks
    stream.close()


@each_row(
    ("env", "is_known"),
    [
        ({"TERM": "xterm-256color"}, False), ({"VTE_VERSION": "7003"}, True), ({"VTE_VERSION": "4600"}, False),
        ({"TERM_PROGRAM": "vscode"}, True), ({"TERM": "xterm-kitty"}, True), ({"WT_SESSION": "1"}, True),
        ({"TERM": "screen-256color", "VTE_VERSION": "7003"}, False), ({"TERM": "linux"}, False),
        ({"FORCE_HYPERLINK": "1", "TERM": "dumb"}, True), ({"FORCE_HYPERLINK": "0", "WT_SESSION": "1"}, False),
    ],
)  # fmt: skip
def test_links_are_for_terminals_that_know_them(env: dict[str, str], is_known: bool) -> None:
    """There is no way to ask, but most say who they are."""
    assert knows_links(env) is is_known


def test_number_is_a_link_to_the_build(open_screen: OpenScreen) -> None:
    """Only to http and https, and only where nothing in it could steer the terminal."""
    env = {"TERM": "xterm", "NO_COLOR": "1", "WT_SESSION": "1"}
    screen, terminal = open_screen("a", "b", "c", env=env)
    urls = ["https://ci.example/1", "javascript:alert(1)", "https://ci.example/\x1b[2J"]
    progress = [standing(label, build_url=url) for label, url in zip("abc", urls, strict=True)]
    terminal.tick(progress, 1001.0)
    text = "".join(screen.writes)
    assert "\x1b]8;;https://ci.example/1\x1b\\#57\x1b]8;;\x1b\\" in text
    assert text.count("\x1b]8;;") == 2
    assert [line[:8] for line in screen.lines()[2:5]] == [" ● a #57", " ● b #57", " ● c #57"]


def test_hostile_text_does_not_steer_the_terminal(open_screen: OpenScreen) -> None:
    """Whatever the service sends as a word, a name, a reason or a log."""
    evil = "\x1b[2J\x1b]0;x\x07\r\n"
    screen, terminal = open_screen("a", "b")
    terminal.tick([standing("a", word=evil), standing("b", Phase.ENDED, word=evil)], 1001.0)
    outcome = ended("a", reason=evil, state=evil, log_tail=[f"error {evil}"], hint=evil)
    terminal.decided(outcome)
    terminal.finish(outcome_of(outcome, ended("b", reason=evil)), "report.xml")
    assert "\x1b[2J" not in "".join(screen.writes)
    assert "\x07" not in "".join(screen.writes)


def test_terminal_that_takes_nothing_gets_no_more_screens(open_screen: OpenScreen) -> None:
    """While it is stopped (Ctrl-S), screens would fill the memory and keep the last line from being written."""
    screen, terminal = open_screen("a", "b")
    screen.buffer = type("Writer", (), {"is_behind": lambda _: True})()
    for second in range(100):
        terminal.tick([standing("a"), standing("b")], 1001.0 + second)
    assert screen.writes == []
    terminal.say(APP, "news", 1200.0)
    assert len(screen.writes) == 1


@each_row(
    ("env", "is_live"),
    [({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({"TERM": "xterm", "CI": "true"}, False)],
)
def test_screen_is_for_terminals_that_can_be_written_over(env: dict[str, str], is_live: bool) -> None:
    """A CI system keeps each line, and a dumb terminal knows no control sequence."""
    with Screen(80, 24) as screen:
        terminal = open_terminal(settings_of(), 1000.0, Platform(env), cast("TextIO", screen))
        assert isinstance(terminal, LiveTerminal) == is_live
        assert terminal.shows_results_on(cast("TextIO", screen)) == is_live
        if not is_live:
            terminal.tick([standing()], 1060.0)
            terminal.decided(ended())
            assert not re.search(r"[\x1b\r]", "".join(screen.writes))


def settings_of(count: int = 1, order: Order | None = None, **rules: Any) -> Settings:
    """Return settings with so many targets."""
    return Settings(
        targets=[Target(job_id="1" * 32, build_number=number, label=f"t{number}") for number in range(1, count + 1)],
        order=order,
        connection=Connection(endpoint="https://ci.example", credential=Token(value="x")),
        rules=Rules(**rules),
    )


@each_row(
    ("settings", "text"),
    [
        (settings_of(), "Ctrl-C ends the gate; the build goes on"),
        (settings_of(2), "Ctrl-C ends the gate; builds go on"),
        (settings_of(order=Order()), "Ctrl-C stops the build"),
        (settings_of(2, order=Order()), "Ctrl-C stops the builds"),
        (settings_of(order=Order(), keep_running=True), "Ctrl-C ends the gate; the build goes on"),
        (settings_of(order=Order(), reuse=True), "Ctrl-C stops the build started here"),
        (settings_of(2, stop=True), "Ctrl-C stops the builds"),
    ],
)
def test_screen_says_what_ctrl_c_does(settings: Settings, text: str) -> None:
    """`wait` leaves builds alone, `run` stops what it started."""
    assert on_interrupt(settings) == text


def test_all_targets_are_on_the_result(open_screen: OpenScreen) -> None:
    """Also those of which the core had told nothing."""
    screen, terminal = open_screen("a", "b")
    one: Progress = decided("b")
    assert one.outcome is not None
    terminal.finish(outcome_of(failed("a").outcome or ended(), one.outcome), "")
    assert [line[:4] for line in screen.lines() if "#57" in line] == [" ✗ a", " ✓ b"]
    assert "no report" in screen.lines()[-1]
