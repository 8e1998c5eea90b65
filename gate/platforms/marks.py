"""The characters that stand for states and draw bars, where the terminal has them, and others where it has not."""

import sys
from collections.abc import Mapping
from typing import TextIO, assert_never

from gate.model import Phase, Verdict
from gate.value_types import NamedTuple


class Marks(NamedTuple):
    """One character each, one column wide."""

    passed: str
    failed: str
    running: str
    queued: str
    ended: str
    unknown: str
    stage: str
    """Stands before the name of the stage that runs."""
    idle: str
    """A stage that has not begun."""
    full: str
    empty: str
    """The two parts of the bar of one build."""
    done: str
    open: str
    """The two parts of the bar of all targets."""
    separator: str
    ellipsis: str

    def of_verdict(self, verdict: Verdict) -> str:
        """Return the mark of a verdict."""
        match verdict:
            case Verdict.PASSED:
                return self.passed
            case Verdict.FAILED | Verdict.ABORTED:
                return self.failed
            case Verdict.TIMED_OUT | Verdict.INTERRUPTED:
                return "!"
            case Verdict.UNDETERMINED:
                return "?"
            case Verdict.SKIPPED:
                return "-"
            case Verdict.STARTED:
                return self.running
            case _:
                assert_never(verdict)

    def of_phase(self, phase: Phase) -> str:
        """Return the mark of a target without a verdict."""
        match phase:
            case Phase.NOT_ASKED | Phase.SELECTING:
                return self.unknown
            case Phase.QUEUED:
                return self.queued
            case Phase.RUNNING:
                return self.running
            case Phase.ENDED | Phase.DECIDED:
                return self.ended
            case _:
                assert_never(phase)


UNICODE = Marks("✓", "✗", "●", "○", "◇", "·", "▶", "○", "█", "░", "━", "─", "·", "…")
ASCII = Marks("+", "x", "*", "o", "#", ".", ">", ".", "#", ".", "=", "-", "-", "~")


def marks_for(stream: TextIO, environment: Mapping[str, str]) -> Marks:
    """Return the marks that the terminal behind `stream` can show.

    Only with UTF-8 is it known that it has them, and that each takes one column: East Asian code pages have some of
    them, two columns wide.
    """
    encoding = _console_encoding(environment) or stream.encoding or "ascii"
    return UNICODE if encoding.lower().replace("-", "").replace("_", "") == "utf8" else ASCII


def _console_encoding(environment: Mapping[str, str]) -> str | None:
    """Return the code page of an older Windows console, whose font has little more than that; else `None`.

    The stream itself takes UTF-8 there. Windows Terminal, which sets `WT_SESSION`, finds a font for every character.
    """
    if sys.platform != "win32" or environment.get("WT_SESSION"):
        return None
    import ctypes

    page = ctypes.windll.kernel32.GetConsoleOutputCP()
    return {0: None, 65001: "utf-8"}.get(page, f"cp{page}")
