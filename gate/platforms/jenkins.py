"""Jenkins: its console takes plain lines, so nothing is added to them.

A console note, by which text could act there, begins with an escape sequence, and `gate.text` leaves none. The
report reaches Jenkins through the `junit` step, the outputs through `readProperties`, as files.
"""

from gate.platforms.platform import Platform, is_value_of


class Jenkins(Platform):
    """A build of a Jenkins job."""

    name = "jenkins"
    keeps_lines = True

    def commit_advice(self, commit: str) -> str:
        """Compare with `GIT_COMMIT` of a change request (`CHANGE_ID`, or a plugin's own variable).

        Multibranch projects merge the target into the branch's commit, which is the first parent then; they name it in
        no variable. Two older plugins do.
        """
        plugins = ("ghprbActualCommit", "gitlabMergeRequestLastCommit")
        variable = next((name for name in plugins if self._environment.get(name)), "")
        is_change = bool(variable or self._environment.get("CHANGE_ID"))
        if not is_change or not is_value_of(self._environment, "GIT_COMMIT", commit):
            return ""
        if variable and is_value_of(self._environment, variable, commit):
            return ""
        branch = f"in ${variable}" if variable else "the first parent, if it was merged: $(git rev-parse HEAD^1)"
        return (
            "this may be the merge commit of a change request (GIT_COMMIT), which nobody pushed; "
            f"the commit of its branch is {branch}"
        )
