"""The program on a terminal, and with both streams in one file."""

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gate.simulator.scenarios import Scenario, Start
from tests.faults.fault_plan import Fault
from tests.faults.faulty_simulator import FaultySimulator
from tests.faults.transport_faults import Silence
from tests.helpers import COURSES, RunGates, StartGate, environment
from tests.platforms.screen import Screen
from tests.platforms.test_gitlab import SECTION

assert sys.platform != "win32"  # the import of the screen leaves this module out there


def crowd(
    simulate: Callable[..., FaultySimulator], count: int, course: str = "passed", pace: float = 0.1, **options: Any
) -> Mapping[str, str]:
    """Start a simulator with jobs, at `pace` 0.3 for about two seconds; return what leads the gate to them."""
    starts = (Start(plan=COURSES[course].paced(pace)),)
    simulator = simulate([Scenario(name=f"job-{index}", starts=starts) for index in range(count)], speed=10, **options)
    targets = " ".join(f"{name}={job}" for name, job in simulator.jobs.items())
    return {
        "GATE_ENDPOINT": simulator.endpoint, "GATE_TOKEN": simulator.token, "GATE_TARGETS": targets, "TERM": "xterm",
        "GATE_POLL_INTERVAL": "500ms", "GATE_MAX_RATE": "6000",
    }  # fmt: skip


@contextmanager
def stopped(process: "subprocess.Popen[str]") -> Iterator[None]:
    """Stop a process while the block runs."""
    process.send_signal(signal.SIGSTOP)
    yield
    process.send_signal(signal.SIGCONT)


def is_screen(lines: Sequence[str]) -> bool:
    """Tell whether lines end with a screen of a gate that waits."""
    return bool(lines) and "Ctrl-C" in lines[-1]


def test_screen_is_not_loaded_without_a_terminal(simulate: Callable[..., FaultySimulator], tmp_path: Path) -> None:
    """The start in a pipeline stays as fast as it is."""
    simulator = simulate(["passing"], speed=60)
    command = [sys.executable, "-X", "importtime", "-m", "gate", "wait", simulator.jobs["passing"]]
    path = str(Path(__file__).parents[2])
    done = subprocess.run(
        command, env=environment(simulator, PYTHONPATH=path), cwd=tmp_path, capture_output=True, text=True, check=True
    )
    loaded = set(re.findall(r"gate\.platforms\.(\w+)$", done.stderr, re.MULTILINE))
    assert "terminal" in loaded
    assert not loaded & {"live_terminal", "screen", "live_lines", "columns", "marks"}


def rows_of(lines: Sequence[str]) -> list[str]:
    """Return the lines about targets."""
    return [line for line in lines if re.match(r" [^ ] job-\d", line)]


def test_terminal_shows_a_screen_that_fits(simulate: Callable[..., FaultySimulator], start_gate: StartGate) -> None:
    """Twelve targets on a terminal of eight lines: a screen of at most seven, written over; the result stays."""
    env = crowd(simulate, 12, pace=0.3)
    screen = Screen(70, 8)
    process = start_gate("wait", env=env, stderr=screen.theirs)
    screens: list[list[str]] = []

    def note() -> None:
        if is_screen(screen.lines()):
            screens.append(screen.lines())

    screen.on_write = note
    screen.watch()
    assert process.wait(30) == 0
    assert any(rows_of(shown) for shown in screens)
    assert all(len(line) < 70 for shown in screens for line in shown[-7:])
    assert all(len(rows_of(shown)) <= 4 for shown in screens)
    assert not any("Ctrl-C" in line for line in screen.shown())
    assert screen.lines()[-2:] == [" 12 passed", screen.lines()[-1]]
    assert screen.lines()[-1].startswith("✓ 12 of 12 passed (exit 0)")


