"""The last lines of a terminal, which are written over."""

import os
import unicodedata
from collections.abc import Sequence
from typing import TextIO


class Live:
    """Knows what is shown now, so that it can be taken away again."""

    def __init__(self, stream: TextIO) -> None:
        """Nothing is shown yet on the terminal behind `stream`."""
        self._stream = stream
        self._shown = 0

    def size(self) -> os.terminal_size:
        """Give the columns and lines that can be written over."""
        try:
            columns, lines = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            columns, lines = 80, 24
        return os.terminal_size((max(columns - 1, 20), max(lines - 1, 1)))

    def clear(self) -> str:
        """Give what takes the shown lines away and leaves the cursor where they began."""
        up = f"\x1b[{self._shown - 1}A" if self._shown > 1 else ""
        self._shown = 0
        return f"\r{up}\x1b[J"

    def show(self, lines: Sequence[str]) -> str:
        """Give what shows these lines in place of those before, each cut to the terminal's width."""
        width = self.size().columns
        text = self.clear() + "\n".join(cut(line, width) for line in lines)
        self._shown = len(lines)
        return text


def cut(line: str, columns: int) -> str:
    """Give as much of `line` as fits into so many columns: ideographs and emoji take two."""
    if line.isascii():
        return line[:columns]
    for end, character in enumerate(line):
        columns -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if columns < 0:
            return line[:end]
    return line
