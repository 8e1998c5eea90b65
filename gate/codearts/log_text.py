"""The text of a log: its last lines as a terminal would show them, and the whole of it as it comes."""

import codecs
import re
from collections.abc import Callable

from gate.codearts.masking import MASK, Masker
from gate.limits import MAX_LOG, MAX_TEXT
from gate.text import clean, without_stamp

CUT = "…"
"""Replaces the start of a line that is too long."""

MAX_LINE = 65_536
"""Characters at the end of one line that are looked at, besides those that may belong to a secret."""

MAX_SCANNED_LINES = 10_000
"""Lines that are looked at from the end, so that millions of blank ones take no time."""

KEPT_BYTES = 2 * 1024 * 1024
"""Bytes that are kept of the end of a log while it is read: several times `MAX_LOG` characters."""

MAX_UNFINISHED_BYTES = 1024 * 1024
"""Bytes of an unfinished line that are kept until its end arrives; a longer one is taken in parts."""

PART_OF_A_SECRET = 8
"""Characters at the end of a log that are masked because a secret starts with them."""

# ECMA-48: erase in line (K) and in page (J), from the start to the cursor (1) or everything (2, 3). Erasing from the
# cursor to the end (0, the default) has an effect only after a carriage return.
_ERASES_SHOWN_TEXT = r"\x1b\[[123][JK]|\r\x1b\[0?[JK]"


class LogEnd:
    """Keeps the end of a log of any length."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.line_count = 0
        """Line ends that have come."""
        self._body = bytearray()
        self._is_cut = False

    def __call__(self, data: bytes) -> None:
        """Add the next bytes."""
        self.line_count += data.count(b"\n")
        self._body += data
        if len(self._body) > 2 * KEPT_BYTES:
            del self._body[:-KEPT_BYTES]
            self._is_cut = True

    def last_lines(self, count: int, masker: Masker, *, is_complete: bool) -> list[str]:
        """Return at most `count` of the last lines, as `last_lines` does.

        Of a log that is not complete, the last line is left out: it may end within a secret.
        """
        body = bytes(self._body) if is_complete else bytes(self._body.rpartition(b"\n")[0])
        return last_lines(body, count, masker, is_cut=self._is_cut)


class WholeLog:
    """Hands on all of a log as it comes: as text in which every secret is masked, in parts of any length."""

    def __init__(self, masker: Masker, write: Callable[[str], None]) -> None:
        """`write` takes the parts."""
        self._masker = masker
        self._write = write
        self._bytes = b""
        """The start of a line whose end has not come."""
        self._text = ""
        """The end of what has come, if a secret may start there."""

    def __call__(self, data: bytes) -> None:
        """Add the next bytes."""
        data = self._bytes + data
        end = data.rfind(b"\n") + 1
        if not end and len(data) > MAX_UNFINISHED_BYTES:
            end = _end_of_characters(data)
        self._bytes = data[end:]
        self._hand_on(_decode_lines(data[:end]))

    def end(self) -> None:
        """Hand on the rest; a part of a secret at the end of the log is masked."""
        self._hand_on(_decode_lines(self._bytes))
        self._bytes = b""
        if self._text:
            self._write(without_part_of_a_secret(self._text, self._masker))
        self._text = ""

    def _hand_on(self, text: str) -> None:
        text = self._masker.hide(self._text + text)
        safe = self._masker.unfinished(text)
        self._text = text[safe:]
        if safe:
            self._write(text[:safe])


def last_lines(body: bytes, count: int, masker: Masker, *, is_cut: bool = False) -> list[str]:
    """Return at most `count` of the last lines of a log, with secrets masked and without blank lines at the end.

    `is_cut`: whether `body` may start within a line.
    """
    lines: list[str] = []
    size, end = 0, len(body)
    before = 0  # characters of lines that are read only because a secret may go on in the next ones
    for _ in range(MAX_SCANNED_LINES):
        if end < 0 or count <= 0 or before > masker.longest():
            break
        start = body.rfind(b"\n", 0, end) + 1
        line = _shown_line(body[start:end], masker, is_cut=is_cut and start == 0)
        end = start - 1
        if not lines and not clean(line).strip():
            continue
        size += len(line) + 1
        if size > MAX_LOG:
            break
        lines.append(line)
        if len(lines) > count:
            before += len(clean(without_stamp(line)))
    lines.reverse()
    return masker.hide("\n".join(lines)).split("\n")[-count:] if lines else []


def _shown_line(line: bytes, masker: Masker, *, is_cut: bool) -> str:
    """Return what is shown of a line; `is_cut`: whether its start is missing."""
    text = _decode(line, is_cut=is_cut)
    longest = masker.longest()
    is_cut = is_cut or len(text) > MAX_LINE + longest
    text = masker.hide(text[-MAX_LINE - longest :])
    if is_cut:
        text = text[longest:]  # which may start with the end of a secret, and that cannot be recognised
    return shown(text, masker, is_cut=is_cut)


def shown(line: str, masker: Masker, *, is_cut: bool = False) -> str:
    """Return a line as a terminal would show it; of a long line, the end is kept and the cut is marked."""
    line = masker.hide(_as_on_terminal(line))
    return line if len(line) <= MAX_TEXT and not is_cut else CUT + line[1 - MAX_TEXT :]


def without_part_of_a_secret(text: str, masker: Masker) -> str:
    """Return the end of a log with a part of a secret masked with which it ends: the rest of it never came."""
    start = masker.unfinished(text, PART_OF_A_SECRET)
    return text if start == len(text) else text[:start] + MASK


def _decode(line: bytes, *, is_cut: bool = False) -> str:
    """Decode a line as UTF-8, else as GB18030 (with GBK): tools on Chinese machines write either.

    A line has to be decoded from its start: with GBK, the bytes from the middle of a character on are often other
    characters. `is_cut`: whether it may start within one. It may always end within one.
    """
    for encoding in ("utf-8", "gb18030"):
        unfinished = ""
        for start in range(4 if is_cut else 1):
            decoder = codecs.getincrementaldecoder(encoding)()
            try:
                text = decoder.decode(line[start:])
            except UnicodeDecodeError:
                continue
            if not decoder.getstate()[0]:
                return text
            unfinished = unfinished or f"{text}\ufffd"
        if unfinished and (encoding != "utf-8" or not unfinished[:-1].isascii()):  # ASCII speaks for neither
            return unfinished
    return line.decode("utf-8", errors="replace")


def _decode_lines(data: bytes) -> str:
    """Decode lines, each by itself if they are not all UTF-8: one log may hold both."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "".join(map(_decode, data.splitlines(keepends=True)))


def _end_of_characters(data: bytes) -> int:
    """Return an index near the end of `data` at which no character is cut, as far as one can tell.

    No character of UTF-8 or GB18030 continues with a byte below 0x30, such as a blank. Where there is none, UTF-8 still
    tells where a character starts.
    """
    for index in range(len(data) - 1, max(len(data) - MAX_LINE, 0), -1):
        if data[index] < 0x30:
            return index + 1
    end = len(data)
    while end > len(data) - 4 and 0x80 <= data[end - 1] < 0xC0:
        end -= 1
    return end - 1 if data[end - 1] >= 0xC0 else end


def _as_on_terminal(line: str) -> str:
    """Return what a terminal shows of a line with carriage returns, erase sequences and backspaces."""
    if line.isprintable():
        return line  # true of nearly all lines, and quickly found out
    line = line.rstrip("\r\b")
    erased = [erase.end() for erase in re.finditer(_ERASES_SHOWN_TEXT, line)]
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
