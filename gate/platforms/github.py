"""GitHub Actions: workflow commands, the step's outputs and summary.

The runner reads commands on stdout and stderr alike; ours go to stderr. It takes `::name ...::` where a line starts
with it, after white space, and the older `##[name]` anywhere in a line (actions/runner, ActionCommand.cs).
"""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal, assert_never

from gate.model import Outcome, TargetOutcome, Verdict
from gate.platforms.platform import PLAIN, Platform, Section, is_value_of
from gate.text import one_line

MAX_ANNOTATIONS = 10
"""Annotations of one kind that GitHub shows of a step; it drops the others without a word."""

Kind = Literal["error", "notice"]


class GitHub(Platform):
    """A step of a GitHub Actions workflow, or of Gitea's, Forgejo's or act's imitation of them."""

    name = "github"
    keeps_lines = True

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Take the files that the runner names; one that is not named is not written."""
        super().__init__(environment)
        self.outputs_path = _path(environment.get("GITHUB_OUTPUT"))
        self.summary_path = _path(environment.get("GITHUB_STEP_SUMMARY"))

    def commit_advice(self, commit: str) -> str:
        """Compare with `GITHUB_SHA`, which is a merge commit where `GITHUB_REF` is `refs/pull/NUMBER/merge`."""
        pull = re.fullmatch(r"refs/pull/(\d+)/merge", self._environment.get("GITHUB_REF", ""))
        if pull is None or not is_value_of(self._environment, "GITHUB_SHA", commit):
            return ""
        return (
            f"this is the merge commit of pull request {pull[1]} (GITHUB_SHA), which nobody pushed; "
            "the commit of its branch is ${{ github.event.pull_request.head.sha }}"
        )

    def without_commands(self, text: str) -> str:
        """Break both forms of a command."""
        return re.sub(r"^(\s*:)(?=:)", r"\1 ", super().without_commands(text))

    def folded(self, title: str) -> Section:
        """Return a group."""
        return _GitHubSection(f"::group::{escape(title)}")

    def followed(self) -> Section:
        """Return a section without a group: the page of the run folds groups, also while they grow."""
        return _GitHubSection()

    def annotations(self, outcome: Outcome) -> Iterable[str]:
        """Return one annotation for each target, errors first; the last one of a kind counts those left out."""
        kinds = [(target, _kind(target.verdict)) for target in outcome.targets]
        yield from _at_most("error", [target for target, kind in kinds if kind == "error"])
        yield from _at_most("notice", [target for target, kind in kinds if kind == "notice"])

    def error_annotation(self, text: str) -> Iterable[str]:
        """Return one error."""
        yield _command("error", "codearts-gate", text)


class _GitHubSection(Section):
    """Lines in which the runner takes no command at all, in a group if there is a title.

    Commands are stopped for each piece alone, so that our own lines between the pieces keep their effect, and nothing
    is left stopped if the gate is killed.
    """

    def piece(self, quoted: Sequence[str]) -> Sequence[str]:
        token = uuid.uuid4().hex  # which nobody can guess
        return [f"::stop-commands::{token}", *quoted, f"::{token}::"]

    def closing(self) -> Sequence[str]:
        return ["::endgroup::"] if self._title else []


def escape(text: str, also: str = "") -> str:
    """Return `text` as the data of a command; with `also` = `:,`, as the value of a property."""
    return re.sub(f"[%\r\n{also}]", lambda match: f"%{ord(match[0]):02X}", text)


def _path(name: str | None) -> Path | None:
    return Path(name) if name else None


def _kind(verdict: Verdict) -> Kind:
    match verdict:
        case Verdict.PASSED | Verdict.SKIPPED | Verdict.STARTED:
            return "notice"
        case Verdict.FAILED | Verdict.ABORTED | Verdict.TIMED_OUT | Verdict.UNDETERMINED | Verdict.INTERRUPTED:
            return "error"
        case _:
            assert_never(verdict)


def _at_most(kind: Kind, targets: list[TargetOutcome]) -> Iterable[str]:
    shown = MAX_ANNOTATIONS if len(targets) <= MAX_ANNOTATIONS else MAX_ANNOTATIONS - 1
    for target in islice(targets, shown):
        title = f"codearts-gate: {target.label} {target.verdict}"
        yield _command(kind, title, target.reason, target.hint, target.build_url or "")
    if rest := targets[shown:]:
        names = ", ".join(f"{target.label} {target.verdict}" for target in rest)
        yield _command(kind, f"codearts-gate: {len(rest)} more", names)


def _command(kind: Kind, title: str, *texts: str) -> str:
    text = "\n".join(filter(None, (one_line(text, limit=1000) for text in texts)))
    return PLAIN.without_commands(f"::{kind} title={escape(one_line(title), ':,')}::{escape(text)}")
