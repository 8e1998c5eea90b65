"""GitHub Actions: workflow commands, the step's outputs and summary.

The runner reads commands on stdout and stderr alike; ours go to stderr. It takes `::name ...::` where a line starts
with it, after white space, and the older `##[name]` anywhere in a line (actions/runner, ActionCommand.cs).
"""

import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

from gate import files
from gate.errors import ReportFailed
from gate.model import Outcome, TargetOutcome, Verdict
from gate.platforms.platform import ANYWHERE, Platform
from gate.text import one_line

MOST = 10
"""Annotations of one kind that GitHub shows of a step; it drops the others without a word."""

_GREEN = (Verdict.PASSED, Verdict.SKIPPED, Verdict.STARTED)


class GitHub(Platform):
    """A step of a GitHub Actions workflow, or of Gitea's, Forgejo's or act's imitation of them."""

    name = "github"
    live = False

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Take the files in which the runner looks for outputs and summary; without them, neither is written."""
        self._outputs = environment.get("GITHUB_OUTPUT")
        self._summary = environment.get("GITHUB_STEP_SUMMARY")

    @classmethod
    def is_here(cls, environment: Mapping[str, str]) -> bool:
        """Tell whether a runner has started this process."""
        return environment.get("GITHUB_ACTIONS") == "true"

    def safe(self, text: str) -> str:
        """Take the function from both forms of a command."""
        return re.sub(r"^(\s*:)(?=:)", r"\1 ", super().safe(text))

    def fold(self, title: str, lines: Sequence[str]) -> Iterable[str]:
        """Return a group in which the runner takes no command at all."""
        token = uuid.uuid4().hex
        yield f"::group::{escape(title)}"
        yield f"::stop-commands::{token}"
        yield from self.quote(lines)
        yield f"::{token}::"
        yield "::endgroup::"

    def annotations(self, outcome: Outcome) -> Iterable[str]:
        """Return one annotation per target, those that did not pass first; the last one counts those left out."""
        bad = [target for target in outcome.targets if target.verdict not in _GREEN]
        yield from _at_most("error", bad)
        yield from _at_most("notice", [target for target in outcome.targets if target.verdict in _GREEN])

    def complaint(self, text: str) -> Iterable[str]:
        """Return one error."""
        yield _command("error", "codearts-gate", text)

    def add_summary(self, render: Callable[[], str]) -> None:
        """Append to the step's summary."""
        if self._summary:
            _append(Path(self._summary), render())

    def set_outputs(self, render: Callable[[], Mapping[str, str]]) -> None:
        """Append to the step's outputs; every value is one line."""
        if self._outputs:
            lines = [f"{name}={' '.join(value.splitlines())}\n" for name, value in render().items()]
            _append(Path(self._outputs), "".join(lines))


def escape(text: str, also: str = "") -> str:
    """Return `text` as the data of a command; with `also` = `:,`, as the value of a property."""
    return re.sub(f"[%\r\n{also}]", lambda match: f"%{ord(match[0]):02X}", text)


def _at_most(kind: str, targets: list[TargetOutcome]) -> Iterable[str]:
    shown = MOST if len(targets) <= MOST else MOST - 1
    for target in islice(targets, shown):
        yield _command(kind, f"codearts-gate: {target.label} {target.verdict}", target.reason, target.hint)
    if rest := targets[shown:]:
        yield _command(
            kind, f"codearts-gate: {len(rest)} more", ", ".join(f"{one.label} {one.verdict}" for one in rest)
        )


def _command(kind: str, title: str, *texts: str) -> str:
    text = "\n".join(filter(None, (one_line(text, limit=1000) for text in texts)))
    return ANYWHERE.safe(f"::{kind} title={escape(one_line(title), ':,')}::{escape(text)}")


def _append(path: Path, text: str) -> None:
    try:
        files.append(path, text.encode())
    except OSError as error:
        raise ReportFailed(f"GitHub's file {path} could not be written: {error.strerror or error}.") from error
