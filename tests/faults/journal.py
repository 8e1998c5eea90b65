"""What the simulator was asked, for assertions; never a credential."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

SIGN_IN = "KeystoneCreateUserTokenByPassword"
ORDERS = ("ExecuteJob", "RunJob")
STOPS = ("StopBuildJob", "StopTheJob")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request, written before its answer is sent."""

    at: datetime
    """The service's time."""
    method: str
    path: str
    query: Mapping[str, str]
    operation: str
    """The vendor's name; empty for a path without a route."""
    order: Mapping[str, Any] | None = None
    """The body of an order; `None` for other operations, as that of a sign-in has a password."""
    job_id: str | None = None
    build_number: int | None = None
    family: str | None = None
    """The kind of credential: `token` or `aksk`; `None` without one."""
    authorised: bool = False
    """Whether the gateway let it in; a path without a route needs no credential to be told so."""
    signed_at: str | None = None
    """The `X-Sdk-Date` of a signed request."""
    status: int | None = None
    """The HTTP status of the answer; `None` if the service was kept from answering."""
    transport_fault: str | None = None
    """The name of the class of the transport fault that the answer met."""


class Journal:
    """All requests so far, in the order in which they were answered."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def write(self, entry: Entry) -> None:
        """Add a request."""
        self._entries.append(entry)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The requests until now."""
        return tuple(self._entries)

    def of(self, *operations: str, job_id: str | None = None) -> tuple[Entry, ...]:
        """Return the requests to these operations, of one job or of any."""
        return tuple(
            entry for entry in self.entries if entry.operation in operations and job_id in (None, entry.job_id)
        )

    @property
    def sign_ins(self) -> int:
        """How often a client tried to sign in at IAM."""
        return len(self.of(SIGN_IN))

    @property
    def stops(self) -> tuple[tuple[str | None, int | None], ...]:
        """Job and number of each build that was stopped by request."""
        return tuple((entry.job_id, entry.build_number) for entry in self.of(*STOPS) if entry.status == 200)
