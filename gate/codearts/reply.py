"""An HTTP answer, as the session returns it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers and body of an HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    cut: str = ""
    """Why the body is incomplete; empty for a complete one."""
    renewed: bool = False
    """Whether this is the answer to a newer credential, after the first one had been refused."""
    credential_worked: bool = False
    """Whether the credential was accepted before, so that a refusal may pass by itself."""
