"""Turn the pieces of a growing log into complete lines in which every secret is masked."""

from collections.abc import Callable, Hashable
from typing import NamedTuple

from gate.limits import MAX_HELD_LINE
from gate.model import LogPiece

CUT = "…"
"""Replaces the start of an unfinished line that is too long."""


class _Held(NamedTuple):
    """What is kept of one log until its next piece arrives."""

    offset: int
    text: str = ""
    is_escaped: bool | None = None
    """Whether line ends come as a backslash and an `n`; `None` before the first line end."""


class UnfinishedLines:
    """Holds back the last, unfinished line of each piece until the next piece completes it.

    A secret that is split between two pieces could not be recognised in either of them.
    """

    def __init__(self, hide: Callable[[str], str], longest_secret: Callable[[], int]) -> None:
        """`hide` masks secrets. `longest_secret` returns the length of the longest text that it masks."""
        self._hide = hide
        self._longest_secret = longest_secret
        self._held: dict[Hashable, _Held] = {}

    def complete(self, log: Hashable, offset: int, piece: LogPiece) -> LogPiece:
        """Return `piece`, which was requested from `offset`, with complete lines only.

        A piece that does not continue the previous one starts anew, and what was held back of the log is dropped.
        """
        held = self._held.get(log)
        if held is None or held.offset != offset:
            held = _Held(offset)
        text = self._hide(_join_surrogates(held.text + piece.text))
        is_escaped = held.is_escaped
        if is_escaped is None and ("\n" in text or r"\n" in text):
            is_escaped = "\n" not in text  # the vendor's own example escapes them twice
        if is_escaped:
            text = self._hide(text.replace(r"\r\n", "\n").replace(r"\n", "\n"))
        lines, line_end, rest = text.rpartition("\n")
        limit = max(MAX_HELD_LINE, self._longest_secret())
        if len(rest) > limit:
            rest = CUT + rest[-limit:]
        self._held[log] = _Held(piece.next_offset, rest, is_escaped)
        return piece._replace(text=lines + line_end)


def _join_surrogates(text: str) -> str:
    """Return `text` with the halves of a character joined that arrived in two pieces."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
