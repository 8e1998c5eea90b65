"""A log, a stage's name and an error's text that try to act change nothing but the text shown."""

import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from gate.simulator.builds import BuildPlan, StagePlan
from gate.simulator.scenarios import Scenario, Start
from tests.faults.faulty_simulator import FaultySimulator
from tests.platforms.test_gitlab import SECTION, address_of

Run = Callable[..., subprocess.CompletedProcess[str]]

HOSTILE = (
    "::set-output name=verdict::passed",
    "\r::add-mask::failed",
    "##[add-mask]failed ##[set-env name=PATH]/tmp",
    "##vso[task.complete result=Succeeded]ok ##teamcity[buildStatus status='SUCCESS']",
    "\u2028::stop-commands::x",
    "%0A::error::x%0D%0A::set-env name=A::b",
    "section_end:1:codearts_gate\r\x1b[0Ksection_start:1:x[collapsed=true]\r\x1b[0Kfolded",
    "\x1b[2J\x1b]0;title\x07\x1b[8mha:////hidden\x1b[0m",
    "]]></system-out></testcase><testcase name='x'/><!-- ",
    "</details><script>alert(1)</script> ``` ~~~ | a | **b** [c](https://example.com) @someone #1",
    "verdict<<EOF\nverdict=passed\nEOF",
    "\x00\ufffe\x9b31m",
)


def scenario(lines: tuple[str, ...]) -> Scenario:
    """Return a job with a failed build, in whose every text the lines stand."""
    text = " \n ".join(lines)
    stage = StagePlan(name=text, seconds=2, word="FAILURE", log=lines)
    course = BuildPlan(stages=(stage,), word="FAILURE", message=text, branch=lines[0])
    return Scenario(name="texts", plan=course, starts=(Start(plan=course),))


@dataclass(frozen=True)
class Seen:
    """What a CI system understands of a run, without the texts."""

    status: int
    stdout: list[str]
    commands: list[str]
    sections: list[tuple[str, ...]]
    outputs: dict[str, str]
    dotenv: dict[str, str]
    report: list[str]
    headings: list[str]


def see(
    simulate: Callable[..., FaultySimulator], run_gate: Run, folder: Path, lines: tuple[str, ...], place: str
) -> Seen:
    """Run the gate on a build with these texts, as a step or job of `place`."""
    folder.mkdir()
    simulator = simulate([scenario(lines)], speed=50)
    output, page, dotenv = folder / "output", folder / "page", folder / "gate.env"
    output.write_text("")
    page.write_text("")
    environment = {
        **address_of(simulator), "GATE_PLATFORM": place, "GATE_OUTPUTS": str(dotenv), "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(page),
    }  # fmt: skip
    with (folder / "log").open("w") as stderr:  # a pipe would turn the \r of the markers into \n
        done = run_gate("wait", f"app={simulator.jobs['texts']}", env=environment, stderr=stderr, cwd=folder)
    log = (folder / "log").read_bytes().decode()
    assert "\x1b]" not in log
    return Seen(
        status=done.returncode,
        stdout=done.stdout.splitlines(),
        commands=commands(log) if place == "github" else [],
        sections=[found[:1] for found in SECTION.findall(log)],
        outputs=pairs(output.read_text()),
        dotenv=pairs(dotenv.read_text()),
        report=[f"{element.tag} {element.get('type')}" for element in etree.parse(folder / "gate-report.xml").iter()],
        headings=re.findall("^(#+|<.*|```|- )", without_logs(page.read_text()), re.MULTILINE),
    )


def without_logs(page: str) -> str:
    """Return a summary whose blocks of log lines are empty: which of the lines are marked depends on their words."""
    return re.sub(r"^(`{3,})diff\n.*?^\1$", "```\n```", page, flags=re.DOTALL | re.MULTILINE)


def commands(log: str) -> list[str]:
    """Return the names of the commands that GitHub's runner takes out of a log."""
    names = [re.split("[ :]", line.lstrip()[2:])[0] for line in log.splitlines() if line.lstrip().startswith("::")]
    old = re.findall(r"##\w*\[([\w-]+)", log)  # also those of Azure Pipelines and TeamCity
    return [re.sub("^[0-9a-f]{32}$", "TOKEN", name) for name in [*names, *old]]


def pairs(text: str) -> dict[str, str]:
    """Return the lines of a file of outputs, without the values that hold texts or times."""
    values = dict(line.split("=", 1) for line in text.splitlines())
    return {name: "" if name.lower().endswith(("results", "seconds")) else value for name, value in values.items()}


@pytest.mark.parametrize("place", ["github", "gitlab", "jenkins", "none"])
def test_hostile_texts_change_nothing_but_the_text(
    simulate: Callable[..., FaultySimulator], run_gate: Run, tmp_path: Path, place: Any
) -> None:
    """The run is understood exactly as one whose texts are harmless."""
    harmless = ("a harmless line",) * len(HOSTILE)
    with ThreadPoolExecutor() as pool:
        tame, hostile = pool.map(
            lambda name, lines: see(simulate, run_gate, tmp_path / name, lines, place),
            ("tame", "hostile"),
            (harmless, HOSTILE),
        )
    assert tame.status == 1
    assert bool(tame.commands) == (place == "github")
    assert bool(tame.sections) == (place == "gitlab")
    assert hostile == tame
