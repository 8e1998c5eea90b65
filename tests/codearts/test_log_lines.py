"""Lines of a growing log: complete, masked, and none of them twice."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.codearts.log_lines import LogLines
from gate.codearts.masking import Masker
from gate.limits import MAX_TEXT
from tests.tables import each_row

SECRET = "s3cret-value"


def lines_of() -> LogLines:
    """Return lines in which one secret is masked."""
    return LogLines(Masker(lambda: (SECRET,)))


def read(pieces: list[str]) -> list[str]:
    """Return the lines of some consecutive pieces, up to the end of the log."""
    lines = lines_of()
    return [line for piece in pieces for line in lines.add(piece)] + list(lines.end())


@given(st.text(alphabet="s3cret-value\n "), st.lists(st.integers(0, 60)), st.text(alphabet="s3cret-value\n "))
def test_no_split_of_a_log_shows_a_secret_or_changes_a_line(before: str, cuts: list[int], after: str) -> None:
    """The lines are the same as those of the whole log, masked."""
    log = f"{before}{SECRET}{after}"
    places = sorted({0, len(log), *(cut for cut in cuts if cut < len(log))})
    pieces = [log[start:end] for start, end in pairwise(places)]
    assert read(pieces) == read([log])
    assert SECRET not in "".join(read(pieces))


STAMP = "[2024/09/24 11:18:49.123 GMT+08:00] "


@each_row("between", ["\r", "\n", "\r\n", "\x1b[0m", "\x00", f"\n{STAMP}"])
@each_row("at", range(1, len(SECRET)))
def test_secret_with_something_invisible_inside_is_masked(between: str, at: int) -> None:
    """Of a line with a carriage return, a terminal shows what stands behind it: half a secret."""
    log = f"a {SECRET[:at]}{between}{SECRET[at:]} b\nc\n"
    for cut in range(1, len(log)):
        assert read([log[:cut], log[cut:]]) == ["a *** b", "c"]


def test_line_is_not_kept_for_long() -> None:
    """A complete line is shown with the next piece at the latest, and at once unless a secret may start in it."""
    lines = lines_of()
    assert lines.add("one\ntwo") == ["one"]
    assert lines.add("\nthree\n") == ["two", "three"]
    assert list(lines.add("ends like the start: s\n")) == []
    assert lines.add("four\n") == ["ends like the start: s", "four"]


def test_last_line_needs_no_end() -> None:
    """What a build printed last is shown at the end of its log; half a secret is not."""
    assert read(["one\nBUILD FAILED"]) == ["one", "BUILD FAILED"]
    assert read([f"one\ntoken {SECRET[:9]}"]) == ["one", "token ***"]
    assert read(["one\n"]) == ["one"]
    assert read([""]) == []


def test_line_is_what_a_terminal_shows_of_it() -> None:
    """So that it is the same as in the end of the log, and is not shown twice."""
    assert read(["progress 10%\rprogress 20%\ndone\r\n"]) == ["progress 20%", "done"]


def test_line_ends_that_are_escaped_twice_are_line_ends() -> None:
    """As in the vendor's example, also when a piece ends between the backslash and its letter."""
    assert read([r"one\ntwo\r", "\\", r"nthree\nfo"]) == ["one", "two", "three", "fo"]


def test_escaped_line_end_in_an_ordinary_log_stays() -> None:
    """A path of Windows is not split once the log has shown an ordinary line end."""
    assert read(["one\n", "cd C:\\new\n"]) == ["one", "cd C:\\new"]


def test_logs_are_kept_apart() -> None:
    """The unfinished line of one build is not continued by another build."""
    first, second = lines_of(), lines_of()
    assert [*first.add("half "), *second.add("other\n"), *first.add("line\n")] == ["other", "half line"]


def test_end_of_a_long_line_is_kept() -> None:
    """Memory is bounded, and the cut is marked."""
    (shown,) = read(["x" * 50_000] * 10 + [SECRET[:5], SECRET[5:] + " end\n"])
    assert shown.startswith("\u2026x")
    assert shown.endswith("x*** end")
    assert len(shown) == MAX_TEXT


@pytest.mark.parametrize("halves", [("\ud83d", "\ude00\n")])
def test_character_that_is_split_between_pieces_is_joined(halves: tuple[str, str]) -> None:
    """A character outside the basic plane may come as two surrogates."""
    assert read(list(halves)) == ["\U0001f600"]
