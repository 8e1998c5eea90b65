"""How many columns of a terminal a text takes: ideographs and most emoji take two, combining characters none."""

import unicodedata

_NO_COLUMN = ("Mn", "Me", "Cf")
"""Categories of characters that join the one before: accents, enclosing marks, format characters."""


def width(text: str) -> int:
    """Return the columns that `text` takes; it holds no control characters."""
    return len(text) if text.isascii() else sum(_character_width(character) for character in text)


def cut(text: str, columns: int) -> str:
    """Return as much of `text` as fits into so many columns."""
    if text.isascii():
        return text[:columns]
    for end, character in enumerate(text):
        columns -= _character_width(character)
        if columns < 0:
            return text[:end]
    return text


def fitted(text: str, columns: int, ellipsis: str) -> str:
    """Return as much of `text` as fits into so many columns; where not all does, it ends with `ellipsis`, one column.

    A text that needs a column less than it is given, as its next character takes two, is not filled up.
    """
    return text if width(text) <= max(columns, 0) else cut(text, max(columns - 1, 0)) + ellipsis


def _character_width(character: str) -> int:
    if unicodedata.category(character) in _NO_COLUMN:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
