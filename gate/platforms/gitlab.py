"""GitLab CI: collapsible sections and colours in the log.

Outputs and report reach GitLab as files: `artifacts:reports:dotenv` and `artifacts:reports:junit`.
"""

import re
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from gate.platforms.platform import Platform, Section, is_value_of
from gate.text import one_line

_ERASE = "\r\x1b[0K"
"""GitLab takes a section's marker for one only with this behind it."""


class GitLab(Platform):
    """A job of a GitLab pipeline."""

    name = "gitlab"
    keeps_lines = True
    shows_colours = True

    def job_end(self) -> datetime | None:
        """Return when GitLab ends this job (`CI_JOB_STARTED_AT`, and `CI_JOB_TIMEOUT` in seconds).

        `None` where it does not say. Raises `ValueError`, which names the variable, if the value cannot be read.
        """
        started, seconds = (self._environment.get(name, "").strip() for name in ("CI_JOB_STARTED_AT", "CI_JOB_TIMEOUT"))
        if not started or not seconds:
            return None
        if not re.fullmatch(r"[1-9][0-9]{0,9}", seconds):
            raise ValueError(f"CI_JOB_TIMEOUT is no number of seconds: {one_line(seconds, limit=40)}")
        with suppress(ValueError, OverflowError):
            at = datetime.fromisoformat(re.sub(r"\s*(?:Z|UTC)$", "+00:00", started))
            if at.tzinfo is not None:
                return at + timedelta(seconds=int(seconds))
        raise ValueError(f"CI_JOB_STARTED_AT is no time with a zone: {one_line(started, limit=40)}")

    def commit_advice(self, commit: str) -> str:
        """Compare with `CI_COMMIT_SHA`, a merge commit in pipelines for merged results and in merge trains."""
        kind = self._environment.get("CI_MERGE_REQUEST_EVENT_TYPE", "")
        if kind not in ("merged_result", "merge_train") or not is_value_of(self._environment, "CI_COMMIT_SHA", commit):
            return ""
        return (
            "this is the merge commit of a merge request (CI_COMMIT_SHA), which nobody pushed; "
            "the commit of its branch is $CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"
        )

    def without_commands(self, text: str) -> str:
        """Break the markers of sections, which count anywhere in a line, whatever the log appends to them."""
        text = super().without_commands(text)
        return text.replace("section_start:", "section_start :").replace("section_end:", "section_end :")

    def folded(self, title: str) -> Section:
        """Return a collapsed section."""
        return _GitLabSection(title, "[collapsed=true]")

    def followed(self) -> Section:
        """Return a section that is open at first, as somebody follows it."""
        return _GitLabSection("the builds' logs while they grow", "")


class _GitLabSection(Section):
    """A section of GitLab's log. Its name, which nobody can guess, is a new one each time that it is opened."""

    def __init__(self, title: str, options: str) -> None:
        """`options`: in square brackets, as they stand behind the name."""
        super().__init__(title)
        self._options = options
        self._name = ""

    def opening(self) -> Sequence[str]:
        self._name = f"codearts_gate_{uuid.uuid4().hex}"
        return [f"section_start:{time.time():.0f}:{self._name}{self._options}{_ERASE}  {self._title}"]

    def closing(self) -> Sequence[str]:
        return [f"section_end:{time.time():.0f}:{self._name}{_ERASE}"]
