"""The last lines of a log, each as a terminal would show it."""

import re
from collections.abc import Callable

from gate.limits import MAX_LOG, MAX_TEXT
from gate.text import clean

CUT = "…"
"""Replaces the start of a line that is too long."""

MAX_LINE_BYTES = 65_536
"""Bytes at the end of one line that are looked at, besides those that may belong to a secret."""

MAX_SCANNED_LINES = 10_000
"""Lines that are looked at from the end, so that millions of blank ones take no time."""

# ECMA-48: erase in line (K) and in page (J), from the start to the cursor (1) or everything (2, 3). Erasing from the
# cursor to the end (0, the default) has an effect only after a carriage return.
_ERASES_SHOWN_TEXT = re.compile(r"\x1b\[[123][JK]|\r\x1b\[0?[JK]")


def last_lines(body: bytes, count: int, hide: Callable[[str], str], longest_secret: int) -> list[str]:
    """Return at most `count` of the last lines of a log, with secrets masked and without blank lines at the end.

    `longest_secret`: the length of the longest text that `hide` masks.
    """
    lines: list[str] = []
    size, end = 0, len(body)
    for _ in range(MAX_SCANNED_LINES):
        if end < 0 or len(lines) >= count:
            break
        start = body.rfind(b"\n", 0, end) + 1
        line = _shown_line(body, start, end, hide, longest_secret)
        end = start - 1
        if not lines and not clean(line).strip():
            continue
        size += len(line) + 1
        if size > MAX_LOG:
            break
        lines.append(line)
    lines.reverse()
    return hide("\n".join(lines)).split("\n")[-count:] if lines else []


def _shown_line(body: bytes, start: int, end: int, hide: Callable[[str], str], longest_secret: int) -> str:
    """Return the line from `start` to `end` of a log; of a long line, the end is kept and the cut is marked."""
    cut_at = end - MAX_LINE_BYTES - 4 * longest_secret  # a character takes up to four bytes
    is_cut = cut_at > start
    text = hide(_decode(body[max(start, cut_at) : end], is_cut=is_cut))
    if is_cut:
        text = text[longest_secret:]  # which may start with the end of a secret, and that cannot be recognised
    shown = hide(_as_on_terminal(text))
    return shown if len(shown) <= MAX_TEXT else CUT + shown[1 - MAX_TEXT :]


def _decode(line: bytes, *, is_cut: bool) -> str:
    """Decode a line as UTF-8, else as GB18030 (with GBK): tools on Chinese machines write either."""
    starts = range(4) if is_cut else range(1)  # a cut may fall within a character
    for encoding in ("utf-8", "gb18030"):
        for start in starts:
            try:
                return line[start:].decode(encoding)
            except UnicodeDecodeError:
                continue
    return line.decode("utf-8", errors="replace")


def _as_on_terminal(line: str) -> str:
    """Return what a terminal shows of a line with carriage returns, erase sequences and backspaces."""
    line = line.rstrip("\r\b")
    erased = [erase.end() for erase in _ERASES_SHOWN_TEXT.finditer(line)]
    *overwritten, shown = line[erased[-1] if erased else 0 :].split("\r")
    if overwritten and not shown.strip() and len(shown) < len(overwritten[-1]):
        shown = overwritten[-1]  # blanks that do not cover the text before them
    return _without_backspaces(shown) if "\b" in shown else shown


def _without_backspaces(text: str) -> str:
    """Return `text` without the characters that backspaces have moved the cursor over."""
    shown: list[str] = []
    for character in text.rstrip("\b"):
        if character != "\b":
            shown.append(character)
        elif shown:
            shown.pop()
    return "".join(shown)
