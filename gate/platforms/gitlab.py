"""GitLab CI: collapsible sections and colours in the log.

Outputs and report reach GitLab as files: `artifacts:reports:dotenv` and `artifacts:reports:junit`.
"""

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from gate.model import Verdict
from gate.platforms.platform import Platform

_ERASE = "\r\x1b[0K"
"""GitLab takes a section's marker for one only with this behind it."""


class GitLab(Platform):
    """A job of a GitLab pipeline."""

    name = "gitlab"
    live = False

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Take the wish for no colours (https://no-color.org)."""
        self._plain = bool(environment.get("NO_COLOR"))

    @classmethod
    def is_here(cls, environment: Mapping[str, str]) -> bool:
        """Tell whether a runner has started this process."""
        return environment.get("GITLAB_CI") == "true"

    def safe(self, text: str) -> str:
        """Take the function from the markers of sections, with whatever the log appends to the line."""
        return super().safe(text).replace("section_start:", "section_start :").replace("section_end:", "section_end :")

    def paint(self, text: str, verdict: Verdict) -> str:
        """Return `text` in green, red or yellow."""
        return text if self._plain else f"\x1b[{_colour(verdict)};1m{text}\x1b[0m"

    def fold(self, title: str, lines: Sequence[str]) -> Iterable[str]:
        """Return a collapsed section."""
        section = f"codearts_gate_{uuid.uuid4().hex}"
        yield f"section_start:{time.time():.0f}:{section}[collapsed=true]{_ERASE}  {title}"
        yield from self.quote(lines)
        yield f"section_end:{time.time():.0f}:{section}{_ERASE}"


def _colour(verdict: Verdict) -> int:
    match verdict:
        case Verdict.PASSED:
            return 32
        case Verdict.FAILED | Verdict.ABORTED:
            return 31
        case Verdict.TIMED_OUT | Verdict.UNDETERMINED | Verdict.INTERRUPTED | Verdict.SKIPPED | Verdict.STARTED:
            return 33
        case _:
            assert_never(verdict)
