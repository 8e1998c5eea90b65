"""What a CI system may do differently: where outputs go, and how lines and annotations look."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from gate.model import Outcome
from gate.platforms.colours import Colours
from gate.text import clean

MARK = "  | "
"""Stands before every line of a build's log, so that nobody takes it for one of the gate's own."""


class Section:
    """A part of the log that holds lines of builds' logs."""

    def __init__(self, title: str = "") -> None:
        """`title`: the line above it, if there is one."""
        self._title = title

    def opening(self) -> Sequence[str]:
        """Return the lines with which the section begins."""
        return [self._title] if self._title else []

    def piece(self, quoted: Sequence[str]) -> Sequence[str]:
        """Return lines that `Platform.quoted` made, as they stand in the section."""
        return quoted

    def closing(self) -> Sequence[str]:
        """Return the lines with which the section ends; it may be opened again."""
        return []


def is_value_of(environment: Mapping[str, str], name: str, commit: str) -> bool:
    """Tell whether a variable has the full hash of a commit, which may be shortened."""
    return bool(commit) and environment.get(name, "").strip().lower().startswith(commit.lower())


class Platform:
    """A log of plain lines: a terminal, or a CI system that the gate does not know."""

    name: ClassVar[str] = "none"
    keeps_lines: ClassVar[bool] = False
    """Whether the log keeps all that is written to it, also where it looks like a terminal."""
    shows_colours: ClassVar[bool] = False
    """Whether the log shows colours, also where it is no terminal."""
    summary_path: Path | None = None
    """The file to which the platform wants a Markdown summary appended."""
    outputs_path: Path | None = None
    """The file to which the platform wants the values for later steps appended."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Read from the variables what the platform offers."""
        self._environment = environment

    def job_end(self) -> datetime | None:
        """Return when the platform ends this job, as far as it says so; raises `ValueError` if that cannot be read."""
        return None

    def commit_advice(self, commit: str) -> str:
        """Say that `commit` is the merge commit of a pull request, and which variable has the branch's commit.

        No push has built a merge commit, as it exists for this pipeline only. Empty where the commit is none.
        """
        return ""

    def can_rewrite(self, *, on_terminal: bool) -> bool:
        """Tell whether a line may be written over: on a terminal that is not one of a CI system."""
        in_ci = self.keeps_lines or self._environment.get("CI", "").strip().lower() not in ("", "0", "false")
        return on_terminal and not in_ci and self._environment.get("TERM") != "dumb"

    def colours(self, *, on_terminal: bool) -> Colours:
        """Return the colours for the log, as far as the user wants them."""
        default = self.shows_colours or self.can_rewrite(on_terminal=on_terminal)
        return Colours.wanted(self._environment, default=default)

    def without_commands(self, text: str) -> str:
        """Return a line that holds no command to the platform.

        Azure Pipelines (`##vso[`), TeamCity (`##teamcity[`) and others take commands anywhere in a line.
        """
        return re.sub(r"##(?=\w*\[)", "## ", text)

    def quoted(self, lines: Iterable[str]) -> list[str]:
        """Return lines of a build's log as they may be shown: cleaned, marked, without commands.

        A line that holds line ends becomes several.
        """
        return [self.without_commands(MARK + part) for line in lines for part in clean(line).split("\n")]

    def folded(self, title: str) -> Section:
        """Return a section for the end of a log, folded where the platform can do that."""
        return Section(f"  {title}:")

    def followed(self) -> Section:
        """Return a section for logs that are shown while they grow; our own lines may stand between its pieces."""
        return Section()

    def log_section(self, title: str, quoted: Sequence[str]) -> Iterable[str]:
        """Return lines that `quoted` made under a title of ours."""
        section = self.folded(title)
        return [*section.opening(), *section.piece(quoted), *section.closing()]

    def annotations(self, outcome: Outcome) -> Iterable[str]:
        """Return the lines that put the verdict of each target on the pipeline's page."""
        return ()

    def error_annotation(self, text: str) -> Iterable[str]:
        """Return the lines that put an error on the pipeline's page, with which the gate ends before it waits."""
        return ()

    def format_outputs(self, values: Mapping[str, str]) -> str:
        """Return values for later steps as `outputs_path` takes them: one line each."""
        return "".join(f"{name}={' '.join(value.splitlines())}\n" for name, value in values.items())


PLAIN = Platform({})
"""The platform that adds nothing and takes no command of its own."""