def test_terminal_that_is_resized_keeps_no_old_lines(
    simulate: Callable[..., FaultySimulator], start_gate: StartGate
) -> None:
    """The size is asked for with each redraw."""
    env = crowd(simulate, 5, pace=0.3)
    screen = Screen(100, 24)
    process = start_gate("wait", env=env, stderr=screen.theirs)
    shrunk = threading.Event()

    def shrink() -> None:
        if not shrunk.is_set() and is_screen(screen.lines()):
            shrunk.set()
            with stopped(process):  # what is under way in the moment of the change is drawn for the old size
                screen.show_rest()
                screen.resize(44, 24)

    screen.on_write = shrink
    screen.watch()
    assert (process.wait(30), shrunk.is_set()) == (0, True)
    assert len(rows_of(screen.shown())) == 5
    assert all(line.startswith(" ✓") for line in rows_of(screen.shown()))


@pytest.mark.parametrize("course", ["passed", "failed"])
def test_last_line_is_the_last_one_where_both_streams_share_a_terminal(
    simulate: Callable[..., FaultySimulator], start_gate: StartGate, course: str
) -> None:
    """The lines for programs are left out, as the screen has the same for people."""
    env = crowd(simulate, 4, course)
    screen = Screen(120, 40)
    process = start_gate("wait", env=env, stderr=screen.theirs, stdout=screen.theirs)
    screen.watch()
    assert process.wait(30) == (0 if course == "passed" else 1)
    shown = screen.shown()
    assert not any(line.startswith(f"{course} job-") for line in shown)
    assert f"4 of 4 {course} (exit {process.returncode})" in "".join(shown[-2:])
    assert len(rows_of(shown)) == 4


def test_lines_for_programs_are_written_where_they_are_read(
    simulate: Callable[..., FaultySimulator], start_gate: StartGate
) -> None:
    """Into a pipe, and onto another terminal than that of the screen."""
    env = crowd(simulate, 2)
    screen, other = Screen(120, 40), Screen(120, 40)
    piped = start_gate("wait", env=env, stderr=screen.theirs)
    assert (piped.communicate(timeout=30)[0].count("passed job-"), piped.returncode) == (2, 0)
    elsewhere = start_gate("wait", env=env, stderr=screen.theirs, stdout=other.theirs)
    other.watch()
    assert elsewhere.wait(30) == 0
    assert [line.split()[0] for line in other.shown()] == ["passed", "passed"]
    screen.close()


@pytest.mark.parametrize("course", ["passed", "failed"])
def test_last_line_is_the_last_one_where_both_streams_share_a_file(
    simulate: Callable[..., FaultySimulator], start_gate: StartGate, tmp_path: Path, course: str
) -> None:
    """As in `codearts-gate wait ... >log 2>&1`, and in the log of every CI system."""
    env = crowd(simulate, 4, course)
    with (tmp_path / "log").open("w") as log:
        process = start_gate("wait", "--json", env=env, stderr=log, stdout=log)
        assert process.wait(30) == (0 if course == "passed" else 1)
    lines = (tmp_path / "log").read_text().splitlines()
    assert "of 4 passed" in lines[-1]
    assert lines[-2].startswith('{"')


def watch_all(screens: Collection[Screen]) -> None:
    """Show what is written on several terminals at once, until the last program on each has ended."""
    with ThreadPoolExecutor(len(screens)) as pool:
        list(pool.map(Screen.watch, screens))


ENVIRONMENTS: list[tuple[dict[str, str], bool]] = [
    ({}, True),
    ({"CI": "true"}, False),
    ({"NO_COLOR": "1", "CI": "1"}, False),
    ({"TERM": "dumb"}, False),
]
"""Variables, and whether a terminal gets control sequences."""


def test_terminal_of_a_ci_system_gets_plain_lines(
    simulate: Callable[..., FaultySimulator], start_gate: StartGate
) -> None:
    """No control sequence and no line that is written over."""
    screens = [Screen(80, 24) for _ in ENVIRONMENTS]
    common = crowd(simulate, 1, pace=0.3)
    gates = [
        start_gate("wait", env={**common, **env}, stderr=screen.theirs)
        for (env, _), screen in zip(ENVIRONMENTS, screens, strict=True)
    ]
    watch_all(screens)
    for gate, screen, (env, has_sequences) in zip(gates, screens, ENVIRONMENTS, strict=True):
        assert gate.wait(30) == 0, env
        text = "".join(screen.writes).replace("\r\n", "\n")
        assert ("\x1b" in text, "\r" in text) == (has_sequences, has_sequences), env
        assert ("passed: build" in text) != has_sequences, env
        assert "passed (exit 0)" in text, env


