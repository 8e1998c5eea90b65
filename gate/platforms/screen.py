"""What a terminal shows while the gate waits, and what it leaves there: a pure function of how the targets stand.

From top to bottom: a head with the time and the counts, a bar of what is done, a line for each target, and what is left
out. Where there is not room for all targets, those that did not pass come first, then those that run. One target gets
three lines.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from gate.durations import spell
from gate.model import Phase, Progress, Stage, State, TargetOutcome, Verdict
from gate.platforms.colours import Colour, verdict_colour
from gate.platforms.columns import fitted, width
from gate.platforms.live_lines import Line, Span, line_width
from gate.platforms.marks import Marks
from gate.text import link, one_line, telling_lines
from gate.value_types import NamedTuple
from gate.vocabulary import ENDED_STATES, state_of_part

MOST_COLUMNS = 110
"""Columns that are used of a wider terminal: farther apart, what belongs together is hard to read together."""

LABEL_COLUMNS = (32, 20, 12, 8)
"""Columns that labels may take, from wide terminals to narrow ones."""

LEAST_BAR = 8
"""Columns below which a bar says nothing."""

STAGE_COLUMNS = 18
"""Columns of the name of a stage."""

STAGES_AGE = 30.0
"""Seconds after which stages are not shown any more as those of this moment."""

MANY_STAGES = 10
"""Stages from which on they are counted instead of drawn one by one."""

TELLING_LINES = 5
"""Lines of its log that stand under a target that did not pass."""

MANY_FAILURES = 10
"""Targets without a pass from which on the result shows no lines of their logs: the report does."""

MOST_RESULT_ROWS = 100
"""Targets that the result shows one by one."""

GOOD = (Verdict.PASSED, Verdict.SKIPPED, Verdict.STARTED)


class Heading(NamedTuple):
    """What the head of the screen says that does not change."""

    place: str = ""
    """The region, or the host that is asked."""
    timeout: float | None = None
    """Seconds after which the gate gives up."""
    on_interrupt: str = ""
    """What Ctrl-C does."""


class Screen(NamedTuple):
    """The lines to draw, and the labels of the targets whose stages are among them."""

    lines: list[Line]
    staged: frozenset[str]


class Painter:
    """Draws targets with one set of marks."""

    def __init__(self, heading: Heading, marks: Marks) -> None:
        """Both stay the same for the whole run."""
        self._heading = heading
        self._marks = marks

    def live(self, targets: Sequence[Progress], elapsed: float, columns: int, lines: int) -> Screen:
        """Return what stands on the screen after `elapsed` seconds, in at most so many columns and lines."""
        columns = min(columns, MOST_COLUMNS)
        if len(targets) == 1:
            return self._single(targets[0], elapsed, columns, lines)
        frame = [self._head(targets, elapsed, columns)]
        if lines >= 5:
            frame.append(self._overall_bar(targets, columns))
        room = lines - len(frame)
        if room <= 0:
            return Screen(frame[:lines], frozenset())
        chosen = _chosen(targets, room if len(targets) <= room else room - 1)
        rows = self._table(chosen, columns)
        footer = self._footer(targets, chosen, columns) if room > len(chosen) else None
        spare = room - len(chosen) - (footer is not None)
        for progress, row in zip(chosen, rows, strict=True):
            under = self._telling(progress)[: max(spare, 0)]
            spare -= len(under)
            frame += [row, *under]
        staged = frozenset(progress.target.label for progress in chosen if progress.phase is Phase.RUNNING)
        return Screen([*frame, *([footer] if footer is not None else [])], staged)

    def result(self, targets: Sequence[Progress], elapsed: float, columns: int, lines: int) -> list[Line]:
        """Return what is left on the screen when every target has a verdict; it is not bound to its size.

        Targets that passed are listed if all fit on the screen, and counted if not.
        """
        if len(targets) == 1:
            return [self._result_row(targets[0]), *self._telling(targets[0])]
        columns = min(columns, MOST_COLUMNS)
        shown = [progress for progress in targets if not _is_good(progress)]
        has_telling = len(shown) <= MANY_FAILURES
        if len(targets) <= lines - 3:
            shown += [progress for progress in targets if _is_good(progress)]
        shown = shown[:MOST_RESULT_ROWS]
        frame = [self._head(targets, elapsed, columns)]
        for progress, row in zip(shown, self._table(shown, columns), strict=True):
            frame += [row, *(self._telling(progress) if has_telling else [])]
        if len(shown) < len(targets):
            frame.append([Span(f" {self._left_out(targets, shown)}", Colour.GREY)])
        return frame

    # The head, the bar and the foot

    def _head(self, targets: Sequence[Progress], elapsed: float, columns: int) -> Line:
        long = self._counts(targets, "   ", has_words=True)
        short = self._counts(targets, "   ", has_words=False)
        tight = self._counts(targets, "", has_words=False)
        starts = [[Span(text)] for text in self._starts(elapsed)]
        pairs = [(0, long), (0, short), (1, long), (1, short), (2, short), (3, short), (2, tight), (3, tight)]
        return _spread([(starts[index], counts) for index, counts in pairs], columns)

    def _starts(self, elapsed: float) -> list[str]:
        """Return the start of the head, in ever shorter forms."""
        limit = self._heading.timeout
        time = clock(elapsed, limit) + (f" of {clock(limit, limit)}" if limit else "")
        place = f"codearts-gate  {self._heading.place}  {time}" if self._heading.place else f"codearts-gate  {time}"
        return [place, f"codearts-gate  {time}", time, clock(elapsed, limit)]

    def _counts(self, targets: Sequence[Progress], gap: str, *, has_words: bool) -> list[Span]:
        """Return how many targets are in which state; without a gap, as tight as it can be read."""
        counts = Counter(_group(progress) for progress in targets)
        found: list[tuple[str, Colour | None, str]] = []
        for group, count in sorted(counts.items(), key=lambda item: item[0].order):
            mark = self._mark_of(group)
            if has_words:
                found.append((mark, group.colour, f" {count} {group.word}"))
            elif found and found[-1][0] == mark:  # without words, what has one mark is one number
                found[-1] = (mark, group.colour, f" {int(found[-1][2]) + count}")
            else:
                found.append((mark, group.colour, f" {count}"))
        spans: list[Span] = []
        for mark, colour, text in found:
            spans += [Span((gap or " ") if spans else ""), Span(mark, colour), Span(text if gap else text.strip())]
        return spans

    def _overall_bar(self, targets: Sequence[Progress], columns: int) -> Line:
        done = sum(progress.phase is Phase.DECIDED for progress in targets)
        count = f"  {done}/{len(targets)}"
        text = count + _left(targets)
        if columns < width(text) + LEAST_BAR:
            text = count
        room = max(columns - width(text), 0)
        full = room * done // len(targets)
        has_failed = any(progress.outcome and progress.outcome.verdict not in GOOD for progress in targets)
        colour = Colour.RED if has_failed else Colour.GREEN
        bar = [Span(self._marks.done * full, colour), Span(self._marks.open * (room - full), Colour.GREY)]
        return [*bar, Span(text)]

    def _footer(self, targets: Sequence[Progress], chosen: Sequence[Progress], columns: int) -> Line | None:
        left_out, hint = self._left_out(targets, chosen), self._heading.on_interrupt
        if not left_out and not hint:
            return None
        pairs = [([Span(f" {left_out}", Colour.GREY)], [Span(hint, Colour.GREY)])]
        if left_out:
            pairs.append(([Span(f" {self._fitted(left_out, columns - 1)}", Colour.GREY)], []))
        return _spread(pairs, columns)

    def _left_out(self, targets: Sequence[Progress], chosen: Sequence[Progress]) -> str:
        """Return how many targets have no line, by state."""
        all_counts = Counter(_group(progress) for progress in targets)
        chosen_counts = Counter(_group(progress) for progress in chosen)
        parts = [
            f"{count - chosen_counts[group]} {'more ' if chosen_counts[group] else ''}{group.word}"
            for group, count in sorted(all_counts.items(), key=lambda item: item[0].order)
            if count > chosen_counts[group]
        ]
        return ", ".join(parts)

    def _fitted(self, text: str, columns: int) -> str:
        """Return as much of a text as fits."""
        return fitted(text, columns, self._marks.ellipsis)

    def _mark_of(self, group: "_Group") -> str:
        marks = self._marks
        return marks.of_verdict(group.state) if isinstance(group.state, Verdict) else marks.of_phase(group.state)

    # One target alone

    def _single(self, progress: Progress, elapsed: float, columns: int, lines: int) -> Screen:
        hint = [Span(self._heading.on_interrupt, Colour.GREY)]
        starts = [[Span(text)] for text in self._starts(elapsed)]
        head = _spread(
            [(starts[0], hint), (starts[1], hint), (starts[2], hint), (starts[1], []), (starts[3], [])], columns
        )
        if progress.phase is Phase.DECIDED:
            frame = [head, self._result_row(progress), *self._telling(progress)]
            return Screen(frame[:lines], frozenset())
        start = self._start_of_single(progress)
        forms = [[*start, *_state(progress)]]
        if progress.phase is Phase.RUNNING and progress.stages:
            age = [Span(f"  read {spell(progress.stages_age)} ago", Colour.GREY)] if _is_old(progress) else []
            forms = [[*start, *self._stage_marks(progress), *age]]
            forms += [[*start, *form(progress)] for form in (self._stage_marks, self._stage_count, self._stage_name)]
        frame = [head, next((form for form in forms if line_width(form) <= columns), forms[-1])]
        if progress.phase is Phase.RUNNING and progress.running_seconds is not None:
            frame.append(self._single_bar(progress, columns))
        staged = {progress.target.label} if progress.phase is Phase.RUNNING else set()
        return Screen(frame[:lines] if lines > 1 else frame[1:2], frozenset(staged))

    def _single_bar(self, progress: Progress, columns: int) -> Line:
        time = _time(progress, is_short=False)
        room = min(columns - width(time) - 5, 40)
        if progress.expected_seconds is None or room < 5:
            return [Span(f"   {time}")]
        return [Span("   "), *self._bar(progress, room), Span(f"  {time}")]

    # The lines of targets

    def _table(self, chosen: Sequence[Progress], columns: int) -> list[Line]:
        """Return a line for each target, in the best form in which all of those that run fit into the columns."""
        longest = max((width(progress.target.label) for progress in chosen), default=0)
        numbers = max((len(_number(progress)) for progress in chosen), default=0)
        rows: list[Line] = []
        has_bars = any(_seconds_left(progress) is not None for progress in chosen)
        for most in LABEL_COLUMNS:
            for form in self._forms() if has_bars else [one for one in self._forms() if not one.bar]:
                label = min(longest, most)
                stages = max((line_width(_stages(progress, form)) for progress in chosen), default=0)
                rows = [self._row(progress, label, numbers, form, stages, columns) for progress in chosen]
                running = [row for row, one in zip(rows, chosen, strict=True) if one.phase is Phase.RUNNING]
                if all(line_width(row) <= columns for row in running):
                    return rows
        return rows

    def _forms(self) -> "list[_Form]":
        """Return the forms of a line about a running build, the fullest one first."""
        marks, count, name = self._stage_marks, self._stage_count, self._stage_name
        return [
            _Form(marks, 20, is_short=False), _Form(marks, 12, is_short=False), _Form(count, 12, is_short=False),
            _Form(marks, 0, is_short=False), _Form(count, 0, is_short=False),
            _Form(name, 0, is_short=False), _Form(name, 0, is_short=True), _Form(self._stage_start, 0, is_short=True),
        ]  # fmt: skip

    def _row(self, progress: Progress, label: int, numbers: int, form: "_Form", stages: int, columns: int) -> Line:
        start = self._start_of_row(progress, progress.target.label, label, numbers)
        match progress.phase:
            case Phase.DECIDED:
                return self._decided_row(progress, start, columns)
            case Phase.RUNNING:
                return self._running_row(progress, start, form, stages)
            case _:
                return [*start, *_state(progress)]

    def _start_of_single(self, progress: Progress) -> list[Span]:
        """Return the start of the line of the only target; a job id would say nothing that the user does not know."""
        target = progress.target
        name = target.label
        if target.label == target.job_id:
            name = "build" if progress.build_number else ""
        return self._start_of_row(progress, name, min(width(name), LABEL_COLUMNS[0]), 0)

    def _start_of_row(self, progress: Progress, name: str, label: int, numbers: int) -> list[Span]:
        group, number = _group(progress), _number(progress)
        name = self._fitted(name, label)
        url = link(progress.build_url or (progress.outcome.build_url if progress.outcome else None))
        return [
            Span(" "),
            Span(self._mark_of(group), group.colour),
            Span(f" {name}{' ' * (label - width(name))}{' ' if name else ''}"),
            Span(number, link=url),
            Span(" " * (numbers - len(number)) + ("  " if number or numbers else " " if name else "")),
        ]

    def _running_row(self, progress: Progress, start: list[Span], form: "_Form", columns: int) -> Line:
        """Return the line of a running build; `columns`: those that stages take."""
        stages = _stages(progress, form)
        time = _time(progress, is_short=form.is_short)
        has_bar = _seconds_left(progress) is not None
        bar = self._bar(progress, form.bar) if has_bar and form.bar else [Span(" " * form.bar)]
        gap = " " * (columns - line_width(stages) + 2)
        return (
            [*start, *stages, Span(gap), *bar, Span(f"{'  ' if form.bar else ''}{time}")] if time else [*start, *stages]
        )

    def _decided_row(self, progress: Progress, start: list[Span], columns: int) -> Line:
        outcome = progress.outcome
        if outcome is None:
            return start
        took = spell(outcome.duration_seconds) if outcome.duration_seconds else ""
        why = "" if outcome.verdict is Verdict.PASSED else reason(outcome)
        room = columns - line_width(start) - (width(took) + 2 if took else 0)
        if room < 20 and why:
            took, room = "", columns - line_width(start)
        why = self._fitted(why, room)
        if not why:
            return [*start, Span(took, Colour.GREY)]
        gap = max(room - width(why), 0) + 2 if took else 0
        return [*start, Span(why, verdict_colour(outcome.verdict)), Span(" " * gap), Span(took, Colour.GREY)]

    def _result_row(self, progress: Progress) -> Line:
        """Return the line of the only target, with its whole reason."""
        start = self._start_of_single(progress)
        outcome = progress.outcome
        if outcome is None:
            return start
        return [*start, Span(without_number(outcome), verdict_colour(outcome.verdict))]

    def _telling(self, progress: Progress) -> list[Line]:
        """Return the lines of the log that stand under a target that did not pass."""
        if progress.outcome is None or progress.outcome.verdict in GOOD:
            return []
        lines = telling_lines(progress.outcome.telling_log, TELLING_LINES)
        return [[Span(f"     {line}", Colour.GREY)] for line in lines]

    # Stages and bars

    def _stage_marks(self, progress: Progress) -> list[Span]:
        """Return a mark for each stage, and the name of the one that runs."""
        if len(progress.stages) >= MANY_STAGES:
            return self._stage_count(progress)
        spans: list[Span] = []
        for stage in progress.stages:
            spans += [Span(" " if spans else ""), *self._stage(stage, progress)]
        return spans

    def _stage(self, stage: Stage, progress: Progress) -> list[Span]:
        name = self._fitted(one_line(stage.name, limit=60), STAGE_COLUMNS)
        match state_of_part(stage):
            case State.SUCCEEDED:
                return [Span(self._marks.passed, Colour.GREEN)]
            case State.FAILED | State.ABORTED:
                return [Span(self._marks.failed, Colour.RED), Span(name)]
            case State.RUNNING:
                mark = "?" if _is_old(progress) else self._marks.stage
                return [Span(mark, Colour.YELLOW), Span(name)]
            case _:
                return [Span("?" if one_line(stage.state or "") else self._marks.idle, Colour.GREY)]

    def _stage_count(self, progress: Progress) -> list[Span]:
        """Return the name of the stage that runs, and how many of all have ended."""
        ended = sum(state_of_part(stage) in ENDED_STATES for stage in progress.stages)
        return [*self._stage_name(progress), Span(f" {ended}/{len(progress.stages)} done", Colour.GREY)]

    def _stage_name(self, progress: Progress) -> list[Span]:
        running = next((stage for stage in progress.stages if state_of_part(stage) is State.RUNNING), None)
        return self._stage(running, progress) if running else _state(progress)

    def _stage_start(self, progress: Progress) -> list[Span]:
        """Return as much of the stage that runs as there is always room for."""
        return [span._replace(text=self._fitted(span.text, LEAST_BAR)) for span in self._stage_name(progress)]

    def _bar(self, progress: Progress, columns: int) -> list[Span]:
        """Return a bar of the time against the usual one: it is full only when the build has ended."""
        ran, expected = progress.running_seconds or 0.0, progress.expected_seconds or 0.0
        is_late = ran >= expected
        full = columns - 1 if is_late else min(int(columns * ran / expected), columns - 1)
        colour = Colour.YELLOW if is_late else Colour.GREEN
        return [Span(self._marks.full * full, colour), Span(self._marks.empty * (columns - full), Colour.GREY)]


class _Form(NamedTuple):
    """How much a line about a running build tells."""

    stages: Callable[[Progress], list[Span]]
    bar: int
    """Columns of the bar; 0 for none."""
    is_short: bool
    """Whether the time is written short."""


class _Group(NamedTuple):
    """Targets that are counted together."""

    order: int
    state: Verdict | Phase
    word: str
    colour: Colour | None


_PHASE_GROUPS = {
    Phase.RUNNING: _Group(20, Phase.RUNNING, "running", Colour.YELLOW),
    Phase.ENDED: _Group(21, Phase.ENDED, "ended", Colour.YELLOW),
    Phase.QUEUED: _Group(22, Phase.QUEUED, "queued", None),
    Phase.SELECTING: _Group(23, Phase.SELECTING, "without a build yet", Colour.GREY),
    Phase.NOT_ASKED: _Group(24, Phase.NOT_ASKED, "not asked about yet", Colour.GREY),
}
_VERDICT_ORDER = (Verdict.PASSED, Verdict.FAILED, Verdict.ABORTED)


def _group(progress: Progress) -> _Group:
    if progress.outcome is None:
        return _PHASE_GROUPS.get(progress.phase, _PHASE_GROUPS[Phase.ENDED])
    verdict = progress.outcome.verdict
    order = _VERDICT_ORDER.index(verdict) if verdict in _VERDICT_ORDER else 3 + list(Verdict).index(verdict)
    return _Group(order, verdict, verdict.value, verdict_colour(verdict))


def _stages(progress: Progress, form: _Form) -> list[Span]:
    """Return what stands between the number and the bar of a running build."""
    if progress.phase is not Phase.RUNNING:
        return []
    return form.stages(progress) if progress.stages else _state(progress)


def _is_old(progress: Progress) -> bool:
    """Tell whether the stages may well have changed since they were read: the one that ran gets a question mark."""
    return progress.stages_age >= STAGES_AGE


def _is_good(progress: Progress) -> bool:
    return progress.outcome is not None and progress.outcome.verdict in GOOD


def _chosen(targets: Sequence[Progress], rows: int) -> list[Progress]:
    """Return the targets that get a line, in the order of the lines.

    Those that did not pass come first, and leave half of the lines to the others as long as there are others.
    """
    good = [progress for progress in targets if _is_good(progress)]
    bad = [progress for progress in targets if progress.outcome is not None and not _is_good(progress)]
    open_ones = sorted(
        (progress for progress in targets if progress.outcome is None), key=lambda progress: _group(progress).order
    )
    most_bad = max(rows - len(open_ones), rows // 2)
    chosen = bad[:most_bad]
    chosen += open_ones[: rows - len(chosen)]
    return chosen + good[: max(rows - len(chosen), 0)]


def _left(targets: Sequence[Progress]) -> str:
    """Say how long those that run will still take by their past builds; empty where that is not known."""
    running = [progress for progress in targets if progress.phase is Phase.RUNNING]
    left = [_seconds_left(progress) for progress in running]
    known = [seconds for seconds in left if seconds is not None and seconds > 0]
    if not known or len(known) < len(left):
        return ""
    others = any(progress.phase not in (Phase.RUNNING, Phase.DECIDED) for progress in targets)
    return f", about {spell(max(known))} left" + (" for those that run" if others else "")


def _seconds_left(progress: Progress) -> float | None:
    if progress.running_seconds is None or progress.expected_seconds is None:
        return None
    return progress.expected_seconds - progress.running_seconds


def _number(progress: Progress) -> str:
    return f"#{progress.build_number}" if progress.build_number else ""


def _state(progress: Progress) -> list[Span]:
    """Return in words where a target is that has no stages to show."""
    word = one_line(progress.word or "", limit=40)
    match progress.phase:
        case Phase.NOT_ASKED:
            return [Span("not asked about yet", Colour.GREY)]
        case Phase.SELECTING if progress.build_number:
            return [Span("not seen yet", Colour.GREY)]
        case Phase.SELECTING:
            return [Span("no build found yet", Colour.GREY)]
        case Phase.QUEUED:
            waited = progress.queued_seconds
            return [Span("queued" + (f" {clock(waited)}" if waited is not None else ""))]
        case Phase.RUNNING:
            return [Span("running" if word.casefold() in ("", "running", "building") else word)]
        case _:
            return [Span(f"ended ({word}), not judged yet" if word else "ended, not judged yet")]


def _time(progress: Progress, *, is_short: bool) -> str:
    """Return how long a build has been running, and how long it usually runs."""
    if progress.running_seconds is None:
        return ""
    ran, expected = clock(progress.running_seconds), progress.expected_seconds
    if expected is None:
        return ran
    if is_short:
        return f"{ran}/{clock(expected)}"
    is_late = progress.running_seconds >= expected
    return f"{ran}, usually {clock(expected)}" if is_late else f"{ran} of about {clock(expected)}"


def without_number(outcome: TargetOutcome) -> str:
    """Return the reason without the number of the build, which stands beside it."""
    return one_line(outcome.reason, limit=1000).removeprefix(f"build {outcome.build_number} ")


def reason(outcome: TargetOutcome) -> str:
    """Return the reason without what stands beside it: the number, how it ended, and how long that took.

    Where the service tells the error of a stage that failed, that is all there is room for.
    """
    text = without_number(outcome)
    if outcome.state and (rest := text.removeprefix(f"ended with {outcome.state}")) != text:
        took = f" after {spell(outcome.duration_seconds)}" if outcome.duration_seconds else ""
        rest = rest.removeprefix(took)
        stage = rest.removeprefix(", in stage ")
        if stage != rest:  # the mark tells a failure, the word of the service an abort
            return stage if outcome.verdict is Verdict.FAILED and ": " in stage else f"{outcome.state} in {stage}"
        return outcome.state + rest
    return text


def clock(seconds: float, scale: float | None = None) -> str:
    """Return seconds as `M:SS`, or `H:MM:SS`; with `scale`, as wide as that many seconds."""
    whole = int(max(seconds, 0))
    minutes = whole // 60
    if max(whole, scale or 0) >= 6000:
        return f"{minutes // 60}:{minutes % 60:02}:{whole % 60:02}"
    return f"{minutes:02}:{whole % 60:02}" if scale is not None else f"{minutes}:{whole % 60:02}"


def _spread(pairs: Iterable[tuple[list[Span], list[Span]]], columns: int) -> Line:
    """Return the first pair that fits into the columns, one at the left and one at the right, else the last one."""
    left: list[Span] = []
    right: list[Span] = []
    for left, right in pairs:
        gap = columns - line_width(left) - line_width(right)
        if gap >= (2 if right else 0):
            return [*left, Span(" " * gap), *right] if right else left
    return [*left, Span("  "), *right] if right else left
