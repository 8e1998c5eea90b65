"""The summary for people, as Markdown: a table of the verdicts, then a section for each target."""

from collections.abc import Iterable, Sequence

from gate.durations import spell
from gate.model import ChildBuild, Outcome, Stage, TargetOutcome, Verdict
from gate.reports.formatting import attempt, seconds, unit_tests
from gate.reports.gantt import chart
from gate.reports.markdown import escape, fence, linked, table
from gate.reports.stage_display import Part, select_parts, shown
from gate.text import share_out, tails

LIMIT = 1_000_000
"""Bytes; GitHub refuses the summary of a step above 1 MiB."""

ICONS = {
    Verdict.PASSED: "✅",
    Verdict.FAILED: "❌",
    Verdict.ABORTED: "⛔",
    Verdict.TIMED_OUT: "⏰",
    Verdict.UNDETERMINED: "❓",
    Verdict.INTERRUPTED: "✋",
    Verdict.SKIPPED: "⏭️",
    Verdict.STARTED: "▶️",
}

LOG_LIMIT = 50_000
"""Bytes of log of one target; all logs together take at most half of the summary."""

VISIBLE_LINES = 10
"""Lines at the end of a log that are shown at once; those before them can be unfolded."""

MAX_PARTS = 2_000
"""Rows for stages and child builds of all targets; nobody reads more."""

_SHORTENED = "_Shortened: with all its details, this summary would be too large._"


