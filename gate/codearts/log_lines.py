"""Turn the pieces of a growing log into complete lines in which every secret is masked."""

from collections.abc import Sequence

from gate.codearts import log_text
from gate.codearts.log_text import CUT
from gate.codearts.masking import Masker
from gate.limits import MAX_HELD_LINE


class LogLines:
    """The lines of one growing log, from consecutive pieces.

    A secret that is split between two pieces could not be recognised in either of them. So the last line of a piece is
    kept until its end has come, and also a line with which a secret may start that goes on in the next one.
    """

    def __init__(self, masker: Masker) -> None:
        """No piece has come yet."""
        self._masker = masker
        self._text = ""
        self._is_escaped: bool | None = None
        """Whether line ends come as a backslash and an `n`; `None` before the first line end."""

    def add(self, piece: str) -> Sequence[str]:
        """Return the lines that are complete with the next piece, each as a terminal would show it."""
        text = self._masker.hide(_join_surrogates(self._text + piece))
        if self._is_escaped is None and ("\n" in text or r"\n" in text):
            self._is_escaped = "\n" not in text  # the vendor's own example escapes them twice
        if self._is_escaped:
            text = self._masker.hide(text.replace(r"\r\n", "\n").replace(r"\n", "\n"))
        whole = text.rfind("\n") + 1  # the time before a line may not have come whole
        end = text.rfind("\n", 0, self._masker.unfinished(text[:whole])) + 1
        self._text = text[end:]
        limit = max(MAX_HELD_LINE, self._masker.longest())
        if len(self._text) > limit:
            self._text = CUT + self._text[-limit:]
        return self._shown(text[: end - 1]) if end else ()

    def end(self) -> Sequence[str]:
        """Return what was kept as the last lines of the log; the next piece starts anew."""
        text, self._text = log_text.without_part_of_a_secret(self._text, self._masker), ""
        return self._shown(text.removesuffix("\n")) if text else ()

    def _shown(self, text: str) -> Sequence[str]:
        return [log_text.shown(line, self._masker) for line in text.split("\n")]


def _join_surrogates(text: str) -> str:
    """Return `text` with the halves of a character joined that arrived in two pieces."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
