"""The last lines of a terminal, which are written over again and again."""

import os
from collections.abc import Sequence
from typing import NamedTuple, TextIO

from gate.platforms.colours import Colour, Colours
from gate.platforms.columns import cut, width

USUAL_SIZE = os.terminal_size((80, 24))
"""Of a terminal that does not tell its size: those of `docker run -t` and of serial lines say 0 x 0."""


class LiveLine(NamedTuple):
    """One line; `colour` is that of its first character."""

    text: str
    colour: Colour | None = None


class LiveLines:
    """Knows what is shown now, so that it can be taken away again."""

    def __init__(self, stream: TextIO, colours: Colours) -> None:
        """`stream`: the terminal, on which nothing is shown yet."""
        self._stream = stream
        self._colours = colours
        self._shown: list[int] = []

    def size(self) -> os.terminal_size:
        """Return the columns and lines that can be used: all but the last of each, where a terminal would scroll."""
        try:
            columns, lines = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            columns, lines = USUAL_SIZE
        columns, lines = columns or USUAL_SIZE.columns, lines or USUAL_SIZE.lines
        return os.terminal_size((max(columns - 1, 1), max(lines - 1, 1)))

    def clear(self) -> str:
        """Return what takes the shown lines away and leaves the cursor where they began.

        A terminal that became narrower has broken the longer ones (xterm is an exception), so rows are counted anew.
        """
        columns = self.size().columns + 1
        up = sum(max(-(-taken // columns), 1) for taken in self._shown) - 1
        self._shown = []
        return f"\r\x1b[{up}A\x1b[J" if up > 0 else "\r\x1b[J"

    def show(self, lines: Sequence[LiveLine]) -> str:
        """Return what shows these lines below all others, each cut to the terminal's width; call `clear` before."""
        columns = self.size().columns
        texts = [cut(line.text, columns) for line in lines]
        self._shown = [width(text) for text in texts]
        return "\n".join(self._coloured(text, line.colour) for text, line in zip(texts, lines, strict=True))

    def _coloured(self, text: str, colour: Colour | None) -> str:
        return self._colours.plain(text[:1], colour) + text[1:] if colour else text
