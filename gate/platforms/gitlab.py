"""GitLab CI: collapsible sections and colours in the log.

Outputs and report reach GitLab as files: `artifacts:reports:dotenv` and `artifacts:reports:junit`.
"""

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence

from gate.platforms.platform import Platform

_ERASE = "\r\x1b[0K"
"""GitLab takes a section's marker for one only with this behind it."""


class GitLab(Platform):
    """A job of a GitLab pipeline."""

    name = "gitlab"
    keeps_lines = True
    shows_colours = True

    @classmethod
    def is_here(cls, environment: Mapping[str, str]) -> bool:
        """Tell whether a runner has started this process."""
        return environment.get("GITLAB_CI") == "true"

    def without_commands(self, text: str) -> str:
        """Break the markers of sections, which count anywhere in a line, whatever the log appends to them."""
        text = super().without_commands(text)
        return text.replace("section_start:", "section_start :").replace("section_end:", "section_end :")

    def log_section(self, title: str, quoted: Sequence[str]) -> Iterable[str]:
        """Return a collapsed section."""
        section = f"codearts_gate_{uuid.uuid4().hex}"
        yield f"section_start:{time.time():.0f}:{section}[collapsed=true]{_ERASE}  {title}"
        yield from quoted
        yield f"section_end:{time.time():.0f}:{section}{_ERASE}"
