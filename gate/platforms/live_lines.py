"""The last lines of a terminal, which are written over again and again."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from gate.platforms.colours import Colour, Colours
from gate.platforms.columns import cut, width
from gate.value_types import NamedTuple

USUAL_SIZE = os.terminal_size((80, 24))
"""Of a terminal that does not tell its size: those of `docker run -t` and of serial lines say 0 x 0."""


class Span(NamedTuple):
    """A part of a line that looks the same."""

    text: str
    colour: Colour | None = None
    link: str | None = None
    is_bold: bool = False


Line = Sequence[Span]


def line_width(line: Line) -> int:
    """Return the columns that a line takes."""
    return sum(width(span.text) for span in line)


def cut_line(line: Line, columns: int) -> list[Span]:
    """Return as much of a line as fits into so many columns."""
    kept = []
    for span in line:
        text = cut(span.text, columns)
        columns -= width(text)
        kept.append(span._replace(text=text))
        if len(text) < len(span.text):
            break
    return kept


class LiveLines:
    """Knows what is on the screen now, so that it can be taken away again."""

    def __init__(self, stream: TextIO, colours: Colours, *, has_links: bool) -> None:
        """`stream`: the terminal, with nothing on it yet; `has_links`: whether it knows hyperlinks."""
        self._stream = stream
        self._colours = colours
        self._has_links = has_links
        self._widths: list[int] = []

    def size(self) -> os.terminal_size:
        """Return the columns and lines that can be used: all but the last of each, where a terminal would scroll."""
        try:
            columns, lines = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            columns, lines = USUAL_SIZE
        columns, lines = columns or USUAL_SIZE.columns, lines or USUAL_SIZE.lines
        return os.terminal_size((max(columns - 1, 1), max(lines - 1, 1)))

    def clear(self) -> str:
        """Return what takes the live lines away and leaves the cursor where they began.

        A terminal that became narrower has broken the longer ones (xterm is an exception), so rows are counted anew.
        """
        columns = self.size().columns + 1
        up = sum(max(-(-taken // columns), 1) for taken in self._widths[:-1])
        self._widths = []
        return f"\r\x1b[{up}A\x1b[J" if up > 0 else "\r\x1b[J"

    def leave(self) -> None:
        """Let the live lines stay for good where they are now."""
        self._widths = []

    def draw(self, lines: Iterable[Line]) -> str:
        """Return what shows these lines below all others, each cut to the terminal's width; call `clear` before.

        The cursor stands at the start of the last one: behind it, the `^C` that a terminal shows might need a new row.
        """
        columns = self.size().columns
        fitting = [cut_line(self._encodable(line), columns) for line in lines]
        self._widths = [line_width(line) for line in fitting]
        return "\n".join(map(self._styled, fitting)) + "\r"

    def print(self, lines: Iterable[Line]) -> str:
        """Return what leaves these lines on the screen for good, uncut; call `clear` before."""
        return "".join(f"{self._styled(self._encodable(line))}\n" for line in lines)

    def _encodable(self, line: Line) -> list[Span]:
        """Return a line as the stream will write it: with escapes for what its encoding lacks."""
        encoding = self._stream.encoding or "ascii"
        return [span._replace(text=span.text.encode(encoding, "backslashreplace").decode(encoding)) for span in line]

    def _styled(self, line: Line) -> str:
        return "".join(map(self._styled_span, line))

    def _styled_span(self, span: Span) -> str:
        text = self._colours.styled(span.text, span.colour, is_bold=span.is_bold)
        if self._has_links and span.link and span.link.isascii() and span.text:
            return f"\x1b]8;;{span.link}\x1b\\{text}\x1b]8;;\x1b\\"
        return text


def knows_links(environment: Mapping[str, str]) -> bool:
    """Tell whether the terminal is known to show hyperlinks (OSC 8), by the variables that it sets.

    Others should ignore the sequence, but some old ones print it. There is no way to ask.
    """
    if force := environment.get("FORCE_HYPERLINK"):
        return force != "0"
    if environment.get("TERM", "").startswith(("screen", "linux")):  # a multiplexer may drop it, the console prints it
        return False
    vte = environment.get("VTE_VERSION", "")
    return (
        (vte.isdecimal() and int(vte) >= 5000)
        or environment.get("TERM_PROGRAM") in ("iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio")
        or environment.get("TERM") in ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "foot-extra", "contour")
        or any(environment.get(name) for name in ("WT_SESSION", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "DOMTERM"))
    )
