"""A Mermaid chart of when a build's stages ran."""

import re
from collections.abc import Sequence

from gate.model import Stage, Verdict
from gate.reports.formatting import instant, seconds
from gate.reports.stage_display import shown
from gate.text import one_line

MOST_STAGES = 200
"""A chart of more stages is unreadable, and near Mermaid's own limit of 50 000 characters."""

_HEAD = (
    "gantt",
    "    dateFormat YYYY-MM-DD HH:mm:ss",
    "    axisFormat %H:%M:%S",
    "    todayMarker off",  # the times are in UTC, but the reader's browser would mark its own now among them
)
_TAGS = {Verdict.PASSED: "done, ", Verdict.FAILED: "crit, ", Verdict.ABORTED: "crit, ", Verdict.SKIPPED: ""}


def chart(stages: Sequence[Stage], verdict: Verdict) -> str:
    """Return a Gantt chart, in UTC, of the stages whose start and duration are known; empty when there is none."""
    tasks = [task for number, stage in enumerate(stages, 1) if (task := _task(number, stage, verdict))]
    if not 0 < len(tasks) <= MOST_STAGES:
        return ""
    return "\n".join([*_HEAD, *tasks])


def _task(number: int, stage: Stage, verdict: Verdict) -> str:
    """Return one stage's line. Its number keeps a name from being a keyword; a bar of no length cannot be seen."""
    start, duration = instant(stage.started_at), seconds(stage.duration_seconds)
    if start is None or duration is None:
        return ""
    name = re.sub(r"[^\w .()-]+", " ", one_line(stage.name, limit=60))
    tag = _TAGS[shown(stage, verdict)[0]]
    moment = start.replace("T", " ").removesuffix("Z")
    return f"    {number} {name} :{tag}{moment}, {max(round(duration), 1)}s"
