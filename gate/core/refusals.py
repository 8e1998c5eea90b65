"""How often in a row the credential was refused: counted once for a whole run, from calls that decide."""

import copy
from collections.abc import Callable
from typing import TypeVar

from gate.errors import CredentialRefused, Forbidden, NotFound, PermanentError, Unauthorised

T = TypeVar("T")


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

    def checked(self, call: Callable[[], T]) -> T:
        """Carry out a call, in any thread, unless the credential was refused for good: then raise `Unauthorised`.

        So the credential is not sent for hundreds of other targets, whose calls wait for their turn by then.
        """
        if self._final is not None:
            raise copy.copy(self._final)
        return call()

    def note_answer(self, job_id: str) -> None:
        """Take note of a usable answer about a job."""
        self._has_worked = True
        self._refused_at.pop("", None)
        self._refused_at.pop(job_id, None)

    def note_refusal(self, error: CredentialRefused, job_id: str, started: float, now: float) -> None:
        """Take note of the refusal of a call that began at `started`; raise the permanent error if it is final."""
        first = self._refused_at.setdefault(job_id if error.kind is Forbidden else "", now)
        if started <= first and error.times == 1:
            return
        permanent = error.permanent()
        if isinstance(permanent, Unauthorised):
            self._final = permanent
        raise permanent

    def note_permanent(self, error: PermanentError, job_id: str) -> None:
        """Take note of a permanent error: it may be a usable answer, or the refusal of what has never worked."""
        if isinstance(error, NotFound):
            self.note_answer(job_id)
        elif isinstance(error, Unauthorised) and not self._has_worked:
            self._final = error
