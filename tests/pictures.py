"""The pictures in README and examples, made from what the program shows today.

    python -m tests.pictures      makes them anew

`tests/test_pictures.py` fails while one is not what this makes.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO, cast
from xml.sax.saxutils import escape

from gate.model import Outcome, Phase, Progress, Stage, Target, TargetOutcome, Verdict
from gate.platforms.live_terminal import LiveTerminal
from gate.platforms.platform import Platform
from gate.platforms.screen import Heading
from gate.reports import summary
from gate.simulator.sample_plans import FAILING, PASSING
from tests.conftest import ROOT
from tests.platforms.screen import Screen

COLUMNS, LINES = 82, 20
CELL, LEADING, MARGIN = 8.4, 19, 16
"""The size of a character in the picture, and the space around all of them."""

COLOURS = {"default": "#d4d4d4", "red": "#f14c4c", "green": "#23d18b", "brown": "#e5c07b", "brightblack": "#8a8a8a"}
"""By pyte's names."""

START = datetime(2024, 9, 24, 3, 18, 49, tzinfo=UTC)
RAN = FAILING.stages[: [stage.word for stage in FAILING.stages].index("FAILURE") + 1]
LOG = [f"[2024/09/24 11:19:10.000 GMT+08:00] {line}" for stage in RAN for line in stage.log]


def running(label: str, number: int, ran: float, expected: float) -> Progress:
    """Return a build of the demo's plan after so many seconds."""
    stages, left = [], ran
    for plan in PASSING.stages:
        word = "SUCCESS" if left >= plan.seconds else "RUNNING" if left >= 0 else None
        stages.append(Stage(plan.name, word))
        left -= plan.seconds
    return Progress(
        Target(job_id="1" * 32, label=label), Phase.RUNNING, number, word="RUNNING", running_seconds=ran,
        expected_seconds=expected, stages=stages,
    )  # fmt: skip


def ended(label: str, number: int, verdict: Verdict = Verdict.PASSED) -> TargetOutcome:
    """Return a build of the demo that has ended."""
    plan = PASSING if verdict is Verdict.PASSED else FAILING
    error = next((f", in stage {stage.name}: {stage.error}" for stage in plan.stages if stage.error), "")
    stages, at = [], START
    for stage in plan.stages:
        stages.append(Stage(stage.name, stage.word, at, stage.seconds))
        at += timedelta(seconds=stage.seconds)
        if stage.word != "SUCCESS":
            break
    link = f"https://ci.example.com/{label}/{number}"
    took = sum(stage.duration_seconds or 0 for stage in stages)
    return TargetOutcome(
        label=label, job_id="1" * 32, verdict=verdict, build_number=number, state=plan.word, duration_seconds=took,
        reason=f"build {number} ended with {plan.word} after {took:.0f} s{error}", stages=stages, branch="main",
        commit="2f37dd4b5e1c", started_at=START, log_tail=LOG if error else (),
        build_url=link, hint=f"Look at build {number} at {link}." if error else "",
    )  # fmt: skip


def outcomes() -> list[TargetOutcome]:
    """Return what became of the targets in the pictures."""
    return [
        ended("server", 57, Verdict.FAILED),
        ended("lib", 112),
        ended("web", 57),
        ended("api", 88),
        ended("docs", 31),
    ]


def terminal() -> str:
    """Return a picture of the screen while five builds run, as SVG."""
    with Screen(COLUMNS, LINES) as screen:
        failed, passed, *rest = outcomes()
        heading = Heading("cn-north-4", 3600.0, "Ctrl-C ends the gate; builds go on")
        env = {"TERM": "xterm"}
        live = LiveTerminal(
            0.0, [Target(job_id="1" * 32, label=one.label) for one in (failed, passed, *rest)], heading=heading,
            platform=Platform(env), stream=cast("TextIO", screen), environment=env,
        )  # fmt: skip
        live.decided(failed)
        live.decided(passed)
        live.tick([running("web", 57, 31, 47), running("api", 88, 9, 70), running("docs", 31, 52, 47)], 39.0)
        return svg(screen)


def svg(screen: Screen) -> str:
    """Return what stands on a screen as SVG."""
    rows = [list(runs(screen, y)) for y in range(len(screen.lines()))]
    width, height = COLUMNS * CELL + 2 * MARGIN, len(rows) * LEADING + 2 * MARGIN
    font = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{font}" font-size="14">',
        f'<rect width="{width:.0f}" height="{height:.0f}" rx="8" fill="#1e1e1e"/>',
    ]
    for y, row in enumerate(rows):
        for x, text, colour in row:
            at = f'x="{MARGIN + x * CELL:.1f}" y="{MARGIN + (y + 0.75) * LEADING:.1f}"'
            length = f'textLength="{len(text) * CELL:.1f}"'
            parts.append(f'<text {at} {length} fill="{colour}" xml:space="preserve">{escape(text)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def runs(screen: Screen, y: int) -> Iterable[tuple[int, str, str]]:
    """Return the column, the text and the colour of each part of a line that looks the same."""
    cells: Any = screen.cells(y)
    start, text, colour = 0, "", ""
    for x, (character, name) in enumerate([*cells, ("", "end")]):
        if name != colour:
            if text.strip():
                yield start + len(text) - len(text.lstrip()), text.strip(), COLOURS[colour]
            start, text, colour = x, "", name
        text += character


def summary_page() -> str:
    """Return the summary of the same builds, as a step on GitHub shows it."""
    outcome = Outcome(
        verdict=Verdict.FAILED, exit_code=1, started_at=START, elapsed_seconds=74.0, api_calls=31, targets=outcomes()
    )
    return summary.render(outcome)


PICTURES = {
    ROOT / ".github" / "terminal.svg": terminal,
    ROOT / "examples" / "github" / "summary.md": summary_page,
}
"""What makes each picture."""


def main() -> None:
    """Make all pictures anew."""
    for path, make in PICTURES.items():
        Path(path).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
