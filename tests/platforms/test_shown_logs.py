"""How much of the builds' logs is shown."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.platforms.shown_logs import (
    LEFT_OUT,
    MAX_END_BYTES,
    MAX_FOLLOWED_BYTES,
    MAX_LINE_BYTES,
    MAX_LOG_BYTES,
    ShownLogs,
)
from tests.tables import each_row


def size(lines: Sequence[str]) -> int:
    """Return the bytes that lines take in the log."""
    return sum(len(line.encode()) + 1 for line in lines)


def quoted(count: int, start: int = 0, text: str = "line") -> list[str]:
    """Return numbered lines as `Platform.quoted` gives them."""
    return [f"  | {text} {number}" for number in range(start, start + count)]


@pytest.mark.parametrize("targets", [1, 2, 120, pytest.param(500, marks=pytest.mark.ci)])
def test_logs_of_all_targets_stay_below_the_limit(targets: int) -> None:
    """Each has about the same share, the first as well as the last."""
    logs, log = ShownLogs(targets), quoted(5_000, text="构建失败")
    shown = [logs.end(f"t{index}", log) for index in range(targets)]
    assert sum(map(size, shown)) <= MAX_LOG_BYTES
    assert all(lines[0] == LEFT_OUT and lines[-1].endswith(" 4999") for lines in shown)
    sizes = [size(lines) for lines in shown]
    assert min(sizes) > 0.9 * min(MAX_LOG_BYTES / targets, MAX_END_BYTES)


def test_what_short_logs_do_not_need_goes_to_later_ones() -> None:
    """A target without a log leaves its share to the others."""
    logs = ShownLogs(120)
    for index in range(119):
        assert logs.end(f"t{index}", []) == []
    assert size(logs.end("last", quoted(20_000))) > 0.9 * MAX_END_BYTES


@pytest.mark.parametrize("targets", [1, 500])
def test_long_line_shows_its_end(targets: int) -> None:
    """A build that prints all in one line says at its end what went wrong."""
    (line,) = ShownLogs(targets).end("app", ["  | " + "构" * 100_000 + "the error"])
    assert line.startswith("  | …")
    assert line.endswith("构the error")
    assert size([line]) <= min(MAX_LINE_BYTES, MAX_LOG_BYTES / targets)


def test_blank_lines_at_the_end_are_left_out() -> None:
    """They would push what matters off the screen."""
    assert ShownLogs(1).end("app", ["  | a", "  | ", "  | b", "  | ", "  |  "]) == ["  | a", "  | ", "  | b"]


def test_flood_is_cut_off_once() -> None:
    """The limit is for the whole run, and the end of a failed build's log still fits."""
    logs = ShownLogs(2)
    shown, limits = [], []
    for start in range(0, 200_000, 1000):
        lines, is_last = logs.follow("app", quoted(1000, start), 5)
        shown += lines
        limits.append(is_last)
    assert limits.count(True) == 1
    assert 0.99 * MAX_FOLLOWED_BYTES < size(shown) + 5 * len(shown) <= MAX_FOLLOWED_BYTES
    end = logs.end("app", quoted(50, 199_950))
    assert end == quoted(50, 199_950)
    assert logs.follow("other", quoted(1), 0) == ([], False)


@each_row(
    ("followed", "end", "shown"),
    [
        (quoted(100), quoted(50, 50), []),
        (quoted(90), quoted(50, 50), quoted(10, 90)),
        (quoted(10), quoted(50, 50), quoted(50, 50)),
        (quoted(3), quoted(10), quoted(7, 3)),
        ([*quoted(3), "  | "], quoted(3), []),
        (["  | ."] * 9, ["  | ."] * 5, []),
        (["  | ."], ["  | ."] * 3, ["  | ."] * 2),
        (["  | a", "  | b", "  | a"], ["  | b", "  | a", "  | b"], ["  | b"]),
        ([], quoted(5), quoted(5)),
    ],
)
def test_lines_that_were_followed_are_not_shown_again(followed: list[str], end: list[str], shown: list[str]) -> None:
    """Only those after the last one that was shown are new."""
    logs = ShownLogs(1)
    logs.follow("app", followed, 0)
    assert logs.end("app", end) == shown


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_lines_that_differ_are_shown_exactly_once(count: int, followed: int, tail: int) -> None:
    """However much of the log was followed, and however much of it is its end."""
    log = quoted(count)
    logs = ShownLogs(1)
    logs.follow("app", log[:followed], 0)
    assert logs.end("app", log[max(count - tail, 0) :]) == log[max(count - tail, followed, 0) :]


@given(st.lists(st.sampled_from(["  | a", "  | b"]), max_size=30), st.integers(0, 30), st.integers(0, 30))
def test_log_that_repeats_itself_shows_no_line_too_often(log: list[str], followed: int, tail: int) -> None:
    """What is shown at the end is the last part of it, and never longer than what is new."""
    logs = ShownLogs(1)
    logs.follow("app", log[:followed], 0)
    end = log[max(len(log) - tail, 0) :]
    shown = logs.end("app", end)
    assert shown == end[len(end) - len(shown) :]
    assert len(shown) <= max(len(log) - followed, 0)
