"""The summary for people, as Markdown: a table of the verdicts, then a section for each target."""

from collections.abc import Iterable

from gate.durations import spell
from gate.model import Outcome, Stage, TargetOutcome, Verdict
from gate.reports.formatting import seconds
from gate.reports.gantt import chart
from gate.reports.markdown import escape, fence, table
from gate.reports.stage_display import shown
from gate.text import tail

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
"""Bytes of log for each target; several share half of the whole."""

_SHORTENED = "_Shortened: with all its details, this summary would be too large._"


def render(outcome: Outcome, limit: int = LIMIT) -> str:
    """Return the summary in at most `limit` bytes of UTF-8, ending with a newline.

    The logs are cut first, then the stages, then everything but the table of verdicts, which is always whole.
    """
    head = [_heading(outcome), _verdicts(outcome)]
    share = min(LOG_LIMIT, limit // 2 // max(1, len(outcome.targets)))
    for note, log_bytes, stages in (("", share, True), (_SHORTENED, 0, True), (_SHORTENED, 0, False)):
        sections = [part for target in outcome.targets for part in _section(target, log_bytes=log_bytes, stages=stages)]
        text = _join([*head, note, *sections])
        if len(text.encode()) <= limit:
            return text
    return _join([*head, _SHORTENED])


def _join(parts: Iterable[str]) -> str:
    """Return the parts that are not empty, with a blank line between them."""
    return "\n\n".join(filter(None, parts)) + "\n"


def _heading(outcome: Outcome) -> str:
    """Return the heading and a sentence of totals."""
    count = len(outcome.targets)
    return (
        f"## {ICONS[outcome.verdict]} codearts-gate: {outcome.verdict}\n\n"
        f"{count} target{'' if count == 1 else 's'}, {spell(seconds(outcome.elapsed_seconds) or 0)}, "
        f"{outcome.api_calls} API calls, exit code {outcome.exit_code}."
    )


def _verdicts(outcome: Outcome) -> str:
    """Return the table of targets."""
    return table(
        ["Target", "Verdict", "Build", "State", "Duration", "Branch", "Commit"],
        [
            [
                escape(target.label, limit=64),
                f"{ICONS[target.verdict]} {target.verdict}",
                str(target.build_number or "—"),
                escape(target.state, limit=40),
                _duration(target.duration_seconds),
                escape(target.branch, limit=60),
                escape((target.commit or "")[:7]),
            ]
            for target in outcome.targets
        ],
    )


def _section(target: TargetOutcome, *, log_bytes: int, stages: bool) -> Iterable[str]:
    """Return one target's parts: why, what to do, its stages, and the end of the log of a build that did not pass."""
    yield f"### {escape(target.label, limit=64)}: {target.verdict}"
    yield f"**Reason:** {escape(target.reason, limit=1000)}"
    if target.hint:
        yield f"**Next:** {escape(target.hint, limit=1000)}"
    if target.tests:
        yield f"Unit tests: {target.tests.total}, failures: {target.tests.failures}, errors: {target.tests.errors}."
    if stages and target.stages:
        yield table(["Stage", "State", "Duration"], [_stage(stage, target.verdict) for stage in target.stages])
        yield _chart(target)
    log = "" if target.verdict is Verdict.PASSED else tail(target.log_tail, log_bytes)
    if log:
        yield f"<details><summary>The end of the log</summary>\n\n{fence(log)}\n\n</details>"


def _stage(stage: Stage, verdict: Verdict) -> list[str]:
    """Return one stage's row."""
    icon = ICONS[shown(stage, verdict)[0]]
    return [escape(stage.name, limit=120), f"{icon} {escape(stage.state, limit=60)}", _duration(stage.duration_seconds)]


def _chart(target: TargetOutcome) -> str:
    """Return the chart of the stages, if their times are known."""
    drawing = chart(target.stages, target.verdict)
    return drawing and fence(drawing, language="mermaid")


def _duration(duration: float | None) -> str:
    """Return a duration for people; `—` when it is not known."""
    known = seconds(duration)
    return "—" if known is None else spell(known)
