"""A request as the service sees it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestIdentity:
    """How a request was let in: by `token`, with `aksk`, or (`None`) because its path needs no credential."""

    family: str | None
    token_issued: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, with the operation that its path names (empty if no route has that path)."""

    operation: str
    method: str
    path: str
    params: Mapping[str, str]
    """The values of the path template's parameters."""
    query: tuple[tuple[str, str], ...]
    headers: Message
    body: bytes
    job_id: str | None = None
    """The job that the request is about, if that can be told."""
    build_number: int | None = None
    identity: RequestIdentity | None = None
    """Who asks; `None` if the request was not let in."""

    @property
    def version(self) -> str:
        """The first part of the path: `v1`, `v3` or `v4`."""
        return self.path.split("/")[1]

    def document(self) -> dict[str, Any]:
        """Return the body read as a JSON object; empty if it is anything else."""
        try:
            document = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}

    def value(self, name: str) -> str | None:
        """Return a parameter as text, from the path, the query or the body, whichever has it first."""
        for source in (self.params, dict(self.query), self.document()):
            if source.get(name) is not None:
                return str(source[name])
        return None
