"""Which CI system the gate runs in."""

from collections.abc import Mapping

from gate.platforms.github import GitHub
from gate.platforms.gitlab import GitLab
from gate.platforms.jenkins import Jenkins
from gate.platforms.room import Room

ROOMS: Mapping[str, type[Room]] = {room.name: room for room in (GitHub, GitLab, Jenkins, Room)}
"""Asked in this order; the last one is at home everywhere."""


def detect(choice: str, environment: Mapping[str, str]) -> Room:
    """Give the room named `choice`, or with `auto` the first one that is here."""
    kind = ROOMS.get(choice) or next(room for room in ROOMS.values() if room.is_here(environment))
    return kind(environment)
