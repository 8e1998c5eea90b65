"""A Mermaid chart of when builds and their stages ran."""

import re
from collections.abc import Iterable, Sequence

from gate.model import Stage, TargetOutcome, Verdict
from gate.reports.formatting import instant, seconds
from gate.reports.stage_display import displayed
from gate.text import one_line

MOST_BARS = 200
"""A chart of more bars cannot be read, and comes near Mermaid's limit of 50 000 characters."""

MOST_STAGES = 60
"""Stages of all targets together up to which they have bars of their own; of more, each build has one."""

_HEAD = (
    "gantt",
    "    dateFormat YYYY-MM-DD HH:mm:ss",
    "    axisFormat %H:%M:%S",
    "    todayMarker off",  # the times are UTC; the browser would mark its local time among them
)


def chart(targets: Sequence[TargetOutcome]) -> str:
    """Return a Gantt chart, in UTC, of all targets' stages or builds that ran at known times; empty if none did."""
    has_stages = sum(len(target.stages) for target in targets) <= MOST_STAGES
    bars: list[str] = []
    for target in targets:
        own = list(_stage_bars(target)) if has_stages and target.stages else list(_build_bar(target))
        if not own or len(bars) + len(own) > MOST_BARS:
            continue
        bars += [f"    section {_name(target.label)}", *own] if len(targets) > 1 else own
    return "\n".join([*_HEAD, *bars]) if bars else ""


def _stage_bars(target: TargetOutcome) -> Iterable[str]:
    for number, stage in enumerate(target.stages, 1):
        verdict, _ = displayed(stage, target.verdict)
        if verdict is not Verdict.SKIPPED or stage.duration_seconds:
            yield from _bar(f"{number} {_name(stage.name)}", verdict, stage)


def _build_bar(target: TargetOutcome) -> Iterable[str]:
    name = f"{target.build_number or ''} {_name(target.label)}".strip()
    return _bar(name if name[:1].isdigit() else f"1 {name}", target.verdict, target)


def _bar(name: str, verdict: Verdict, of: Stage | TargetOutcome) -> Iterable[str]:
    """Return a line of the chart. Its name starts with a number, so that it is never read as a keyword."""
    start, duration = instant(of.started_at), seconds(of.duration_seconds)
    if start is None or duration is None:
        return
    tag = {Verdict.PASSED: "done, ", Verdict.FAILED: "crit, ", Verdict.ABORTED: "crit, "}.get(verdict, "")
    moment = start.replace("T", " ").removesuffix("Z")
    yield f"    {name} :{tag}{moment}, {max(round(duration), 1)}s"  # a bar without length is invisible


def _name(text: str) -> str:
    """Return a name in which nothing has a meaning in the chart."""
    return re.sub(r"[^\w .()-]+", " ", one_line(text, limit=60))
