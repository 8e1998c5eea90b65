"""How often in a row the credential was refused: counted once for a whole run, from calls that decide."""

import copy

from gate.errors import CredentialRefused, Forbidden, NotFound, Unauthorised


class Refusals:
    """Refusals in a row, as the calls of all targets on which a verdict depends have met them.

    A credential that has worked is good until the service has refused it twice without a usable answer between them;
    refusals of calls that were under way together count once. A permission is counted for each job. Side channels and
    lists neither count nor are counted. All instants are in seconds on the clock of `Workers`.
    """

    def __init__(self) -> None:
        """Start with a credential that was not tried yet."""
        self._has_worked = False
        self._refused_at: dict[str, float] = {}
        """The instants of the first refusals since the last usable answer: of a permission by the job, else by ""."""
        self._final: Unauthorised | None = None

    @property
    def final(self) -> Unauthorised | None:
        """The error that every further call ends in, once the credential was refused for good.

        So the credential is not sent for hundreds of other targets, whose calls wait for their turn by then.
        """
        return copy.copy(self._final)

    def judged(self, error: Exception | None, job_id: str, started: float, now: float) -> Exception | None:
        """Count what a call that decides came to; return its error, or the permanent one that it amounts to.

        `started`, `now`: the instants of the call's start and end. The service's word that there is no such build is a
        usable answer.
        """
        if error is None or isinstance(error, NotFound):
            self._note_answer(job_id)
        elif isinstance(error, CredentialRefused):
            return self._note_refusal(error, job_id, started, now)
        elif isinstance(error, Unauthorised) and not self._has_worked:
            self._final = error
        return error

    def _note_answer(self, job_id: str) -> None:
        """Take note of a usable answer about a job."""
        self._has_worked = True
        self._refused_at.pop("", None)
        self._refused_at.pop(job_id, None)

    def _note_refusal(self, error: CredentialRefused, job_id: str, started: float, now: float) -> Exception:
        """Take note of the refusal of a call that began at `started`; return the permanent error if it is final."""
        first = self._refused_at.setdefault(job_id if error.kind is Forbidden else "", now)
        if started <= first:
            return error
        permanent = error.permanent()
        if isinstance(permanent, Unauthorised):
            self._final = permanent
        return permanent
