"""A room: how to speak to the place that the gate runs in."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar

from gate.model import Outcome, Verdict
from gate.text import tail

LOG_LIMIT = 100_000
"""Bytes of a build's log that are shown."""


class Platform:
    """A place whose log takes plain lines: a terminal, or a CI system that the gate does not know."""

    name: ClassVar[str] = "none"
    live: ClassVar[bool] = True
    """Whether a line may be written over; a CI system keeps what is written, also where it provides a terminal."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """`environment`: the variables that tell what the place offers."""

    @classmethod
    def is_here(cls, environment: Mapping[str, str]) -> bool:
        """Tell whether `environment` is that of this place."""
        return True

    def safe(self, text: str) -> str:
        """Return a line in which nothing is a command to the place.

        Azure Pipelines (`##vso[`), TeamCity (`##teamcity[`) and others take commands anywhere in a line.
        """
        return re.sub(r"##(?=\w*\[)", "## ", text)

    def paint(self, text: str, verdict: Verdict) -> str:
        """Return `text` in the colour of `verdict`, where the log shows colours."""
        return text

    def fold(self, title: str, lines: Sequence[str]) -> Iterable[str]:
        """Return remote `lines` under a `title` of ours, folded where the log can do that."""
        yield f"  {title}:"
        yield from self.quote(lines)

    def quote(self, lines: Sequence[str]) -> Iterable[str]:
        """Return remote `lines` with a mark before each, so that nobody takes them for the gate's own."""
        for line in tail(lines, LOG_LIMIT).split("\n"):
            yield self.safe(f"  | {line}")

    def annotations(self, outcome: Outcome) -> Iterable[str]:
        """Return the lines that put each target's verdict on the pipeline's page."""
        return ()

    def complaint(self, text: str) -> Iterable[str]:
        """Return the lines that put an error on the pipeline's page, by which the gate ends before it waits."""
        return ()

    def add_summary(self, render: Callable[[], str]) -> None:
        """Put the Markdown that `render` gives on the pipeline's page; raises `ReportFailed`."""

    def set_outputs(self, render: Callable[[], Mapping[str, str]]) -> None:
        """Hand the values that `render` gives to the pipeline's next steps; raises `ReportFailed`."""


ANYWHERE = Platform({})
"""The room without a dialect."""
