"""Find out which CI system the gate runs in, and load what is about that one."""

import os
from collections.abc import Callable, Mapping

from gate.platforms.platform import Platform

PLATFORMS: Mapping[str, Callable[[Mapping[str, str]], bool]] = {
    "github": lambda environment: environment.get("GITHUB_ACTIONS") == "true",
    "gitlab": lambda environment: environment.get("GITLAB_CI") == "true",
    # JENKINS_URL needs an address in Jenkins' settings.
    "jenkins": lambda environment: (
        bool(environment.get("JENKINS_URL")) or environment.get("BUILD_TAG", "").startswith("jenkins-")
    ),
    "none": lambda _: True,
}
"""Whether a runner has started this process, by the name that `--platform` takes; asked in this order."""


def detect(choice: str, environment: Mapping[str, str]) -> Platform:
    """Return the platform named `choice`, or with `auto` the first one that recognises its variables."""
    name = choice if choice in PLATFORMS else next(name for name, is_here in PLATFORMS.items() if is_here(environment))
    return _class_of(name)(environment)


def detect_here() -> Platform:
    """Return the platform of this process, as far as its variables tell: for what has no `--platform` at hand."""
    return detect(os.environ.get("GATE_PLATFORM", "").strip(), os.environ)


def _class_of(name: str) -> type[Platform]:
    match name:
        case "github":
            from gate.platforms.github import GitHub

            return GitHub
        case "gitlab":
            from gate.platforms.gitlab import GitLab

            return GitLab
        case "jenkins":
            from gate.platforms.jenkins import Jenkins

            return Jenkins
        case _:
            return Platform