def render(outcome: Outcome, limit: int = LIMIT) -> str:
    """Return the summary in at most `limit` bytes of UTF-8, ending with a newline.

    The logs are left out first, then the stages, then the sections of targets that passed, then all sections, and in
    the end rows of the table.
    """
    targets = outcome.targets
    head = [_heading(outcome), _verdicts(targets)]
    rows = _share_rows(targets)
    logs = tails([_log(target) for target in targets], limit // 2, each=LOG_LIMIT)
    no_rows, no_logs = [0] * len(targets), [""] * len(targets)
    not_passed = [target for target in targets if target.verdict is not Verdict.PASSED]
    return (
        _within(limit, *head, *map(_section, targets, rows, logs))
        or _within(limit, *head, _SHORTENED, *map(_section, targets, rows, no_logs))
        or _within(limit, *head, _SHORTENED, *map(_section, targets, no_rows, no_logs))
        or _within(limit, *head, _SHORTENED, *map(_section, not_passed, no_rows, no_logs))
        or _table_only(outcome, limit)
    )


def _within(limit: int, *parts: str) -> str:
    """Return the parts that are not empty, with a blank line between them; empty if they take more than `limit`."""
    text = "\n\n".join(filter(None, parts)) + "\n"
    return text if len(text.encode()) <= limit else ""


def _table_only(outcome: Outcome, limit: int) -> str:
    """Return the heading and as many rows as fit, those of targets that passed last, and how many are missing."""
    rows = sorted(outcome.targets, key=lambda target: target.verdict is Verdict.PASSED)
    count = len(rows)
    while True:
        missing = f"_{len(rows) - count} more targets are left out of the table._" if count < len(rows) else ""
        shown_rows = outcome.targets if count == len(rows) else rows[:count]
        text = _within(limit, _heading(outcome), _verdicts(shown_rows), _SHORTENED, missing)
        if text or count == 0:
            return text
        count = count * 3 // 4


def _heading(outcome: Outcome) -> str:
    """Return the heading and a sentence of totals."""
    count = len(outcome.targets)
    return (
        f"## {ICONS[outcome.verdict]} codearts-gate: {outcome.verdict}\n\n"
        f"{count} target{'' if count == 1 else 's'}, {spell(seconds(outcome.elapsed_seconds) or 0)}, "
        f"{outcome.api_calls} API calls, exit code {outcome.exit_code}."
    )


def _verdicts(targets: Sequence[TargetOutcome]) -> str:
    """Return the table of targets."""
    return table(
        ["Target", "Verdict", "Build", "State", "Duration", "Branch", "Commit"],
        [
            [
                escape(target.label, limit=64),
                f"{ICONS[target.verdict]} {target.verdict}",
                linked(str(target.build_number), target.build_url) if target.build_number else "—",
                escape(target.state, limit=40),
                _duration(target.duration_seconds),
                escape(target.branch, limit=60),
                escape((target.commit or "")[:7]),
            ]
            for target in targets
        ],
    )


def _share_rows(targets: Sequence[TargetOutcome]) -> list[int]:
    """Return how many rows each target gets: those that passed share what the others leave."""
    counts = [len(target.stages) + len(target.children) for target in targets]
    passed = [target.verdict is Verdict.PASSED for target in targets]
    first = share_out([0 if good else count for good, count in zip(passed, counts, strict=True)], MAX_PARTS)
    then = share_out([count if good else 0 for good, count in zip(passed, counts, strict=True)], MAX_PARTS - sum(first))
    return [one + other for one, other in zip(first, then, strict=True)]


def _log(target: TargetOutcome) -> Sequence[str]:
    """Return the end of the log of a build that did not pass."""
    return () if target.verdict is Verdict.PASSED else target.log_tail


def _section(target: TargetOutcome, rows: int, log: str) -> str:
    """Return one target's section: why, what to do, the last lines of the log, the stages, the log before these lines.

    `rows`: how many stages and child builds are shown.
    """
    lines = log.split("\n")
    earlier, last = "\n".join(lines[:-VISIBLE_LINES]), "\n".join(lines[-VISIBLE_LINES:])
    return "\n\n".join(
        filter(
            None,
            [
                f"### {escape(target.label, limit=64)}: {target.verdict}",
                f"**Reason:** {escape(target.reason, limit=1000)}",
                f"**Next:** {escape(target.hint, limit=1000)}" if target.hint else "",
                _link(target),
                *(f"**Former attempt:** {linked(escape(attempt(one)), one.build_url)}" for one in target.attempts),
                *unit_tests(target.tests),
                f"The end of the log:\n\n{fence(last)}" if last else "",
                *_parts(target, rows),
                _folded("Earlier lines of the log", earlier),
            ],
        )
    )


def _folded(title: str, log: str) -> str:
    """Return a log that can be unfolded; empty if there is none."""
    return f"<details><summary>{title}</summary>\n\n{fence(log)}\n\n</details>" if log else ""


def _link(target: TargetOutcome) -> str:
    """Return the link to the build; empty if there is none."""
    text = f"Open build {target.build_number}" if target.build_number else "Open the build"
    return linked(text, target.build_url) if linked("", target.build_url) else ""


def _parts(target: TargetOutcome, rows: int) -> Iterable[str]:
    """Return the tables of stages and of child builds with at most `rows` rows, and the chart of the stages."""
    if not rows:
        return
    all_parts: list[Part] = [*target.stages, *target.children]
    parts = select_parts(all_parts, rows)
    stages = [part for part in parts if isinstance(part, Stage)]
    children = [part for part in parts if isinstance(part, ChildBuild)]
    if stages:
        yield table(["Stage", "State", "Duration"], [_row(stage, target.verdict) for stage in stages])
    if children:
        yield table(
            ["Job", "State", "Duration", "Build"],
            [[*_row(child, target.verdict), str(child.build_number or "—")] for child in children],
        )
    if len(parts) < len(all_parts):
        yield f"_{len(all_parts) - len(parts)} more are left out._"
    elif drawing := chart(target.stages, target.verdict):
        yield fence(drawing, language="mermaid")


def _row(part: Part, verdict: Verdict) -> list[str]:
    """Return the row of a stage or a child build."""
    display, _ = shown(part, verdict)
    never_ran = display is Verdict.SKIPPED and part.duration_seconds == 0
    duration = _duration(None if never_ran else part.duration_seconds)
    return [escape(part.name, limit=120), f"{ICONS[display]} {escape(part.state, limit=60)}", duration]


def _duration(duration: float | None) -> str:
    """Return a duration for people; `—` if it is not known."""
    known = seconds(duration)
    return "—" if known is None else spell(known)
