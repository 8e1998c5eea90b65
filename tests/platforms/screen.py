"""A terminal whose screen can be read: a pseudo-terminal that has the size, and an emulator that has the characters."""

import codecs
import contextlib
import io
import os
import select
import struct
import sys
from collections.abc import Callable

import pyte
import pytest

if sys.platform == "win32":
    pytest.skip("Windows has no pty", allow_module_level=True)

import fcntl
import pty
import termios


class Screen(io.TextIOBase):
    """Shows what is written to it, as the stderr of a program would be shown."""

    encoding = "utf-8"

    def __init__(self, columns: int, lines: int) -> None:
        """Open a terminal of this size."""
        self.ours, self.theirs = pty.openpty()
        self._emulator = pyte.HistoryScreen(columns or 80, lines or 24, history=10_000, ratio=0.5)
        self._emulator.set_mode(pyte.modes.LNM)  # a terminal driver makes \r\n of \n
        self._feed = pyte.Stream(self._emulator)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.writes: list[str] = []
        self.on_write: Callable[[], None] | None = None
        set_size(self.ours, columns, lines)

    def write(self, text: str, /) -> int:
        """Show text."""
        self.writes.append(text)
        self._feed.feed(text)
        if self.on_write is not None:
            self.on_write()
        return len(text)

    def isatty(self) -> bool:
        """Tell that it is a terminal."""
        return True

    def fileno(self) -> int:
        """Return the descriptor that tells the size."""
        return self.theirs

    def resize(self, columns: int, lines: int) -> None:
        """Change the size as most terminals do: rows that are too long are broken into several."""
        texts = [broken(line, columns) for line in self.shown()]
        rows = [row for text in texts for row in text]
        is_below = not self._emulator.display[self._emulator.cursor.y].strip()
        self._emulator.resize(lines, columns)
        self._emulator.reset()
        self._emulator.set_mode(pyte.modes.LNM)
        self._feed.feed("\n".join(rows))
        if is_below:
            self._feed.feed("\n")
        elif len(texts[-1]) > 1:  # the cursor stays at the start of its line
            self._feed.feed(f"\r\x1b[{len(texts[-1]) - 1}A")
        else:
            self._feed.feed("\r")
        set_size(self.ours, columns, lines)

    def lines(self) -> list[str]:
        """Return the lines on the screen that are not blank."""
        return [line.rstrip() for line in self._emulator.display if line.strip()]

    def cells(self, y: int) -> list[tuple[str, str]]:
        """Return each character in a line of the screen, with pyte's name of its colour."""
        row = self._emulator.buffer[y]
        return [(row[x].data, row[x].fg) for x in range(self._emulator.columns)]

    def shown(self) -> list[str]:
        """Return all that was ever scrolled up, and the lines on the screen."""
        above = ["".join(row[x].data for x in range(self._emulator.columns)) for row in self._emulator.history.top]
        return [line.rstrip() for line in above if line.strip()] + self.lines()

    def watch(self) -> None:
        """Show what the programs write that were started on this terminal, until the last of them has ended."""
        os.close(self.theirs)
        with contextlib.suppress(OSError):  # how Linux says that nobody has the other end open
            while chunk := os.read(self.ours, 65536):
                self.write(self._decoder.decode(chunk))
        os.close(self.ours)
        super().close()

    def show_rest(self) -> None:
        """Show what was written until now, by programs that write nothing at present."""
        while select.select([self.ours], [], [], 0.2)[0]:
            self.write(self._decoder.decode(os.read(self.ours, 65536)))

    def close(self) -> None:
        """Close the terminal."""
        if not self.closed:
            os.close(self.ours)
            os.close(self.theirs)
        super().close()


def broken(line: str, columns: int) -> list[str]:
    """Return a line as rows of so many columns; there are only narrow characters in it."""
    return [line[start : start + columns] for start in range(0, max(len(line), 1), columns)]


def set_size(descriptor: int, columns: int, lines: int) -> None:
    """Set the size of a terminal."""
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
