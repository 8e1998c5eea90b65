"""How many columns a text takes."""

from gate.platforms.columns import cut, fitted, width
from tests.tables import each_row


@each_row(
    ("text", "columns"),
    [("abc", 3), ("构建", 4), ("é", 1), ("e\u0301", 1), ("🚀", 2), ("a\u200bb", 2), ("", 0), ("\uff21\uff22", 4)],
)
def test_width_is_what_a_terminal_takes(text: str, columns: int) -> None:
    """Ideographs, full-width letters and emoji take two columns, combining and invisible characters none."""
    assert width(text) == columns


@each_row(
    ("line", "expected"),
    [("abcdef", "abcde"), ("構建中です", "構建"), ("é構建", "é構建"), ("🚀🚀🚀", "🚀🚀"), ("ok", "ok")],
)
def test_line_is_cut_by_what_it_takes_on_the_screen(line: str, expected: str) -> None:
    """A line that wraps could not be written over."""
    assert cut(line, 5) == expected


@each_row(
    ("text", "expected"),
    [("ab", "ab"), ("abcde", "abcde"), ("abcdef", "abcd…"), ("构建", "构建"), ("构建中", "构建…"), ("a构建中", "a构…")],
)
def test_text_is_shortened_to_what_fits(text: str, expected: str) -> None:
    """What is left out is shown by an ellipsis; it never takes more columns than are given."""
    assert fitted(text, 5, "…") == expected
    assert width(fitted(text, 5, "…")) <= 5
    assert fitted("", -3, "…") == ""