def test_side_channels_that_fail_for_many_targets_are_told_in_sum(
    simulate: Callable[..., FaultySimulator], run_gate: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    """At the timeout, twenty targets would have forty lines about stages and logs that do not come.

    Some were asked for without an answer, the others never had their turn: a few lines for each cause.
    """
    silent = Fault(operations=("ShowBuildRecordFullStages", "DownloadBuildFullLog"), act=Silence(), times=None)
    env = crowd(simulate, 20, pace=100, faults=[silent])
    done = run_gate("wait", "--timeout", "2s", env=env)
    lines = done.stderr.splitlines()
    assert done.returncode == 3
    assert sum(": timed out: " in line for line in lines) == 20
    about_stages = [line for line in lines if "the stages could not be read" in line]
    assert 1 <= len(about_stages) <= 6
    assert re.search(r"(?m)^\d\d:\d\d \d+ more targets: the stages could not be read", "\n".join(about_stages))
    assert "0 of 20 passed" in lines[-1]


def test_log_that_is_followed_is_shown_once_and_closed(
    simulate: Callable[..., FaultySimulator], run_gates: RunGates, tmp_path: Path
) -> None:
    """Each line as it comes and not again at the end, where no command is taken, in a section that is closed."""
    platforms = ("github", "gitlab", "none")
    calls = {}
    with ExitStack() as stack:  # of files: a pipe would turn the \r of the markers into \n
        for platform in platforms:
            simulator = simulate(["failing"], speed=20)
            calls[platform] = {
                "arguments": ["run", simulator.jobs["failing"], "--follow", "--platform", platform],
                "env": environment(simulator, NO_COLOR="1"),
                "stderr": stack.enter_context((tmp_path / f"{platform}.log").open("w")),
            }
        ended = run_gates(calls)
    for platform in platforms:
        assert ended[platform].returncode == 1
        text = (tmp_path / f"{platform}.log").read_bytes().decode()
        for line in (
            "[initial] : stage started",
            "Cloning into",
            "COMPILATION ERROR",
            "[Maven] : stage ended: FAILURE",
        ):
            assert text.count(line) == 1  # the last ones may come after the verdict, which is not held up for them
        assert text.index("[initial] : stage started") < text.index("failed: build 58 ended")
        opened = re.findall(r"^::stop-commands::(\w+)$", text, re.MULTILINE)
        assert bool(opened) == (platform == "github")
        assert [f"\n::{token}::\n" in text for token in opened] == [True] * len(opened)
        sections = [kind for kind, *_ in SECTION.findall(text)]
        assert sections == ["start", "end"] * (len(sections) // 2)
        assert bool(sections) == (platform == "gitlab")


def test_screen_shows_the_stage_and_the_usual_time(
    simulate: Callable[..., FaultySimulator], start_gate: StartGate
) -> None:
    """In each mode, for a job that has built before."""
    screens = {mode: Screen(80, 24) for mode in ("newest", "number", "run")}
    seen: dict[str, set[str]] = {mode: set() for mode in screens}

    def note(mode: str) -> None:
        seen[mode].update(re.findall(r"▶\w+|of about|usually", "\n".join(screens[mode].lines())))

    gates = {}
    for mode, screen in screens.items():
        simulator = simulate(["passing"], speed=15)
        job = simulator.jobs["passing"]
        command, target = ("run" if mode == "run" else "wait"), (f"{job}:57" if mode == "number" else job)
        env = environment(simulator, TERM="xterm")
        screen.on_write = partial(note, mode)
        gates[mode] = start_gate(command, target, env=env, stderr=screen.theirs, stdout=screen.theirs)
    watch_all(screens.values())
    for mode, gate in gates.items():
        assert gate.wait(30) == 0, mode
        assert "of about" in seen[mode], mode
        assert any(part.startswith("▶") for part in seen[mode]), mode
