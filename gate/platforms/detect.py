"""Find out which CI system the gate runs in."""

from collections.abc import Mapping

from gate.platforms.github import GitHub
from gate.platforms.gitlab import GitLab
from gate.platforms.jenkins import Jenkins
from gate.platforms.platform import Platform

PLATFORMS: Mapping[str, type[Platform]] = {kind.name: kind for kind in (GitHub, GitLab, Jenkins, Platform)}
"""By the name that `--platform` takes; asked in this order, and the last one fits everywhere."""


def detect(choice: str, environment: Mapping[str, str]) -> Platform:
    """Return the platform named `choice`, or with `auto` the first one that recognises its variables."""
    kind = PLATFORMS.get(choice) or next(kind for kind in PLATFORMS.values() if kind.is_here(environment))
    return kind(environment)
