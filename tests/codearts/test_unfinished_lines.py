"""Lines of a growing log: complete, masked, and none of them twice."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.codearts.unfinished_lines import UnfinishedLines
from gate.limits import MAX_HELD_LINE
from gate.model import LogPiece

SECRET = "s3cret-value"


def lines_of() -> UnfinishedLines:
    """Return lines in which one secret is masked."""
    return UnfinishedLines(lambda text: text.replace(SECRET, "***"), lambda: len(SECRET))


def read(lines: UnfinishedLines, pieces: list[str]) -> str:
    """Return the text of some consecutive pieces."""
    shown = ""
    for index, text in enumerate(pieces):
        shown += lines.complete("log", index, LogPiece(text, index + 1, has_more=True)).text
    return shown


@given(st.text(alphabet="s3cret-value\n "), st.lists(st.integers(0, 60)), st.text(alphabet="s3cret-value\n "))
def test_no_split_of_a_log_shows_a_secret_or_changes_a_line(before: str, cuts: list[int], after: str) -> None:
    """The complete lines are the same as those of the whole log, masked."""
    log = f"{before}{SECRET}{after}\n"
    places = sorted({0, len(log), *(cut for cut in cuts if cut < len(log))})
    pieces = [log[start:end] for start, end in pairwise(places)]
    assert read(lines_of(), pieces) == log.replace(SECRET, "***")


def test_line_ends_that_are_escaped_twice_are_line_ends() -> None:
    """As in the vendor's example, also when a piece ends between the backslash and its letter."""
    assert read(lines_of(), [r"one\ntwo\r", "\\", r"nthree\nfo"]) == "one\ntwo\nthree\n"


def test_escaped_line_end_in_an_ordinary_log_stays() -> None:
    """A path of Windows is not split once the log has shown an ordinary line end."""
    assert read(lines_of(), ["one\n", "cd C:\\new\n"]) == "one\ncd C:\\new\n"


def test_log_that_starts_again_does_not_continue_the_old_line() -> None:
    """A piece from another offset than the expected one starts anew."""
    lines = lines_of()
    lines.complete("log", 0, LogPiece("half a li", 9, has_more=False))
    assert lines.complete("log", 0, LogPiece("first\n", 6, has_more=False)).text == "first\n"


def test_logs_are_kept_apart() -> None:
    """The unfinished line of one build is not continued by another build."""
    lines = lines_of()
    lines.complete("a", 0, LogPiece("half ", 5, has_more=False))
    assert lines.complete("b", 5, LogPiece("other\n", 11, has_more=False)).text == "other\n"
    assert lines.complete("a", 5, LogPiece("line\n", 10, has_more=False)).text == "half line\n"


def test_line_without_an_end_is_kept_in_part() -> None:
    """Memory is bounded; the end of the line is kept, and the cut is marked."""
    shown = read(lines_of(), ["x" * 50_000] * 10 + [SECRET[:5], SECRET[5:] + " end\n"])
    assert shown.startswith("\u2026x")
    assert shown.endswith("x*** end\n")
    assert len(shown) < MAX_HELD_LINE + 100


@pytest.mark.parametrize("halves", [("\ud83d", "\ude00\n")])
def test_character_that_is_split_between_pieces_is_joined(halves: tuple[str, str]) -> None:
    """A character outside the basic plane may come as two surrogates."""
    assert read(lines_of(), list(halves)) == "\U0001f600\n"
