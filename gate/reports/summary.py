"""The summary for people, as Markdown.

First the count, then a table in which the targets that did not pass come first, one timeline for all, and why each of
them did not pass. What passed can be unfolded.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from gate.durations import spell
from gate.model import ChildBuild, Outcome, Stage, TargetOutcome, Verdict
from gate.reports.formatting import attempt, seconds, test_rows
from gate.reports.gantt import chart
from gate.reports.markdown import escape, fence, folded, linked, marked_log, table
from gate.reports.stage_display import Part, displayed, select_parts
from gate.text import counted, is_telling, one_line, share_out, tails

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

_GOOD = {Verdict.PASSED: "passed", Verdict.STARTED: "were started"}
"""The verdicts with which all is well, and what is said of such targets."""

LOG_LIMIT = 50_000
"""Bytes of log of one target; all logs together take at most half of the summary."""

VISIBLE_LINES = 10
"""Lines at the end of a log that are shown at once; those before them can be unfolded."""

TELLING_LINES = 5
"""Lines before those that are shown at once too, the first ones that look as if they said why."""

FEW_TARGETS = 5
"""Targets up to which those that passed are shown like the others, and not folded."""

MAX_PARTS = 2_000
"""Rows for stages and child builds of all targets; nobody reads more."""

_SHORTENED = "_Shortened: with all its details, this summary would be too large._"


def render(outcome: Outcome, limit: int = LIMIT) -> str:
    """Return the summary in at most `limit` bytes of UTF-8, ending with a newline.

    The logs are left out first, then the stages, then what is said of targets that passed, then all but the table, and
    in the end rows of the table.
    """
    targets = sorted(outcome.targets, key=_is_good)
    head = [_heading(outcome), *_verdicts(targets)]
    timeline = _timeline(targets)
    rows = _share_rows(targets)
    logs = tails([target.telling_log for target in targets], limit // 2, each=LOG_LIMIT)
    no_rows, no_logs = [0] * len(targets), [""] * len(targets)
    bad = [target for target in targets if not _is_good(target)]
    return (
        _within(limit, *head, timeline, *_sections(targets, rows, logs))
        or _within(limit, *head, timeline, _SHORTENED, *_sections(targets, rows, no_logs))
        or _within(limit, *head, _SHORTENED, *_sections(targets, no_rows, no_logs))
        or _within(limit, *head, _SHORTENED, *_sections(bad, no_rows, no_logs))
        or _table_only(outcome, targets, limit)
    )


def _is_good(target: TargetOutcome) -> bool:
    return target.verdict in _GOOD


def _within(limit: int, *parts: str) -> str:
    """Return the parts that are not empty, with a blank line between them; empty if they take more than `limit`."""
    text = "\n\n".join(filter(None, parts)) + "\n"
    return text if len(text.encode()) <= limit else ""


def _table_only(outcome: Outcome, targets: Sequence[TargetOutcome], limit: int) -> str:
    """Return the heading and as many rows as fit, those of targets that passed last, and how many are missing."""
    count = len(targets)
    while True:
        missing = f"_{len(targets) - count} more targets are left out of the table._" if count < len(targets) else ""
        text = _within(limit, _heading(outcome), *_verdicts(targets[:count]), _SHORTENED, missing)
        if text or count == 0:
            return text
        count = count * 3 // 4


def _heading(outcome: Outcome) -> str:
    """Return the heading and a sentence of totals."""
    targets = outcome.targets
    alike = sum(target.verdict is outcome.verdict for target in targets)
    count = f"{alike} of {len(targets)} " if len(targets) > 1 else ""
    return (
        f"## {ICONS[outcome.verdict]} codearts-gate: {count}{outcome.verdict}\n\n"
        f"{_totals(targets) or 'No targets'}, after {spell(seconds(outcome.elapsed_seconds) or 0)} "
        f"and {outcome.api_calls} API calls. Exit code {outcome.exit_code}."
    )


def _totals(targets: Sequence[TargetOutcome]) -> str:
    """Return how many targets have which verdict."""
    verdicts = Counter(target.verdict for target in targets)
    return ", ".join(f"{number} {verdict}" for verdict, number in sorted(verdicts.items(), key=_order_of_count))


def _order_of_count(item: tuple[Verdict, int]) -> int:
    return list(ICONS).index(item[0])


def _verdicts(targets: Sequence[TargetOutcome]) -> Iterable[str]:
    """Return the table of targets; of many, those that passed are one that can be unfolded."""
    good = [target for target in targets if _is_good(target)]
    if len(targets) <= FEW_TARGETS or len(good) == len(targets):
        return [_verdict_table(targets)]
    bad = [target for target in targets if not _is_good(target)]
    return [_verdict_table(bad), folded(_totals(good), _verdict_table(good)) if good else ""]


def _verdict_table(targets: Sequence[TargetOutcome]) -> str:
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


def _timeline(targets: Sequence[TargetOutcome]) -> str:
    """Return when the builds ran, all in one chart."""
    drawing = chart(targets)
    return folded("When the builds ran (UTC)", fence(drawing, language="mermaid")) if drawing else ""


def _share_rows(targets: Sequence[TargetOutcome]) -> list[int]:
    """Return how many rows each target gets: those that passed share what the others leave."""
    counts = [len(target.stages) + len(target.children) for target in targets]
    good = [_is_good(target) for target in targets]
    first = share_out([0 if is_good else count for is_good, count in zip(good, counts, strict=True)], MAX_PARTS)
    then = share_out(
        [count if is_good else 0 for is_good, count in zip(good, counts, strict=True)], MAX_PARTS - sum(first)
    )
    return [one + other for one, other in zip(first, then, strict=True)]


def _sections(targets: Sequence[TargetOutcome], rows: Sequence[int], logs: Sequence[str]) -> Iterable[str]:
    """Return a section for each target that did not pass, or for several with one cause, and then those that passed."""
    alone: list[str] = []
    passed: list[str] = []
    shared: defaultdict[tuple[str, ...], list[TargetOutcome]] = defaultdict(list)
    for target in targets:
        if not _is_good(target) and not target.telling_log:
            shared[_cause(target)].append(target)
    for target, count, log in zip(targets, rows, logs, strict=False):
        if _is_good(target):
            passed.append(_section(target, count, log))
        elif target.telling_log or len(shared[_cause(target)]) == 1:
            alone.append(_section(target, count, log))
        elif shared[_cause(target)][0] is target:
            alone.append(_shared_section(shared[_cause(target)]))
    if len(targets) <= FEW_TARGETS:
        return [*alone, *passed]
    verdicts = {target.verdict for target in targets}
    became = [words for verdict, words in _GOOD.items() if verdict in verdicts]
    title = f"Details of {counted(len(passed), 'target')} that {' or '.join(became)}"
    return [*alone, folded(title, "\n\n".join(passed))]


def _cause(target: TargetOutcome) -> tuple[str, ...]:
    """Return what targets have in common that did not pass for one cause: all but the numbers of their builds."""
    number = rf"\b{target.build_number}\b" if target.build_number else r"(?!)"
    texts = (re.sub(number, "N", one_line(text, limit=1000)) for text in (target.reason, target.hint))
    return (target.verdict.value, *texts)


def _shared_section(targets: Sequence[TargetOutcome]) -> str:
    """Return one section for several targets with one cause."""
    first = targets[0]
    names = ", ".join(linked(escape(target.label, limit=64), target.build_url) for target in targets)
    return "\n\n".join(
        filter(
            None,
            [
                f"### {len(targets)} targets: {first.verdict}",
                f"**Reason:** {escape(_without_number(first.reason, first), limit=1000)}",
                f"**Next:** {escape(_without_number(first.hint, first), limit=1000)}" if first.hint else "",
                f"**Targets:** {names}",
            ],
        )
    )


def _without_number(text: str, target: TargetOutcome) -> str:
    """Return a text about one of several builds as one about any of them."""
    return re.sub(rf"\bbuild {target.build_number}\b", "the build", text) if target.build_number else text


def _section(target: TargetOutcome, rows: int, log: str) -> str:
    """Return one target's section: why, what to do, the lines of the log that tell it, the stages, the earlier lines.

    `rows`: how many stages and child builds are shown.
    """
    lines = log.split("\n") if log else []
    return "\n\n".join(
        filter(
            None,
            [
                f"### {escape(target.label, limit=64)}: {target.verdict}",
                f"**Reason:** {escape(target.reason, limit=1000)}",
                f"**Next:** {escape(target.hint, limit=1000)}" if target.hint else "",
                _link(target),
                *(f"**Former attempt:** {linked(escape(attempt(one)), one.build_url)}" for one in target.attempts),
                _tests(target),
                _visible_log(lines),
                *_parts(target, rows),
                folded("Earlier lines of the log", marked_log(lines[:-VISIBLE_LINES], is_telling))
                if len(lines) > VISIBLE_LINES
                else "",
            ],
        )
    )


def _visible_log(lines: Sequence[str]) -> str:
    """Return the last lines of a log and the first ones before them that tell why, with marks on all that do."""
    if not lines:
        return ""
    telling = [line for line in lines[:-VISIBLE_LINES] if is_telling(line)][:TELLING_LINES]
    shown = [*telling, "...", *lines[-VISIBLE_LINES:]] if telling else lines[-VISIBLE_LINES:]
    return f"The end of the log:\n\n{marked_log(shown, is_telling)}"


def _tests(target: TargetOutcome) -> str:
    """Return the totals of the unit tests by stage; empty if there are none."""
    if target.tests is None:
        return ""
    return table(
        ["Unit tests", "Total", "Failures", "Errors"],
        [[escape(name), str(one.total), str(one.failures), str(one.errors)] for name, one in test_rows(target.tests)],
    )


def _link(target: TargetOutcome) -> str:
    """Return the link to the build; empty if there is none."""
    text = f"Open build {target.build_number}" if target.build_number else "Open the build"
    return linked(text, target.build_url) if linked("", target.build_url) else ""


def _parts(target: TargetOutcome, rows: int) -> Iterable[str]:
    """Return the tables of stages and of child builds with at most `rows` rows."""
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


def _row(part: Part, verdict: Verdict) -> list[str]:
    """Return the row of a stage or a child build."""
    display, _ = displayed(part, verdict)
    never_ran = display is Verdict.SKIPPED and part.duration_seconds == 0
    duration = _duration(None if never_ran else part.duration_seconds)
    return [escape(part.name, limit=120), f"{ICONS[display]} {escape(part.state, limit=60)}", duration]


def _duration(duration: float | None) -> str:
    """Return a duration for people; `—` if it is not known."""
    known = seconds(duration)
    return "—" if known is None else spell(known)
