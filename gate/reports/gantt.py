"""A Mermaid chart of when a build's stages ran."""

import re
from collections.abc import Sequence

from gate.model import Stage, Verdict
from gate.reports.formatting import instant, seconds
from gate.reports.stage_display import shown
from gate.text import one_line

MOST_STAGES = 200
"""A chart of more stages cannot be read, and comes near Mermaid's limit of 50 000 characters."""

_HEAD = (
    "gantt",
    "    dateFormat YYYY-MM-DD HH:mm:ss",
    "    axisFormat %H:%M:%S",
    "    todayMarker off",  # the times are UTC; the browser would mark its local time among them
)
_TAGS = {Verdict.PASSED: "done, ", Verdict.FAILED: "crit, ", Verdict.ABORTED: "crit, ", Verdict.SKIPPED: ""}


def chart(stages: Sequence[Stage], verdict: Verdict) -> str:
    """Return a Gantt chart, in UTC, of the stages that ran at known times; empty if there is none."""
    tasks = [task for number, stage in enumerate(stages, 1) if (task := _task(number, stage, verdict))]
    if not 0 < len(tasks) <= MOST_STAGES:
        return ""
    return "\n".join([*_HEAD, *tasks])


def _task(number: int, stage: Stage, verdict: Verdict) -> str:
    """Return the line of one stage. It starts with a number, so that the name of a stage is never read as a keyword."""
    start, duration = instant(stage.started_at), seconds(stage.duration_seconds)
    if start is None or duration is None:
        return ""
    name = re.sub(r"[^\w .()-]+", " ", one_line(stage.name, limit=60))
    display, _ = shown(stage, verdict)
    if display is Verdict.SKIPPED and duration == 0:
        return ""
    moment = start.replace("T", " ").removesuffix("Z")
    length = max(round(duration), 1)  # a bar without length is invisible
    return f"    {number} {name} :{_TAGS[display]}{moment}, {length}s"
