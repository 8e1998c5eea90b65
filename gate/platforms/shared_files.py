"""Files of a CI system's own, to which every step appends: replaced, they would lose what other steps wrote."""

import os
from collections.abc import Mapping
from pathlib import Path

VARIABLES = (
    "GITHUB_ENV",
    "GITHUB_OUTPUT",
    "GITHUB_PATH",
    "GITHUB_STATE",
    "GITHUB_STEP_SUMMARY",
    "BASH_ENV",  # CircleCI
    "BUILDKITE_ENV_FILE",
)
"""The variables that name such a file. Gitea, Forgejo and act set those of GitHub."""


def is_shared(path: Path, environment: Mapping[str, str]) -> bool:
    """Tell whether `path` is a file of the CI system's own, whichever platform was chosen."""
    try:
        real = os.path.realpath(path)
    except OSError:  # the working directory has been removed, so there is no such file
        return False
    return any(real == os.path.realpath(name) for variable in VARIABLES if (name := environment.get(variable)))
