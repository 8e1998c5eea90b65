"""Credentials as `requests.auth.AuthBase` objects, set on every request, so that `.netrc` cannot replace them."""

import threading
from contextlib import AbstractContextManager, nullcontext, suppress

from requests import PreparedRequest
from requests.auth import AuthBase

from gate.codearts.token_input import checked, read_token
from gate.errors import UsageProblem
from gate.settings import Token

TOKEN_HEADER = "X-Auth-Token"  # noqa: S105 - the header's name, from the vendor's page on ShowJobStatus


class Auth(AuthBase):
    """A credential that authenticates requests; some kinds can be renewed."""

    has_worked = False
    """Whether the service has accepted the credential, or an earlier version of it."""

    def renew(self, refused: PreparedRequest) -> bool:  # noqa: ARG002 - subclasses use it
        """Return whether there is a newer credential than that of the `refused` request; it may be tried once."""
        return False

    def sending(self, *, decides: bool) -> AbstractContextManager[object]:  # noqa: ARG002 - subclasses use it
        """Return the context in which a request is sent; a credential that refusals could lock may delay or prevent it.

        `decides`: whether a verdict depends on the request. Entering may raise `Unauthorised`.
        """
        return nullcontext()

    def accepted(self, request: PreparedRequest) -> None:  # noqa: ARG002 - subclasses use it
        """Record that the service accepted the credential of `request`."""
        self.has_worked = True

    def refused(self) -> None:
        """Record that the service refused the credential. What that means for the wait is for the core to decide."""

    def sent(self) -> int:
        """Return how many requests of its own the credential has needed so far."""
        return 0

    def secrets(self) -> tuple[str, ...]:
        """Return the strings that must never be shown."""
        return ()


class NoAuth(Auth):
    """No credential: used to see how the gateway answers without one."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Return the request unchanged."""
        return request

    def accepted(self, request: PreparedRequest) -> None:
        """Do nothing: an accepted request says nothing about a credential."""


class TokenAuth(Auth):
    """An IAM token. A token file is read again when the token is refused, because a long wait outlives a token."""

    def __init__(self, token: Token) -> None:
        """Read the token. Raises `UsageProblem` when there is no usable token."""
        self._file = token.file
        self._source = token.source
        self._lock = threading.Lock()
        self._token = read_token(token.file, token.source) if token.file else checked(token.value, token.source)
        self._former: tuple[str, ...] = ()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the token header."""
        request.headers[TOKEN_HEADER] = self._token
        return request

    def renew(self, refused: PreparedRequest) -> bool:
        """Read the token file again. A token is newer when it differs from the refused one."""
        return self._newest() != refused.headers.get(TOKEN_HEADER, "")

    def _newest(self) -> str:
        """Return the token that the file holds now, or the last known one when the file has no usable token."""
        if self._file is not None:
            with self._lock, suppress(UsageProblem):
                token = read_token(self._file, self._source)
                if token != self._token:
                    self._former = (*self._former, self._token)
                    self._token = token
        return self._token

    def secrets(self) -> tuple[str, ...]:
        """Return every token that was read so far."""
        return (self._token, *self._former)
