"""Which CI system the gate runs in."""

from collections.abc import Mapping

from gate.platforms.github import GitHub
from gate.platforms.gitlab import GitLab
from gate.platforms.jenkins import Jenkins
from gate.platforms.platform import Platform

PLATFORMS: Mapping[str, type[Platform]] = {room.name: room for room in (GitHub, GitLab, Jenkins, Platform)}
"""Asked in this order; the last one is at home everywhere."""


def detect(choice: str, environment: Mapping[str, str]) -> Platform:
    """Return the room named `choice`, or with `auto` the first one that is here."""
    kind = PLATFORMS.get(choice) or next(room for room in PLATFORMS.values() if room.is_here(environment))
    return kind(environment)
