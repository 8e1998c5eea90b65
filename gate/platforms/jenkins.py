"""Jenkins: its console takes plain lines, so nothing is added to them.

A console note, by which text could act there, begins with an escape sequence, and `gate.text` leaves none. The
report reaches Jenkins through the `junit` step, the outputs through `readProperties`, as files.
"""

from collections.abc import Mapping

from gate.platforms.platform import Platform


class Jenkins(Platform):
    """A build of a Jenkins job."""

    name = "jenkins"
    keeps_lines = True

    @classmethod
    def is_here(cls, environment: Mapping[str, str]) -> bool:
        """Tell whether an agent has started this process; `JENKINS_URL` needs an address in Jenkins' settings."""
        return bool(environment.get("JENKINS_URL")) or environment.get("BUILD_TAG", "").startswith("jenkins-")
